-- What the catalogue says against the wall between tenants, one row for each fault; no row means that it stands.
-- The tests run it on a fresh database. Run it on a live one with `psql -f`, as an administrator.
WITH ours AS (
    SELECT relation.oid, relation.relname, relation.relkind, relation.relacl, relation.relowner, relation.reloptions,
           relation.relrowsecurity, relation.relforcerowsecurity, place.nspname,
           format('%I.%I', place.nspname, relation.relname) AS object,
           EXISTS (SELECT 1 FROM pg_catalog.pg_attribute
                   WHERE attrelid = relation.oid AND attname = 'tenant_id' AND NOT attisdropped) AS has_tenant
    FROM pg_catalog.pg_class AS relation
    JOIN pg_catalog.pg_namespace AS place ON place.oid = relation.relnamespace
    WHERE place.nspname NOT IN ('pg_catalog', 'information_schema') AND place.nspname NOT LIKE 'pg\_%'
),
-- Every table that says whose its rows are, wherever it lies, and every table where tenants' rows belong.
walled AS (
    SELECT * FROM ours
    WHERE relkind IN ('r', 'p') AND (has_tenant OR nspname IN ('cairn', 'cairn_system'))
),
-- In the system's tables a tenant's id is a value and not an owner.
tenants AS (
    SELECT * FROM walled WHERE nspname <> 'cairn_system'
),
policies AS (
    SELECT walled.object, walled.nspname, policy.*,
           pg_catalog.pg_get_expr(policy.polqual, policy.polrelid) AS using_text,
           pg_catalog.pg_get_expr(policy.polwithcheck, policy.polrelid) AS check_text,
           CASE WHEN walled.nspname = 'cairn_system'
                THEN '(( SELECT cairn_keeper.context() AS context) = ''system''::text)'
                ELSE '(tenant_id = ( SELECT cairn_keeper.context() AS context))' END AS wanted
    FROM walled JOIN pg_catalog.pg_policy AS policy ON policy.polrelid = walled.oid
),
routines AS (
    SELECT routine.*, place.nspname, format('%I.%I', place.nspname, routine.proname) AS object
    FROM pg_catalog.pg_proc AS routine
    JOIN pg_catalog.pg_namespace AS place ON place.oid = routine.pronamespace
    WHERE place.nspname NOT IN ('pg_catalog', 'information_schema') AND place.nspname NOT LIKE 'pg\_%'
),
roles AS (
    SELECT * FROM pg_catalog.pg_roles WHERE rolname IN ('cairn_keeper', 'cairn_owner', 'cairn_system', 'cairn_app')
),
grants AS (
    SELECT ours.*, granted.grantee, granted.privilege_type
    FROM ours, LATERAL pg_catalog.aclexplode(ours.relacl) AS granted
    WHERE granted.grantee <> ours.relowner
)
SELECT object, 'row-level security is off' AS fault FROM walled WHERE NOT relrowsecurity
UNION ALL
SELECT object, 'row-level security is not forced on the owner' FROM walled WHERE NOT relforcerowsecurity
UNION ALL
SELECT object, 'there is no policy' FROM walled
WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_policy WHERE polrelid = walled.oid)
UNION ALL
SELECT object, format('the policy %I has no USING', polname) FROM policies WHERE using_text IS NULL
UNION ALL
SELECT object, format('the policy %I has no WITH CHECK', polname) FROM policies WHERE check_text IS NULL
UNION ALL
SELECT object, format('the policy %I is not for every command and role', polname) FROM policies
WHERE polcmd <> '*' OR polroles <> ARRAY[0::oid]
UNION ALL
-- Exactly the two forms of the migrations: anything else may be true of another tenant's rows.
SELECT object, format('the policy %I does not ask the context', polname) FROM policies
WHERE polpermissive AND (using_text, check_text) IS DISTINCT FROM (wanted, wanted)
UNION ALL
SELECT object, 'it has no tenant_id' FROM tenants WHERE NOT has_tenant
UNION ALL
SELECT object, 'tenant_id may be null' FROM tenants
JOIN pg_catalog.pg_attribute ON attrelid = tenants.oid AND attname = 'tenant_id'
WHERE NOT attnotnull
UNION ALL
SELECT object, 'it has no key' FROM tenants
WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_index WHERE indrelid = tenants.oid AND indisunique)
UNION ALL
SELECT object, format('the key %s does not begin with tenant_id', indexrelid::regclass) FROM tenants
JOIN pg_catalog.pg_index ON indrelid = tenants.oid AND indisunique
LEFT JOIN pg_catalog.pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
WHERE attname IS DISTINCT FROM 'tenant_id'
UNION ALL
SELECT object, format('the reference %I does not begin with tenant_id', conname) FROM tenants
JOIN pg_catalog.pg_constraint ON conrelid = tenants.oid AND contype = 'f'
LEFT JOIN pg_catalog.pg_attribute AS own ON own.attrelid = conrelid AND own.attnum = conkey[1]
LEFT JOIN pg_catalog.pg_attribute AS other ON other.attrelid = confrelid AND other.attnum = confkey[1]
WHERE own.attname IS DISTINCT FROM 'tenant_id' OR other.attname IS DISTINCT FROM 'tenant_id'
UNION ALL
SELECT object, 'a view reads with its owner''s rights' FROM ours
WHERE relkind = 'v' AND NOT COALESCE(reloptions && ARRAY['security_invoker=true', 'security_invoker=on'], false)
UNION ALL
SELECT object, 'a materialised view knows no policy' FROM ours WHERE relkind = 'm'
UNION ALL
SELECT object, 'a foreign table knows no policy' FROM ours WHERE relkind = 'f'
UNION ALL
SELECT object, 'a shared sequence tells how much others write' FROM ours WHERE relkind = 'S'
UNION ALL
SELECT object, 'a function runs with its owner''s rights' FROM routines
WHERE prosecdef AND object <> 'cairn_keeper.context'
UNION ALL
-- The names in a body that was parsed when the function was made mean what they meant then.
SELECT object, 'a function does not pin its search_path' FROM routines
WHERE nspname LIKE 'cairn%' AND (prosqlbody IS NULL OR prosecdef)
  AND NOT COALESCE('search_path=pg_catalog, pg_temp' = ANY (proconfig), false)
