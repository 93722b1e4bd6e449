-- As `migrations/sqlite/tenant/20261122120200_create_idempotency_keys.sql`.
CREATE TABLE cairn.idempotency_keys (
    tenant_id       text   NOT NULL DEFAULT cairn_keeper.context(),
    idempotency_key text   NOT NULL,
    request_sha256  text   NOT NULL,
    use_id          text   NOT NULL,
    status          bigint,
    location        text,
    answer          text,
    used_at         text   NOT NULL,
    expires_at      text   NOT NULL,
    PRIMARY KEY (tenant_id, idempotency_key)
);

CREATE INDEX idempotency_keys_by_end ON cairn.idempotency_keys (tenant_id, expires_at);

ALTER TABLE cairn.idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE cairn.idempotency_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant_alone ON cairn.idempotency_keys
    USING (tenant_id = (SELECT cairn_keeper.context()))
    WITH CHECK (tenant_id = (SELECT cairn_keeper.context()));
GRANT SELECT, INSERT, UPDATE, DELETE ON cairn.idempotency_keys TO cairn_app;
