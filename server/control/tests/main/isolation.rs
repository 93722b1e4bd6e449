//! What PostgreSQL itself refuses, asked by a session of the role that serves tenants: what SQL that was smuggled
//! into a transaction could do. The numbers are those of the controls it stands for.

use std::sync::Arc;

use control::{ControlError, ControlSettings, DatabaseEngine, DatabaseSettings};
use kernel::{Clock, FixedClock, Role, TenantId};
use sha2::{Digest, Sha256};
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Row};

use crate::postgres::commits::new_batch;
use crate::postgres::world::{World, everywhere, new_snapshot, trace};
use crate::site::{Whose, run};

const LINT: &str = include_str!("../../../../migrations/postgres/tenant_lint.sql");

/// Two tenants with the same study, and a row in each table that the intruder could want.
struct Wall {
    world: World,
    acme: TenantId,
    other: TenantId,
    key: [u8; 32],
}

impl Wall {
    async fn new() -> Option<Self> {
        let world = World::new().await?;
        let (acme, other) = (world.tenant("acme").await.id, world.tenant("other").await.id);
        for (tenant, email) in [(acme, "ada@example.org"), (other, "bob@example.org")] {
            world.account(tenant, email, &[everywhere(Role::DataEngineer)]).await;
            let scope = world.study(tenant, "CANARY").await;
            let (batch, snapshot) = (new_batch("key", "hash"), new_snapshot("one", None));
            let operator = control::Actor::Operator;
            let committed = world.control.commit_batch(&operator, &scope, batch, snapshot, &trace()).await;
            committed.expect("it is new");
        }
        let text = std::fs::read_to_string(world.folder().join("control/keys/context.key"));
        let text = text.expect("the key is there");
        let key = std::array::from_fn(|index| {
            u8::from_str_radix(&text[2 * index..2 * index + 2], 16).expect("hexadecimal")
        });
        Some(Self { world, acme, other, key })
    }

    async fn session(&self, role: &str) -> AnyConnection {
        self.world.site.database.as_ref().expect("the suite is PostgreSQL's").connect(role).await
    }

    /// A session of the role that serves tenants, inside a transaction that has proved to be acme's.
    async fn acme_session(&self) -> AnyConnection {
        let mut session = self.session("cairn_app").await;
        run(&mut session, "BEGIN; SET LOCAL search_path = cairn").await;
        self.prove(&mut session, &self.acme.to_string()).await;
        session
    }

    /// Proves what the transaction works on, and gives back the proof.
    async fn prove(&self, session: &mut AnyConnection, context: &str) -> String {
        let mark = text(session, "SELECT cairn_keeper.transaction_mark()").await.expect("there is a mark");
        let mac = hmac_sha256(&self.key, format!("{context}/{mark}").as_bytes());
        claim(session, context, &mac).await;
        mac
    }
}

/// Source: RFC 2104, for a key of at most one block.
fn hmac_sha256(key: &[u8], message: &[u8]) -> String {
    let pad = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    let outer = Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize();
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn claim(session: &mut AnyConnection, context: &str, mac: &str) {
    let set = format!("SET LOCAL app.tenant = '{context}'; SET LOCAL app.tenant_mac = '{mac}'");
    run(session, &set).await;
}

async fn text(session: &mut AnyConnection, statement: &str) -> Option<String> {
    sqlx::query_scalar(AssertSqlSafe(statement.to_owned())).fetch_one(session).await.expect(statement)
}

async fn count(session: &mut AnyConnection, statement: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(statement.to_owned())).fetch_one(session).await.expect(statement)
}

async fn affected(session: &mut AnyConnection, statement: &str) -> u64 {
    let done = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(session).await;
    done.expect(statement).rows_affected()
}

/// Whether the server refuses a statement for this reason. The transaction goes on.
async fn check_refused(session: &mut AnyConnection, statement: &str, reason: &str) {
    run(session, "SAVEPOINT probe").await;
    let outcome = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut *session).await;
    let error = outcome.expect_err(statement).to_string();
    assert!(error.contains(reason), "{statement}: {error}");
    run(session, "ROLLBACK TO SAVEPOINT probe").await;
}

/// The tables of a schema.
async fn tables(session: &mut AnyConnection, schema: &str) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT nspname || '.' || relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
         WHERE nspname = $1 AND relkind = 'r' ORDER BY relname",
    )
    .bind(schema)
    .fetch_all(session)
    .await
    .expect("the catalogue can be read")
}

