-- How long studies are kept, as in `migrations/sqlite/tenant`.
CREATE TABLE cairn.study_retention (
    tenant_id   text   NOT NULL DEFAULT cairn_keeper.context(),
    study_id    text   NOT NULL,
    decision    bigint NOT NULL CHECK (decision >= 0),
    not_before  text   NOT NULL,
    reason      text   NOT NULL,
    approved_by text,
    decided_at  text   NOT NULL,
    PRIMARY KEY (tenant_id, study_id, decision),
    FOREIGN KEY (tenant_id, study_id) REFERENCES cairn.studies (tenant_id, study_id),
    FOREIGN KEY (tenant_id, approved_by) REFERENCES cairn.accounts (tenant_id, account_id)
);

CREATE TABLE cairn.legal_holds (
    tenant_id  text NOT NULL DEFAULT cairn_keeper.context(),
    hold_id    text NOT NULL,
    study_id   text NOT NULL,
    reason     text NOT NULL,
    placed_at  text NOT NULL,
    lifted_at  text,
    lifted_why text,
    PRIMARY KEY (tenant_id, hold_id),
    FOREIGN KEY (tenant_id, study_id) REFERENCES cairn.studies (tenant_id, study_id)
);

CREATE TABLE cairn.removed_studies (
    tenant_id     text NOT NULL DEFAULT cairn_keeper.context(),
    study_id      text NOT NULL,
    removed_at    text NOT NULL,
    files_gone_at text,
    PRIMARY KEY (tenant_id, study_id),
    FOREIGN KEY (tenant_id, study_id) REFERENCES cairn.studies (tenant_id, study_id)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['study_retention', 'legal_holds', 'removed_studies'] LOOP
        EXECUTE format('ALTER TABLE cairn.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE cairn.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY own_tenant_alone ON cairn.%I
                 USING (tenant_id = (SELECT cairn_keeper.context()))
                 WITH CHECK (tenant_id = (SELECT cairn_keeper.context()))', name);
        EXECUTE format('GRANT SELECT, INSERT ON cairn.%I TO cairn_app', name);
    END LOOP;
END
$$;

GRANT UPDATE (lifted_at, lifted_why) ON cairn.legal_holds TO cairn_app;
GRANT UPDATE (files_gone_at) ON cairn.removed_studies TO cairn_app;
