//! Every test over every variable that it is made for.

use std::collections::{BTreeMap, BTreeSet};

use measures::MeasureError;
use measures::site_test::{
    Cohort, SiteTest, category_mix, distribution, duplicated_records, duplicated_subjects, heaping,
    lag_correlation, last_digit, mahalanobis_inliers, mahalanobis_outliers, mean, missing_share, off_days,
    pair_correlation, repeated_values, step, trend, variance, visit_gap, weekday, within_subject_deviation,
};
use warehouse::engine::Engine;

use super::input::{Input, Kinds, Series};
use super::weekend::{is_off, weekend};
use super::{ALL_OF_DOMAIN, Row, refused};
use crate::Result;
use crate::error::go_on;

/// Sites with fewer subjects with data are not judged: their own subjects differ more than sites do.
pub const LEAST_SUBJECTS: usize = 5;
/// Of a domain, the variables with the most subjects that are compared two by two.
const PAIRED: usize = 5;
/// Variables looked at together need values of this share of a domain's subjects.
const COMPLETE: f64 = 0.9;
/// Three values that agree are no chance; two may be.
const RECORD: usize = 3;
/// A variable of which more than this share of subjects has one and the same mean, as of a fixed dose, has no level to compare:
/// the few that differ would decide every test, whose approximations ask for more.
const ALIKE: f64 = 0.5;
/// Values carried forward are compared where at least this share of subjects has any: of rarer ones a single subject would
/// decide.
const CARRIED: f64 = 0.1;
/// More kinds than this are counted as one, the rarest first.
const KINDS: usize = 99;

type Tested = std::result::Result<Vec<SiteTest>, MeasureError>;

/// What came of the tests, growing.
pub(super) struct Battery<'a> {
    engine: &'a Engine,
    input: &'a Input,
    mart: &'a str,
    rows: Vec<Row>,
}

/// Every row, of whatever test.
pub(super) fn run(engine: &Engine, input: &Input, mart: &str) -> Result<Vec<Row>> {
    let mut battery = Battery { engine, input, mart, rows: Vec::new() };
    for series in &input.series {
        battery.levels(series)?;
        battery.histories(series)?;
    }
    battery.domains()?;
    battery.visits()?;
    for (variable, missing) in &input.missing {
        battery.add(
            ("C11", "missing_share"),
            variable,
            missing_share(&input.cohort, &missing.subjects, &missing.missing),
        )?;
    }
    for (variable, kinds) in &input.kinds {
        battery.add(
            ("C12", "category_mix"),
            variable,
            category_mix(&input.cohort, &kinds.subjects, &numbered(kinds)),
        )?;
    }
    Ok(battery.rows)
}