async fn faults(session: &mut AnyConnection) -> Vec<String> {
    let rows = sqlx::raw_sql(LINT).fetch_all(session).await.expect("the lint is SQL");
    rows.iter().map(|row| format!("{}: {}", row.get::<String, _>(0), row.get::<String, _>(1))).collect()
}

#[tokio::test]
async fn control_21_the_catalogue_holds_the_wall() {
    let Some(world) = World::new().await else { return };
    let mut admin = world.site.connect(Whose::Systems).await;
    assert_eq!(faults(&mut admin).await, [""; 0]);
    assert_eq!(tables(&mut admin, "cairn").await.len(), 32, "the lint sees the tenants' tables");
}

/// What a careless migration could add, and what the lint says about it.
const PLANTED: [(&str, &str); 24] = [
    ("CREATE TABLE public.bad (tenant_id text NOT NULL, PRIMARY KEY (tenant_id))", "public.bad: row-level security is off"),
    ("CREATE TABLE cairn.bad (name text)", "cairn.bad: it has no tenant_id"),
    ("ALTER TABLE cairn.studies NO FORCE ROW LEVEL SECURITY", "cairn.studies: row-level security is not forced"),
    ("ALTER TABLE cairn_system.tenants DISABLE ROW LEVEL SECURITY", "cairn_system.tenants: row-level security is off"),
    ("DROP POLICY own_tenant_alone ON cairn.grants", "cairn.grants: there is no policy"),
    (
        "DROP POLICY own_tenant_alone ON cairn.grants;
         CREATE POLICY half ON cairn.grants USING (tenant_id = (SELECT cairn_keeper.context()))",
        "cairn.grants: the policy half has no WITH CHECK",
    ),
    ("CREATE POLICY every ON cairn.grants USING (true) WITH CHECK (true)", "cairn.grants: the policy every does not ask"),
    (
        "CREATE POLICY either ON cairn.grants
         USING (tenant_id = (SELECT cairn_keeper.context()) OR true) WITH CHECK (tenant_id = (SELECT cairn_keeper.context()))",
        "cairn.grants: the policy either does not ask",
    ),
    ("CREATE POLICY partial ON cairn.grants FOR SELECT USING (true)", "cairn.grants: the policy partial is not for every"),
    ("ALTER TABLE cairn.grants ALTER tenant_id DROP NOT NULL", "cairn.grants: tenant_id may be null"),
    ("ALTER TABLE cairn.accounts ADD UNIQUE (email)", "cairn.accounts: the key cairn.accounts_email_key does not begin"),
    (
        "ALTER TABLE cairn.accounts ADD UNIQUE (account_id);
         ALTER TABLE cairn.grants ADD CONSTRAINT bad FOREIGN KEY (account_id) REFERENCES cairn.accounts (account_id)",
        "cairn.grants: the reference bad does not begin",
    ),
    ("DROP INDEX cairn.grants_are_given_once", "cairn.grants: it has no key"),
    ("CREATE VIEW cairn.bad AS SELECT * FROM cairn.studies", "cairn.bad: a view reads with its owner's rights"),
    ("CREATE MATERIALIZED VIEW cairn.bad AS SELECT * FROM cairn.studies", "cairn.bad: a materialised view"),
    ("CREATE SEQUENCE cairn.bad", "cairn.bad: a shared sequence"),
    (
        "CREATE FUNCTION cairn.bad() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
        "cairn.bad: a function runs with its owner's rights",
    ),
    ("CREATE FUNCTION cairn.bad() RETURNS int LANGUAGE sql AS 'SELECT 1'", "cairn.bad: a function does not pin"),
    ("GRANT TRUNCATE ON cairn.studies TO cairn_app", "cairn.studies: TRUNCATE is granted"),
    ("GRANT UPDATE ON cairn.audit_events TO cairn_app", "cairn.audit_events: UPDATE of the ledger"),
    ("GRANT SELECT ON cairn_keeper.context_key TO cairn_owner", "cairn_keeper.context_key: the key can be read"),
    ("ALTER ROLE cairn_app BYPASSRLS", "cairn_app: the role is above the policies"),
    ("GRANT cairn_owner TO cairn_app", "cairn_app: the role is a member of cairn_owner"),
    ("GRANT USAGE ON SCHEMA cairn_system TO cairn_app", "cairn_app: the role enters the schema cairn_system"),
];

