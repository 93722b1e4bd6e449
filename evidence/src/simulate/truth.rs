//! The ledger of what was planted: what a detector is to find, where, and from when on it could. With it, in the
//! folder `truth`, what an extract withholds: true values, the records that were touched, and what makes subjects and
//! sites unlike each other.

use std::fmt::Write;
use std::path::Path;

use chrono::NaiveDate;
use kernel::{Seed, StudyId};
use serde::{Deserialize, Serialize};

use super::anomaly::AnomalyKind;
use super::calendar::month_ends;
use super::column::Dataset;
use super::dataset::{
    AffectedColumns, AffectedRow, TrueSiteColumns, TrueSiteRow, TrueSubjectColumns, TrueSubjectRow,
    TrueValueColumns, TrueValueRow,
};
use super::entry::point_id;
use super::error::SimulateError;
use super::folder::make_folder;
use super::history::{Cause, History, Lab, Mechanism};
use super::planting::{Cover, Planting};
use super::power::{Signal, exposures};
use super::site::Site;
use super::world::World;

/// What is wrong in a simulated study, and nothing else is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// The study.
    pub study: StudyId,
    /// The seed it was made from.
    pub seed: Seed,
    /// The last day that the extract knows of.
    pub cut_off: NaiveDate,
    /// What was planted, in the order of the plan.
    pub anomalies: Vec<Planted>,
}

/// One planted anomaly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Planted {
    /// Its name in the ledger and in `truth/affected.parquet`.
    pub id: String,
    /// What it is.
    pub kind: AnomalyKind,
    /// Its number in the specification.
    pub number: u8,
    /// The site; several joined by `+`, and `*` for the whole study.
    pub site: String,
    /// The subjects, where it was meant for some alone.
    pub subjects: Vec<String>,
    /// The first day that it can be seen on.
    pub start: NaiveDate,
    /// Its size.
    pub magnitude: f64,
    /// What its size counts.
    pub unit: String,
    /// The risk indicators, site tests and limits that are meant to show it.
    pub expected_indicators: Vec<String>,
    /// How many records of the extract are missing or changed by it.
    pub affected_records: u64,
    /// The first end of a month, or the cut-off, at which a perfect detector has a power of at least 0.8.
    pub first_detectable_cut: Option<NaiveDate>,
    /// The power of a perfect detector at the cut-off; none for platform tests.
    pub power_at_cut_off: Option<f64>,
}

/// The power at which an anomaly counts as detectable.
const DETECTABLE: f64 = 0.8;

/// The ledger while subjects are made.
pub(super) struct Ledger<'w> {
    world: &'w World<'w>,
    days: Vec<NaiveDate>,
    entries: Vec<Entry<'w>>,
    files: Files,
}

struct Entry<'w> {
    planting: &'w Planting,
    signal: Option<Signal>,
    /// Units known at each of the ledger's days.
    exposure: Vec<u64>,
    affected: u64,
}

struct Files {
    values: Dataset<TrueValueColumns>,
    affected: Dataset<AffectedColumns>,
    subjects: Dataset<TrueSubjectColumns>,
    sites: Dataset<TrueSiteColumns>,
}

