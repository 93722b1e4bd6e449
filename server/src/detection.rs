//! How well planted anomalies are found: studies are simulated with them and without, their marts are built as for any
//! other study, and what two methods flag is held against the truth.
//!
//! - The reference: indicators by the normal approximation with plain thresholds; a red flag finds.
//! - Ours: indicators with each site left out of what it is compared with, and the site tests, both adjusted for the false
//!   discovery rate; an adjusted probability below 0.05 finds.
//!
//! Read [`mod@plan`] first (which studies), then [`flagged`] (what a method flags) and [`mod@report`] (the table).

use std::path::Path;

use chrono::NaiveDate;
use control::{Actor, TraceId};
use evidence::simulate::anomaly::AnomalyKind;
use evidence::simulate::simulate;
use evidence::simulate::truth::Planted;
use kernel::StudyId;
use warehouse::engine::Limits;
use warehouse::{Delivery, Mapping};

use crate::app::App;
use crate::error::{Failure, Result};
use crate::work::{self, Engineer, Order, Teller};

pub(crate) mod flagged;
pub(crate) mod plan;
pub(crate) mod report;

use flagged::{Flagged, flagged};
use plan::{Size, cuts, null_study, planted_studies};

/// What became of one anomaly.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) kind: AnomalyKind,
    /// The months from the first cut at which a perfect detector could see it to the first at which the method did; none
    /// where the method never did, or the perfect detector cannot.
    pub(crate) delay_months: [Option<f64>; 2],
    /// Whether the method flags it at the cut-off: the reference, ours.
    pub(crate) found: [bool; 2],
}

/// What all studies came to.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) found: Vec<Found>,
    /// Sites flagged in each null study: by the reference, by ours.
    pub(crate) false_alarms: Vec<[usize; 2]>,
    /// Sites of all null studies.
    pub(crate) null_sites: usize,
}

/// Makes the studies in an empty data folder and judges them; `tell` hears how many of how many are done.
///
/// # Errors
/// A refusal when the folder holds data already, or a study cannot be made.
pub(crate) async fn run(
    app: &App,
    data: &Path,
    size: &Size,
    tell: &mut dyn FnMut(u64, u64),
) -> Result<Outcome> {
    let tenant = app.control.create_tenant(&Actor::Operator, "detection", "Detection").await?;
    let grants = app.control.operator_grants(tenant.id).await?;
    let engineer = |study: &StudyId| -> Result<Engineer> {
        let scope = grants.scope(study).map_err(|denied| Failure::NotThere(denied.to_string()))?;
        Ok(Engineer { actor: Actor::Operator, scope, trace: TraceId::random()?, fence: None })
    };
    let mut outcome = Outcome::default();
    let all = planted_studies(size)?;
    let total = all.len() as u64 + u64::from(size.studies);
    for (number, (study, seed)) in (1..).zip(&all) {
        let folder = data.join("simulated").join(study.study.as_str());
        let truth = simulate(study, *seed, &folder, &mut |_| {})?;
        let mut seen: Vec<(NaiveDate, Flagged)> = Vec::new();
        // As a study grows: each extract holds what the former one held, and more.
        for cut in cuts(study) {
            let part =
                if cut == study.cut_off { folder.clone() } else { folder.join("cuts").join(cut.to_string()) };
            seen.push((cut, judge(app, &engineer(&study.study)?, &part).await?));
        }
        outcome.found.extend(truth.anomalies.iter().map(|planted| found(planted, &seen)));
        tell(number, total);
    }
    for number in 1..=size.studies {
        let (study, seed) = null_study(size, number)?;
        let folder = data.join("simulated").join(study.study.as_str());
        simulate(&study, seed, &folder, &mut |_| {})?;
        let flagged = judge(app, &engineer(&study.study)?, &folder).await?;
        outcome.null_sites += flagged.sites.len();
        outcome
            .false_alarms
            .push([0, 1].map(|method| flagged.sites.values().filter(|by| by[method]).count()));
        tell(all.len() as u64 + u64::from(number), total);
    }
    Ok(outcome)
}

/// Takes an extract in, builds its marts and reads what they flag.
async fn judge(app: &App, engineer: &Engineer, folder: &Path) -> Result<Flagged> {
    let delivery = Delivery::of(&[folder.to_owned()], Some(Mapping::load("edc")?))?;
    let order = Order { delivery, key: None, title: "A simulated study".to_owned(), batch: None };
    let silent = || Teller::new(|_| {});
    work::ingest(app, engineer, &order, silent()).await?;
    work::build_marts(app, engineer, Limits::default(), silent()).await?;
    flagged(app, &engineer.scope.to_read()).await
}

fn found(planted: &Planted, seen: &[(NaiveDate, Flagged)]) -> Found {
    let by = |flagged: &Flagged| flagged.finds(planted.kind, &planted.site);
    let at_cut_off = seen.last().map_or([false; 2], |(_, flagged)| by(flagged));
    let delay = |method: usize| {
        let could = planted.first_detectable_cut?;
        let (cut, _) = seen.iter().find(|(cut, flagged)| *cut >= could && by(flagged)[method])?;
        #[expect(clippy::cast_precision_loss, reason = "days of one study")]
        let days = (*cut - could).num_days() as f64;
        Some(days / 30.4375)
    };
    Found { kind: planted.kind, found: at_cut_off, delay_months: [delay(0), delay(1)] }
}
