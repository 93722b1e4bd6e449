//! The schema, as files in `migrations`, embedded when the program is built and applied when a database is
//! opened. A migration that was applied is never edited; a database that says otherwise is refused.

use kernel::Clock;
use sqlx::{Any, Transaction};

use crate::error::{ControlError, storage};
use crate::instant::timestamp;
use crate::ledger::hex_sha256;

/// One file of `migrations`.
#[derive(Debug)]
pub(crate) struct Migration {
    name: &'static str,
    sql: &'static str,
}

impl Migration {
    pub(super) const fn name(&self) -> &'static str {
        self.name
    }
}

macro_rules! migration {
    ($folder:literal, $name:literal) => {
        Migration {
            name: $name,
            sql: include_str!(concat!("../../../../migrations/", $folder, "/", $name, ".sql")),
        }
    };
}

/// The system file's schema, in order.
pub(crate) const SYSTEM: &[Migration] = &[
    migration!("sqlite/system", "20261121090000_create_tenants"),
    migration!("sqlite/system", "20261121090100_create_account_directory"),
    migration!("sqlite/system", "20261121090200_create_signing_keys"),
    migration!("sqlite/system", "20261121090300_create_audit_log"),
    migration!("sqlite/system", "20261122100000_keep_tree_in_head"),
    migration!("sqlite/system", "20261122100100_create_checkpoints"),
    migration!("sqlite/system", "20261122110100_retire_signing_keys"),
    migration!("sqlite/system", "20261122110400_create_identity_directory"),
    migration!("sqlite/system", "20261123120000_seal_identities"),
];

/// A tenant file's schema, in order.
pub(crate) const TENANT: &[Migration] = &[
    migration!("sqlite/tenant", "20261121090000_create_audit_log"),
    migration!("sqlite/tenant", "20261121090100_create_accounts"),
    migration!("sqlite/tenant", "20261121090200_create_revoked_tokens"),
    migration!("sqlite/tenant", "20261121090300_create_studies"),
    migration!("sqlite/tenant", "20261121090400_create_snapshots"),
    migration!("sqlite/tenant", "20261121090500_create_ingest_batches"),
    migration!("sqlite/tenant", "20261121090600_create_distribution_logs"),
    migration!("sqlite/tenant", "20261122030000_create_deliveries"),
    migration!("sqlite/tenant", "20261122100000_keep_tree_in_head"),
    migration!("sqlite/tenant", "20261122100200_create_audit_pii"),
    migration!("sqlite/tenant", "20261122110000_create_sessions"),
    migration!("sqlite/tenant", "20261122110200_create_access_tokens"),
    migration!("sqlite/tenant", "20261122110300_create_second_factors"),
    migration!("sqlite/tenant", "20261122120000_create_jobs"),
    migration!("sqlite/tenant", "20261122120100_create_schedules"),
    migration!("sqlite/tenant", "20261122120200_create_idempotency_keys"),
    migration!("sqlite/tenant", "20261122140000_create_mart_runs"),
    migration!("sqlite/tenant", "20261122150000_create_outbox"),
    migration!("sqlite/tenant", "20261122150100_create_inbox"),
    migration!("sqlite/tenant", "20261122160000_follow_accounts"),
    migration!("sqlite/tenant", "20261122170000_create_break_glass"),
    migration!("sqlite/tenant", "20261122170100_create_signatures"),
    migration!("sqlite/tenant", "20261122170200_create_retention"),
    migration!("sqlite/tenant", "20261122170300_drop_revoked_tokens"),
    migration!("sqlite/tenant", "20261122190000_create_definition_changes"),
    migration!("sqlite/tenant", "20261122190100_create_limit_acts"),
    migration!("sqlite/tenant", "20261123110000_create_mail"),
    migration!("sqlite/tenant", "20261123110100_bind_tokens_to_peers"),
    migration!("sqlite/tenant", "20261123120000_seal_accounts"),
    migration!("sqlite/tenant", "20261124090000_create_disabled_tenant"),
];

