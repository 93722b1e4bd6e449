//! Why values are missing, as far as data can tell: which are missing together, whether it happens completely at random
//! (Little's test, per domain and visit), and which observed values, sites or arms go with a gap.
//!
//! None of it can see whether a value is missing because of what it would have been; a large probability proves nothing.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Float64Type;
use measures::mcar::{little_test, missing_association, missing_by_group};
use measures::{MeasureError, benjamini_hochberg, cauchy_combination};
use warehouse::engine::Engine;

use crate::columns::{numbers, some_numbers, some_texts, table, texts};
use crate::site_test::real;
use crate::{Definitions, Error, Result};

/// One row per variable due at a visit that took place.
pub const VALUES: &str = concat!(
    "SELECT domain, test_code, subject_dk, visit_order, visit, site_id, CAST(observed AS DOUBLE) AS observed, mean_value, age, arm FROM (",
    include_str!("missingness/due.sql"),
    include_str!("missingness/values.sql"),
    ")"
);

pub(crate) const PATTERN_MART: &str = "mart_missing_pattern";
pub(crate) const MECHANISM_MART: &str = "mart_missing_mechanism";
pub(crate) const ASSOCIATION_MART: &str = "mart_missing_association";

/// What stands for all visits, and for all domains.
pub const ALL: &str = "ALL";
/// Columns of one table, at most.
const COLUMNS: usize = 100;
/// Fewer rows than columns and this many more estimate no covariance.
const SPARE_ROWS: usize = 5;

/// The rows of one domain: a subject at a visit each.
#[derive(Debug, Default)]
struct Domain {
    rows: BTreeMap<(i64, u64), Row>,
    variables: BTreeSet<String>,
}

#[derive(Debug, Default)]
struct Row {
    visit: String,
    order: f64,
    site: String,
    arm: Option<String>,
    age: f64,
    /// By variable due: whether it is observed, and its number (NaN without one).
    cells: BTreeMap<String, (bool, f64)>,
}

fn read(engine: &Engine, mart: &str) -> Result<BTreeMap<String, Domain>> {
    let failed = |source| Error::Build { mart: mart.to_owned(), source };
    let mut domains: BTreeMap<String, Domain> = BTreeMap::new();
    for batch in engine.query("read the values that were due", VALUES).map_err(failed)? {
        for row in 0..batch.num_rows() {
            let text = |column: usize| {
                let texts = batch.column(column).as_string::<i32>();
                texts.is_valid(row).then(|| texts.value(row).to_owned())
            };
            let number = |column: usize| {
                let numbers = batch.column(column).as_primitive::<Float64Type>();
                if numbers.is_valid(row) { numbers.value(row) } else { f64::NAN }
            };
            let subject = batch.column(2).as_primitive::<arrow::datatypes::Int64Type>().value(row);
            let domain = domains.entry(text(0).unwrap_or_default()).or_default();
            let variable = text(1).unwrap_or_default();
            domain.variables.insert(variable.clone());
            let order = number(3);
            let kept = domain.rows.entry((subject, order.to_bits())).or_insert_with(|| Row {
                visit: text(4).unwrap_or_default(),
                order,
                site: text(5).unwrap_or_default(),
                arm: text(9),
                age: number(8),
                cells: BTreeMap::new(),
            });
            kept.cells.insert(variable, (number(6) > 0.0, number(7)));
        }
    }
    Ok(domains)
}

fn refused(mart: &'static str, domain: &str) -> impl Fn(MeasureError) -> Error {
    move |source| Error::Measure { mart: mart.to_owned(), indicator: domain.to_owned(), source }
}

