-- One row is one table that left the house: who pulled which table of which snapshot through which door, and
-- how much of it. It is written when the stream ended, well or badly; the ledger also holds its start.
CREATE TABLE distribution_logs (
    pull_id     TEXT    NOT NULL PRIMARY KEY,
    account_id  TEXT    NOT NULL REFERENCES accounts (account_id),
    study_id    TEXT    NOT NULL,
    snapshot_id TEXT    NOT NULL,
    table_name  TEXT    NOT NULL,
    door        TEXT    NOT NULL,
    outcome     TEXT    NOT NULL CHECK (outcome IN ('success', 'denied', 'failed')),
    row_count   INTEGER NOT NULL CHECK (row_count >= 0),
    byte_count  INTEGER NOT NULL CHECK (byte_count >= 0),
    finished_at TEXT    NOT NULL
) STRICT;

CREATE INDEX distribution_logs_by_study ON distribution_logs (study_id, finished_at);
