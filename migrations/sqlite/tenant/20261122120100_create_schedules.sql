-- One row is one job that is put in line again and again, at the times of a cron expression in a time zone.
-- `next_due_at` moves in the transaction that puts the job in line, so that no time is used twice.
CREATE TABLE schedules (
    schedule_id TEXT    NOT NULL PRIMARY KEY,
    kind        TEXT    NOT NULL,
    study_id    TEXT    REFERENCES studies (study_id),
    cron        TEXT    NOT NULL,
    zone        TEXT    NOT NULL,
    enabled     INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    next_due_at TEXT    NOT NULL,
    last_due_at TEXT,
    last_job_id TEXT,
    created_at  TEXT    NOT NULL,
    changed_at  TEXT    NOT NULL
) STRICT;

CREATE INDEX schedules_by_time ON schedules (enabled, next_due_at);
