-- As `migrations/sqlite/tenant/20261123120000_seal_accounts.sql` and `migrations/sqlite/system/20261123120000_seal_identities.sql`.
ALTER TABLE cairn.accounts ADD COLUMN email_sealed bytea;
ALTER TABLE cairn.accounts ADD COLUMN display_name_sealed bytea;
ALTER TABLE cairn_system.identity_directory ADD COLUMN subject_sealed bytea;
GRANT UPDATE (subject, subject_sealed) ON cairn_system.identity_directory TO cairn_system;
