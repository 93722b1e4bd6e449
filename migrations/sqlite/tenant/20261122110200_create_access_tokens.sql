-- One row of `access_tokens` is one token that its holder keeps: a person's for programs of their own, or a machine's
-- for one service. It is stored as a hash. What it may do is at most what its account may do at that moment, in the
-- roles and studies of `access_token_grants`.
CREATE TABLE access_tokens (
    token_id     TEXT NOT NULL PRIMARY KEY,
    secret_hash  TEXT NOT NULL UNIQUE,
    account_id   TEXT NOT NULL REFERENCES accounts (account_id),
    kind         TEXT NOT NULL CHECK (kind IN ('personal', 'service')),
    audience     TEXT,
    label        TEXT NOT NULL,
    created_at   TEXT NOT NULL,
    ends_at      TEXT NOT NULL,
    last_used_at TEXT,
    revoked_at   TEXT
) STRICT;

CREATE INDEX access_tokens_by_account ON access_tokens (account_id, created_at);

CREATE TABLE access_token_grants (
    token_id TEXT NOT NULL REFERENCES access_tokens (token_id),
    role     TEXT NOT NULL,
    study_id TEXT
) STRICT;

CREATE UNIQUE INDEX access_token_grants_are_given_once ON access_token_grants (token_id, role, COALESCE(study_id, ''));
