//! Whether what a check counted is good enough: decided when it is read, from limits that have a version, an owner
//! and a reason. Shipped limits hold unless a tenant's own file says otherwise.

use std::sync::LazyLock;

use serde::Deserialize;

use super::rows::{CheckRow, Status};
use crate::storage::TenantFiles;
use crate::{Error, Result};

const SHIPPED: &str = include_str!("thresholds.toml");
/// The name of a tenant's own file.
pub const FILE: &str = "quality-thresholds.toml";

/// One limit.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// The check it is for; a trailing `*` stands for any ending.
    pub check: Option<String>,
    /// The severity it is for, where no check is named.
    pub severity: Option<String>,
    /// More violations than this fail.
    pub max_violations: Option<u64>,
    /// A larger share of violations than this fails.
    pub max_share: Option<f64>,
    /// Who answers for it.
    pub owner: String,
    /// Why it is what it is.
    pub reason: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: String,
    threshold: Vec<Threshold>,
}

/// A set of limits: a tenant's own before the shipped ones.
#[derive(Debug, Clone)]
pub struct Thresholds {
    sets: Vec<Written>,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// More violations than accepted.
    Fail,
    /// No more violations than accepted.
    Pass,
    /// Asked of no row: neither passed nor failed.
    NotApplicable,
}

impl Verdict {
    /// Its name in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Pass => "pass",
            Self::NotApplicable => "not_applicable",
        }
    }
}

/// A verdict and what it was judged by.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement<'a> {
    /// How the check ended.
    pub verdict: Verdict,
    /// The version of the set that the limit is from.
    pub set: &'a str,
    /// The limit; none when no limit fits, which accepts no violation.
    pub threshold: Option<&'a Threshold>,
}

impl Thresholds {
    /// The shipped limits.
    ///
    /// # Errors
    /// [`Error::Thresholds`] if they are not well formed, which a test rules out.
    pub fn shipped() -> Result<Self> {
        static SETS: LazyLock<Result<Written, String>> = LazyLock::new(|| parse(SHIPPED));
        let written = SETS.as_ref().map_err(|reason| refused("shipped", reason.clone()))?;
        Ok(Self { sets: vec![written.clone()] })
    }

    /// The limits of a tenant: those of its own file, then the shipped ones.
    ///
    /// # Errors
    /// [`Error::Thresholds`] when the file is wrong, [`Error::Io`] when it cannot be read.
    pub fn of(files: &TenantFiles) -> Result<Self> {
        let mut thresholds = Self::shipped()?;
        if let Some(text) = files.setting(FILE)? {
            thresholds.sets.insert(0, parse(&text).map_err(|reason| refused(FILE, reason))?);
        }
        Ok(thresholds)
    }

    /// The same with the limits of `text` before all others.
    ///
    /// # Errors
    /// [`Error::Thresholds`] when the text is wrong.
    pub fn overridden_by(mut self, text: &str) -> Result<Self> {
        self.sets.insert(0, parse(text).map_err(|reason| refused(FILE, reason))?);
        Ok(self)
    }

    /// Judges what a check counted.
    #[must_use]
    pub fn judge(&self, row: &CheckRow) -> Judgement<'_> {
        let found = self.sets.iter().find_map(|set| Some((set.version.as_str(), set.best(row)?)));
        let (set, threshold) = found.map_or(("none", None), |(set, threshold)| (set, Some(threshold)));
        let accepted = threshold.map_or(row.violations == 0, |threshold| threshold.accepts(row));
        let verdict = match (row.status(), accepted) {
            (Status::NotApplicable, _) => Verdict::NotApplicable,
            (Status::Evaluated, true) => Verdict::Pass,
            (Status::Evaluated, false) => Verdict::Fail,
        };
        Judgement { verdict, set, threshold }
    }
}

impl Written {
    /// The limit that fits best.
    fn best(&self, row: &CheckRow) -> Option<&Threshold> {
        let fitting = self.threshold.iter().filter_map(|threshold| Some((threshold.fit(row)?, threshold)));
        fitting.max_by_key(|(fit, _)| *fit).map(|(_, threshold)| threshold)
    }
}

impl Threshold {
    /// How well it fits a check: the more letters of its id it names the better; an exact name is best.
    fn fit(&self, row: &CheckRow) -> Option<usize> {
        match (&self.check, &self.severity) {
            (Some(check), _) => match check.strip_suffix('*') {
                Some(start) => row.check_id.starts_with(start).then_some(1 + start.len()),
                None => (check == &row.check_id).then_some(usize::MAX),
            },
            (None, Some(severity)) => (severity == &row.severity).then_some(0),
            (None, None) => None,
        }
    }

    fn accepts(&self, row: &CheckRow) -> bool {
        self.max_violations.is_none_or(|most| row.violations <= most)
            && self.max_share.is_none_or(|most| row.share() <= most)
    }