/// `mart_missing_pattern`: which variables of a domain are missing together, over all visits that took place.
///
/// # Errors
/// When the engine refuses.
pub fn patterns(engine: &Engine, _: &Definitions) -> Result<RecordBatch> {
    let mut rows: Vec<(String, String, f64, f64, f64)> = Vec::new();
    for (domain, table) in read(engine, PATTERN_MART)? {
        let mut counts: BTreeMap<Vec<&str>, usize> = BTreeMap::new();
        for row in table.rows.values() {
            let missing = row.cells.iter().filter(|(_, (observed, _))| !observed);
            *counts.entry(missing.map(|(variable, _)| variable.as_str()).collect()).or_default() += 1;
        }
        let mut counts: Vec<(Vec<&str>, usize)> = counts.into_iter().collect();
        counts.sort_by(|left, right| right.1.cmp(&left.1).then(left.0.cmp(&right.0)));
        let all = real(table.rows.len());
        for (missing, n) in counts {
            rows.push((domain.clone(), missing.join(", "), real(missing.len()), real(n), real(n) / all));
        }
    }
    let columns = vec![
        texts("domain", &rows, |row| &row.0),
        texts("missing", &rows, |row| &row.1),
        numbers("n_missing", &rows, |row| row.2),
        numbers("n_rows", &rows, |row| row.3),
        numbers("share", &rows, |row| row.4),
    ];
    table(PATTERN_MART, columns)
}

/// Little's test of one table, or the combination of several.
#[derive(Debug, Default)]
struct Mechanism {
    domain: String,
    visit: String,
    order: Option<f64>,
    rows: usize,
    variables: usize,
    patterns: Option<usize>,
    statistic: Option<f64>,
    degrees_of_freedom: Option<usize>,
    p: Option<f64>,
    not_judged: Option<String>,
}

/// `mart_missing_mechanism`: Little's test for each domain and visit, one probability for each domain and one for the study.
/// Subjects are independent rows at one visit; over visits and domains the probabilities are combined by Cauchy's
/// transformation, which needs no independence.
///
/// # Errors
/// [`Error::Measure`] when probabilities cannot be combined.
pub fn mechanism(engine: &Engine, _: &Definitions) -> Result<RecordBatch> {
    let mut rows: Vec<Mechanism> = Vec::new();
    let mut of_study: Vec<f64> = Vec::new();
    for (domain, table) in read(engine, MECHANISM_MART)? {
        let mut visits: BTreeMap<u64, Vec<&Row>> = BTreeMap::new();
        for ((_, order), row) in &table.rows {
            visits.entry(*order).or_default().push(row);
        }
        let first = rows.len();
        rows.extend(visits.values().map(|visit| at_visit(&domain, &table.variables, visit)));
        let known: Vec<f64> = rows[first..].iter().filter_map(|row| row.p).collect();
        let combined = combine(&known, &domain)?;
        of_study.extend(combined);
        rows.push(Mechanism {
            domain,
            visit: ALL.to_owned(),
            rows: table.rows.len(),
            variables: table.variables.len(),
            p: combined,
            not_judged: combined.is_none().then(|| "no visit could be tested".to_owned()),
            ..Mechanism::default()
        });
    }
    if !rows.is_empty() {
        let p = combine(&of_study, ALL)?;
        rows.push(Mechanism {
            domain: ALL.to_owned(),
            visit: ALL.to_owned(),
            p,
            not_judged: p.is_none().then(|| "no domain could be tested".to_owned()),
            ..Mechanism::default()
        });
    }
    let columns = vec![
        texts("domain", &rows, |row| &row.domain),
        texts("visit", &rows, |row| &row.visit),
        some_numbers("visit_order", &rows, |row| row.order),
        numbers("n_rows", &rows, |row| real(row.rows)),
        numbers("n_variables", &rows, |row| real(row.variables)),
        some_numbers("n_patterns", &rows, |row| row.patterns.map(real)),
        some_numbers("statistic", &rows, |row| row.statistic),
        some_numbers("degrees_of_freedom", &rows, |row| row.degrees_of_freedom.map(real)),
        some_numbers("p_value", &rows, |row| row.p),
        some_texts("not_judged", &rows, |row| row.not_judged.as_deref()),
    ];
    table(MECHANISM_MART, columns)
}

fn combine(probabilities: &[f64], domain: &str) -> Result<Option<f64>> {
    if probabilities.is_empty() {
        return Ok(None);
    }
    cauchy_combination(probabilities).map(Some).map_err(refused(MECHANISM_MART, domain))
}