#[tokio::test]
async fn control_21_a_planted_hole_is_found() {
    let Some(world) = World::new().await else { return };
    let mut admin = world.site.connect(Whose::Systems).await;
    for (statement, fault) in PLANTED {
        run(&mut admin, "BEGIN").await;
        run(&mut admin, statement).await;
        let found = faults(&mut admin).await;
        assert!(found.iter().any(|found| found.starts_with(fault)), "{statement}: {found:?}");
        run(&mut admin, "ROLLBACK").await;
    }
    assert_eq!(faults(&mut admin).await, [""; 0]);
}

#[tokio::test]
async fn control_22_no_tenant_in_context_means_no_rows() {
    let Some(wall) = Wall::new().await else { return };
    let mut admin = wall.world.site.connect(Whose::Systems).await;
    let schemas = [("cairn", "cairn_app"), ("cairn_system", "cairn_system")];
    for (schema, role) in schemas {
        for role in [role, "cairn_owner"] {
            let mut session = wall.session(role).await;
            let mut seen_by_admin = 0;
            for table in tables(&mut admin, schema).await {
                let statement = format!("SELECT count(*) FROM {table}");
                seen_by_admin += count(&mut admin, &statement).await;
                assert_eq!(count(&mut session, &statement).await, 0, "{role} {table}");
                let counted = format!("SELECT count(*) FROM {table} WHERE tenant_id IS NOT NULL");
                let names_tenants = ["tenants", "account_directory", "audit_events"];
                if schema == "cairn" || names_tenants.iter().any(|name| table.ends_with(name)) {
                    assert_eq!(count(&mut session, &counted).await, 0, "{role} {table}");
                }
            }
            assert!(seen_by_admin > 0, "there are rows to be seen");
        }
    }
    let mut session = wall.session("cairn_app").await;
    check_refused_outside(&mut session, "INSERT INTO cairn.studies VALUES (DEFAULT, 'X', 'X', 'X')").await;
}

/// As [`check_refused`], where no transaction is open.
async fn check_refused_outside(session: &mut AnyConnection, statement: &str) {
    run(session, "BEGIN").await;
    check_refused(session, statement, "row-level security policy").await;
    run(session, "ROLLBACK").await;
}

#[tokio::test]
async fn control_23_flipping_the_tenant_by_injected_sql_gives_no_rows() {
    let Some(wall) = Wall::new().await else { return };
    let rows = "SELECT count(*) FROM studies";
    let mut session = wall.acme_session().await;
    assert_eq!(count(&mut session, rows).await, 1, "acme sees its own");

    let other = wall.other.to_string();
    run(&mut session, &format!("SET LOCAL app.tenant = '{other}'")).await;
    assert_eq!(count(&mut session, rows).await, 0, "the name without the proof");
    for mac in ["", "0", &"0".repeat(64), "' OR true --", "\u{0130}"] {
        let set = format!("SET LOCAL app.tenant_mac = '{}'", mac.replace('\'', "''"));
        run(&mut session, &set).await;
        assert_eq!(count(&mut session, rows).await, 0, "{mac:?}");
    }
    for context in ["system", "", "NULL", "%"] {
        run(&mut session, &format!("SET LOCAL app.tenant = '{context}'")).await;
        assert_eq!(count(&mut session, rows).await, 0, "{context:?}");
    }
    run(&mut session, "ROLLBACK").await;

    // Proofs that are good elsewhere: of another session, of another transaction of this one, of another tenant.
    let mut elsewhere = wall.session("cairn_app").await;
    run(&mut elsewhere, "BEGIN; SET LOCAL search_path = cairn").await;
    let overheard = wall.prove(&mut elsewhere, &other).await;
    assert_eq!(count(&mut elsewhere, rows).await, 1, "it is good there");
    run(&mut session, "BEGIN; SET LOCAL search_path = cairn").await;
    claim(&mut session, &other, &overheard).await;
    assert_eq!(count(&mut session, rows).await, 0, "the proof of another session");
    run(&mut elsewhere, "COMMIT; BEGIN; SET LOCAL search_path = cairn").await;
    claim(&mut elsewhere, &other, &overheard).await;
    assert_eq!(count(&mut elsewhere, rows).await, 0, "the proof of an earlier transaction");
    let own = wall.prove(&mut session, &wall.acme.to_string()).await;
    claim(&mut session, &other, &own).await;
    assert_eq!(count(&mut session, rows).await, 0, "the proof of another tenant");
}