impl<'w> Ledger<'w> {
    /// An empty ledger, whose files are begun in the folder `truth` of `out`.
    pub(super) fn create(world: &'w World<'w>, out: &Path) -> Result<Self, SimulateError> {
        let folder = out.join("truth");
        make_folder(&folder)?;
        let mut files = Files {
            values: Dataset::create(&folder)?,
            affected: Dataset::create(&folder)?,
            subjects: Dataset::create(&folder)?,
            sites: Dataset::create(&folder)?,
        };
        world.sites.iter().try_for_each(|site| files.sites.push(site_row(site)))?;
        let days = month_ends(world.plan.start, world.plan.cut_off);
        let entry = |planting: &'w Planting| Entry {
            planting,
            signal: Signal::of(planting.kind, planting.magnitude, world.plan, world.entry_lag),
            exposure: vec![0; days.len()],
            affected: 0,
        };
        Ok(Self { world, entries: world.plantings.iter().map(entry).collect(), days, files })
    }

    /// Writes down a subject.
    pub(super) fn add(&mut self, history: &History<'_>) -> Result<(), SimulateError> {
        let (subject, cut_off) = (&history.subject, self.world.plan.cut_off);
        for entry in self.entries.iter_mut().filter(|entry| entry.planting.covers(subject.site, &subject.id))
        {
            let Some(signal) = entry.signal else { continue };
            let units = exposures(signal.unit, history, entry.planting.start, &self.days);
            entry.exposure.iter_mut().zip(units).for_each(|(total, units)| *total += units);
        }
        for mark in history.marks.iter().filter(|mark| mark.known <= cut_off) {
            self.entries[mark.planting].affected += 1;
            self.files.affected.push(AffectedRow {
                anomaly: &anomaly_id(mark.planting),
                dataset: mark.dataset,
                recordid: &mark.record,
                present: mark.is_present,
                known_dt: mark.known,
            })?;
        }
        if subject.screened > cut_off {
            return Ok(());
        }
        self.files.subjects.push(subject_row(history))?;
        self.write_points(history)?;
        history.labs.iter().filter(|lab| lab.received <= cut_off).try_for_each(|lab| self.write_lab(lab))
    }

    fn write_points(&mut self, history: &History<'_>) -> Result<(), SimulateError> {
        let cut_off = self.world.plan.cut_off;
        let mut text = String::new();
        for page in history.pages.iter().filter(|page| page.entered.date() <= cut_off) {
            for (index, (field, point)) in page.form.fields.iter().zip(&page.points).enumerate() {
                if !field.may_lack && point.altered_by.is_none() {
                    continue;
                }
                text.clear();
                // Writing to a string does not fail.
                let _ = write!(text, "{}", point.truth);
                self.files.values.push(TrueValueRow {
                    dataset: "datachg",
                    recordid: &point_id(&page.id, index),
                    true_value: &text,
                    mechanism: point.missing.map(Mechanism::name),
                    anomaly: point.altered_by.map(anomaly_id).as_deref(),
                })?;
            }
        }
        Ok(())
    }

    fn write_lab(&mut self, lab: &Lab) -> Result<(), SimulateError> {
        self.files.values.push(TrueValueRow {
            dataset: "lb",
            recordid: &lab.id,
            true_value: &lab.truth.to_string(),
            mechanism: lab.missing.map(Mechanism::name),
            anomaly: lab.altered_by.map(anomaly_id).as_deref(),
        })
    }

    /// Writes down a record that a platform test touches.
    pub(super) fn add_affected(
        &mut self,
        planting: usize,
        dataset: &'static str,
        record: &str,
    ) -> Result<(), SimulateError> {
        self.entries[planting].affected += 1;
        self.files.affected.push(AffectedRow {
            anomaly: &anomaly_id(planting),
            dataset,
            recordid: record,
            present: false,
            known_dt: self.world.plan.cut_off,
        })
    }

    /// Closes the files and says what was planted.
    pub(super) fn finish(self) -> Result<Truth, SimulateError> {
        self.files.values.finish()?;
        self.files.affected.finish()?;
        self.files.subjects.finish()?;
        self.files.sites.finish()?;
        let anomalies = self.entries.iter().map(|entry| entry.planted(&self.days)).collect();
        let plan = self.world.plan;
        Ok(Truth { study: plan.study.clone(), seed: self.world.seed, cut_off: plan.cut_off, anomalies })
    }
}

impl Entry<'_> {
    fn planted(&self, days: &[NaiveDate]) -> Planted {
        let Planting { index, kind, magnitude, start, cover } = self.planting;
        let facts = kind.facts();
        let powers: Option<Vec<f64>> =
            self.signal.map(|signal| self.exposure.iter().map(|units| signal.power(*units as f64)).collect());
        let detectable = |powers: &Vec<f64>| {
            days.iter().zip(powers).find(|(_, power)| **power >= DETECTABLE).map(|(day, _)| *day)
        };
        let (site, subjects) = match cover {
            Cover::Study => ("*".to_owned(), Vec::new()),
            Cover::Sites(ids) => (ids.join("+"), Vec::new()),
            Cover::Subjects(ids) => (sites_of(ids), ids.clone()),
        };
        Planted {
            id: anomaly_id(*index),
            kind: *kind,
            number: facts.number,
            site,
            subjects,
            start: *start,
            magnitude: *magnitude,
            unit: facts.unit.to_owned(),
            expected_indicators: facts.indicators.iter().map(|&indicator| indicator.to_owned()).collect(),
            affected_records: self.affected,
            first_detectable_cut: powers.as_ref().and_then(detectable),
            power_at_cut_off: powers.and_then(|powers| powers.last().copied()),
        }
    }
}

/// The name of an anomaly by its place in the plan.
fn anomaly_id(index: usize) -> String {
    format!("A{:02}", index + 1)
}

fn sites_of(subjects: &[String]) -> String {
    let mut sites: Vec<&str> = subjects.iter().filter_map(|id| id.split('-').next()).collect();
    sites.sort_unstable();
    sites.dedup();
    sites.join("+")
}

fn subject_row<'a>(history: &'a History<'_>) -> TrueSubjectRow<'a> {
    let subject = &history.subject;
    let leaving = history.stay().and_then(|course| course.departure.map(|cause| (course.end, cause)));
    TrueSubjectRow {
        subjid: &subject.id,
        invid: &subject.site.id,
        arm: subject.arm.code(),
        severity: subject.severity,
        ae_frailty: subject.frailty,
        copy_of: Some(subject.origin.id.as_str()).filter(|origin| *origin != subject.id),
        moved_dt: history.transfer.map(|(day, _)| day),
        moved_to: history.transfer.map(|(_, site)| site.id.as_str()),
        left_dt: leaving.map(|(day, _)| day),
        left_because: leaving.map(|(_, cause)| Cause::reason(cause)),
    }
}

fn site_row(site: &Site) -> TrueSiteRow<'_> {
    let effects = &site.effects;
    TrueSiteRow {
        invid: &site.id,
        country: site.country.code,
        active_dt: site.activation,
        screened: i64::try_from(site.screenings.len()).unwrap_or(i64::MAX),
        screen_failure: effects.screen_failure,
        visit_days: effects.visit_days,
        discontinuation: effects.discontinuation,
        missing: effects.missing,
        adverse_events: effects.adverse_events,
        deviations: effects.deviations,
        entry_lag: effects.entry_lag,
        changes: effects.changes,
        queries: effects.queries,
    }
}
