-- One row is one piece of work that is done after its request was answered. Whoever claims it holds a lease that
-- has to be renewed; `attempt` counts the claims and is the fence: whatever a worker writes names the attempt that
-- it works for, and an older one writes nothing. `failures` counts the claims that ended badly.
CREATE TABLE jobs (
    job_id         TEXT    NOT NULL PRIMARY KEY,
    kind           TEXT    NOT NULL,
    study_id       TEXT    REFERENCES studies (study_id),
    subject        TEXT,
    state          TEXT    NOT NULL CHECK (state IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
    attempt        INTEGER NOT NULL CHECK (attempt >= 0),
    failures       INTEGER NOT NULL CHECK (failures >= 0),
    max_failures   INTEGER NOT NULL CHECK (max_failures > 0),
    due_at         TEXT    NOT NULL,
    worker         TEXT,
    lease_until    TEXT,
    cancel_asked   INTEGER NOT NULL CHECK (cancel_asked IN (0, 1)),
    step           TEXT,
    done           INTEGER NOT NULL,
    total          INTEGER NOT NULL,
    problem        TEXT,
    result         TEXT,
    actor_type     TEXT    NOT NULL,
    actor_id       TEXT    NOT NULL,
    trace_id       TEXT    NOT NULL,
    enqueued_at    TEXT    NOT NULL,
    started_at     TEXT,
    changed_at     TEXT    NOT NULL,
    ended_at       TEXT
) STRICT;

CREATE INDEX jobs_by_state ON jobs (state, due_at);
CREATE INDEX jobs_by_subject ON jobs (kind, subject);