#[tokio::test]
async fn control_23_twenty_probes_with_sql_reach_no_other_tenant() {
    let Some(wall) = Wall::new().await else { return };
    prepare_probes(&wall).await;
    let other = wall.other.to_string();
    let mut admin = wall.world.site.connect(Whose::Tenants(wall.other)).await;
    let statement = format!("SELECT account_id FROM cairn.accounts WHERE tenant_id = '{other}'");
    let bob = text(&mut admin, &statement).await.expect("bob is there");
    let mut acme = wall.acme_session().await;

    // 1 and 2 are control 22. 3 and 4: views of the owner, who is bound as well.
    assert_eq!(count(&mut acme, "SELECT count(*) FROM public.owners_view").await, 1);
    assert_eq!(count(&mut acme, "SELECT count(*) FROM public.owners_copy").await, 0);
    // 5: a function of the owner.
    assert_eq!(count(&mut acme, "SELECT public.owners_count()").await, 1);
    // 7: rows for another tenant, new or moved.
    let row = format!("INSERT INTO studies VALUES ('{other}', 'X', 'X', 'X')");
    check_refused(&mut acme, &row, "row-level security policy").await;
    let moved = format!("UPDATE accounts SET tenant_id = '{other}'");
    check_refused(&mut acme, &moved, "row-level security policy").await;
    // 8: keys of another tenant's rows are free here, so that nobody learns that they are taken there.
    let key = format!(
        "INSERT INTO accounts SELECT tenant_id, '{bob}', 'bob@example.org', 'x', 'x', 1, 'x' FROM accounts"
    );
    run(&mut acme, "SAVEPOINT probe").await;
    assert_eq!(affected(&mut acme, &key).await, 1);
    run(&mut acme, "ROLLBACK TO SAVEPOINT probe").await;
    // 9: a reference to another tenant's row.
    let reference =
        format!("INSERT INTO grants (account_id, role, granted_at) VALUES ('{bob}', 'researcher', 'x')");
    check_refused(&mut acme, &reference, "foreign key constraint").await;
    // 10: no sequence counts for all.
    assert_eq!(count(&mut acme, "SELECT count(*) FROM pg_class WHERE relkind = 'S'").await, 0);
    // 12: a savepoint brings the proof back with the name.
    run(&mut acme, &format!("SAVEPOINT probe; SET LOCAL app.tenant = '{other}'")).await;
    assert_eq!(count(&mut acme, "SELECT count(*) FROM studies").await, 0);
    run(&mut acme, "ROLLBACK TO SAVEPOINT probe").await;
    assert_eq!(count(&mut acme, "SELECT count(*) FROM studies").await, 1);
    probe_what_was_never_granted(&mut acme, &other, &bob).await;
    probe_outside_the_transaction(&wall, acme).await;
}

/// The probes about rights.
async fn probe_what_was_never_granted(acme: &mut AnyConnection, other: &str, bob: &str) {
    // 15: what asks no policy is not granted.
    check_refused(acme, "TRUNCATE studies", "permission denied").await;
    // 16: policies cannot be switched off, only turned into errors.
    run(acme, "SAVEPOINT before; SET LOCAL row_security = off").await;
    check_refused(acme, "SELECT * FROM studies", "would be affected by row-level security").await;
    run(acme, "ROLLBACK TO SAVEPOINT before").await;
    // 17: statistics are shown of no table with policies.
    assert_eq!(
        count(acme, "SELECT count(*) FROM pg_stats WHERE schemaname IN ('cairn', 'cairn_system')").await,
        0
    );
    // 18: the key, its keeper, and every other role.
    check_refused(acme, "SELECT * FROM cairn_keeper.context_key", "permission denied").await;
    for role in ["cairn_keeper", "cairn_owner", "cairn_system", "postgres"] {
        check_refused(acme, &format!("SET LOCAL ROLE {role}"), "permission denied").await;
    }
    // 19: another tenant's rows can neither be changed nor removed, and an error in a filter tells nothing.
    assert_eq!(
        affected(acme, &format!("UPDATE accounts SET enabled = 0 WHERE account_id = '{bob}'")).await,
        0
    );
    assert_eq!(affected(acme, &format!("DELETE FROM sessions WHERE tenant_id = '{other}'")).await, 0);
    let oracle = format!(
        "SELECT count(*) FROM accounts WHERE 1 / (CASE WHEN account_id = '{bob}' THEN 0 ELSE 1 END) = 1"
    );
    assert_eq!(count(acme, &oracle).await, 1, "the filter meets no row of another tenant");
    // 20: nothing can be made that would see more, and nothing of the server is in reach.
    for statement in [
        "CREATE TEMPORARY TABLE studies (x text)",
        "CREATE TABLE public.x (x text)",
        "CREATE FUNCTION cairn.x() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "SELECT count(*) FROM cairn_system.tenants",
        "SELECT pg_read_file('PG_VERSION')",
    ] {
        check_refused(acme, statement, "permission denied").await;
    }
    check_refused(acme, "COPY studies TO PROGRAM 'cat'", "must be superuser").await;
    check_refused(acme, "COPY studies FROM '/etc/passwd'", "must be superuser").await;
    check_refused(acme, "ALTER TABLE studies DISABLE ROW LEVEL SECURITY", "must be owner").await;
    check_refused(acme, "DROP POLICY own_tenant_alone ON studies", "must be owner").await;
}

