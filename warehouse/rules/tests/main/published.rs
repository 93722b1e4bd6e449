//! The rules that CDISC publishes for SDTMIG, each on its own fixtures.

use std::collections::BTreeSet;

use rules::{Limits, Rule, RuleError, execute};

use crate::archive::{Files, Published, oracles, published};
use crate::fixture::{Row, expected, has_dataset, reported, study};

/// What is reached on the archive of 316 rules and 916 expected files; no less, and no rule lost in silence.
const RULES_EXECUTED: usize = 305;
const RULES_EXACT: usize = 294;
const FILES_EXACT: usize = 876;

/// A file that this engine does not reproduce as it stands, and how far it does.
#[derive(Clone, Copy)]
enum Difference {
    /// It leaves out variables that are not in the dataset, as files of later rules do not.
    NoAbsentVariables,
    /// It does that, writes whole numbers without a point, and leaves out `SM`, whose class it did not know yet.
    EarlierStill,
    /// It has `null` for a null, where all other files have nothing.
    NullWord,
    /// It lists all rows of a group that disagrees; the file of CORE-000142 for the same operator, and the
    /// reference engine of today, only those that differ from most.
    AllOfTheGroup,
    /// It stands where the file of the opposite fixture should, its values without the tabs before them.
    Swapped(&'static str),
    /// It takes the label of the domain from the library of SENDIG; this engine takes the dataset's own.
    LibraryLabel,
    /// It has no row, since the reference engine stopped at the date `2018---12` of another record.
    StoppedAtADate,
}

use Difference::{
    AllOfTheGroup, EarlierStill, LibraryLabel, NoAbsentVariables, NullWord, StoppedAtADate, Swapped,
};

const DIFFERENCES: [(&str, &str, Difference); 12] = [
    ("CORE-000200", "negative/02", NullWord),
    ("CORE-000272", "negative/03", LibraryLabel),
    ("CORE-000321", "negative/01", NoAbsentVariables),
    ("CORE-000328", "negative/01", NoAbsentVariables),
    ("CORE-000612", "negative/01", AllOfTheGroup),
    ("CORE-000699", "negative/01", AllOfTheGroup),
    ("CORE-000700", "negative/01", NoAbsentVariables),
    ("CORE-000718", "negative/01", Swapped("positive/01")),
    ("CORE-000718", "positive/01", Swapped("negative/01")),
    ("CORE-000862", "negative/01", NoAbsentVariables),
    ("CORE-000864", "negative/01", EarlierStill),
    ("CORE-000866", "positive/01", StoppedAtADate),
];

#[test]
fn the_published_rules_report_exactly_what_their_fixtures_expect() {
    let Some(oracles) = oracles() else { return };
    let rules = published(&oracles);
    let (mut executed, mut exact_files, mut wrong, mut others) = (0, 0, Vec::new(), Vec::new());
    let mut inexact = BTreeSet::new();
    for (id, published) in &rules {
        let rule = match Rule::parse(&published.text) {
            Ok(rule) => rule,
            Err(RuleError::Unsupported { rule, reason }) => {
                others.push(format!("{rule}  {reason}"));
                continue;
            }
            Err(error) => panic!("{id}: {error}"),
        };
        executed += 1;
        for (name, fixture) in &published.fixtures {
            let Some(expected) = reproducible(fixture) else { continue };
            let reported = report(&rule, fixture);
            match DIFFERENCES.iter().find(|(rule, file, _)| rule == id && file == name) {
                None if reported == expected => exact_files += 1,
                None => wrong.push(difference(id, name, &reported, &expected)),
                Some((_, _, difference)) => {
                    inexact.insert(id);
                    assert!(reported != expected, "{id} {name} is exact; take it off the list");
                    assert!(difference.explains(&reported, &expected, published), "{id} {name}");
                }
            }
        }
    }
    let exact = executed - inexact.len();
    println!("{executed} of {} rules are executed, {exact} with every file exact", rules.len());
    println!("{exact_files} files are exact, {} differ as listed", DIFFERENCES.len());
    println!("not executed:\n  {}", others.join("\n  "));
    assert!(wrong.is_empty(), "{} files differ:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!((executed, exact, exact_files), (RULES_EXECUTED, RULES_EXACT, FILES_EXACT));
}

fn report(rule: &Rule, fixture: &Files) -> Vec<Row> {
    let outcome = execute(rule, &study(fixture), Limits { issues: usize::MAX, ..Limits::default() });
    reported(&outcome)
}

/// The expected rows on the datasets that the archive holds; some fixtures name files that it lacks.
fn reproducible(fixture: &Files) -> Option<Vec<Row>> {
    let mut rows = expected(fixture)?;
    rows.retain(|[dataset, ..]| dataset == "STUDY" || has_dataset(fixture, dataset));
    Some(rows)
}

fn difference(id: &str, name: &str, reported: &[Row], expected: &[Row]) -> String {
    let missing: Vec<_> = expected.iter().filter(|row| !reported.contains(row)).take(3).collect();
    let foreign: Vec<_> = reported.iter().filter(|row| !expected.contains(row)).take(3).collect();
    format!("{id} {name}: {} rows for {}; lacks {missing:?}, has {foreign:?}", reported.len(), expected.len())
}

impl Difference {
    /// Whether the difference is the one that is stated, and no other.
    fn explains(self, reported: &[Row], expected: &[Row], published: &Published) -> bool {
        let with = |rows: &[Row], value: fn(&str) -> &str| -> Vec<Row> {
            rows.iter()
                .map(|[dataset, record, variable, text]| {
                    [dataset.clone(), record.clone(), variable.clone(), value(text).to_owned()]
                })
                .collect()
        };
        match self {
            Self::NoAbsentVariables => present(reported) == expected,
            Self::EarlierStill => {
                let mut reported = with(&present(reported), whole);
                reported.retain(|[dataset, ..]| dataset != "SM");
                reported == with(expected, whole)
            }
            Self::NullWord => with(expected, |text| if text == "null" { "" } else { text }) == reported,
            Self::AllOfTheGroup => !reported.is_empty() && reported.iter().all(|row| expected.contains(row)),
            Self::Swapped(other) => {
                let expected = reproducible(&published.fixtures[other]);
                expected.is_some_and(|expected| with(&expected, str::trim) == with(reported, str::trim))
            }
            Self::LibraryLabel => reported.is_empty() && expected.len() == 1,
            Self::StoppedAtADate => expected.is_empty() && reported.len() == 2,
        }
    }
}

/// The rows on variables that are in the dataset.
fn present(rows: &[Row]) -> Vec<Row> {
    rows.iter().filter(|[.., value]| value != rules::outcome::NOT_IN_DATASET).cloned().collect()
}

/// A whole number without its point.
fn whole(text: &str) -> &str {
    text.strip_suffix(".0").unwrap_or(text)
}
