//! Emergency accesses as they are stored.

use chrono::{DateTime, Utc};
use kernel::{AccountId, StudyId};

use super::BreakGlassId;
use crate::error::{ControlError, corrupt, storage};
use crate::identity::sealed;
use crate::instant::{parse_timestamp, timestamp};
use crate::keys::SubjectKeys;
use crate::keys::envelope::Secret;
use crate::store::{Connection, TenantTx};

const WHAT: &str = "emergency access";
const COLUMNS: &str = "SELECT break_glass_id, account_id, study_id, reason_nonce, reason_ciphertext, opened_at, \
     ends_at, COALESCE(ended_at, ''), review_due_at, COALESCE(reviewed_at, ''), COALESCE(reviewed_by, ''), \
     COALESCE(verdict, '') FROM break_glass";

/// What a reviewer found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// There was an emergency, and what was read served it.
    Justified,
    /// There was none, or more was read than it took.
    Unjustified,
}

impl Verdict {
    /// Its name in the ledger and in lists.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Justified => "justified",
            Self::Unjustified => "unjustified",
        }
    }

    /// The verdict of that name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Justified, Self::Unjustified].into_iter().find(|verdict| verdict.name() == name)
    }
}

/// What another person found about an emergency access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakGlassReview {
    /// Who judged.
    pub by: AccountId,
    /// When.
    pub at: DateTime<Utc>,
    /// What they found.
    pub verdict: Verdict,
}

/// One emergency access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakGlassRow {
    /// Its id.
    pub id: BreakGlassId,
    /// Whose it is.
    pub account: AccountId,
    /// Which study it opens.
    pub study: StudyId,
    /// Why; `None` once the account was erased.
    pub reason: Option<String>,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// When it ends by itself.
    pub ends_at: DateTime<Utc>,
    /// When it was ended before that.
    pub ended_at: Option<DateTime<Utc>>,
    /// When it has to be reviewed by.
    pub review_due_at: DateTime<Utc>,
    /// What was found.
    pub review: Option<BreakGlassReview>,
}

type Columns =
    (String, String, String, Vec<u8>, Vec<u8>, String, String, String, String, String, String, String);

/// What the sealed reason is bound to.
fn context(id: BreakGlassId) -> Vec<u8> {
    format!("cairn/break-glass\n{id}\n").into_bytes()
}

pub(super) async fn insert(tx: &mut TenantTx, row: &BreakGlassRow, key: &Secret) -> Result<(), ControlError> {
    let reason = row.reason.as_deref().unwrap_or_default();
    let (nonce, ciphertext) = sealed::seal(key, reason.as_bytes(), &context(row.id))?;
    sqlx::query(
        "INSERT INTO break_glass (break_glass_id, account_id, study_id, reason_nonce, reason_ciphertext, opened_at,
                                  ends_at, review_due_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(row.id.to_string())
    .bind(row.account.to_string())
    .bind(row.study.as_str())
    .bind(nonce.to_vec())
    .bind(ciphertext)
    .bind(timestamp(row.opened_at))
    .bind(timestamp(row.ends_at))
    .bind(timestamp(row.review_due_at))
    .execute(tx.connection())
    .await
    .map(|_| ())
    .map_err(storage("open the emergency access"))
}

pub(super) async fn end(tx: &mut TenantTx, id: BreakGlassId) -> Result<(), ControlError> {
    let now = timestamp(tx.now());
    sqlx::query("UPDATE break_glass SET ended_at = $1 WHERE break_glass_id = $2")
        .bind(now)
        .bind(id.to_string())
        .execute(tx.connection())
        .await
        .map(|_| ())
        .map_err(storage("end the emergency access"))
}

pub(super) async fn review(
    tx: &mut TenantTx,
    id: BreakGlassId,
    review: &BreakGlassReview,
) -> Result<(), ControlError> {
    let now = timestamp(review.at);
    sqlx::query(
        "UPDATE break_glass SET reviewed_at = $1, reviewed_by = $2, verdict = $3,
                                ended_at = CASE WHEN ended_at IS NULL AND ends_at > $1 THEN $1 ELSE ended_at END
         WHERE break_glass_id = $4",
    )
    .bind(now)
    .bind(review.by.to_string())
    .bind(review.verdict.name())
    .bind(id.to_string())
    .execute(tx.connection())
    .await
    .map(|_| ())
    .map_err(storage("review the emergency access"))
}

/// The studies that an account may read in an emergency at this instant.
pub(crate) async fn emergencies_of(
    connection: &mut Connection,
    account: AccountId,
    now: DateTime<Utc>,
) -> Result<Vec<StudyId>, ControlError> {
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT study_id FROM break_glass WHERE account_id = $1 AND ends_at > $2 AND ended_at IS NULL
         ORDER BY study_id",
    )
    .bind(account.to_string())
    .bind(timestamp(now))
    .fetch_all(connection)
    .await
    .map_err(storage("look up emergency accesses"))?;
    rows.into_iter().map(|study| StudyId::try_from(study).map_err(corrupt("study id"))).collect()
}

