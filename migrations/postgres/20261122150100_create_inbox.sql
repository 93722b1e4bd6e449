-- As `migrations/sqlite/tenant/20261122150100_create_inbox.sql`.
CREATE TABLE cairn.inbox (
    tenant_id  text NOT NULL DEFAULT cairn_keeper.context(),
    notice_id  text NOT NULL,
    account_id text NOT NULL,
    message_id text NOT NULL,
    about      text NOT NULL,
    created_at text NOT NULL,
    read_at    text,
    PRIMARY KEY (tenant_id, notice_id),
    FOREIGN KEY (tenant_id, account_id) REFERENCES cairn.accounts (tenant_id, account_id),
    FOREIGN KEY (tenant_id, message_id) REFERENCES cairn.outbox (tenant_id, message_id)
);

CREATE INDEX inbox_by_account ON cairn.inbox (tenant_id, account_id, notice_id);
CREATE INDEX inbox_by_message ON cairn.inbox (tenant_id, message_id);

ALTER TABLE cairn.inbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE cairn.inbox FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant_alone ON cairn.inbox
    USING (tenant_id = (SELECT cairn_keeper.context()))
    WITH CHECK (tenant_id = (SELECT cairn_keeper.context()));
GRANT SELECT, INSERT, UPDATE, DELETE ON cairn.inbox TO cairn_app;