UNION ALL
SELECT object, 'everybody may call it' FROM routines
WHERE nspname LIKE 'cairn%'
  AND (proacl IS NULL OR EXISTS (SELECT 1 FROM pg_catalog.aclexplode(proacl) WHERE grantee = 0))
UNION ALL
SELECT object, format('%s is granted', privilege_type) FROM grants
WHERE privilege_type IN ('TRUNCATE', 'REFERENCES', 'TRIGGER')
UNION ALL
SELECT object, 'it is granted to everybody' FROM grants WHERE grantee = 0
UNION ALL
SELECT object, format('%s of the ledger is granted', privilege_type) FROM grants
WHERE relname = 'audit_events' AND privilege_type IN ('UPDATE', 'DELETE')
UNION ALL
SELECT object, 'the key can be read by others than its keeper' FROM grants
WHERE nspname = 'cairn_keeper' AND relkind = 'r'
UNION ALL
SELECT object, 'it belongs to another role than cairn_owner' FROM walled WHERE relowner <> 'cairn_owner'::regrole
UNION ALL
SELECT 'cairn_keeper.context_key', 'it belongs to another role than cairn_keeper' FROM ours
WHERE object = 'cairn_keeper.context_key' AND relowner <> 'cairn_keeper'::regrole
UNION ALL
SELECT rolname, 'the role is above the policies, or may raise itself above them' FROM roles
WHERE rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication
UNION ALL
SELECT member.rolname, format('the role is a member of %I', owner.rolname) FROM roles AS member
JOIN pg_catalog.pg_auth_members AS membership ON membership.member = member.oid
JOIN pg_catalog.pg_roles AS owner ON owner.oid = membership.roleid
WHERE (member.rolname, owner.rolname) <> ('cairn_owner', 'cairn_keeper')
UNION ALL
SELECT reader.name, format('the role enters the schema %I', reader.place)
FROM (VALUES ('cairn_app', 'cairn_system'), ('cairn_system', 'cairn')) AS reader (name, place)
WHERE pg_catalog.has_schema_privilege(reader.name, reader.place, 'USAGE')
UNION ALL
SELECT role.name, format('the role makes objects in %I', place.nspname)
FROM (VALUES ('cairn_app'), ('cairn_system')) AS role (name), pg_catalog.pg_namespace AS place
WHERE place.nspname NOT LIKE 'pg\_%'
  AND pg_catalog.has_schema_privilege(role.name, place.oid, 'CREATE')
ORDER BY 1, 2;
