-- Which tenant a transaction belongs to. The program sets `app.tenant` and `app.tenant_mac` for one transaction;
-- the second is the HMAC of the first, of the server process and of the transaction's beginning. Only the keeper
-- can read the key, so that a statement which is smuggled into a transaction can set both and prove neither.
DO $$
BEGIN
    IF current_setting('server_version_num')::int < 150000 THEN
        RAISE EXCEPTION 'PostgreSQL % is too old: use 15 or newer', current_setting('server_version');
    END IF;
    IF (SELECT datcollate FROM pg_catalog.pg_database WHERE datname = current_database()) NOT IN ('C', 'POSIX') THEN
        RAISE EXCEPTION 'the database does not order texts by their bytes: create it with LC_COLLATE ''C''';
    END IF;
    -- Nobody else connects, and nobody makes temporary tables, which could stand in a table's place.
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO cairn_system, cairn_app', current_database());
END
$$;

CREATE SCHEMA cairn_keeper AUTHORIZATION cairn_keeper;
SET LOCAL ROLE cairn_keeper;

-- One row: the key, as the two blocks that HMAC-SHA-256 hashes first (RFC 2104: the key xor 0x36, and xor 0x5c).
CREATE TABLE cairn_keeper.context_key (
    only_one  boolean NOT NULL DEFAULT true PRIMARY KEY CHECK (only_one),
    inner_pad bytea   NOT NULL CHECK (length(inner_pad) = 64),
    outer_pad bytea   NOT NULL CHECK (length(outer_pad) = 64)
);

-- What a transaction's proof is bound to: its server process, and the microsecond in which it began.
CREATE FUNCTION cairn_keeper.transaction_mark() RETURNS text
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN pg_backend_pid()::text || '/' || (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint::text;
END
$$;

-- The tenant that the transaction has proved, `system` for the deployment itself, or null. Every statement asks
-- once, so that the plans are to be kept, which functions of the language `sql` do not.
CREATE FUNCTION cairn_keeper.context() RETURNS text
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
    message := convert_to(claimed || '/' || cairn_keeper.transaction_mark(), 'UTF8');
    IF current_setting('app.tenant_mac', true) = encode(sha256(key.outer_pad || sha256(key.inner_pad || message)), 'hex')
    THEN
        RETURN claimed;
    END IF;
    RETURN NULL;
END
$$;

REVOKE ALL ON FUNCTION cairn_keeper.context(), cairn_keeper.transaction_mark() FROM PUBLIC;
GRANT USAGE ON SCHEMA cairn_keeper TO cairn_owner, cairn_system, cairn_app;
GRANT EXECUTE ON FUNCTION cairn_keeper.context(), cairn_keeper.transaction_mark()
    TO cairn_owner, cairn_system, cairn_app;
RESET ROLE;
