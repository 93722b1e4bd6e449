-- As `migrations/sqlite/tenant/20261122190100_create_limit_acts.sql`.
CREATE TABLE cairn.limit_acts (
    tenant_id   text   NOT NULL DEFAULT cairn_keeper.context(),
    study_id    text   NOT NULL,
    limit_id    text   NOT NULL,
    act_no      bigint NOT NULL CHECK (act_no >= 1),
    act         text   NOT NULL CHECK (act IN ('acknowledge', 'resolve', 'reopen')),
    snapshot_id text   NOT NULL,
    reason      text   NOT NULL,
    acted_by    text   NOT NULL,
    acted_at    text   NOT NULL,
    PRIMARY KEY (tenant_id, study_id, limit_id, act_no),
    FOREIGN KEY (tenant_id, study_id) REFERENCES cairn.studies (tenant_id, study_id)
);

ALTER TABLE cairn.limit_acts ENABLE ROW LEVEL SECURITY;
ALTER TABLE cairn.limit_acts FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant_alone ON cairn.limit_acts
    USING (tenant_id = (SELECT cairn_keeper.context()))
    WITH CHECK (tenant_id = (SELECT cairn_keeper.context()));
CREATE TRIGGER is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON cairn.limit_acts
    FOR EACH STATEMENT EXECUTE FUNCTION cairn_guards.refuse('what was done stays');
GRANT SELECT, INSERT ON cairn.limit_acts TO cairn_app;
