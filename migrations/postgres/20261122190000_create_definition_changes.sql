-- As `migrations/sqlite/tenant/20261122190000_create_definition_changes.sql`.
CREATE TABLE cairn.definition_changes (
    tenant_id     text   NOT NULL DEFAULT cairn_keeper.context(),
    place         text   NOT NULL,
    definition_id text   NOT NULL,
    version       bigint NOT NULL CHECK (version >= 1),
    study_id      text,
    change        text,
    reason        text   NOT NULL,
    changed_by    text   NOT NULL,
    changed_at    text   NOT NULL,
    PRIMARY KEY (tenant_id, place, definition_id, version),
    FOREIGN KEY (tenant_id, study_id) REFERENCES cairn.studies (tenant_id, study_id),
    CHECK (place = coalesce(study_id, '*'))
);

ALTER TABLE cairn.definition_changes ENABLE ROW LEVEL SECURITY;
ALTER TABLE cairn.definition_changes FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant_alone ON cairn.definition_changes
    USING (tenant_id = (SELECT cairn_keeper.context()))
    WITH CHECK (tenant_id = (SELECT cairn_keeper.context()));
CREATE TRIGGER is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON cairn.definition_changes
    FOR EACH STATEMENT EXECUTE FUNCTION cairn_guards.refuse('a change that was made stays');
GRANT SELECT, INSERT ON cairn.definition_changes TO cairn_app;
