-- As `migrations/sqlite/tenant/20261123110100_bind_tokens_to_peers.sql`.
ALTER TABLE cairn.access_tokens ADD COLUMN peer text;
