-- One row is one build of a study's marts, however it ended. What it found, with values of the data, lies with the
-- data under `record_key`; here stands how it ended and how much of it.
CREATE TABLE mart_runs (
    run_id        TEXT    NOT NULL PRIMARY KEY,
    study_id      TEXT    NOT NULL REFERENCES studies (study_id),
    status        TEXT    NOT NULL CHECK (status IN ('published', 'partial', 'unchanged', 'failed', 'cancelled')),
    based_on      TEXT    NOT NULL,
    snapshot_id   TEXT,
    sources_as_of TEXT,
    record_key    TEXT    NOT NULL,
    made_count    INTEGER NOT NULL CHECK (made_count >= 0),
    shared_count  INTEGER NOT NULL CHECK (shared_count >= 0),
    error_count   INTEGER NOT NULL CHECK (error_count >= 0),
    warning_count INTEGER NOT NULL CHECK (warning_count >= 0),
    started_at    TEXT    NOT NULL,
    finished_at   TEXT    NOT NULL
) STRICT;

CREATE INDEX mart_runs_by_study ON mart_runs (study_id, finished_at);

CREATE TRIGGER mart_runs_are_never_updated BEFORE UPDATE ON mart_runs
BEGIN
    SELECT RAISE(ABORT, 'a run that ended never changes');
END;

CREATE TRIGGER mart_runs_are_never_deleted BEFORE DELETE ON mart_runs
BEGIN
    SELECT RAISE(ABORT, 'a run that ended never changes');
END;

-- One row makes one snapshot of a past instant readable by its id. It is never a study's current one.
CREATE TABLE past_snapshots (
    study_id      TEXT NOT NULL REFERENCES studies (study_id),
    snapshot_id   TEXT NOT NULL,
    sources_as_of TEXT NOT NULL,
    manifest_key  TEXT NOT NULL,
    published_at  TEXT NOT NULL,
    PRIMARY KEY (study_id, snapshot_id)
) STRICT;

CREATE INDEX past_snapshots_by_instant ON past_snapshots (study_id, sources_as_of);

CREATE TRIGGER past_snapshots_are_never_updated BEFORE UPDATE ON past_snapshots
BEGIN
    SELECT RAISE(ABORT, 'a published snapshot never changes');
END;

CREATE TRIGGER past_snapshots_are_never_deleted BEFORE DELETE ON past_snapshots
BEGIN
    SELECT RAISE(ABORT, 'a published snapshot never changes');
END;