/// What a careless owner could have left behind.
async fn prepare_probes(wall: &Wall) {
    let mut admin = wall.world.site.connect(Whose::Systems).await;
    run(&mut admin, "GRANT CREATE ON SCHEMA public TO cairn_owner; ANALYZE").await;
    let mut owner = wall.session("cairn_owner").await;
    run(
        &mut owner,
        "CREATE VIEW public.owners_view AS SELECT * FROM cairn.studies;
         CREATE MATERIALIZED VIEW public.owners_copy AS SELECT * FROM cairn.studies;
         CREATE FUNCTION public.owners_count() RETURNS bigint LANGUAGE sql SECURITY DEFINER
             AS 'SELECT count(*) FROM cairn.studies';
         GRANT SELECT ON public.owners_view, public.owners_copy TO cairn_app",
    )
    .await;
}

/// The probes about what outlives a transaction.
async fn probe_outside_the_transaction(wall: &Wall, mut session: AnyConnection) {
    let studies = "SELECT count(*) FROM cairn.studies";
    let context = wall.acme.to_string();
    // 6: behind its end, the settings are empty and no error.
    run(&mut session, "COMMIT").await;
    assert_eq!(text(&mut session, "SELECT current_setting('app.tenant', true)").await.as_deref(), Some(""));
    assert_eq!(text(&mut session, "SELECT cairn_keeper.context()").await, None);
    assert_eq!(count(&mut session, studies).await, 0);
    // 11 is control 23. 13: settings of the whole session stay, and prove nothing in the next transaction.
    run(&mut session, "BEGIN").await;
    let mac = wall.prove(&mut session, &context).await;
    run(&mut session, &format!("SET app.tenant = '{context}'; SET app.tenant_mac = '{mac}'; COMMIT")).await;
    assert_eq!(text(&mut session, "SELECT current_setting('app.tenant', true)").await, Some(context.clone()));
    assert_eq!(count(&mut session, studies).await, 0);
    run(&mut session, "RESET ALL").await;
    // 14: outside of a transaction nothing is set.
    sqlx::query("SELECT set_config('app.tenant', $1, true)")
        .bind(&context)
        .execute(&mut session)
        .await
        .expect("it has no effect");
    assert_eq!(count(&mut session, studies).await, 0);
    session.close().await.expect("the session can be ended");
}

#[tokio::test]
async fn neither_role_reads_in_the_others_context() {
    let Some(wall) = Wall::new().await else { return };
    let mut app = wall.session("cairn_app").await;
    run(&mut app, "BEGIN").await;
    wall.prove(&mut app, "system").await;
    assert_eq!(text(&mut app, "SELECT cairn_keeper.context()").await.as_deref(), Some("system"));
    assert_eq!(count(&mut app, "SELECT count(*) FROM cairn.accounts").await, 0);
    check_refused(&mut app, "SELECT * FROM cairn_system.tenants", "permission denied").await;

    let mut system = wall.session("cairn_system").await;
    run(&mut system, "BEGIN").await;
    wall.prove(&mut system, &wall.acme.to_string()).await;
    assert_eq!(count(&mut system, "SELECT count(*) FROM cairn_system.tenants").await, 0);
    check_refused(&mut system, "SELECT * FROM cairn.accounts", "permission denied").await;
}

#[tokio::test]
async fn control_03_the_ledger_is_changed_by_no_role() {
    let Some(wall) = Wall::new().await else { return };
    let before = wall.world.site.contents(Whose::Tenants(wall.acme)).await;
    let changes =
        ["UPDATE audit_events SET action = 'x'", "DELETE FROM audit_events", "TRUNCATE audit_events"];
    for (role, schema, reason) in [
        ("cairn_app", "cairn", "permission denied"),
        ("cairn_system", "cairn_system", "permission denied"),
        ("cairn_owner", "cairn", "audit events are never"),
        ("cairn_owner", "cairn_system", "audit events are never"),
        ("postgres", "cairn", "audit events are never"),
    ] {
        let mut session = wall.session(role).await;
        run(&mut session, &format!("BEGIN; SET LOCAL search_path = {schema}")).await;
        for change in changes {
            check_refused(&mut session, change, reason).await;
        }
    }
    assert_eq!(wall.world.site.contents(Whose::Tenants(wall.acme)).await, before);
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(FixedClock(chrono::DateTime::from_timestamp(1_795_000_000, 0).expect("the time is valid")))
}

