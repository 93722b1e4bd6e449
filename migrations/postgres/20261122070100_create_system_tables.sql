-- What belongs to the deployment, as in `migrations/sqlite/system`. The role that serves tenants cannot enter
-- this schema, and a transaction that has not proved itself to be the system's sees no row of it.
CREATE SCHEMA cairn_system;
GRANT USAGE ON SCHEMA cairn_system TO cairn_system;

CREATE TABLE cairn_system.tenants (
    tenant_id  text NOT NULL PRIMARY KEY,
    slug       text NOT NULL UNIQUE,
    name       text NOT NULL,
    created_at text NOT NULL
);

CREATE TABLE cairn_system.account_directory (
    email       text NOT NULL PRIMARY KEY,
    tenant_id   text NOT NULL REFERENCES cairn_system.tenants (tenant_id),
    account_id  text NOT NULL UNIQUE,
    reserved_at text NOT NULL
);

CREATE TABLE cairn_system.signing_keys (
    kid        text NOT NULL PRIMARY KEY,
    algorithm  text NOT NULL CHECK (algorithm = 'EdDSA'),
    public_key text NOT NULL UNIQUE,
    created_at text NOT NULL
);

CREATE TABLE cairn_system.audit_events (
    log           text   NOT NULL,
    seq           bigint NOT NULL CHECK (seq >= 0),
    tenant_id     text,
    event_id      text   NOT NULL UNIQUE,
    at            text   NOT NULL,
    action        text   NOT NULL,
    outcome       text   NOT NULL CHECK (outcome IN ('success', 'denied', 'failed')),
    actor_type    text   NOT NULL,
    actor_id      text   NOT NULL,
    resource_type text   NOT NULL,
    resource_id   text   NOT NULL,
    trace_id      text,
    prev_hash     text   NOT NULL,
    entry_hash    text   NOT NULL UNIQUE,
    leaf          bytea  NOT NULL CHECK (length(leaf) <= 32768),
    PRIMARY KEY (log, seq)
);

CREATE INDEX audit_events_by_action ON cairn_system.audit_events (action, seq);

CREATE TABLE cairn_system.audit_head (
    log       text   NOT NULL PRIMARY KEY,
    size      bigint NOT NULL CHECK (size >= 0),
    last_hash text   NOT NULL
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['tenants', 'account_directory', 'signing_keys', 'audit_events', 'audit_head'] LOOP
        EXECUTE format('ALTER TABLE cairn_system.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE cairn_system.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY system_alone ON cairn_system.%I
                 USING ((SELECT cairn_keeper.context()) = ''system'')
                 WITH CHECK ((SELECT cairn_keeper.context()) = ''system'')', name);
    END LOOP;
END
$$;

GRANT SELECT, INSERT ON cairn_system.tenants, cairn_system.signing_keys, cairn_system.audit_events TO cairn_system;
GRANT SELECT, INSERT, DELETE ON cairn_system.account_directory TO cairn_system;
GRANT SELECT, INSERT, UPDATE ON cairn_system.audit_head TO cairn_system;
