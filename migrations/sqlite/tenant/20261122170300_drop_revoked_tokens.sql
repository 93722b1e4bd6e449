-- Tokens end with their session since `create_sessions`; nothing has read or written this table since then.
DROP TABLE revoked_tokens;
