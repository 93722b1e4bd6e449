-- As `migrations/sqlite/tenant/20261122120100_create_schedules.sql`.
CREATE TABLE cairn.schedules (
    tenant_id   text   NOT NULL DEFAULT cairn_keeper.context(),
    schedule_id text   NOT NULL,
    kind        text   NOT NULL,
    study_id    text,
    cron        text   NOT NULL,
    zone        text   NOT NULL,
    enabled     bigint NOT NULL CHECK (enabled IN (0, 1)),
    next_due_at text   NOT NULL,
    last_due_at text,
    last_job_id text,
    created_at  text   NOT NULL,
    changed_at  text   NOT NULL,
    PRIMARY KEY (tenant_id, schedule_id),
    FOREIGN KEY (tenant_id, study_id) REFERENCES cairn.studies (tenant_id, study_id)
);

CREATE INDEX schedules_by_time ON cairn.schedules (tenant_id, enabled, next_due_at);

ALTER TABLE cairn.schedules ENABLE ROW LEVEL SECURITY;
ALTER TABLE cairn.schedules FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant_alone ON cairn.schedules
    USING (tenant_id = (SELECT cairn_keeper.context()))
    WITH CHECK (tenant_id = (SELECT cairn_keeper.context()));
GRANT SELECT, INSERT, UPDATE, DELETE ON cairn.schedules TO cairn_app;