fn served(postgres: control::PostgresSettings, replicas: u32) -> ControlSettings {
    let database = DatabaseSettings { engine: DatabaseEngine::Postgres(postgres), replicas };
    ControlSettings { database, ..ControlSettings::default() }
}

#[tokio::test]
async fn a_process_with_another_key_is_refused_and_nothing_is_migrated_without_the_owner() {
    let Some(world) = World::new().await else { return };
    let DatabaseEngine::Postgres(mut postgres) = world.site.settings().database.engine else { return };
    postgres.owner = None;
    let settings = |postgres| served(postgres, 2);
    let open = async |folder: &std::path::Path, settings: &ControlSettings| {
        control::Control::open_at(folder, settings, clock()).await
    };
    let replica = open(world.folder(), &settings(postgres.clone())).await.expect("it shares the keys");
    replica.ready().await.expect("two replicas may share a server");

    let stranger = tempfile::tempdir().expect("a temporary folder can be made");
    let outcome = open(stranger.path(), &settings(postgres.clone())).await;
    assert!(matches!(outcome, Err(ControlError::ContextKeyUnknown)), "{outcome:?}");
    std::fs::write(stranger.path().join("control/keys/context.key"), "0".repeat(64)).expect("it is ours");
    let outcome = open(stranger.path(), &settings(postgres.clone())).await;
    assert!(matches!(outcome, Err(ControlError::ContextKeyFile { .. })), "{outcome:?}");

    let mut admin = world.site.connect(Whose::Systems).await;
    let last = text(&mut admin, "SELECT max(name) FROM cairn_schema.schema_migrations").await;
    let last = last.expect("there are migrations");
    run(&mut admin, &format!("DELETE FROM cairn_schema.schema_migrations WHERE name = '{last}'")).await;
    let outcome = open(world.folder(), &settings(postgres.clone())).await;
    assert!(matches!(&outcome, Err(ControlError::MigrationMissing { name }) if *name == last), "{outcome:?}");
    let empty = crate::cluster::database().await.expect("there is a server").settings(4);
    let outcome = open(world.folder(), &settings(control::PostgresSettings { owner: None, ..empty })).await;
    assert!(matches!(outcome, Err(ControlError::MigrationMissing { .. })), "{outcome:?}");
    let printed = format!("{:?}", settings(postgres));
    assert!(!printed.contains("postgres://"), "an address may hold a password: {printed}");
}

#[tokio::test]
async fn a_role_that_no_policy_binds_serves_nobody() {
    let Some(world) = World::new().await else { return };
    let DatabaseEngine::Postgres(settings) = world.site.settings().database.engine else { return };
    let database = world.site.database.as_ref().expect("the suite is PostgreSQL's");
    for role in ["postgres", "cairn_owner"] {
        let mighty = [
            control::PostgresSettings { app: database.address(role), ..settings.clone() },
            control::PostgresSettings { system: database.address(role), ..settings.clone() },
        ];
        for settings in mighty {
            let outcome = control::Control::open_at(world.folder(), &served(settings, 1), clock()).await;
            assert!(
                matches!(&outcome, Err(ControlError::DatabaseRole { role: found }) if found == role),
                "{outcome:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_refusal_for_want_of_rights_is_not_taken_for_a_busy_database() {
    let Some(wall) = Wall::new().await else { return };
    let mut admin = wall.world.site.connect(Whose::Tenants(wall.acme)).await;
    // The low byte of its code, 42501, is that of SQLite's "busy".
    run(&mut admin, "REVOKE INSERT ON audit_events FROM cairn_app").await;
    let scope = wall.world.control.operator_grants(wall.acme).await.expect("the tenant exists");
    let scope = scope.scope(&crate::postgres::world::study("NEW")).expect("the operator may build");
    let outcome = wall.world.control.register_study(&control::Actor::Operator, &scope, "New").await;
    assert!(matches!(outcome, Err(ControlError::Storage { .. })), "{outcome:?}");
}
