-- The lock of a log is taken with the proof, so that a transaction can begin with its mark (decision 0021).

-- What a proof is bound to, as a body that is parsed here and not when it is called: who asks for it again and again has the
-- expression in a plan of its own. The mark keeps such a plan for who asks once.
SET LOCAL ROLE cairn_keeper;
CREATE OR REPLACE FUNCTION cairn_keeper.this_transaction() RETURNS text
LANGUAGE sql STABLE PARALLEL RESTRICTED
RETURN pg_catalog.pg_backend_pid()::text OPERATOR(pg_catalog.||) '/' OPERATOR(pg_catalog.||)
    (extract(epoch FROM pg_catalog.transaction_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::text;

CREATE OR REPLACE FUNCTION cairn_keeper.transaction_mark() RETURNS text
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN cairn_keeper.this_transaction();
END
$$;

CREATE OR REPLACE FUNCTION cairn_keeper.context() RETURNS text
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    claimed text := nullif(current_setting('app.tenant', true), '');
    message bytea;
    key     cairn_keeper.context_key;
BEGIN
    IF claimed IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT * INTO key FROM cairn_keeper.context_key;
    message := convert_to(claimed || '/' || cairn_keeper.this_transaction(), 'UTF8');
    IF current_setting('app.tenant_mac', true) = encode(sha256(key.outer_pad || sha256(key.inner_pad || message)), 'hex')
    THEN
        RETURN claimed;
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION cairn_keeper.this_transaction() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION cairn_keeper.this_transaction() TO cairn_owner, cairn_system, cairn_app;
RESET ROLE;

DO $outer$
DECLARE
    place text;
BEGIN
    FOREACH place IN ARRAY ARRAY['cairn', 'cairn_system'] LOOP
        -- Proves whose rows the transaction works on, waits for the lock of a log, as SQLite locks a whole file, and tells
        -- where the log ends. A function that may write sees in each statement what was committed before it: the end is
        -- that of the holder before.
        EXECUTE format($function$
            CREATE OR REPLACE FUNCTION %1$I.enter_log(context text, mac text, of_log text)
            RETURNS TABLE (size bigint, last_hash text, frontier bytea, last_at text)
            LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
            AS $$
            BEGIN
                PERFORM set_config('app.tenant', context, true), set_config('app.tenant_mac', mac, true);
                PERFORM pg_advisory_xact_lock(hashtextextended(of_log, 0));
                RETURN QUERY
                    SELECT head.size, head.last_hash, head.frontier,
                           (SELECT event.at FROM %1$I.audit_events AS event
                            WHERE event.log = of_log AND event.seq = head.size - 1)
                    FROM %1$I.audit_head AS head WHERE head.log = of_log;
            END
            $$
        $function$, place);
    END LOOP;
END
$outer$;
