//! Whether sites, countries or arms lose their subjects at one pace.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Float64Type;
use measures::survival::{Band, kaplan_meier, log_rank};
use warehouse::engine::Engine;

use super::{LEVEL, refused};
use crate::columns::{numbers, some_numbers, table, texts};
use crate::{Definitions, Error, Result};

/// Days on study of each enrolled subject with its groups.
pub const GROUPS: &str = include_str!("groups.sql");
pub(crate) const MART: &str = "mart_retention_group";

/// The days at which the share that stays is told.
const DAYS: [f64; 3] = [90.0, 180.0, 365.0];

#[derive(Debug)]
struct Row {
    level: &'static str,
    group: String,
    subjects: f64,
    left: f64,
    expected: f64,
    on_study: [Option<f64>; 3],
    statistic: Option<f64>,
    degrees_of_freedom: f64,
    p: Option<f64>,
}

/// `mart_retention_group`: of each site, country and arm, who left and who would have at the pace of all, with the log-rank test
/// of each level.
///
/// # Errors
/// [`Error::Measure`] when the days on study cannot be used.
pub fn by_group(engine: &Engine, _: &Definitions) -> Result<RecordBatch> {
    let failed = |source| Error::Build { mart: MART.to_owned(), source };
    let (mut days, mut left): (Vec<f64>, Vec<bool>) = Default::default();
    let mut names: [Vec<Option<String>>; 3] = Default::default();
    for batch in engine.query("read how long subjects of groups stayed", GROUPS).map_err(failed)? {
        days.extend(batch.column(0).as_primitive::<Float64Type>().values());
        left.extend(batch.column(1).as_primitive::<Float64Type>().values().iter().map(|left| *left > 0.0));
        for (place, names) in names.iter_mut().enumerate() {
            let texts = batch.column(2 + place).as_string::<i32>();
            names
                .extend((0..texts.len()).map(|row| texts.is_valid(row).then(|| texts.value(row).to_owned())));
        }
    }
    let mut rows = Vec::new();
    for (level, names) in ["site", "country", "arm"].into_iter().zip(&names) {
        rows.extend(of_level(level, names, (&days, &left))?);
    }
    let columns = vec![
        texts("level", &rows, |row| row.level),
        texts("group_id", &rows, |row| &row.group),
        numbers("n_subjects", &rows, |row| row.subjects),
        numbers("n_left", &rows, |row| row.left),
        numbers("n_expected", &rows, |row| row.expected),
        some_numbers("on_study_day_90", &rows, |row| row.on_study[0]),
        some_numbers("on_study_day_180", &rows, |row| row.on_study[1]),
        some_numbers("on_study_day_365", &rows, |row| row.on_study[2]),
        some_numbers("chi_square", &rows, |row| row.statistic),
        numbers("degrees_of_freedom", &rows, |row| row.degrees_of_freedom),
        some_numbers("p_value", &rows, |row| row.p),
    ];
    table(MART, columns)
}

#[expect(clippy::cast_precision_loss, reason = "subjects are fewer than 2^53")]
fn of_level(
    level: &'static str,
    names: &[Option<String>],
    (days, left): (&[f64], &[bool]),
) -> Result<Vec<Row>> {
    let known: Vec<usize> = (0..names.len()).filter(|place| names[*place].is_some()).collect();
    let groups: BTreeSet<&String> = names.iter().flatten().collect();
    let number: BTreeMap<&String, usize> =
        groups.iter().enumerate().map(|(place, name)| (*name, place)).collect();
    // A test of one group tells nothing, and one of five hundred is no test.
    if groups.len() < 2 || groups.len() > 500 {
        return Ok(Vec::new());
    }
    let pick =
        |place: &usize| (days[*place], left[*place], names[*place].as_ref().map_or(0, |name| number[name]));
    let picked: Vec<(f64, bool, usize)> = known.iter().map(pick).collect();
    let times: Vec<f64> = picked.iter().map(|it| it.0).collect();
    let events: Vec<bool> = picked.iter().map(|it| it.1).collect();
    let of: Vec<usize> = picked.iter().map(|it| it.2).collect();
    let test = log_rank(&times, &events, &of).map_err(refused(MART))?;
    let mut rows = Vec::new();
    for (place, name) in groups.iter().enumerate() {
        let own: Vec<usize> = (0..of.len()).filter(|row| of[*row] == place).collect();
        let own_times: Vec<f64> = own.iter().map(|row| times[*row]).collect();
        let own_events: Vec<bool> = own.iter().map(|row| events[*row]).collect();
        let steps = kaplan_meier(&own_times, &own_events, Band::LogLog, LEVEL).map_err(refused(MART))?;
        let longest = own_times.iter().copied().fold(0.0, f64::max);
        let share = |day: f64| {
            let before = steps.iter().take_while(|step| step.time <= day).last();
            (day <= longest).then(|| before.map_or(1.0, |step| step.survival))
        };
        rows.push(Row {
            level,
            group: (*name).clone(),
            subjects: test.groups[place].subjects as f64,
            left: test.groups[place].observed as f64,
            expected: test.groups[place].expected,
            on_study: DAYS.map(share),
            statistic: test.chi_square,
            degrees_of_freedom: test.degrees_of_freedom as f64,
            p: test.p_value,
        });
    }
    Ok(rows)
}
