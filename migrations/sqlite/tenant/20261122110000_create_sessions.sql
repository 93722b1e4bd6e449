-- One row is one login, and everything that was made from it: a browser's session, which has a secret of its own,
-- or a client's, which has none and lives in its tokens. The secret is kept as a hash, the address that it came from
-- too. Ended rows stay for a while, for who looks back.
CREATE TABLE sessions (
    session_id   TEXT NOT NULL PRIMARY KEY,
    secret_hash  TEXT UNIQUE,
    account_id   TEXT NOT NULL REFERENCES accounts (account_id),
    method       TEXT NOT NULL,
    peer_hash    TEXT NOT NULL,
    started_at   TEXT NOT NULL,
    last_used_at TEXT NOT NULL,
    ends_at      TEXT NOT NULL,
    ended_at     TEXT,
    ended_why    TEXT
) STRICT;

CREATE INDEX sessions_by_account ON sessions (account_id, started_at);
