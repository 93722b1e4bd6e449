//! What is planted, resolved to the sites and subjects of a study, and the marks it leaves on their records.

use chrono::NaiveDate;

use super::anomaly::{Anomaly, AnomalyKind, Target};
use super::error::SimulateError;
use super::plan::StudyPlan;
use super::site::Site;

/// One anomaly of the plan, with its sites found.
pub(super) struct Planting {
    /// Its place in the plan, from 0 on.
    pub(super) index: usize,
    pub(super) kind: AnomalyKind,
    pub(super) magnitude: f64,
    pub(super) start: NaiveDate,
    pub(super) cover: Cover,
}

/// Whom a planting concerns.
pub(super) enum Cover {
    Study,
    Sites(Vec<String>),
    Subjects(Vec<String>),
}

/// A record that an anomaly has changed, made or kept from being.
pub(super) struct Mark {
    pub(super) planting: usize,
    pub(super) dataset: &'static str,
    pub(super) record: String,
    /// The day from which the record is known, or would be.
    pub(super) known: NaiveDate,
    /// Whether the record is there.
    pub(super) is_present: bool,
}

/// What is planted at one subject.
pub(super) struct PlantedHere<'w>(Vec<&'w Planting>);

impl Planting {
    /// The plantings of a plan.
    ///
    /// # Errors
    /// If a target names a site, country or subject that the study does not have.
    pub(super) fn resolve(plan: &StudyPlan, sites: &[Site]) -> Result<Vec<Self>, SimulateError> {
        plan.anomalies
            .iter()
            .enumerate()
            .map(|(index, anomaly)| Self::new(index, anomaly, plan, sites))
            .collect()
    }

    fn new(index: usize, anomaly: &Anomaly, plan: &StudyPlan, sites: &[Site]) -> Result<Self, SimulateError> {
        let cover =
            if anomaly.kind.is_platform_test() { Cover::Study } else { cover(&anomaly.target, sites)? };
        let planting =
            Self { index, kind: anomaly.kind, magnitude: anomaly.size(), start: plan.start, cover };
        let opened = sites.iter().filter(|site| planting.concerns(site)).map(|site| site.activation).min();
        let start = anomaly.start.or(opened).unwrap_or(plan.start);
        Ok(Self { start, ..planting })
    }

    /// Whether a subject of a site is concerned.
    pub(super) fn covers(&self, site: &Site, subject: &str) -> bool {
        match &self.cover {
            Cover::Study => true,
            Cover::Sites(ids) => ids.contains(&site.id),
            Cover::Subjects(ids) => ids.iter().any(|id| id == subject),
        }
    }

    /// Whether a site is concerned, or one of its subjects.
    fn concerns(&self, site: &Site) -> bool {
        match &self.cover {
            Cover::Study => true,
            Cover::Sites(ids) => ids.contains(&site.id),
            Cover::Subjects(ids) => ids.iter().any(|id| id.starts_with(&site.id)),
        }
    }

    /// Whether it has begun on a day.
    pub(super) fn has_begun(&self, day: NaiveDate) -> bool {
        day >= self.start
    }

    /// That a record was touched.
    pub(super) fn mark(&self, dataset: &'static str, record: String, known: NaiveDate) -> Mark {
        Mark { planting: self.index, dataset, record, known, is_present: true }
    }

    /// That a record is missing which would be there.
    pub(super) fn mark_absent(&self, dataset: &'static str, record: String, known: NaiveDate) -> Mark {
        Mark { is_present: false, ..self.mark(dataset, record, known) }
    }
}

impl<'w> PlantedHere<'w> {
    /// What concerns a subject of a site.
    pub(super) fn of(plantings: &'w [Planting], site: &Site, subject: &str) -> Self {
        Self(plantings.iter().filter(|planting| planting.covers(site, subject)).collect())
    }

    /// The planting of a kind, if there is one; the first where there are several.
    pub(super) fn find(&self, kind: AnomalyKind) -> Option<&'w Planting> {
        self.0.iter().find(|planting| planting.kind == kind).copied()
    }

    /// The planting of a kind that has begun on a day.
    pub(super) fn on(&self, kind: AnomalyKind, day: NaiveDate) -> Option<&'w Planting> {
        self.find(kind).filter(|planting| planting.has_begun(day))
    }
}

fn cover(target: &Target, sites: &[Site]) -> Result<Cover, SimulateError> {
    let unknown = |site: String| SimulateError::UnknownSite { site };
    let known = |id: &String| {
        sites.iter().any(|site| site.id == *id).then(|| id.clone()).ok_or_else(|| unknown(id.clone()))
    };
    match target {
        Target::Site(id) => Ok(Cover::Sites(vec![known(id)?])),
        Target::Sites(ids) => Ok(Cover::Sites(ids.iter().map(known).collect::<Result<_, _>>()?)),
        Target::Rank(rank) => {
            let mut by_size: Vec<&Site> = sites.iter().collect();
            by_size.sort_by(|a, b| b.screenings.len().cmp(&a.screenings.len()).then(a.id.cmp(&b.id)));
            let index = usize::try_from(*rank).ok().and_then(|rank| rank.checked_sub(1));
            let site = index.and_then(|index| by_size.get(index));
            let site = site.ok_or_else(|| unknown(format!("rank {rank}")))?;
            Ok(Cover::Sites(vec![site.id.clone()]))
        }
        Target::Subjects(ids) => {
            let missing = ids.iter().find(|id| !has_subject(sites, id));
            missing.map_or_else(|| Ok(Cover::Subjects(ids.clone())), |id| Err(unknown(id.clone())))
        }
        Target::Country(code) => {
            let ids = of_country(sites, code);
            if ids.is_empty() { Err(unknown(code.clone())) } else { Ok(Cover::Sites(ids)) }
        }
        Target::LargestCountry => {
            let countries = sites.iter().map(|site| of_country(sites, site.country.code));
            // Of countries of one size, the one of the first site.
            let largest = countries.reduce(|best, next| if next.len() > best.len() { next } else { best });
            Ok(Cover::Sites(largest.unwrap_or_default()))
        }
        Target::Study => Ok(Cover::Study),
    }
}

fn of_country(sites: &[Site], code: &str) -> Vec<String> {
    sites.iter().filter(|site| site.country.code == code).map(|site| site.id.clone()).collect()
}

fn has_subject(sites: &[Site], id: &str) -> bool {
    let Some((site, number)) = id.split_once('-') else { return false };
    let number: usize = number.parse().unwrap_or(0);
    sites.iter().any(|candidate| candidate.id == site && (1..=candidate.screenings.len()).contains(&number))
}
