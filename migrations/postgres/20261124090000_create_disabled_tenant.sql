-- Whether a tenant is disabled, as in `migrations/sqlite/tenant`.
CREATE TABLE cairn.disabled_tenant (
    tenant_id   text NOT NULL DEFAULT cairn_keeper.context(),
    disabled_at text NOT NULL,
    reason      text NOT NULL,
    PRIMARY KEY (tenant_id)
);
ALTER TABLE cairn.disabled_tenant ENABLE ROW LEVEL SECURITY;
ALTER TABLE cairn.disabled_tenant FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant_alone ON cairn.disabled_tenant
    USING (tenant_id = (SELECT cairn_keeper.context()))
    WITH CHECK (tenant_id = (SELECT cairn_keeper.context()));
GRANT SELECT, INSERT, DELETE ON cairn.disabled_tenant TO cairn_app;
