-- One row is one delivery that is sent over the wire: announced with the names and hashes of its files, received
-- in parts, then taken in as a job. Its id becomes that of the batch.
CREATE TABLE deliveries (
    batch_id        TEXT NOT NULL PRIMARY KEY,
    study_id        TEXT NOT NULL REFERENCES studies (study_id),
    idempotency_key TEXT NOT NULL,
    manifest_hash   TEXT NOT NULL,
    manifest        TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('RECEIVED', 'STAGED', 'COMMITTED', 'REJECTED')),
    account_id      TEXT NOT NULL,
    problem         TEXT,
    announced_at    TEXT NOT NULL,
    changed_at      TEXT NOT NULL,
    UNIQUE (study_id, idempotency_key)
) STRICT;
