-- As `migrations/sqlite/tenant/20261122160000_follow_accounts.sql`.
ALTER TABLE cairn.grants ADD COLUMN granted_by text;
ALTER TABLE cairn.accounts ADD COLUMN last_used_at text;
