//! Telling people that somebody has opened an emergency access, and which reviews are late.

use control::{Actor, BreakGlassCount, BreakGlassRow, ControlError, Tenant};
use kernel::TenantId;
use tracing::{error, warn};

use crate::app::App;

/// The alert of an emergency access: one line of the log, one count. Its event in the ledger is the third.
pub(crate) fn alert(tenant: TenantId, opened: &BreakGlassRow) {
    metrics::counter!("break_glass_opened_total").increment(1);
    warn!(
        tenant_id = %tenant,
        study.id = %opened.study,
        account.id = %opened.account,
        break_glass.id = %opened.id,
        ends_at = %opened.ends_at,
        "an emergency access was opened; it has to be reviewed within a day"
    );
}

/// The emergency accesses whose review is late, by tenant and age.
pub(crate) async fn overdue(app: &App) -> Result<Vec<(Tenant, BreakGlassRow)>, ControlError> {
    let now = app.clock.now();
    let mut overdue = Vec::new();
    for tenant in app.control.tenants(&Actor::Operator).await? {
        let rows = app.control.break_glasses(&Actor::Operator, tenant.id).await?;
        let late = rows.into_iter().rev().filter(|row| row.is_overdue(now));
        overdue.extend(late.map(|row| (tenant.clone(), row)));
    }
    Ok(overdue)
}

/// Sets the gauges: how many are open, and how many reviews are late.
pub(crate) async fn watch(app: &App) {
    match app.control.count_break_glasses(&Actor::Operator).await {
        #[expect(clippy::cast_precision_loss, reason = "there are fewer than 2^52 emergencies")]
        Ok(BreakGlassCount { open, overdue }) => {
            metrics::gauge!("break_glass_open").set(open as f64);
            metrics::gauge!("break_glass_reviews_overdue").set(overdue as f64);
        }
        Err(failure) => error!(error = %failure, "emergency accesses could not be counted"),
    }
}