    /// The limit in words.
    #[must_use]
    pub fn words(&self) -> String {
        let most = self.max_violations.map(|most| format!("at most {most} violations"));
        let share = self.max_share.map(|most| format!("at most {} %", most * 100.0));
        [most, share].into_iter().flatten().collect::<Vec<_>>().join(" and ")
    }
}

fn parse(text: &str) -> Result<Written, String> {
    let written: Written = toml::from_str(text).map_err(|error| error.to_string())?;
    for threshold in &written.threshold {
        let name = threshold.check.as_deref().or(threshold.severity.as_deref()).unwrap_or_default();
        if threshold.check.is_some() == threshold.severity.is_some() {
            return Err(format!("a threshold (`{name}`) names either a `check` or a `severity`"));
        }
        if threshold.max_violations.is_none() && threshold.max_share.is_none() {
            return Err(format!("the threshold of `{name}` has neither `max_violations` nor `max_share`"));
        }
        if threshold.max_share.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
            return Err(format!("the `max_share` of `{name}` is not between 0 and 1"));
        }
        if threshold.owner.trim().is_empty() || threshold.reason.trim().is_empty() {
            return Err(format!("the threshold of `{name}` needs an `owner` and a `reason`"));
        }
    }
    Ok(written)
}

fn refused(file: &str, reason: String) -> Error {
    Error::Thresholds { file: file.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(check_id: &str, severity: &str, (denominator, violations): (u64, u64)) -> CheckRow {
        CheckRow {
            check_id: check_id.to_owned(),
            version: 1,
            category: "conformance".to_owned(),
            subcategory: "value".to_owned(),
            severity: severity.to_owned(),
            entity: "visit".to_owned(),
            column: "visit_num".to_owned(),
            description: String::new(),
            remedy: String::new(),
            denominator,
            violations,
            findings: 0,
            source: "cairn".to_owned(),
            inputs: String::new(),
        }
    }

    #[track_caller]
    fn check(thresholds: &Thresholds, row: &CheckRow, verdict: Verdict) {
        let judged = thresholds.judge(row);
        assert_eq!(judged.verdict, verdict, "{} by {:?}", row.check_id, judged.threshold);
    }

    #[test]
    fn one_error_fails_and_one_doubt_in_a_hundred_does_not() {
        let shipped = Thresholds::shipped().expect("the shipped thresholds are valid");
        check(&shipped, &row("R-10", "error", (1191, 1)), Verdict::Fail);
        check(&shipped, &row("R-10", "error", (1191, 0)), Verdict::Pass);
        check(&shipped, &row("R-13.time", "warn", (100, 1)), Verdict::Pass);
        check(&shipped, &row("R-13.time", "warn", (100, 2)), Verdict::Fail);
        check(&shipped, &row("R-05.window", "info", (10, 10)), Verdict::Pass);
        check(&shipped, &row("R-02.visit.start_day", "warn", (1000, 1)), Verdict::Fail);
    }

    #[test]
    fn a_check_that_was_asked_of_no_row_has_not_passed() {
        let shipped = Thresholds::shipped().expect("the shipped thresholds are valid");
        check(&shipped, &row("R-10", "error", (0, 0)), Verdict::NotApplicable);
    }

    #[test]
    fn a_tenants_own_limit_comes_first() {
        let own = "version = '2'\n[[threshold]]\ncheck = 'R-10'\nmax_violations = 40\nowner = 'safety'\nreason = 'known fault'\n";
        let thresholds = Thresholds::shipped().expect("valid").overridden_by(own).expect("valid");
        let found = row("R-10", "error", (1191, 36));
        check(&thresholds, &found, Verdict::Pass);
        assert_eq!(thresholds.judge(&found).set, "2");
        check(&thresholds, &row("R-10.criterion", "error", (1191, 36)), Verdict::Fail);
    }

    #[test]
    fn a_limit_without_owner_reason_or_number_is_refused() {
        let shipped = || Thresholds::shipped().expect("valid");
        for (text, word) in [
            ("version='1'\n[[threshold]]\ncheck='A'\nmax_violations=1\nowner=''\nreason='x'\n", "owner"),
            ("version='1'\n[[threshold]]\ncheck='A'\nowner='a'\nreason='x'\n", "max_share"),
            ("version='1'\n[[threshold]]\nmax_share=0.5\nowner='a'\nreason='x'\n", "either"),
            (
                "version='1'\n[[threshold]]\ncheck='A'\nmax_share=5\nowner='a'\nreason='x'\n",
                "between 0 and 1",
            ),
        ] {
            let refused = shipped().overridden_by(text).expect_err("it is wrong");
            assert!(refused.is_refusal() && refused.to_string().contains(word), "{refused}");
        }
    }
}
