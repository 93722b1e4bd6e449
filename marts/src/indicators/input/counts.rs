//! What the facts tell of each subject, as columns of numbers by name.

use std::collections::HashMap;

use arrow::array::{ArrayRef, RecordBatch};
use warehouse::engine::Engine;
use warehouse::{Error, Result};

use super::STUDY;
use super::facts::FACTS;
use crate::by_key::{ByKey, keys_of};
use crate::indicators::fact::Fact;
use crate::indicators::rule::numbers_of;

const SUBJECTS: &str = concat!(include_str!("subjects.sql"), "ORDER BY site_sk, subject_sk");
const SITES: &str = concat!(
    "WITH study AS (\n",
    include_str!("study.sql"),
    ")\n",
    include_str!("site.sql"),
    "ORDER BY site_sk"
);
/// Days after randomisation, or the reference start, within which a death is early.
const EARLY_DAYS: f64 = 90.0;
const STEP: &str = "count what subjects add to indicators";

/// Columns of numbers; days count from 1970, and NaN is what is not there, which no comparison holds of.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Each subject as it is now, and its site, in the order of sites and subjects.
    pub(super) subjects: Vec<(i64, i64)>,
    pub(super) sites: Vec<Site>,
    /// By subject.
    columns: HashMap<String, Vec<f64>>,
    /// A column of which nothing is told.
    nothing: Vec<f64>,
    /// Over all rows of a fact, whomever they are of.
    totals: HashMap<String, f64>,
}

/// One site as it is now.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) version: i64,
    pub(super) target_enrolment: f64,
    /// 1 where it has been active for ninety days or more.
    pub(super) is_long_active: f64,
    pub(super) n_enrolled: f64,
}

impl Site {
    /// 1 where nobody is enrolled.
    pub(super) fn is_empty(&self) -> f64 {
        truth(self.n_enrolled <= 0.0)
    }
}

impl Counts {
    pub(super) fn read(engine: &Engine) -> Result<Self> {
        let mut counts = Self::default();
        let (mut keys, mut site_keys) = (Vec::new(), Vec::new());
        for batch in engine.query(STEP, SUBJECTS)? {
            let [versions, subjects, sites, durable_sites] = [0, 1, 2, 3].map(|place| keys_of(&batch, place));
            counts.subjects.extend(versions.iter().copied().zip(sites.iter().copied()));
            keys.extend_from_slice(subjects);
            site_keys.extend_from_slice(durable_sites);
            for (name, column) in counted(&batch, 4)? {
                let told: f64 = column.iter().filter(|number| !number.is_nan()).sum();
                *counts.totals.entry(name.clone()).or_default() += told;
                counts.columns.entry(name).or_default().extend(column);
            }
        }
        counts.nothing = vec![f64::NAN; counts.subjects.len()];
        let is_enrolled = counts.of("is_enrolled");
        let (mut enrolled, mut at_sites): (ByKey, HashMap<i64, f64>) = Default::default();
        // Of each subject one version is that of now.
        for place in (0..keys.len()).filter(|place| is_enrolled[*place] > 0.0) {
            enrolled.insert(keys[place], place);
            *at_sites.entry(site_keys[place]).or_default() += 1.0;
        }
        let cut_off = match engine.query(STEP, STUDY)?.first() {
            Some(study) => numbers(study.column(0))?.first().copied(),
            None => None,
        };
        let cut_off = cut_off.unwrap_or(f64::NAN);
        for fact in &FACTS {
            counts.read_fact(engine, fact, (&enrolled, cut_off))?;
        }
        counts.totals.insert("itself".to_owned(), counts.subjects.len() as f64);
        counts.derive();
        counts.read_sites(engine, &at_sites)?;
        Ok(counts)
    }

