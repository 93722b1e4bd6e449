-- Electronic signatures, as in `migrations/sqlite/tenant`.
CREATE TABLE cairn.signatures (
    tenant_id        text  NOT NULL DEFAULT cairn_keeper.context(),
    signature_id     text  NOT NULL,
    study_id         text  NOT NULL,
    record_type      text  NOT NULL,
    record_id        text  NOT NULL,
    record_sha256    text  NOT NULL CHECK (length(record_sha256) = 64),
    account_id       text  NOT NULL,
    meaning          text  NOT NULL CHECK (meaning IN ('authorship', 'review', 'approval', 'responsibility')),
    signed_at        text  NOT NULL,
    block_nonce      bytea NOT NULL CHECK (length(block_nonce) = 12),
    block_ciphertext bytea NOT NULL,
    block_sha256     text  NOT NULL CHECK (length(block_sha256) = 64),
    PRIMARY KEY (tenant_id, signature_id),
    FOREIGN KEY (tenant_id, account_id) REFERENCES cairn.accounts (tenant_id, account_id)
);

CREATE INDEX signatures_by_study ON cairn.signatures (tenant_id, study_id, signed_at);

ALTER TABLE cairn.signatures ENABLE ROW LEVEL SECURITY;
ALTER TABLE cairn.signatures FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant_alone ON cairn.signatures
    USING (tenant_id = (SELECT cairn_keeper.context()))
    WITH CHECK (tenant_id = (SELECT cairn_keeper.context()));
GRANT SELECT, INSERT ON cairn.signatures TO cairn_app;
