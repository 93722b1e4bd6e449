-- Identities that a provider vouches for, as in `migrations/sqlite/system`.
CREATE TABLE cairn_system.identity_directory (
    issuer     text NOT NULL,
    subject    text NOT NULL,
    tenant_id  text NOT NULL REFERENCES cairn_system.tenants (tenant_id),
    account_id text NOT NULL,
    linked_at  text NOT NULL,
    PRIMARY KEY (issuer, subject)
);

CREATE INDEX identity_directory_by_account ON cairn_system.identity_directory (account_id);

ALTER TABLE cairn_system.identity_directory ENABLE ROW LEVEL SECURITY;
ALTER TABLE cairn_system.identity_directory FORCE ROW LEVEL SECURITY;
CREATE POLICY system_alone ON cairn_system.identity_directory
    USING ((SELECT cairn_keeper.context()) = 'system')
    WITH CHECK ((SELECT cairn_keeper.context()) = 'system');
GRANT SELECT, INSERT, DELETE ON cairn_system.identity_directory TO cairn_system;
