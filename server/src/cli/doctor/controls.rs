//! `cairn doctor --controls`: what is promised, which tests hold it, and how they ended last.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::cli::say::say;
use crate::error::{Failure, Result};

/// Number, places and words of every control, one a line.
const CONTROLS: &str = include_str!("../../controls.tsv");

/// One promise.
#[derive(Debug, PartialEq, Eq)]
struct Control<'a> {
    number: &'a str,
    /// Where its tests are; `-` for none.
    places: &'a str,
    words: &'a str,
}

/// How one test ended when it was last run.
#[derive(Debug, PartialEq, Eq)]
struct Ended<'a> {
    /// `ok`, `FAILED` or `ignored`.
    outcome: &'a str,
    /// When, in RFC 3339.
    at: &'a str,
    /// Of which commit.
    commit: &'a str,
}

type Results<'a> = BTreeMap<&'a str, Ended<'a>>;

/// Prints every control with its tests. Needs no data folder.
///
/// # Errors
/// When a test of a control failed, and when the file of results is none.
pub(crate) fn run(results: Option<&Path>) -> Result<()> {
    let text = match results {
        None => String::new(),
        Some(path) => read(path)?,
    };
    let ended = parse(&text).ok_or_else(|| {
        let place = results.map(PathBuf::from).unwrap_or_default();
        Failure::Usage(format!(
            "`{}` is no file of results: `./dev test` writes one, with outcome, time, commit and test in each line",
            place.display()
        ))
    })?;
    let (mut held, mut failed) = (0, 0);
    for control in controls() {
        let tests = tests_of(control.number, &ended);
        say!("{}  {}", control.number, control.words);
        for (name, ended) in &tests {
            say!("    {:<7} {}  {}  {name}", ended.outcome, ended.at, ended.commit);
        }
        if tests.is_empty() {
            let verdict = if control.places == "-" { "no test yet" } else { "never run here" };
            say!("    {verdict}{}", place(control.places));
        }
        failed += u32::from(tests.iter().any(|(_, ended)| ended.outcome == "FAILED"));
        let is_held = tests.iter().all(|(_, ended)| ended.outcome == "ok") && !tests.is_empty();
        held += u32::from(is_held);
    }
    say!("{held} of {} controls held when they were last tested", controls().count());
    if failed == 0 { Ok(()) } else { Err(Failure::NotThere(format!("{failed} controls did not hold"))) }
}

fn place(places: &str) -> String {
    if places == "-" { String::new() } else { format!(" (its tests are in {})", places.replace(',', ", ")) }
}

/// No file is no result: the tests were never run here.
fn read(path: &Path) -> Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        read => read.map_err(Failure::io(format!("read the results in `{}`", path.display()))),
    }
}

fn controls() -> impl Iterator<Item = Control<'static>> {
    let lines = CONTROLS.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let mut fields = line.split('\t');
        Some(Control { number: fields.next()?, places: fields.next()?, words: fields.next()? })
    })
}

/// The lines of a file of results, by test; `None` when a line is not of its form.
fn parse(text: &str) -> Option<Results<'_>> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let mut fields = line.split('\t');
            let (outcome, at) = (fields.next()?, fields.next()?);
            let (commit, name) = (fields.next()?, fields.next()?);
            let is_known = ["ok", "FAILED", "ignored"].contains(&outcome) && fields.next().is_none();
            is_known.then_some((name, Ended { outcome, at, commit }))
        })
        .collect()
}

/// The tests whose name says that they hold this control.
fn tests_of<'a, 'b>(number: &str, results: &'b Results<'a>) -> Vec<(&'a str, &'b Ended<'a>)> {
    let mark = format!("control_{number}_");
    results.iter().filter(|(name, _)| name.contains(&mark)).map(|(name, ended)| (*name, ended)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_controls_are_fifty_in_their_order() {
        let numbers: Vec<&str> = controls().map(|control| control.number).collect();
        let wanted: Vec<String> = (1..=50).map(|number| format!("{number:02}")).collect();
        assert_eq!(numbers, wanted);
        assert!(controls().all(|control| control.words.ends_with('.') && !control.places.is_empty()));
    }

    #[test]
    fn a_result_belongs_to_the_control_that_its_test_names() {
        let text = "# by ./dev test\nok\t2026-11-22T14:00:00Z\tabc1234\tsqlite::x::control_04_a\n\
                    FAILED\t2026-11-22T14:00:00Z\tabc1234\tcontrol_40_b\n";
        let results = parse(text).expect("the file is good");
        let names = |number| tests_of(number, &results).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names("04"), ["sqlite::x::control_04_a"]);
        assert_eq!(names("40"), ["control_40_b"]);
        assert!(names("14").is_empty());
    }

    #[test]
    fn a_line_of_another_form_is_refused() {
        for bad in ["ok", "ok\ta\tb", "fine\ta\tb\tc", "ok\ta\tb\tc\td"] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
        assert_eq!(parse(""), Some(Results::new()));
    }
}
