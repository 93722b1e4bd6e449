//! Why values are missing, as far as data can tell: which are missing together, whether it happens completely at random
//! (Little's test, per domain and visit), and which observed values, sites or arms go with a gap.
//!
//! None of it can see whether a value is missing because of what it would have been; a large probability proves nothing.

mod values;

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;
use measures::mcar::{GapComparison, gap_comparison, little_test, missing_by_group};
use measures::{MeasureError, benjamini_hochberg, cauchy_combination};
use warehouse::engine::Engine;

use crate::columns::{numbers, some_numbers, some_texts, table, texts};
use crate::error::go_on;
use crate::site_test::real;
use crate::{Definitions, Error, Result};

use values::{Domain, Row, Values};

/// What is read.
pub const QUERIES: [&str; 5] = values::QUERIES;

pub(crate) const PATTERN_MART: &str = "mart_missing_pattern";
pub(crate) const MECHANISM_MART: &str = "mart_missing_mechanism";
pub(crate) const ASSOCIATION_MART: &str = "mart_missing_association";

/// What stands for all visits, and for all domains.
pub const ALL: &str = "ALL";
/// Columns of one table, at most.
const COLUMNS: usize = 100;
/// Fewer rows than columns and this many more estimate no covariance.
const SPARE_ROWS: usize = 5;

fn refused(mart: &'static str, domain: &str) -> impl Fn(MeasureError) -> Error {
    move |source| Error::Measure { mart: mart.to_owned(), indicator: domain.to_owned(), source }
}

