-- Logins, as in `migrations/sqlite/tenant`. A role that is taken away leaves no row among the grants.
CREATE TABLE cairn.sessions (
    tenant_id    text NOT NULL DEFAULT cairn_keeper.context(),
    session_id   text NOT NULL,
    secret_hash  text,
    account_id   text NOT NULL,
    method       text NOT NULL,
    peer_hash    text NOT NULL,
    started_at   text NOT NULL,
    last_used_at text NOT NULL,
    ends_at      text NOT NULL,
    ended_at     text,
    ended_why    text,
    PRIMARY KEY (tenant_id, session_id),
    UNIQUE (tenant_id, secret_hash),
    FOREIGN KEY (tenant_id, account_id) REFERENCES cairn.accounts (tenant_id, account_id)
);

CREATE INDEX sessions_by_account ON cairn.sessions (tenant_id, account_id, started_at);

ALTER TABLE cairn.sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE cairn.sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant_alone ON cairn.sessions
    USING (tenant_id = (SELECT cairn_keeper.context()))
    WITH CHECK (tenant_id = (SELECT cairn_keeper.context()));
GRANT SELECT, INSERT, UPDATE, DELETE ON cairn.sessions TO cairn_app;
GRANT DELETE ON cairn.grants TO cairn_app;
