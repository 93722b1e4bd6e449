//! The own tenant, for who administers it.

use axum::extract::{OriginalUri, State as Extract};
use axum::http::HeaderMap;
use control::{AccountSummary, TenantOverview};
use frontend::view::{AdminView, OwnedToken, Tab};
use frontend::{format, link};
use kernel::AccountId;
use warehouse::Zone;

use super::account::token_line;
use super::accounts::{admin, session_line};
use super::{Answer, Visit};
use crate::http::State;
use crate::http::caller::Reader;
use crate::occupancy::Measured;

/// `GET /admin`
pub(crate) async fn show(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let actor = admin(&visit).await?;
    let (control, now) = (&state.app.control, state.app.clock.now());
    let tenant = visit.caller.principal.tenant();
    let overview = control.tenant_overview(&actor, tenant).await.map_err(|error| visit.fail(error))?;
    let measured =
        state.app.occupied(visit.caller.principal.grants()).await.map_err(|error| visit.fail(error))?;
    let review = control.access_review(&actor, tenant).await.map_err(|error| visit.fail(error))?;
    let everybody = control.accounts(&actor, tenant).await.map_err(|error| visit.fail(error))?;
    let mut sessions = control.sessions(&actor, tenant, None).await.map_err(|error| visit.fail(error))?;
    let tokens = control.access_tokens(&actor, tenant, None).await.map_err(|error| visit.fail(error))?;
    sessions.retain(|session| session.is_live(now));
    let mut frame = visit.frame(Some(Tab::Admin), None).await?;
    frame.here = link::ADMIN.to_owned();
    let view = AdminView {
        frame,
        counts: counts(&overview, sessions.len()),
        facts: facts(&overview, &visit),
        storage: storage(&measured, &overview),
        storage_unix_s: measured.at.timestamp(),
        review_is_overdue: review.is_overdue(),
        sessions: sessions.iter().map(|one| session_line(one, owner(one.account, &everybody))).collect(),
        tokens: tokens
            .iter()
            .filter(|one| one.revoked_at.is_none() && one.ends_at > now)
            .map(|one| OwnedToken {
                owner: owner(one.account, &everybody),
                token: token_line(one, now.timestamp()),
            })
            .collect(),
    };
    Ok(visit.page(frontend::page::admin(&view)))
}

fn owner(account: AccountId, everybody: &[AccountSummary]) -> (String, String) {
    let email = everybody.iter().find(|one| one.id == account).map(|one| one.email.clone());
    (account.to_string(), email.unwrap_or_else(|| account.to_string()))
}

fn counts(overview: &TenantOverview, sessions: usize) -> Vec<(String, String, String)> {
    let line = |word: &str, number: u64, note: String| (word.to_owned(), format::count(number), note);
    let none = String::new;
    vec![
        line("Accounts", overview.accounts_enabled, format!("{} disabled", overview.accounts_disabled)),
        line("Signed in", sessions as u64, none()),
        line("Studies", overview.studies, none()),
        line("Snapshots", overview.snapshots, none()),
        line("Deliveries", overview.batches, none()),
        line("Jobs", overview.jobs_open, "waiting or being done".to_owned()),
        line("Ledger entries", overview.events, none()),
    ]
}

fn storage(measured: &Measured, overview: &TenantOverview) -> Vec<(String, String, String)> {
    let line = |word: &str, bytes: Option<u64>, note: &str| {
        (word.to_owned(), bytes.map_or_else(|| format::NO_VALUE.to_owned(), format::bytes), note.to_owned())
    };
    let occupied = &measured.occupied;
    let named = [
        ("Raw files", Zone::Raw, "as they were delivered"),
        ("Conformed", Zone::Canon, "records with their versions"),
        ("Star", Zone::Star, "facts and dimensions"),
        ("Marts", Zone::Marts, "derived tables"),
    ];
    let rest = occupied.total() - named.iter().map(|(_, zone, _)| occupied.zone(*zone)).sum::<u64>();
    let in_server = if overview.control_bytes.is_none() {
        "in a database that all share"
    } else {
        "accounts, jobs, ledger"
    };
    let mut lines: Vec<_> =
        named.iter().map(|(word, zone, note)| line(word, Some(occupied.zone(*zone)), note)).collect();
    lines.push(line("Other files", Some(rest), "manifests, quarantine, uploads"));
    lines.push(line("Control database", overview.control_bytes, in_server));
    lines.push(line("Total", Some(occupied.total() + overview.control_bytes.unwrap_or(0)), ""));
    lines.push(line("Free", measured.free, "on the disk, for all organisations"));
    lines
}

fn facts(overview: &TenantOverview, visit: &Visit<'_>) -> Vec<(String, String)> {
    let key = overview.data_key.as_ref().map_or_else(
        || "none yet".to_owned(),
        |key| {
            let since = key.created_at.get(..10).unwrap_or(&key.created_at);
            format!("{} since {since}, wrapped by {} ({})", key.id, key.provider, key.master)
        },
    );
    let backup = overview.last_backup_at.map_or_else(
        || "never, as far as this program made one".to_owned(),
        |at| format::instant(at.timestamp()),
    );
    let allowance = visit.state.edge.allowance();
    let quota =
        format!("{} requests a second, {} at once after a rest", allowance.per_second, allowance.burst);
    [("Quota", quota), ("Key of personal data", key), ("Last backup", backup)]
        .map(|(word, said)| (word.to_owned(), said))
        .to_vec()
}
