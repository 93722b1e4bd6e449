-- One row is one delivery that was taken in, with the receipt its sender got. The sender's key makes a repeated
-- delivery harmless: it finds this row and the same receipt.
CREATE TABLE ingest_batches (
    batch_id        TEXT NOT NULL PRIMARY KEY,
    study_id        TEXT NOT NULL REFERENCES studies (study_id),
    idempotency_key TEXT NOT NULL,
    manifest_hash   TEXT NOT NULL,
    receipt         TEXT NOT NULL,
    committed_at    TEXT NOT NULL,
    UNIQUE (study_id, idempotency_key)
) STRICT;
