-- One row is one key that a request named, written in the transaction of what the request did. The answer follows;
-- a row without one is of a request that is being answered, or whose answer was lost.
CREATE TABLE idempotency_keys (
    idempotency_key TEXT    NOT NULL PRIMARY KEY,
    request_sha256  TEXT    NOT NULL,
    use_id          TEXT    NOT NULL,
    status          INTEGER,
    location        TEXT,
    answer          TEXT,
    used_at         TEXT    NOT NULL,
    expires_at      TEXT    NOT NULL
) STRICT;

CREATE INDEX idempotency_keys_by_end ON idempotency_keys (expires_at);
