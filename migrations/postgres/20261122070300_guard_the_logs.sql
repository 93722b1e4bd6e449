-- The same refusals as the triggers of the SQLite files. They hold for the owner too, and TRUNCATE, which asks no
-- policy and no row trigger, is refused by name. The functions run with the rights of who writes.
CREATE SCHEMA cairn_guards;
GRANT USAGE ON SCHEMA cairn_guards TO cairn_system, cairn_app;

CREATE FUNCTION cairn_guards.refuse() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0];
END
$$;

-- One set for each schema, so that the plans are kept.
DO $outer$
DECLARE
    place text;
BEGIN
    FOREACH place IN ARRAY ARRAY['cairn', 'cairn_system'] LOOP
        EXECUTE format($function$
            CREATE FUNCTION cairn_guards.append_at_the_head_of_%1$s() RETURNS trigger
            LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
            AS $$
            BEGIN
                IF NOT EXISTS (SELECT 1 FROM %1$I.audit_head
                               WHERE log = NEW.log AND size = NEW.seq AND last_hash = NEW.prev_hash) THEN
                    RAISE EXCEPTION 'an audit event is appended at the head of its log';
                END IF;
                RETURN NEW;
            END
            $$
        $function$, place);
        EXECUTE format($function$
            CREATE FUNCTION cairn_guards.start_an_empty_log_in_%1$s() RETURNS trigger
            LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
            AS $$
            BEGIN
                IF NEW.size <> 0 OR EXISTS (SELECT 1 FROM %1$I.audit_events) THEN
                    RAISE EXCEPTION 'a log starts once, and empty';
                END IF;
                RETURN NEW;
            END
            $$
        $function$, place);
        EXECUTE format($function$
            CREATE FUNCTION cairn_guards.move_with_the_last_event_of_%1$s() RETURNS trigger
            LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
            AS $$
            BEGIN
                IF NEW.log <> OLD.log OR NEW.size <> OLD.size + 1
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

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA cairn_guards FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA cairn_guards TO cairn_system, cairn_app;

DO $$
DECLARE
    place text;
BEGIN
    FOREACH place IN ARRAY ARRAY['cairn', 'cairn_system'] LOOP
        EXECUTE format('CREATE TRIGGER audit_events_are_appended_at_the_head BEFORE INSERT ON %1$I.audit_events
                        FOR EACH ROW EXECUTE FUNCTION cairn_guards.append_at_the_head_of_%1$s()', place);
        EXECUTE format('CREATE TRIGGER audit_events_are_never_updated BEFORE UPDATE ON %I.audit_events
                        FOR EACH STATEMENT EXECUTE FUNCTION cairn_guards.refuse(''audit events are never updated'')', place);
        EXECUTE format('CREATE TRIGGER audit_events_are_never_deleted BEFORE DELETE ON %I.audit_events
                        FOR EACH STATEMENT EXECUTE FUNCTION cairn_guards.refuse(''audit events are never deleted'')', place);
        EXECUTE format('CREATE TRIGGER audit_events_are_never_truncated BEFORE TRUNCATE ON %I.audit_events
                        EXECUTE FUNCTION cairn_guards.refuse(''audit events are never deleted'')', place);
        EXECUTE format('CREATE TRIGGER audit_head_starts_an_empty_log BEFORE INSERT ON %1$I.audit_head
                        FOR EACH ROW EXECUTE FUNCTION cairn_guards.start_an_empty_log_in_%1$s()', place);
        EXECUTE format('CREATE TRIGGER audit_head_moves_with_the_last_event BEFORE UPDATE ON %1$I.audit_head
                        FOR EACH ROW EXECUTE FUNCTION cairn_guards.move_with_the_last_event_of_%1$s()', place);
        EXECUTE format('CREATE TRIGGER audit_head_is_never_deleted BEFORE DELETE ON %I.audit_head
                        FOR EACH STATEMENT EXECUTE FUNCTION cairn_guards.refuse(''the head of a log is never deleted'')', place);
        EXECUTE format('CREATE TRIGGER audit_head_is_never_truncated BEFORE TRUNCATE ON %I.audit_head
                        EXECUTE FUNCTION cairn_guards.refuse(''the head of a log is never deleted'')', place);
    END LOOP;
END
$$;

CREATE TRIGGER snapshots_are_never_updated BEFORE UPDATE ON cairn.snapshots
    FOR EACH STATEMENT EXECUTE FUNCTION cairn_guards.refuse('a published snapshot never changes');
CREATE TRIGGER snapshots_are_never_deleted BEFORE DELETE ON cairn.snapshots
    FOR EACH STATEMENT EXECUTE FUNCTION cairn_guards.refuse('a published snapshot never changes');
CREATE TRIGGER snapshots_are_never_truncated BEFORE TRUNCATE ON cairn.snapshots
    EXECUTE FUNCTION cairn_guards.refuse('a published snapshot never changes');