fn at_visit(domain: &str, variables: &BTreeSet<String>, rows: &[&Row]) -> Mechanism {
    let value = |row: &Row, variable: &String| row.cells.get(variable).map_or(f64::NAN, |cell| cell.1);
    let columns: Vec<Vec<f64>> = variables
        .iter()
        .map(|variable| rows.iter().map(|row| value(row, variable)).collect::<Vec<f64>>())
        .filter(|column| spread(column))
        .collect();
    let mut found = Mechanism {
        domain: domain.to_owned(),
        visit: rows.first().map(|row| row.visit.clone()).unwrap_or_default(),
        order: rows.first().map(|row| row.order),
        rows: rows.len(),
        variables: columns.len(),
        ..Mechanism::default()
    };
    let why_not = if columns.len() < 2 {
        Some("fewer than two numeric variables vary")
    } else if columns.len() > COLUMNS {
        Some("more than a hundred variables")
    } else if rows.len() < columns.len() + SPARE_ROWS {
        Some("too few subjects for so many variables")
    } else if columns.iter().flatten().all(|value| !value.is_nan()) {
        Some("no value is missing")
    } else {
        None
    };
    if let Some(why) = why_not {
        found.not_judged = Some(why.to_owned());
        return found;
    }
    let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    match little_test(&slices) {
        Ok(test) => {
            found.patterns = Some(test.patterns);
            found.statistic = Some(test.statistic);
            found.degrees_of_freedom = Some(test.degrees_of_freedom);
            found.p = test.p_value;
            found.not_judged =
                test.p_value.is_none().then(|| "the gaps leave no degree of freedom".to_owned());
        }
        Err(why) => found.not_judged = Some(why.to_string()),
    }
    found
}

/// Whether a column has two different values.
fn spread(column: &[f64]) -> bool {
    let mut known = column.iter().filter(|value| !value.is_nan());
    known.next().is_some_and(|first| known.any(|value| value != first))
}

/// What goes with the gaps of a variable.
#[derive(Debug)]
struct Association {
    domain: String,
    variable: String,
    compared: String,
    method: &'static str,
    n_missing: usize,
    n_observed: usize,
    statistic: f64,
    degrees_of_freedom: f64,
    effect: f64,
    p: f64,
    q: f64,
}

/// `mart_missing_association`: observed variables, age, the visit, the variable's own value at the visit before, sites, and
/// arms where the study is not blinded, each against the gaps of a variable.
///
/// # Errors
/// [`Error::Measure`] when values cannot be compared.
pub fn associations(engine: &Engine, _: &Definitions) -> Result<RecordBatch> {
    let mut rows: Vec<Association> = Vec::new();
    for (name, domain) in read(engine, ASSOCIATION_MART)? {
        let refused = refused(ASSOCIATION_MART, &name);
        for variable in &domain.variables {
            let due: Vec<(&Row, bool)> = domain
                .rows
                .values()
                .filter_map(|row| row.cells.get(variable).map(|(observed, _)| (row, !observed)))
                .collect();
            if !due.iter().any(|(_, missing)| *missing) || due.iter().all(|(_, missing)| *missing) {
                continue;
            }
            for (compared, values) in compared(&domain, variable) {
                if let Some(found) = welch(&due, &values).map_err(&refused)? {
                    rows.push(Association {
                        domain: name.clone(),
                        variable: variable.clone(),
                        compared,
                        ..found
                    });
                }
            }
            for (compared, of) in [("SITE", site as fn(&Row) -> Option<&str>), ("ARM", arm)] {
                if let Some(found) = by_group(&due, of).map_err(&refused)? {
                    rows.push(Association {
                        domain: name.clone(),
                        variable: variable.clone(),
                        compared: compared.to_owned(),
                        ..found
                    });
                }
            }
        }
    }
    let probabilities: Vec<f64> = rows.iter().map(|row| row.p).collect();
    for (row, adjusted) in rows.iter_mut().zip(benjamini_hochberg(&probabilities)) {
        row.q = adjusted;
    }
    let columns = vec![
        texts("domain", &rows, |row| &row.domain),
        texts("variable", &rows, |row| &row.variable),
        texts("compared", &rows, |row| &row.compared),
        texts("method", &rows, |row| row.method),
        numbers("n_missing", &rows, |row| real(row.n_missing)),
        numbers("n_observed", &rows, |row| real(row.n_observed)),
        numbers("statistic", &rows, |row| row.statistic),
        numbers("degrees_of_freedom", &rows, |row| row.degrees_of_freedom),
        numbers("effect", &rows, |row| row.effect),
        numbers("p_value", &rows, |row| row.p),
        numbers("q_value", &rows, |row| row.q),
    ];
    table(ASSOCIATION_MART, columns)
}

