-- As `migrations/sqlite/tenant/20261122150000_create_outbox.sql`.
CREATE TABLE cairn.outbox (
    tenant_id  text NOT NULL DEFAULT cairn_keeper.context(),
    message_id text NOT NULL,
    kind       text NOT NULL,
    payload    text NOT NULL,
    trace_id   text,
    created_at text NOT NULL,
    PRIMARY KEY (tenant_id, message_id)
);

CREATE TABLE cairn.webhook_endpoints (
    tenant_id         text   NOT NULL DEFAULT cairn_keeper.context(),
    endpoint_id       text   NOT NULL,
    url               text   NOT NULL,
    description       text   NOT NULL,
    kinds             text   NOT NULL,
    state             text   NOT NULL CHECK (state IN ('ENABLED', 'DISABLED', 'REMOVED')),
    reason            text,
    secret            bytea,
    secret_version    bigint NOT NULL,
    previous_secret   bytea,
    previous_until    text,
    failures          bigint NOT NULL,
    openings          bigint NOT NULL,
    open_until        text,
    retry_credit      bigint NOT NULL,
    spared_at         text,
    last_status       bigint,
    last_sent_at      text,
    last_delivered_at text,
    created_at        text   NOT NULL,
    changed_at        text   NOT NULL,
    PRIMARY KEY (tenant_id, endpoint_id)
);

CREATE TABLE cairn.webhook_deliveries (
    tenant_id   text   NOT NULL DEFAULT cairn_keeper.context(),
    delivery_id text   NOT NULL,
    message_id  text   NOT NULL,
    endpoint_id text   NOT NULL,
    state       text   NOT NULL CHECK (state IN ('QUEUED', 'SENDING', 'DELIVERED', 'DEAD', 'CANCELLED')),
    attempt     bigint NOT NULL CHECK (attempt >= 0),
    failures    bigint NOT NULL CHECK (failures >= 0),
    due_at      text   NOT NULL,
    give_up_at  text   NOT NULL,
    lease_until text,
    status      bigint,
    problem     text,
    answer      text,
    sent_at     text,
    ended_at    text,
    created_at  text   NOT NULL,
    PRIMARY KEY (tenant_id, delivery_id),
    FOREIGN KEY (tenant_id, message_id) REFERENCES cairn.outbox (tenant_id, message_id),
    FOREIGN KEY (tenant_id, endpoint_id) REFERENCES cairn.webhook_endpoints (tenant_id, endpoint_id)
);

CREATE INDEX webhook_deliveries_by_state ON cairn.webhook_deliveries (tenant_id, state, due_at);
CREATE INDEX webhook_deliveries_by_endpoint ON cairn.webhook_deliveries (tenant_id, endpoint_id, delivery_id);
CREATE INDEX webhook_deliveries_by_message ON cairn.webhook_deliveries (tenant_id, message_id);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['outbox', 'webhook_endpoints', 'webhook_deliveries'] LOOP
        EXECUTE format('ALTER TABLE cairn.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE cairn.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY own_tenant_alone ON cairn.%I
                 USING (tenant_id = (SELECT cairn_keeper.context()))
                 WITH CHECK (tenant_id = (SELECT cairn_keeper.context()))', name);
    END LOOP;
END
$$;

GRANT SELECT, INSERT, DELETE ON cairn.outbox TO cairn_app;
GRANT SELECT, INSERT, UPDATE ON cairn.webhook_endpoints TO cairn_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON cairn.webhook_deliveries TO cairn_app;
