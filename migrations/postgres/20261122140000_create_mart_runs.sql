-- Builds of marts and snapshots of past instants, as in `migrations/sqlite/tenant`.
CREATE TABLE cairn.mart_runs (
    tenant_id     text   NOT NULL DEFAULT cairn_keeper.context(),
    run_id        text   NOT NULL,
    study_id      text   NOT NULL,
    status        text   NOT NULL CHECK (status IN ('published', 'partial', 'unchanged', 'failed', 'cancelled')),
    based_on      text   NOT NULL,
    snapshot_id   text,
    sources_as_of text,
    record_key    text   NOT NULL,
    made_count    bigint NOT NULL CHECK (made_count >= 0),
    shared_count  bigint NOT NULL CHECK (shared_count >= 0),
    error_count   bigint NOT NULL CHECK (error_count >= 0),
    warning_count bigint NOT NULL CHECK (warning_count >= 0),
    started_at    text   NOT NULL,
    finished_at   text   NOT NULL,
    PRIMARY KEY (tenant_id, run_id),
    FOREIGN KEY (tenant_id, study_id) REFERENCES cairn.studies (tenant_id, study_id)
);

CREATE INDEX mart_runs_by_study ON cairn.mart_runs (tenant_id, study_id, finished_at);

CREATE TABLE cairn.past_snapshots (
    tenant_id     text NOT NULL DEFAULT cairn_keeper.context(),
    study_id      text NOT NULL,
    snapshot_id   text NOT NULL,
    sources_as_of text NOT NULL,
    manifest_key  text NOT NULL,
    published_at  text NOT NULL,
    PRIMARY KEY (tenant_id, study_id, snapshot_id),
    FOREIGN KEY (tenant_id, study_id) REFERENCES cairn.studies (tenant_id, study_id)
);

CREATE INDEX past_snapshots_by_instant ON cairn.past_snapshots (tenant_id, study_id, sources_as_of);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['mart_runs', 'past_snapshots'] LOOP
        EXECUTE format('ALTER TABLE cairn.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE cairn.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY own_tenant_alone ON cairn.%I
                 USING (tenant_id = (SELECT cairn_keeper.context()))
                 WITH CHECK (tenant_id = (SELECT cairn_keeper.context()))', name);
        EXECUTE format('CREATE TRIGGER is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON cairn.%I
                        FOR EACH STATEMENT EXECUTE FUNCTION cairn_guards.refuse(''this is never changed'')', name);
    END LOOP;
END
$$;

GRANT SELECT, INSERT ON cairn.mart_runs, cairn.past_snapshots TO cairn_app;
