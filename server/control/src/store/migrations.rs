//! The schema, as files in `migrations/sqlite`, embedded when the program is built and applied when a file is
//! opened. A migration that was applied is never edited; a file that says otherwise is refused.

use kernel::Clock;
use sqlx::SqlitePool;

use crate::error::{ControlError, storage};
use crate::instant::timestamp;
use crate::ledger::hex_sha256;

/// One file of `migrations/sqlite`.
#[derive(Debug)]
pub(crate) struct Migration {
    name: &'static str,
    sql: &'static str,
}

macro_rules! migration {
    ($folder:literal, $name:literal) => {
        Migration {
            name: $name,
            sql: include_str!(concat!("../../../../migrations/sqlite/", $folder, "/", $name, ".sql")),
        }
    };
}

/// The system file's schema, in order.
pub(crate) const SYSTEM: &[Migration] = &[
    migration!("system", "20261121090000_create_tenants"),
    migration!("system", "20261121090100_create_account_directory"),
    migration!("system", "20261121090200_create_signing_keys"),
    migration!("system", "20261121090300_create_audit_log"),
    migration!("system", "20261122100000_keep_tree_in_head"),
    migration!("system", "20261122100100_create_checkpoints"),
];

/// A tenant file's schema, in order.
pub(crate) const TENANT: &[Migration] = &[
    migration!("tenant", "20261121090000_create_audit_log"),
    migration!("tenant", "20261121090100_create_accounts"),
    migration!("tenant", "20261121090200_create_revoked_tokens"),
    migration!("tenant", "20261121090300_create_studies"),
    migration!("tenant", "20261121090400_create_snapshots"),
    migration!("tenant", "20261121090500_create_ingest_batches"),
    migration!("tenant", "20261121090600_create_distribution_logs"),
    migration!("tenant", "20261122030000_create_deliveries"),
    migration!("tenant", "20261122100000_keep_tree_in_head"),
    migration!("tenant", "20261122100200_create_audit_pii"),
];

/// Brings the file up to `migrations`, all or nothing.
pub(crate) async fn apply(
    writer: &SqlitePool,
    migrations: &[Migration],
    clock: &dyn Clock,
) -> Result<(), ControlError> {
    const STEP: &str = "migrate the database";
    let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(storage(STEP))?;
    sqlx::raw_sql(
        "CREATE TABLE IF NOT EXISTS schema_migrations (
             name TEXT NOT NULL PRIMARY KEY, sha256 TEXT NOT NULL, applied_at TEXT NOT NULL
         ) STRICT",
    )
    .execute(&mut *tx)
    .await
    .map_err(storage(STEP))?;
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
fn refuse_changed(applied: &[(String, String)], known: &[Migration]) -> Result<(), ControlError> {
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
        for list in [SYSTEM, TENANT] {
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
