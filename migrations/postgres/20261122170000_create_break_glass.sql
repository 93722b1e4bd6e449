-- Emergency accesses, as in `migrations/sqlite/tenant`.
CREATE TABLE cairn.break_glass (
    tenant_id         text  NOT NULL DEFAULT cairn_keeper.context(),
    break_glass_id    text  NOT NULL,
    account_id        text  NOT NULL,
    study_id          text  NOT NULL,
    reason_nonce      bytea NOT NULL CHECK (length(reason_nonce) = 12),
    reason_ciphertext bytea NOT NULL,
    opened_at         text  NOT NULL,
    ends_at           text  NOT NULL,
    ended_at          text,
    review_due_at     text  NOT NULL,
    reviewed_at       text,
    reviewed_by       text,
    verdict           text CHECK (verdict IN ('justified', 'unjustified')),
    PRIMARY KEY (tenant_id, break_glass_id),
    FOREIGN KEY (tenant_id, account_id) REFERENCES cairn.accounts (tenant_id, account_id),
    FOREIGN KEY (tenant_id, reviewed_by) REFERENCES cairn.accounts (tenant_id, account_id),
    CHECK (reviewed_by IS NULL OR reviewed_by <> account_id)
);

CREATE INDEX break_glass_by_account ON cairn.break_glass (tenant_id, account_id, ends_at);

ALTER TABLE cairn.break_glass ENABLE ROW LEVEL SECURITY;
ALTER TABLE cairn.break_glass FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant_alone ON cairn.break_glass
    USING (tenant_id = (SELECT cairn_keeper.context()))
    WITH CHECK (tenant_id = (SELECT cairn_keeper.context()));
GRANT SELECT, INSERT, UPDATE ON cairn.break_glass TO cairn_app;