fn site(row: &Row) -> Option<&str> {
    Some(&row.site)
}

fn arm(row: &Row) -> Option<&str> {
    row.arm.as_deref()
}

/// What a variable's gaps are compared with: a name and one value for each row in which the variable is due.
fn compared(domain: &Domain, variable: &String) -> Vec<(String, Vec<f64>)> {
    let due = || domain.rows.iter().filter(|(_, row)| row.cells.contains_key(variable));
    let mut all: Vec<(String, Vec<f64>)> = domain
        .variables
        .iter()
        .filter(|other| *other != variable)
        .map(|other| {
            let value = |row: &Row| row.cells.get(other).map_or(f64::NAN, |cell| cell.1);
            (other.clone(), due().map(|(_, row)| value(row)).collect())
        })
        .collect();
    let before = |subject: i64, order: u64| {
        let earlier = domain.rows.range((subject, 0)..(subject, order)).rev();
        earlier
            .filter_map(|(_, row)| row.cells.get(variable))
            .map(|cell| cell.1)
            .find(|value| !value.is_nan())
    };
    all.push(("AGE".to_owned(), due().map(|(_, row)| row.age).collect()));
    all.push(("VISIT".to_owned(), due().map(|(_, row)| row.order).collect()));
    all.push((
        "BEFORE".to_owned(),
        due().map(|((subject, order), _)| before(*subject, *order).unwrap_or(f64::NAN)).collect(),
    ));
    all
}

/// Welch's test of values in rows with a gap against rows without; none where it cannot be made.
fn welch(due: &[(&Row, bool)], values: &[f64]) -> std::result::Result<Option<Association>, MeasureError> {
    let gaps: Vec<f64> = due.iter().map(|(_, missing)| if *missing { f64::NAN } else { 0.0 }).collect();
    if values.iter().all(|value| value.is_nan()) {
        return Ok(None);
    }
    let found = missing_association(&[&gaps, values])?;
    let found = found.into_iter().find(|found| found.missing == 0);
    Ok(found.and_then(|found| {
        let test = found.comparison?;
        Some(Association {
            domain: String::new(),
            variable: String::new(),
            compared: String::new(),
            method: "welch",
            n_missing: found.with_gap,
            n_observed: found.without_gap,
            statistic: test.t,
            degrees_of_freedom: test.degrees_of_freedom,
            effect: test.standardised_difference,
            p: test.p_value,
            q: 1.0,
        })
    }))
}

/// Pearson's test of gaps against groups; rows without a group are left out.
fn by_group(
    due: &[(&Row, bool)],
    of: fn(&Row) -> Option<&str>,
) -> std::result::Result<Option<Association>, MeasureError> {
    let known: Vec<(&str, bool)> =
        due.iter().filter_map(|(row, missing)| of(row).map(|group| (group, *missing))).collect();
    let names: Vec<&str> =
        known.iter().map(|(group, _)| *group).collect::<BTreeSet<_>>().into_iter().collect();
    let groups: Vec<usize> =
        known.iter().map(|(group, _)| names.binary_search(group).unwrap_or_default()).collect();
    let missing: Vec<bool> = known.iter().map(|(_, missing)| *missing).collect();
    Ok(missing_by_group(&missing, &groups)?.map(|found| Association {
        domain: String::new(),
        variable: String::new(),
        compared: String::new(),
        method: "chi_square",
        n_missing: found.missing,
        n_observed: found.observed,
        statistic: found.chi_square,
        degrees_of_freedom: real(found.degrees_of_freedom),
        effect: found.association,
        p: found.p_value,
        q: 1.0,
    }))
}