impl Battery<'_> {
    /// Keeps the answers of one test for all sites.
    fn add(&mut self, test: (&'static str, &'static str), variable: &str, tested: Tested) -> Result<()> {
        let groups = (0..self.input.sites.len()).collect::<Vec<_>>();
        self.keep(test, variable, &groups, tested)
    }

    /// Keeps the answers for the sites at `groups`.
    fn keep(
        &mut self,
        (id, method): (&'static str, &'static str),
        variable: &str,
        groups: &[usize],
        tested: Tested,
    ) -> Result<()> {
        go_on(self.engine, self.mart)?;
        let tested = tested.map_err(refused(self.mart, method))?;
        let sites = groups.iter().map(|group| self.input.sites[*group].clone());
        let rows = Row::of_sites((id, method), variable, sites.zip(tested).collect());
        self.rows.extend(rows.map_err(refused(self.mart, method))?);
        Ok(())
    }

    /// One value per subject: its mean.
    fn levels(&mut self, series: &Series) -> Result<()> {
        let (cohort, joined) = (&self.input.cohort, &self.input.joined);
        let values = series.means(cohort.subjects());
        let name = &series.variable;
        if commonest(&values) > ALIKE {
            return Ok(());
        }
        self.add(("C1", "mean"), name, mean(cohort, &values))?;
        self.add(("C2", "variance"), name, variance(cohort, &values))?;
        self.add(("C13", "distribution"), name, distribution(cohort, &values))?;
        self.add(("C14", "trend"), name, trend(cohort, joined, &values))?;
        self.add(("C14", "step"), name, step(cohort, joined, &values))
    }

    /// All values of a subject.
    fn histories(&mut self, series: &Series) -> Result<()> {
        let cohort = &self.input.cohort;
        let name = &series.variable;
        let (subjects, values) = (&series.subjects, &series.values);
        let decimals = series.usual_decimals();
        self.add(("C3", "last_digit"), name, last_digit(cohort, subjects, values, decimals))?;
        self.add(("C4", "heaping"), name, heaping(cohort, subjects, values, decimals))?;
        let (subjects, values) = series.by_visit();
        self.add(("C5", "within_subject"), name, within_subject_deviation(cohort, &subjects, &values))?;
        self.add(("C6", "lag_correlation"), name, lag_correlation(cohort, &subjects, &values))?;
        if carried(&subjects, &values) < CARRIED {
            return Ok(());
        }
        self.add(("C8", "repeated_values"), name, repeated_values(cohort, &subjects, &values))
    }

    /// Several variables of a domain together.
    fn domains(&mut self) -> Result<()> {
        let input = self.input;
        let cohort = &input.cohort;
        for domain in input.series.iter().map(Series::domain).collect::<BTreeSet<_>>() {
            let of_domain: Vec<&Series> = input.series.iter().filter(|s| s.domain() == domain).collect();
            let mut means: Vec<(&str, Vec<f64>)> =
                of_domain.iter().map(|s| (s.variable.as_str(), s.means(cohort.subjects()))).collect();
            let known = |values: &[f64]| values.iter().filter(|value| !value.is_nan()).count();
            means.sort_by_key(|(_, values)| std::cmp::Reverse(known(values)));
            for (place, (first, left)) in means.iter().take(PAIRED).enumerate() {
                for (second, right) in means.iter().take(PAIRED).skip(place + 1) {
                    let code = second.split_once('.').map_or(*second, |(_, code)| code);
                    let name = format!("{first} with {code}");
                    self.add(("C6", "pair_correlation"), &name, pair_correlation(cohort, left, right))?;
                }
            }
            let most = means.first().map_or(0, |(_, values)| known(values));
            let complete: Vec<&[f64]> = means
                .iter()
                .filter(|(_, values)| super::real(known(values)) >= COMPLETE * super::real(most))
                .map(|(_, values)| values.as_slice())
                .filter(|values| varies(values))
                .take(20)
                .collect();
            let name = format!("{domain}{ALL_OF_DOMAIN}");
            if complete.len() > 1 {
                self.add(("C7", "outliers"), &name, mahalanobis_outliers(cohort, &complete))?;
                self.add(("C7", "inliers"), &name, mahalanobis_inliers(cohort, &complete))?;
            }
            self.copies(&name, &of_domain)?;
        }
        Ok(())
    }

    /// Records of a domain that occur twice, and subjects that do.
    fn copies(&mut self, name: &str, series: &[&Series]) -> Result<()> {
        let cohort = &self.input.cohort;
        let (subjects, columns) = records(series);
        if columns.len() < RECORD + 1 {
            return Ok(());
        }
        let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        self.add(("C8", "duplicated_records"), name, duplicated_records(cohort, &subjects, &slices))?;
        self.add(("C8", "duplicated_subjects"), name, duplicated_subjects(cohort, &subjects, &slices))
    }

    /// When visits were: the gaps between them, how far from the plan, and on which days of the week; of samples the latter.
    fn visits(&mut self) -> Result<()> {
        let input = self.input;
        let visits = &input.visits;
        let gaps = visit_gap(&input.cohort, &visits.subjects, &visits.positions, &visits.days);
        self.add(("C10", "visit_gap"), "visits", gaps)?;
        let lateness = visits.lateness(input.cohort.subjects());
        self.add(("C1", "mean"), "visits: days from plan", mean(&input.cohort, &lateness))?;
        self.days("visits", &visits.subjects, &visits.days)?;
        self.days("samples", &input.samples.subjects, &input.samples.days)
    }

    /// Days of the week within each country. The site that is alone in its country is beside all of the same weekend.
    fn days(&mut self, of: &'static str, subjects: &[usize], days: &[f64]) -> Result<()> {
        let input = self.input;
        #[expect(clippy::cast_possible_truncation, reason = "a day of a visit is a whole number")]
        let days: Vec<i64> = days.iter().map(|day| *day as i64).collect();
        for country in input.countries.iter().collect::<BTreeSet<_>>() {
            let own = |other: &String| other == country;
            let mut among = within(input, own)?;
            let judged = among.groups.clone();
            if judged.len() < 2 {
                among = within(input, |other| weekend(other) == weekend(country))?;
            }
            if among.groups.len() < 2 {
                continue;
            }
            let known = subjects.iter().zip(&days).filter_map(|(subject, day)| {
                Some((*among.places.get(subject)?, *day, is_off(&input.countries[*subject], *day)))
            });
            let (mut places, mut of_places, mut off) = (Vec::new(), Vec::new(), Vec::new());
            for (place, day, is_off) in known {
                places.push(place);
                of_places.push(day);
                off.push(is_off);
            }
            let kept = self.rows.len();
            let cohort = &among.cohort;
            self.keep(("C9", "weekday"), of, &among.groups, weekday(cohort, &places, &of_places))?;
            self.keep(("C9", "off_days"), of, &among.groups, off_days(cohort, &places, &off))?;
            let names: BTreeSet<&String> = judged.iter().map(|group| &input.sites[*group]).collect();
            let added = self.rows.split_off(kept);
            self.rows.extend(added.into_iter().filter(|row| names.contains(&row.site)));
        }
        Ok(())
    }
}