    fn read_fact(&mut self, engine: &Engine, fact: &Fact, (enrolled, cut_off): (&ByKey, f64)) -> Result<()> {
        fact.count(engine, (STEP, cut_off), &mut |counted| {
            for ((name, count), added) in fact.counts.iter().zip(&counted.added) {
                let total = self.totals.entry((*name).to_owned()).or_insert(f64::NAN);
                count.add(total, added, &(0..counted.len));
                let column = self.columns.entry((*name).to_owned()).or_insert_with(|| self.nothing.clone());
                for (key, rows) in &counted.subjects {
                    if let Some(place) = enrolled.get(key) {
                        count.add(&mut column[*place], added, rows);
                    }
                }
            }
        })
    }

    /// The columns that `joined.sql` derives from the others.
    fn derive(&mut self) {
        let of = |name: &str| self.of(name);
        let each = |holds: &dyn Fn(usize) -> bool| -> Vec<f64> {
            (0..self.subjects.len()).map(|place| truth(holds(place))).collect()
        };
        let [n_ae, n_points, n_pages, n_queries] = ["n_ae", "n_points", "n_pages", "n_queries"].map(of);
        let [ineligible, n_criteria_broken] = ["ineligible", "n_criteria_broken"].map(of);
        let [has_died, died, death, died_date] = ["has_died", "died", "death_date", "died_date"].map(of);
        let [began, consent, first_visit] = ["began_date", "consent_date", "first_visit_date"].map(of);
        let consent_defect = of("consent_defect");
        let death = |place: usize| if death[place].is_nan() { died_date[place] } else { death[place] };
        let derived = [
            ("itself", each(&|_| true)),
            ("is_without_ae", each(&|at| n_ae[at].is_nan() || n_ae[at] <= 0.0)),
            ("has_points_or_queries", each(&|at| n_points[at] > 0.0 || n_queries[at] > 0.0)),
            ("has_pages_or_queries", each(&|at| n_pages[at] > 0.0 || n_queries[at] > 0.0)),
            ("is_ineligible", each(&|at| ineligible[at] > 0.0 || n_criteria_broken[at] > 0.0)),
            (
                "has_died_early",
                each(&|at| (has_died[at] > 0.0 || died[at] > 0.0) && death(at) <= began[at] + EARLY_DAYS),
            ),
            (
                "has_consent_defect",
                each(&|at| {
                    consent_defect[at] > 0.0 || (consent[at] > first_visit[at] && consent[at] < began[at])
                }),
            ),
        ];
        self.columns.extend(derived.map(|(name, column)| (name.to_owned(), column)));
    }

    fn read_sites(&mut self, engine: &Engine, at_sites: &HashMap<i64, f64>) -> Result<()> {
        for batch in engine.query(STEP, SITES)? {
            let [versions, keys] = [0, 1].map(|place| keys_of(&batch, place));
            let [targets, long_active] = [2, 3].map(|place| numbers(batch.column(place)));
            let (targets, long_active) = (targets?, long_active?);
            self.sites.extend((0..batch.num_rows()).map(|row| Site {
                version: versions[row],
                target_enrolment: targets[row],
                is_long_active: long_active[row],
                n_enrolled: at_sites.get(&keys[row]).copied().unwrap_or_default(),
            }));
        }
        Ok(())
    }

    /// A column by its name, a number for each subject; what nothing is told of is not there for anyone.
    pub(super) fn of(&self, name: &str) -> &[f64] {
        self.columns.get(name).unwrap_or(&self.nothing)
    }

    /// What a column comes to over the whole study.
    pub(super) fn total(&self, name: &str) -> f64 {
        self.totals.get(name).copied().unwrap_or_default()
    }
}

fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

/// The columns from the place `first` on, by name.
fn counted(batch: &RecordBatch, first: usize) -> Result<Vec<(String, Vec<f64>)>> {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).skip(first);
    columns.map(|(field, column)| Ok((field.name().clone(), numbers(column)?))).collect()
}

fn numbers(column: &ArrayRef) -> Result<Vec<f64>> {
    numbers_of(column).map_err(Error::arrow(STEP))
}
