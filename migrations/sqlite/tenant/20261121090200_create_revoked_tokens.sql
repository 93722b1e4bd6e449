-- One row is one token that was logged out before it expired. The id is not a secret; the token is not kept.
CREATE TABLE revoked_tokens (
    jti        TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (account_id),
    expires_at TEXT NOT NULL,
    revoked_at TEXT NOT NULL
) STRICT;
