-- Tokens that their holders keep, as in `migrations/sqlite/tenant`.
CREATE TABLE cairn.access_tokens (
    tenant_id    text NOT NULL DEFAULT cairn_keeper.context(),
    token_id     text NOT NULL,
    secret_hash  text NOT NULL,
    account_id   text NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('personal', 'service')),
    audience     text,
    label        text NOT NULL,
    created_at   text NOT NULL,
    ends_at      text NOT NULL,
    last_used_at text,
    revoked_at   text,
    PRIMARY KEY (tenant_id, token_id),
    UNIQUE (tenant_id, secret_hash),
    FOREIGN KEY (tenant_id, account_id) REFERENCES cairn.accounts (tenant_id, account_id)
);

CREATE INDEX access_tokens_by_account ON cairn.access_tokens (tenant_id, account_id, created_at);

CREATE TABLE cairn.access_token_grants (
    tenant_id text NOT NULL DEFAULT cairn_keeper.context(),
    token_id  text NOT NULL,
    role      text NOT NULL,
    study_id  text,
    FOREIGN KEY (tenant_id, token_id) REFERENCES cairn.access_tokens (tenant_id, token_id)
);

CREATE UNIQUE INDEX access_token_grants_are_given_once
    ON cairn.access_token_grants (tenant_id, token_id, role, (COALESCE(study_id, '')));

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['access_tokens', 'access_token_grants'] LOOP
        EXECUTE format('ALTER TABLE cairn.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE cairn.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY own_tenant_alone ON cairn.%I
                 USING (tenant_id = (SELECT cairn_keeper.context()))
                 WITH CHECK (tenant_id = (SELECT cairn_keeper.context()))', name);
    END LOOP;
END
$$;

GRANT SELECT, INSERT ON cairn.access_tokens, cairn.access_token_grants TO cairn_app;
GRANT UPDATE (last_used_at, revoked_at, label) ON cairn.access_tokens TO cairn_app;
