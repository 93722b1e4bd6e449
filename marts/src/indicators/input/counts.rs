//! What the facts tell of each subject, as columns of numbers by name.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, RecordBatch};
use arrow::compute::{cast, sum};
use arrow::datatypes::{DataType, Float64Type};
use warehouse::engine::Engine;
use warehouse::{Error, Result};

use crate::by_key::{ByKey, keys_of};

const SUBJECTS: &str = concat!(include_str!("subjects.sql"), "ORDER BY site_sk, subject_sk");
const SITES: &str = concat!(
    "WITH study AS (\n",
    include_str!("study.sql"),
    ")\n",
    include_str!("site.sql"),
    "ORDER BY site_sk"
);
/// By subject, the first column being its durable key.
const FACTS: [&str; 7] = [
    include_str!("ae.sql"),
    include_str!("deviation.sql"),
    include_str!("disposition.sql"),
    include_str!("query.sql"),
    concat!("WITH study AS (\n", include_str!("study.sql"), ")\n", include_str!("page.sql")),
    include_str!("visit.sql"),
    include_str!("result.sql"),
];
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
                counts.add_total(&name, &column);
                let values = column.iter().map(|value| value.unwrap_or(f64::NAN));
                counts.columns.entry(name).or_default().extend(values);
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
        for query in FACTS {
            counts.read_facts(engine, query, &enrolled)?;
        }
        counts.totals.insert("itself".to_owned(), counts.subjects.len() as f64);
        counts.derive();
        counts.read_sites(engine, &at_sites)?;
        Ok(counts)
    }

    fn read_facts(&mut self, engine: &Engine, query: &str, enrolled: &ByKey) -> Result<()> {
        for batch in engine.query(STEP, query)? {
            let places: Vec<Option<usize>> =
                keys_of(&batch, 0).iter().map(|key| enrolled.get(key).copied()).collect();
            for (name, column) in counted(&batch, 1)? {
                self.add_total(&name, &column);
                let values = self.columns.entry(name).or_insert_with(|| self.nothing.clone());
                for (place, value) in places.iter().zip(&column) {
                    if let (Some(place), Some(value)) = (place, value) {
                        values[*place] = value;
                    }
                }
            }
        }
        Ok(())
    }

    fn add_total(&mut self, name: &str, column: &Float64Array) {
        *self.totals.entry(name.to_owned()).or_default() += sum(column).unwrap_or(0.0);
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
                target_enrolment: if targets.is_valid(row) { targets.value(row) } else { f64::NAN },
                is_long_active: long_active.value(row),
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
fn counted(batch: &RecordBatch, first: usize) -> Result<Vec<(String, Float64Array)>> {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).skip(first);
    columns.map(|(field, column)| Ok((field.name().clone(), numbers(column)?))).collect()
}

fn numbers(column: &ArrayRef) -> Result<Float64Array> {
    let refused = Error::arrow(STEP);
    let days = matches!(column.data_type(), DataType::Date32);
    let column = if days { cast(column, &DataType::Int32) } else { Ok(column.clone()) };
    let numbers = column.and_then(|column| cast(&column, &DataType::Float64)).map_err(refused)?;
    Ok(numbers.as_primitive::<Float64Type>().clone())
}
