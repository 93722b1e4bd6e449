-- One row makes one snapshot visible; the row with the highest `seq` of a study is its current snapshot.
-- Published means fixed: rows are added and never changed. An id may return when a correction is taken back.
CREATE TABLE snapshots (
    study_id     TEXT    NOT NULL REFERENCES studies (study_id),
    seq          INTEGER NOT NULL CHECK (seq >= 0),
    snapshot_id  TEXT    NOT NULL,
    manifest_key TEXT    NOT NULL,
    has_marts    INTEGER NOT NULL CHECK (has_marts IN (0, 1)),
    replaces     TEXT,
    published_at TEXT    NOT NULL,
    PRIMARY KEY (study_id, seq)
) STRICT;

CREATE INDEX snapshots_by_id ON snapshots (study_id, snapshot_id);

CREATE TRIGGER snapshots_are_never_updated BEFORE UPDATE ON snapshots
BEGIN
    SELECT RAISE(ABORT, 'a published snapshot never changes');
END;

CREATE TRIGGER snapshots_are_never_deleted BEFORE DELETE ON snapshots
BEGIN
    SELECT RAISE(ABORT, 'a published snapshot never changes');
END;
