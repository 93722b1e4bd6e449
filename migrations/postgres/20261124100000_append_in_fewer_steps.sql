-- What every append asks of a server, in two steps instead of four, since each is a way there and back. The functions run with
-- the rights of who writes, so that every policy, trigger and privilege stands as before.
DO $outer$
DECLARE
    place text;
    role  text;
BEGIN
    FOR place, role IN VALUES ('cairn', 'cairn_app'), ('cairn_system', 'cairn_system') LOOP
        -- Proves whose rows the transaction works on, and tells where the log ends.
        EXECUTE format($function$
            CREATE OR REPLACE FUNCTION %1$I.enter_log(context text, mac text, of_log text)
            RETURNS TABLE (size bigint, last_hash text, frontier bytea, last_at text)
            LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
            AS $$
            BEGIN
                PERFORM set_config('app.tenant', context, true), set_config('app.tenant_mac', mac, true);
                RETURN QUERY
                    SELECT head.size, head.last_hash, head.frontier,
                           (SELECT event.at FROM %1$I.audit_events AS event
                            WHERE event.log = of_log AND event.seq = head.size - 1)
                    FROM %1$I.audit_head AS head WHERE head.log = of_log;
            END
            $$
        $function$, place);
        -- Writes an event behind the last one, and moves the head.
        EXECUTE format($function$
            CREATE OR REPLACE FUNCTION %1$I.append_event(
                log text, seq bigint, tenant_id text, event_id text, at text, action text, outcome text,
                actor_type text, actor_id text, resource_type text, resource_id text, trace_id text,
                prev_hash text, entry_hash text, leaf bytea, frontier bytea
            ) RETURNS void
            LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
            AS $$
            BEGIN
                INSERT INTO %1$I.audit_events (log, seq, tenant_id, event_id, at, action, outcome, actor_type, actor_id,
                                               resource_type, resource_id, trace_id, prev_hash, entry_hash, leaf)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15);
                UPDATE %1$I.audit_head AS head SET size = $2 + 1, last_hash = $14, frontier = $16 WHERE head.log = $1;
            END
            $$
        $function$, place);
        EXECUTE format('REVOKE ALL ON FUNCTION %1$I.enter_log, %1$I.append_event FROM PUBLIC', place);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %1$I.enter_log, %1$I.append_event TO %2$I', place, role);
    END LOOP;
END
$outer$;
