-- The ledger's tree, checkpoints and personal data, as in `migrations/sqlite`. Every log's checkpoints lie among the
-- system's tables, so that a tenant's rows that were put back are found by themselves.
ALTER TABLE cairn.audit_head ADD COLUMN frontier bytea;
ALTER TABLE cairn_system.audit_head ADD COLUMN frontier bytea;

CREATE TABLE cairn_system.audit_checkpoints (
    log        text   NOT NULL,
    size       bigint NOT NULL CHECK (size > 0),
    root       text   NOT NULL,
    last_hash  text   NOT NULL,
    frontier   bytea  NOT NULL,
    note       text   NOT NULL,
    created_at text   NOT NULL,
    PRIMARY KEY (log, size)
);

CREATE TABLE cairn_system.audit_cosignatures (
    log         text   NOT NULL,
    size        bigint NOT NULL,
    line        text   NOT NULL,
    received_at text   NOT NULL,
    PRIMARY KEY (log, size, line)
);

CREATE TABLE cairn_system.ledger_keys (
    public_key text NOT NULL PRIMARY KEY,
    created_at text NOT NULL
);

CREATE TABLE cairn.audit_pii (
    tenant_id  text  NOT NULL DEFAULT cairn_keeper.context(),
    pii_id     text  NOT NULL,
    account_id text  NOT NULL,
    nonce      bytea NOT NULL CHECK (length(nonce) = 12),
    ciphertext bytea NOT NULL,
    PRIMARY KEY (tenant_id, pii_id)
);

ALTER TABLE cairn.audit_pii ENABLE ROW LEVEL SECURITY;
ALTER TABLE cairn.audit_pii FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant_alone ON cairn.audit_pii
    USING (tenant_id = (SELECT cairn_keeper.context()))
    WITH CHECK (tenant_id = (SELECT cairn_keeper.context()));
GRANT SELECT, INSERT ON cairn.audit_pii TO cairn_app;

-- The address of a person whose data are erased becomes nobody's.
GRANT UPDATE (email) ON cairn_system.account_directory TO cairn_system;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['audit_checkpoints', 'audit_cosignatures', 'ledger_keys'] LOOP
        EXECUTE format('ALTER TABLE cairn_system.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE cairn_system.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY system_alone ON cairn_system.%I
                 USING ((SELECT cairn_keeper.context()) = ''system'')
                 WITH CHECK ((SELECT cairn_keeper.context()) = ''system'')', name);
        EXECUTE format('GRANT SELECT, INSERT ON cairn_system.%I TO cairn_system', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['cairn_system.audit_checkpoints', 'cairn_system.audit_cosignatures',
                                'cairn.audit_pii'] LOOP
        EXECUTE format('CREATE TRIGGER is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON %s
                        FOR EACH STATEMENT EXECUTE FUNCTION cairn_guards.refuse(''this is never changed'')', name);
    END LOOP;
END
$$;

-- The head takes its tree once without moving, when an older log is opened.
DO $outer$
DECLARE
    place text;
BEGIN
    FOREACH place IN ARRAY ARRAY['cairn', 'cairn_system'] LOOP
        EXECUTE format($function$
            CREATE OR REPLACE FUNCTION cairn_guards.move_with_the_last_event_of_%1$s() RETURNS trigger
            LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
            AS $$
            BEGIN
                IF NEW.log = OLD.log AND NEW.frontier IS NOT NULL AND OLD.frontier IS NULL
                   AND NEW.size = OLD.size AND NEW.last_hash = OLD.last_hash THEN
                    RETURN NEW;
                END IF;
                IF NEW.log <> OLD.log OR NEW.frontier IS NULL OR NEW.size <> OLD.size + 1
                   OR NOT EXISTS (SELECT 1 FROM %1$I.audit_events
                                  WHERE log = OLD.log AND seq = OLD.size AND entry_hash = NEW.last_hash) THEN
                    RAISE EXCEPTION 'the head of a log moves one event at a time';
                END IF;
                RETURN NEW;
            END
            $$
        $function$, place);
    END LOOP;
END
$outer$;
