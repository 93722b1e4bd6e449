-- As in `migrations/sqlite/tenant`.
DROP TABLE cairn.revoked_tokens;
