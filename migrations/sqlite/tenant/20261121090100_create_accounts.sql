-- One row of `accounts` is one person or machine that can log in; it is disabled, never deleted, so that the
-- ledger's account ids stay explained. One row of `grants` is one role in one study, or in all (null).
CREATE TABLE accounts (
    account_id    TEXT    NOT NULL PRIMARY KEY,
    email         TEXT    NOT NULL UNIQUE,
    display_name  TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    enabled       INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    created_at    TEXT    NOT NULL,
    disabled_at   TEXT
) STRICT;

CREATE TABLE grants (
    account_id TEXT NOT NULL REFERENCES accounts (account_id),
    role       TEXT NOT NULL,
    study_id   TEXT,
    granted_at TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX grants_are_given_once ON grants (account_id, role, COALESCE(study_id, ''));
