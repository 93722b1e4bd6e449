//! The caller's organisation, for who administers it: what there is, and how much room it takes.

use axum::Json;
use axum::extract::State as Extract;
use chrono::SecondsFormat;
use control::TenantOverview;
use serde::Serialize;
use utoipa::ToSchema;
use warehouse::Zone;

use super::accounts::administrator;
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::problem::Problem;
use crate::occupancy::Measured;

/// An organisation, as its administrator sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrganisationAnswer {
    /// Its short name.
    slug: String,
    /// Its name.
    name: String,
    /// Accounts that may sign in,
    accounts_enabled: u64,
    /// and those that may not.
    accounts_disabled: u64,
    /// Studies.
    studies: u64,
    /// Published snapshots of all studies.
    snapshots: u64,
    /// Deliveries that were taken in.
    deliveries: u64,
    /// Jobs that wait or are being done.
    jobs_open: u64,
    /// Entries of its ledger.
    ledger_entries: u64,
    /// When a copy of the deployment was last made, in RFC 3339; none when this program made none.
    last_backup_at: Option<String>,
    /// How much room its data take.
    storage: StorageFields,
}

/// How much room an organisation's data take, in bytes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StorageFields {
    /// When the files were measured, in RFC 3339; a measurement is kept for a minute, and longer where it takes long.
    measured_at: String,
    /// The files as they were delivered.
    raw_bytes: u64,
    /// The conformed records.
    canon_bytes: u64,
    /// Facts and dimensions.
    star_bytes: u64,
    /// Derived tables.
    marts_bytes: u64,
    /// Manifests, rows that did not fit, deliveries on their way, and settings.
    other_bytes: u64,
    /// Accounts, jobs and the ledger; none where the organisations share one database.
    control_bytes: Option<u64>,
    /// All of these.
    total_bytes: u64,
    /// What is free where the files of every organisation lie; none where the system does not tell.
    free_bytes: Option<u64>,
}

impl StorageFields {
    fn new(measured: &Measured, overview: &TenantOverview) -> Self {
        let occupied = &measured.occupied;
        let named = [Zone::Raw, Zone::Canon, Zone::Star, Zone::Marts].map(|zone| occupied.zone(zone));
        let [raw_bytes, canon_bytes, star_bytes, marts_bytes] = named;
        Self {
            measured_at: measured.at.to_rfc3339_opts(SecondsFormat::Micros, true),
            raw_bytes,
            canon_bytes,
            star_bytes,
            marts_bytes,
            other_bytes: occupied.total() - named.iter().sum::<u64>(),
            control_bytes: overview.control_bytes,
            total_bytes: occupied.total() + overview.control_bytes.unwrap_or(0),
            free_bytes: measured.free,
        }
    }
}

/// Your organisation: how much there is of what, and how much room it takes.
#[utoipa::path(
    get, path = "/api/v1/organisation", tag = "accounts",
    responses((status = 200, body = OrganisationAnswer), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn show(
    Extract(state): Extract<State>,
    caller: Caller,
) -> Result<Json<OrganisationAnswer>, Problem> {
    let actor = administrator(&state, &caller).await?;
    let (control, principal) = (&state.app.control, &caller.principal);
    let tenant = control.tenant_of(principal).await.map_err(|error| caller.problem(error))?;
    let overview = control.tenant_overview(&actor, tenant.id).await.map_err(|error| caller.problem(error))?;
    let measured = state.app.occupied(principal.grants()).await.map_err(|error| caller.problem(error))?;
    Ok(Json(OrganisationAnswer {
        slug: tenant.slug,
        name: tenant.name,
        accounts_enabled: overview.accounts_enabled,
        accounts_disabled: overview.accounts_disabled,
        studies: overview.studies,
        snapshots: overview.snapshots,
        deliveries: overview.batches,
        jobs_open: overview.jobs_open,
        ledger_entries: overview.events,
        last_backup_at: overview.last_backup_at.map(|at| at.to_rfc3339_opts(SecondsFormat::Micros, true)),
        storage: StorageFields::new(&measured, &overview),
    }))
}