/// `mart_missing_pattern`: which variables of a domain are missing together, over all visits that took place.
///
/// # Errors
/// When the engine refuses.
pub fn patterns(engine: &Engine, _: &Definitions) -> Result<RecordBatch> {
    let mut rows: Vec<(String, String, f64, f64, f64)> = Vec::new();
    for domain in Values::read(engine, PATTERN_MART)?.domains() {
        let mut counts: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
        for row in &domain.rows {
            let missing = domain.variables.clone().filter(|variable| domain.is_missing(*variable, *row));
            *counts.entry(missing.collect()).or_default() += 1;
        }
        let mut counts: Vec<(Vec<usize>, usize)> = counts.into_iter().collect();
        // Variables are numbered in the order of their names.
        counts.sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
        let all = real(domain.rows.len());
        for (missing, n) in counts {
            let names: Vec<&str> = missing.iter().map(|variable| domain.variable(*variable)).collect();
            rows.push((
                domain.name.to_owned(),
                names.join(", "),
                real(missing.len()),
                real(n),
                real(n) / all,
            ));
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
    for domain in Values::read(engine, MECHANISM_MART)?.domains() {
        let mut visits: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for row in &domain.rows {
            visits.entry(domain.row(*row).order.to_bits()).or_default().push(*row);
        }
        let first = rows.len();
        for visit in visits.values() {
            go_on(engine, MECHANISM_MART)?;
            rows.push(at_visit(&domain, visit));
        }
        let known: Vec<f64> = rows[first..].iter().filter_map(|row| row.p).collect();
        let combined = combine(&known, domain.name)?;
        of_study.extend(combined);
        rows.push(Mechanism {
            domain: domain.name.to_owned(),
            visit: ALL.to_owned(),
            rows: domain.rows.len(),
            variables: domain.variables.len(),
            p: combined,
            not_judged: combined.is_none().then(|| "no visit could be tested".to_owned()),
            ..Mechanism::default()
        });
    }
    if !rows.is_empty() {
        let p = combine(&of_study, ALL)?;
        let sum = |of: fn(&Mechanism) -> usize| rows.iter().filter(|row| row.visit == ALL).map(of).sum();
        rows.push(Mechanism {
            domain: ALL.to_owned(),
            visit: ALL.to_owned(),
            rows: sum(|domain| domain.rows),
            variables: sum(|domain| domain.variables),
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

fn at_visit(domain: &Domain<'_>, rows: &[usize]) -> Mechanism {
    let numbers = |variable| {
        let numbers = domain.numbers(variable);
        rows.iter().map(|row| numbers[*row]).collect::<Vec<f64>>()
    };
    let columns: Vec<Vec<f64>> =
        domain.variables.clone().map(numbers).filter(|column| spread(column)).collect();
    let first = rows.first().map(|row| domain.row(*row));
    let mut found = Mechanism {
        domain: domain.name.to_owned(),
        visit: first.map(|row| row.visit.clone()).unwrap_or_default(),
        order: first.map(|row| row.order),
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
#[derive(Debug, Default)]
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
    for domain in Values::read(engine, ASSOCIATION_MART)?.domains() {
        let (ages, orders) = (domain.of_rows(|row| row.age), domain.of_rows(|row| row.order));
        for variable in domain.variables.clone() {
            go_on(engine, ASSOCIATION_MART)?;
            let due: Vec<usize> =
                domain.rows.iter().copied().filter(|row| domain.is_due(variable, *row)).collect();
            let sides: (Vec<usize>, Vec<usize>) =
                due.iter().copied().partition(|row| domain.is_missing(variable, *row));
            if sides.0.is_empty() || sides.1.is_empty() {
                continue;
            }
            let of_variable = |compared: &str, found: Association| Association {
                domain: domain.name.to_owned(),
                variable: domain.variable(variable).to_owned(),
                compared: compared.to_owned(),
                ..found
            };
            let mut compare = |compared: &str, numbers: &[f64]| {
                rows.extend(welch(&sides, numbers).map(|found| of_variable(compared, found)));
            };
            for other in domain.variables.clone().filter(|other| *other != variable) {
                compare(domain.variable(other), domain.numbers(other));
            }
            compare("AGE", &ages);
            compare("VISIT", &orders);
            compare("BEFORE", &before(&domain, variable, &due));
            let gaps: Vec<bool> = due.iter().map(|row| domain.is_missing(variable, *row)).collect();
            for (compared, of) in [("SITE", site as fn(&Row) -> Option<&str>), ("ARM", arm)] {
                let groups: Vec<Option<&str>> = due.iter().map(|row| of(domain.row(*row))).collect();
                let found = by_group(&gaps, &groups).map_err(refused(ASSOCIATION_MART, domain.name))?;
                rows.extend(found.map(|found| of_variable(compared, found)));
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

/// A subject's last number of a variable before each of these visits, at the place of its row; NaN where there is none.
/// `due` are rows of one subject after the other, in the order of visits.
fn before(domain: &Domain<'_>, variable: usize, due: &[usize]) -> Vec<f64> {
    let numbers = domain.numbers(variable);
    let mut before = vec![f64::NAN; numbers.len()];
    let (mut subject, mut last) = (None, f64::NAN);
    for row in due {
        let of = Some(domain.row(*row).subject);
        if of != subject {
            (subject, last) = (of, f64::NAN);
        }
        before[*row] = last;
        if !numbers[*row].is_nan() {
            last = numbers[*row];
        }
    }
    before
}

/// Welch's test of numbers, one for each row, in rows with a gap against those in rows without; none where it cannot be
/// made.
fn welch((gap, no_gap): &(Vec<usize>, Vec<usize>), numbers: &[f64]) -> Option<Association> {
    let of = |rows| <[usize]>::iter(rows).map(|row| numbers[*row]);
    let GapComparison { with_gap, without_gap, comparison } = gap_comparison(of(gap), of(no_gap));
    let test = comparison?;
    Some(Association {
        method: "welch",
        n_missing: with_gap,
        n_observed: without_gap,
        statistic: test.t,
        degrees_of_freedom: test.degrees_of_freedom,
        effect: test.standardised_difference,
        p: test.p_value,
        ..Association::default()
    })
}

/// Pearson's test of gaps against groups; rows without a group are left out.
fn by_group(
    gaps: &[bool],
    groups: &[Option<&str>],
) -> std::result::Result<Option<Association>, MeasureError> {
    let known: Vec<(&str, bool)> =
        groups.iter().zip(gaps).filter_map(|(group, missing)| group.map(|group| (group, *missing))).collect();
    let names: Vec<&str> =
        known.iter().map(|(group, _)| *group).collect::<BTreeSet<_>>().into_iter().collect();
    let groups: Vec<usize> =
        known.iter().map(|(group, _)| names.binary_search(group).unwrap_or_default()).collect();
    let missing: Vec<bool> = known.iter().map(|(_, missing)| *missing).collect();
    Ok(missing_by_group(&missing, &groups)?.map(|found| Association {
        method: "chi_square",
        n_missing: found.missing,
        n_observed: found.observed,
        statistic: found.chi_square,
        degrees_of_freedom: real(found.degrees_of_freedom),
        effect: found.association,
        p: found.p_value,
        ..Association::default()
    }))
}
