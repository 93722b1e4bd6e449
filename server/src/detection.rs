//! How well planted anomalies are found: studies are simulated with them and without, their marts are built as for any
//! other study, and what two methods flag is held against the truth.
//!
//! - The reference: its twelve indicators by the normal approximation with plain thresholds; a red flag finds.
//! - Ours: every indicator with each site left out of what it is compared with, events by visit against subjects who were
//!   followed as long, and the site tests, all adjusted for the false discovery rate; an adjusted probability below 0.05 finds.
//!
//! Read [`mod@plan`] first (which studies), then [`flagged`] (what a method says), [`mod@calibration`] (how often the site
//! tests reject) and [`mod@report`] (the page).

use std::path::Path;

use chrono::NaiveDate;
use control::{Actor, TraceId};
use evidence::simulate::anomaly::AnomalyKind;
use evidence::simulate::simulate;
use evidence::simulate::truth::Planted;
use kernel::StudyId;
use marts::Selection;
use warehouse::{Delivery, Mapping};

use crate::app::App;
use crate::error::{Failure, Result};
use crate::work::{self, Engineer, Order, Teller};

pub(crate) mod calibration;
pub(crate) mod flagged;
pub(crate) mod plan;
pub(crate) mod report;

use calibration::Calibration;
use flagged::{Flagged, Verdict, flagged};
use plan::{Size, cuts, null_study, planted_studies};

/// What became of one anomaly.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) kind: AnomalyKind,
    /// The months from the first extract in which a perfect detector could see it to the first in which the method did; none
    /// where the method never did, or the perfect detector cannot.
    pub(crate) delay_months: [Option<f64>; 2],
    /// What both methods say of it at the cut-off.
    pub(crate) verdict: Verdict,
}

/// What all studies came to.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) found: Vec<Found>,
    /// Of each null study, what is said of every site.
    pub(crate) null_sites: Vec<Vec<Verdict>>,
    /// And of every country.
    pub(crate) null_countries: Vec<Vec<Verdict>>,
    /// How often the site tests reject in null studies.
    pub(crate) calibration: Calibration,
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
    let total = all.len() as u64 + u64::from(size.nulls);
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
    for number in 1..=size.nulls {
        let (study, seed) = null_study(size, number)?;
        let folder = data.join("simulated").join(study.study.as_str());
        simulate(&study, seed, &folder, &mut |_| {})?;
        let flagged = judge(app, &engineer(&study.study)?, &folder).await?;
        outcome.calibration.add(&flagged.calibration);
        outcome.null_sites.push(flagged.sites.into_values().collect());
        outcome.null_countries.push(flagged.countries.into_values().collect());
        tell(all.len() as u64 + u64::from(number), total);
    }
    Ok(outcome)
}

/// The marts that are read, with what they read.
const NEEDED: [&str; 2] = ["+mart_indicator", "+mart_site_test_combined"];

/// Takes an extract in, builds the marts that are asked and reads what they say.
async fn judge(app: &App, engineer: &Engineer, folder: &Path) -> Result<Flagged> {
    let delivery = Delivery::of(&[folder.to_owned()], Some(Mapping::load("edc")?))?;
    let order = Order { delivery, key: None, title: "A simulated study".to_owned(), batch: None };
    let silent = || Teller::new(|_| {});
    work::ingest(app, engineer, &order, silent()).await?;
    let selection = Selection { select: NEEDED.map(str::to_owned).to_vec(), ..Selection::default() };
    let wanted = marts::Order { selection, ..marts::Order::default() };
    let publication = work::marts::build(app, engineer, wanted, silent()).await?;
    match publication.failure {
        None => flagged(app, &engineer.scope.to_read()).await,
        Some(failure) => Err(failure.into()),
    }
}

fn found(planted: &Planted, seen: &[(NaiveDate, Flagged)]) -> Found {
    let verdict = |flagged: &Flagged| flagged.of(planted.kind, &planted.site);
    let first_that_could = planted
        .first_detectable_cut
        .and_then(|could| seen.iter().map(|(cut, _)| *cut).find(|cut| *cut >= could));
    let delay = |method: usize| {
        let could = first_that_could?;
        let (cut, _) = seen.iter().find(|(cut, flagged)| *cut >= could && verdict(flagged).by()[method])?;
        #[expect(clippy::cast_precision_loss, reason = "days of one study")]
        let days = (*cut - could).num_days() as f64;
        Some(days / 30.4375)
    };
    Found {
        kind: planted.kind,
        delay_months: [delay(0), delay(1)],
        verdict: seen.last().map(|(_, flagged)| verdict(flagged)).unwrap_or_default(),
    }
}