/// PostgreSQL's schema, in order: what the two kinds of file hold, and who may see it.
pub(crate) const POSTGRES: &[Migration] = &[
    migration!("postgres", "20261122070000_create_keeper"),
    migration!("postgres", "20261122070100_create_system_tables"),
    migration!("postgres", "20261122070200_create_tenant_tables"),
    migration!("postgres", "20261122070300_guard_the_logs"),
    migration!("postgres", "20261122100000_keep_checkpoints"),
    migration!("postgres", "20261122110000_create_sessions"),
    migration!("postgres", "20261122110100_retire_signing_keys"),
    migration!("postgres", "20261122110200_create_access_tokens"),
    migration!("postgres", "20261122110300_create_second_factors"),
    migration!("postgres", "20261122110400_create_identity_directory"),
    migration!("postgres", "20261122120000_create_jobs"),
    migration!("postgres", "20261122120100_create_schedules"),
    migration!("postgres", "20261122120200_create_idempotency_keys"),
    migration!("postgres", "20261122140000_create_mart_runs"),
    migration!("postgres", "20261122150000_create_outbox"),
    migration!("postgres", "20261122150100_create_inbox"),
    migration!("postgres", "20261122160000_follow_accounts"),
    migration!("postgres", "20261122170000_create_break_glass"),
    migration!("postgres", "20261122170100_create_signatures"),
    migration!("postgres", "20261122170200_create_retention"),
    migration!("postgres", "20261122170300_drop_revoked_tokens"),
    migration!("postgres", "20261122190000_create_definition_changes"),
    migration!("postgres", "20261122190100_create_limit_acts"),
    migration!("postgres", "20261123110000_create_mail"),
    migration!("postgres", "20261123110100_bind_tokens_to_peers"),
    migration!("postgres", "20261123120000_seal_accounts"),
    migration!("postgres", "20261124090000_create_disabled_tenant"),
    migration!("postgres", "20261124100000_append_in_fewer_steps"),
    migration!("postgres", "20261124110000_lock_with_the_proof"),
];

/// Brings the tables up to `migrations`, all or nothing. `list` makes the list of them where there is none.
pub(crate) async fn apply(
    mut tx: Transaction<'_, Any>,
    list: &'static str,
    migrations: &[Migration],
    clock: &dyn Clock,
) -> Result<(), ControlError> {
    const STEP: &str = "migrate the database";
    sqlx::raw_sql(list).execute(&mut *tx).await.map_err(storage(STEP))?;
    let applied: Vec<(String, String)> =
        sqlx::query_as("SELECT name, sha256 FROM schema_migrations ORDER BY name")
            .fetch_all(&mut *tx)
            .await
            .map_err(storage(STEP))?;
    refuse_changed(&applied, migrations)?;
    for migration in &migrations[applied.len()..] {
        sqlx::raw_sql(migration.sql).execute(&mut *tx).await.map_err(storage(STEP))?;
        sqlx::query("INSERT INTO schema_migrations (name, sha256, applied_at) VALUES ($1, $2, $3)")
            .bind(migration.name)
            .bind(hex_sha256(migration.sql.as_bytes()))
            .bind(timestamp(clock.now()))
            .execute(&mut *tx)
            .await
            .map_err(storage(STEP))?;
    }
    tx.commit().await.map_err(storage(STEP))
}

/// What was applied has to be the beginning of what this program knows, unchanged.
pub(super) fn refuse_changed(applied: &[(String, String)], known: &[Migration]) -> Result<(), ControlError> {
    for (index, (name, sha256)) in applied.iter().enumerate() {
        let same = known.get(index).is_some_and(|migration| {
            migration.name == name && hex_sha256(migration.sql.as_bytes()) == *sha256
        });
        if !same {
            return Err(ControlError::MigrationChanged { name: name.clone() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(migration: &Migration) -> (String, String) {
        (migration.name.to_owned(), hex_sha256(migration.sql.as_bytes()))
    }

    #[test]
    fn the_lists_are_in_the_order_of_their_names() {
        for list in [SYSTEM, TENANT, POSTGRES] {
            assert!(list.is_sorted_by(|a, b| a.name < b.name));
        }
    }

    #[test]
    fn both_kinds_of_file_have_the_same_ledger() {
        assert_eq!(SYSTEM[3].sql, TENANT[0].sql);
        let last = |list: &[Migration]| {
            list.iter().rfind(|one| one.name.ends_with("tree_in_head")).map(|one| one.sql)
        };
        assert_eq!(last(SYSTEM), last(TENANT));
    }

    #[test]
    fn an_edited_or_unknown_migration_is_refused() {
        let known = &SYSTEM[..2];
        assert!(refuse_changed(&[row(&known[0])], known).is_ok());
        assert!(refuse_changed(&[row(&known[0]), row(&known[1])], known).is_ok());

        let edited = (known[0].name.to_owned(), hex_sha256(b"edited"));
        assert!(matches!(refuse_changed(&[edited], known), Err(ControlError::MigrationChanged { .. })));
        let newer = [row(&known[0]), row(&known[1]), row(&SYSTEM[2])];
        assert!(matches!(refuse_changed(&newer, known), Err(ControlError::MigrationChanged { .. })));
        let skipped = [row(&known[1])];
        assert!(matches!(refuse_changed(&skipped, known), Err(ControlError::MigrationChanged { .. })));
    }
}