pub(super) async fn find(
    connection: &mut Connection,
    keys: &SubjectKeys,
    id: BreakGlassId,
) -> Result<Option<BreakGlassRow>, ControlError> {
    let query = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE break_glass_id = $1"));
    let row: Option<Columns> = sqlx::query_as(query)
        .bind(id.to_string())
        .fetch_optional(connection)
        .await
        .map_err(storage("look the emergency access up"))?;
    row.map(|row| read(row, keys)).transpose()
}

/// Newest first.
pub(super) async fn list(
    connection: &mut Connection,
    keys: &SubjectKeys,
    account: Option<AccountId>,
) -> Result<Vec<BreakGlassRow>, ControlError> {
    let query = sqlx::AssertSqlSafe(format!(
        "{COLUMNS} WHERE account_id = $1 OR $1 = '' ORDER BY opened_at DESC, break_glass_id DESC"
    ));
    let rows: Vec<Columns> = sqlx::query_as(query)
        .bind(account.map_or_else(String::new, |account| account.to_string()))
        .fetch_all(connection)
        .await
        .map_err(storage("list emergency accesses"))?;
    rows.into_iter().map(|row| read(row, keys)).collect()
}

/// How many are open, and how many reviews are late.
pub(super) async fn count(
    connection: &mut Connection,
    now: DateTime<Utc>,
) -> Result<(u64, u64), ControlError> {
    let mut counts = [0; 2];
    for (count, statement) in counts.iter_mut().zip([
        "SELECT COUNT(*) FROM break_glass WHERE ended_at IS NULL AND ends_at > $1",
        "SELECT COUNT(*) FROM break_glass WHERE reviewed_at IS NULL AND review_due_at < $1",
    ]) {
        let found: i64 = sqlx::query_scalar(statement)
            .bind(timestamp(now))
            .fetch_one(&mut *connection)
            .await
            .map_err(storage("count emergency accesses"))?;
        *count = u64::try_from(found).unwrap_or(0);
    }
    let [open, overdue] = counts;
    Ok((open, overdue))
}

fn read(row: Columns, keys: &SubjectKeys) -> Result<BreakGlassRow, ControlError> {
    let (id, account, study, nonce, ciphertext, opened, ends, ended, due, reviewed, by, verdict) = row;
    let instant = |text: &str| parse_timestamp(text).ok_or(()).map_err(corrupt(WHAT));
    let id: BreakGlassId = id.parse().map_err(corrupt(WHAT))?;
    let account: AccountId = account.parse().map_err(corrupt("account id"))?;
    let reason = match keys.open(account)? {
        None => None,
        Some(key) => {
            let reason = sealed::open(&key, (&nonce, &ciphertext), &context(id)).ok_or(());
            Some(String::from_utf8(reason.map_err(corrupt(WHAT))?).map_err(corrupt(WHAT))?)
        }
    };
    let review = if reviewed.is_empty() {
        None
    } else {
        Some(BreakGlassReview {
            by: by.parse().map_err(corrupt("account id"))?,
            at: instant(&reviewed)?,
            verdict: Verdict::from_name(&verdict).ok_or(()).map_err(corrupt(WHAT))?,
        })
    };
    Ok(BreakGlassRow {
        id,
        account,
        study: StudyId::try_from(study).map_err(corrupt("study id"))?,
        reason,
        opened_at: instant(&opened)?,
        ends_at: instant(&ends)?,
        ended_at: if ended.is_empty() { None } else { Some(instant(&ended)?) },
        review_due_at: instant(&due)?,
        review,
    })
}
