-- Authenticator apps, as in `migrations/sqlite/tenant`.
CREATE TABLE cairn.second_factors (
    tenant_id    text   NOT NULL DEFAULT cairn_keeper.context(),
    account_id   text   NOT NULL,
    nonce        bytea  NOT NULL CHECK (length(nonce) = 12),
    ciphertext   bytea  NOT NULL,
    last_step    bigint NOT NULL,
    created_at   text   NOT NULL,
    confirmed_at text,
    PRIMARY KEY (tenant_id, account_id),
    FOREIGN KEY (tenant_id, account_id) REFERENCES cairn.accounts (tenant_id, account_id)
);

CREATE TABLE cairn.recovery_codes (
    tenant_id  text NOT NULL DEFAULT cairn_keeper.context(),
    account_id text NOT NULL,
    code_hash  text NOT NULL,
    used_at    text,
    PRIMARY KEY (tenant_id, account_id, code_hash),
    FOREIGN KEY (tenant_id, account_id) REFERENCES cairn.accounts (tenant_id, account_id)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['second_factors', 'recovery_codes'] LOOP
        EXECUTE format('ALTER TABLE cairn.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE cairn.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY own_tenant_alone ON cairn.%I
                 USING (tenant_id = (SELECT cairn_keeper.context()))
                 WITH CHECK (tenant_id = (SELECT cairn_keeper.context()))', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON cairn.%I TO cairn_app', name);
    END LOOP;
END
$$;
