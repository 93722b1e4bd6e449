//! Which studies are made.

use chrono::{Datelike, Months, NaiveDate};
use evidence::simulate::anomaly::{Anomaly, AnomalyKind, KINDS, Target};
use evidence::simulate::plan::StudyPlan;
use kernel::Seed;

use crate::error::{Failure, Result};

/// How much is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// Studies with each kind of anomaly.
    pub(crate) studies: u32,
    /// Studies without any.
    pub(crate) nulls: u32,
    /// Sites of a study.
    pub(crate) sites: u32,
    /// Subjects that a site screens on average.
    pub(crate) subjects_per_site: f64,
    /// Extracts of a study: the cut-off and those every third month before it.
    pub(crate) cuts: u32,
    /// The first study's seed; the others follow.
    pub(crate) seed: Seed,
}

/// Months between two extracts.
pub(crate) const STEP_MONTHS: u32 = 3;
/// Anomalies in one study: few enough that most sites are as they should be.
const TOGETHER: usize = 6;
/// The largest site is like the others, so that no study hangs on one.
const FIRST_RANK: u32 = 2;

/// The kinds that statistics could find; what is planted in deliveries is for the rules on deliveries.
pub(crate) fn kinds() -> impl Iterator<Item = AnomalyKind> {
    KINDS.iter().map(|facts| facts.kind).filter(|kind| !kind.is_platform_test())
}

/// The studies with anomalies: each kind once in every so many of them, at sites that change from one to the next. Kinds
/// that are neighbours in the catalogue, which often move the same numbers, are in different studies.
///
/// # Errors
/// When there are too few sites.
pub(crate) fn planted_studies(size: &Size) -> Result<Vec<(StudyPlan, Seed)>> {
    let needed = FIRST_RANK + u32::try_from(TOGETHER).unwrap_or(u32::MAX);
    if size.sites < 2 * needed {
        let least = 2 * needed;
        return Err(Failure::Usage(format!("`--sites {}` is too few; give at least {least}", size.sites)));
    }
    let kinds: Vec<AnomalyKind> = kinds().collect();
    let mut studies = Vec::new();
    for round in 0..size.studies {
        let parts = kinds.len().div_ceil(TOGETHER);
        for (part, first) in (0_u32..).zip(0..parts) {
            let chunk: Vec<&AnomalyKind> = kinds.iter().skip(first).step_by(parts).collect();
            let anomaly = |(place, kind): (u32, &&AnomalyKind)| {
                let rank = FIRST_RANK + (place + round) % u32::try_from(TOGETHER).unwrap_or(1);
                let target = match kind {
                    AnomalyKind::CountryShift => Target::LargestCountry,
                    AnomalyKind::InformativeDropout => Target::Study,
                    _ => Target::Rank(rank),
                };
                Anomaly::of(**kind, target)
            };
            let anomalies = (0_u32..).zip(&chunk).map(anomaly).collect();
            let number = round * 10 + part + 1;
            let (plan, seed) = study(size, &format!("DET-{number}"), number)?;
            studies.push((StudyPlan { anomalies, cuts: (size.cuts - 1) * STEP_MONTHS, ..plan }, seed));
        }
    }
    Ok(studies)
}

/// A study with nothing planted.
///
/// # Errors
/// When its code is not one, which its making rules out.
pub(crate) fn null_study(size: &Size, number: u32) -> Result<(StudyPlan, Seed)> {
    study(size, &format!("NULL-{number}"), 100_000 + number)
}

fn study(size: &Size, code: &str, number: u32) -> Result<(StudyPlan, Seed)> {
    let study = code.parse().map_err(|error| Failure::Usage(format!("{error}")))?;
    let plan = StudyPlan::demo().without_anomalies().resized(size.sites, size.subjects_per_site);
    Ok((StudyPlan { study, ..plan }, Seed(size.seed.0 + u64::from(number))))
}

/// The days of the extracts that are judged, the cut-off last.
pub(crate) fn cuts(plan: &StudyPlan) -> Vec<NaiveDate> {
    let many = plan.cuts / STEP_MONTHS;
    // The plan's cut-off is the end of a month.
    let first_of_next = plan.cut_off + chrono::Days::new(1);
    (0..=many)
        .rev()
        .filter_map(|step| {
            let month = first_of_next.with_day(1)?.checked_sub_months(Months::new(step * STEP_MONTHS))?;
            month.pred_opt()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size() -> Size {
        Size { studies: 2, nulls: 2, sites: 20, subjects_per_site: 10.0, cuts: 3, seed: Seed(1) }
    }

    #[test]
    fn every_kind_is_planted_as_often_as_studies_were_asked_for() {
        let studies = planted_studies(&size()).expect("the size is enough");
        for kind in kinds() {
            let planted = studies.iter().flat_map(|(plan, _)| &plan.anomalies).filter(|it| it.kind == kind);
            assert_eq!(planted.count(), 2, "{kind}");
        }
        assert!(studies.iter().all(|(plan, _)| plan.check().is_ok()));
        let together = |left, right| {
            let has = |plan: &StudyPlan, kind| plan.anomalies.iter().any(|it| it.kind == kind);
            studies.iter().any(|(plan, _)| has(plan, left) && has(plan, right))
        };
        assert!(!together(AnomalyKind::AeUnderReporting, AnomalyKind::AeOverReporting));
        assert!(!together(AnomalyKind::AeUnderReporting, AnomalyKind::CountryShift));
    }

    #[test]
    fn extracts_are_three_months_apart_and_end_at_the_cut_off() {
        let (plan, _) = planted_studies(&size()).expect("the size is enough").remove(0);
        let days: Vec<String> = cuts(&plan).iter().map(NaiveDate::to_string).collect();
        assert_eq!(days, ["2025-09-30", "2025-12-31", "2026-03-31"]);
    }

    #[test]
    fn too_few_sites_are_refused() {
        assert!(planted_studies(&Size { sites: 8, ..size() }).is_err());
    }
}
