-- As `migrations/sqlite/tenant/20261122120000_create_jobs.sql`.
CREATE TABLE cairn.jobs (
    tenant_id      text   NOT NULL DEFAULT cairn_keeper.context(),
    job_id         text   NOT NULL,
    kind           text   NOT NULL,
    study_id       text,
    subject        text,
    state          text   NOT NULL CHECK (state IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
    attempt        bigint NOT NULL CHECK (attempt >= 0),
    failures       bigint NOT NULL CHECK (failures >= 0),
    max_failures   bigint NOT NULL CHECK (max_failures > 0),
    due_at         text   NOT NULL,
    worker         text,
    lease_until    text,
    cancel_asked   bigint NOT NULL CHECK (cancel_asked IN (0, 1)),
    step           text,
    done           bigint NOT NULL,
    total          bigint NOT NULL,
    problem        text,
    result         text,
    actor_type     text   NOT NULL,
    actor_id       text   NOT NULL,
    trace_id       text   NOT NULL,
    enqueued_at    text   NOT NULL,
    started_at     text,
    changed_at     text   NOT NULL,
    ended_at       text,
    PRIMARY KEY (tenant_id, job_id),
    FOREIGN KEY (tenant_id, study_id) REFERENCES cairn.studies (tenant_id, study_id)
);

CREATE INDEX jobs_by_state ON cairn.jobs (tenant_id, state, due_at);
CREATE INDEX jobs_by_subject ON cairn.jobs (tenant_id, kind, subject);

ALTER TABLE cairn.jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE cairn.jobs FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant_alone ON cairn.jobs
    USING (tenant_id = (SELECT cairn_keeper.context()))
    WITH CHECK (tenant_id = (SELECT cairn_keeper.context()));
GRANT SELECT, INSERT, UPDATE ON cairn.jobs TO cairn_app;