/// Some of the sites, their subjects as a cohort, and the place of each subject in it.
struct Among {
    groups: Vec<usize>,
    cohort: Cohort,
    places: BTreeMap<usize, usize>,
}

/// The sites of some countries.
fn within(input: &Input, is_in: impl Fn(&String) -> bool) -> Result<Among> {
    let (mut groups, mut places, mut group_of) = (Vec::new(), BTreeMap::new(), Vec::new());
    for (subject, group) in input.groups.iter().enumerate() {
        if !is_in(&input.countries[subject]) {
            continue;
        }
        if groups.last() != Some(group) {
            groups.push(*group);
        }
        places.insert(subject, group_of.len());
        group_of.push(groups.len() - 1);
    }
    Ok(Among { groups, cohort: Cohort::new(&group_of).map_err(refused(super::MART, "weekday"))?, places })
}

/// The share of subjects with a value that has the commonest one; one where there is none.
fn commonest(values: &[f64]) -> f64 {
    let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
    for value in values.iter().filter(|value| !value.is_nan()) {
        *counts.entry(value.to_bits()).or_default() += 1;
    }
    let all: usize = counts.values().sum();
    counts.values().max().map_or(1.0, |most| super::real(*most) / super::real(all))
}

/// The share of subjects that has any value equal to the one before, from values in order of subject and time.
fn carried(subjects: &[usize], values: &[f64]) -> f64 {
    let all: BTreeSet<usize> = subjects.iter().copied().collect();
    let pairs = subjects.windows(2).zip(values.windows(2));
    let with: BTreeSet<usize> = pairs
        .filter(|(of, pair)| of[0] == of[1] && pair[0].total_cmp(&pair[1]).is_eq())
        .map(|(of, _)| of[0])
        .collect();
    super::real(with.len()) / super::real(all.len().max(1))
}

fn varies(values: &[f64]) -> bool {
    let mut known = values.iter().filter(|value| !value.is_nan());
    known.next().is_some_and(|first| known.any(|value| value != first))
}

/// The records of a domain: the subject of each, and one column for the visit and for each of the variables that most
/// records have. Only variables with many different values tell records apart.
fn records(series: &[&Series]) -> (Vec<usize>, Vec<Vec<f64>>) {
    let mut ranked: Vec<&&Series> = series.iter().filter(|series| distinct(&series.values) > 10).collect();
    ranked.sort_by_key(|series| std::cmp::Reverse(series.values.len()));
    ranked.truncate(2 * RECORD);
    let most = ranked.first().map_or(0, |series| series.values.len());
    ranked.retain(|series| super::real(series.values.len()) >= COMPLETE * super::real(most));
    let mut table: BTreeMap<(usize, u64), Vec<f64>> = BTreeMap::new();
    for (column, series) in ranked.iter().enumerate() {
        for (place, subject) in series.subjects.iter().enumerate() {
            if series.visits[place].is_nan() {
                continue;
            }
            let record = table
                .entry((*subject, series.visits[place].to_bits()))
                .or_insert_with(|| vec![f64::NAN; ranked.len()]);
            if record[column].is_nan() {
                record[column] = series.values[place];
            }
        }
    }
    let mut columns = vec![Vec::with_capacity(table.len()); ranked.len() + 1];
    let mut subjects = Vec::with_capacity(table.len());
    for ((subject, visit), record) in table {
        subjects.push(subject);
        columns[0].push(f64::from_bits(visit));
        for (column, value) in record.into_iter().enumerate() {
            columns[column + 1].push(value);
        }
    }
    (subjects, columns)
}

fn distinct(values: &[f64]) -> usize {
    values.iter().map(|value| value.to_bits()).collect::<BTreeSet<_>>().len()
}

/// A number for each kind of record; the rarest share the last one where there are too many.
fn numbered(kinds: &Kinds) -> Vec<usize> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    kinds.names.iter().for_each(|name| *counts.entry(name).or_default() += 1);
    let mut ranked: Vec<(&str, usize)> = counts.into_iter().collect();
    ranked.sort_by(|left, right| right.1.cmp(&left.1).then(left.0.cmp(right.0)));
    let number: BTreeMap<&str, usize> =
        ranked.iter().enumerate().map(|(place, (name, _))| (*name, place.min(KINDS))).collect();
    kinds.names.iter().map(|name| number[name.as_str()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_dose_has_no_level_to_compare() {
        assert!((commonest(&[50.0, 50.0, 50.0, 25.0, f64::NAN]) - 0.75).abs() < 1e-12);
        assert!((commonest(&[1.0, 2.0, 3.0, 4.0]) - 0.25).abs() < 1e-12);
        assert!((commonest(&[]) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn subjects_with_a_value_carried_forward_are_counted_once() {
        // Subject 0 carries two values forward, 1 none; 2 begins with the value that 1 ended with.
        let share = carried(&[0, 0, 0, 1, 1, 2], &[5.0, 5.0, 5.0, 6.0, 7.0, 7.0]);
        assert!((share - 1.0 / 3.0).abs() < 1e-12, "{share}");
    }
}
