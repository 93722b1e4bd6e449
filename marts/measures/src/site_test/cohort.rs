//! Who is in which group, and what a test answers.

use std::fmt;

use crate::error::MeasureError;

/// The group of each subject. Subjects are numbered by their position, groups from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cohort {
    group_of: Vec<usize>,
    groups: usize,
}

impl Cohort {
    /// A cohort by the group of each subject.
    ///
    /// # Errors
    /// For no subject, and for a group number that is not below the number of subjects: number them closely.
    pub fn new(group_of: &[usize]) -> Result<Self, MeasureError> {
        let Some(largest) = group_of.iter().max() else {
            return Err(MeasureError::Nothing { what: "subjects" });
        };
        if *largest >= group_of.len() {
            return Err(MeasureError::TooMany {
                what: "groups",
                found: largest.saturating_add(1),
                limit: group_of.len(),
            });
        }
        Ok(Self { group_of: group_of.to_vec(), groups: largest + 1 })
    }

    /// The number of groups, each of which gets one answer of every test, in their order.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// The number of subjects.
    #[must_use]
    pub fn subjects(&self) -> usize {
        self.group_of.len()
    }

    /// The group of a subject.
    pub(super) fn group_of(&self, subject: usize) -> usize {
        self.group_of[subject]
    }

    /// One answer for each group.
    pub(super) fn each(&self, test: impl FnMut(usize) -> SiteTest) -> Vec<SiteTest> {
        (0..self.groups).map(test).collect()
    }

    /// Checks one value per subject, and turns those that are missing (NaN) into none.
    pub(super) fn per_subject(&self, values: &[f64]) -> Result<Vec<Option<f64>>, MeasureError> {
        self.check_length("values", values.len(), self.subjects())?;
        check_finite(values)?;
        Ok(values.iter().map(|value| (!value.is_nan()).then_some(*value)).collect())
    }

    /// Checks that each record belongs to a subject of the cohort and has one of everything.
    pub(super) fn check_records(
        &self,
        subjects: &[usize],
        what: &'static str,
        length: usize,
    ) -> Result<(), MeasureError> {
        self.check_length(what, length, subjects.len())?;
        match subjects.iter().position(|subject| *subject >= self.subjects()) {
            Some(index) => {
                Err(MeasureError::OutOfRange { what: "subject", index, value: subjects[index] as f64 })
            }
            None => Ok(()),
        }
    }

    /// The values of each subject that are not missing, in the order of the records.
    pub(super) fn series(&self, subjects: &[usize], values: &[f64]) -> Result<Vec<Vec<f64>>, MeasureError> {
        self.check_records(subjects, "values", values.len())?;
        check_finite(values)?;
        let mut series = vec![Vec::new(); self.subjects()];
        for (subject, value) in subjects.iter().zip(values) {
            if !value.is_nan() {
                series[*subject].push(*value);
            }
        }
        Ok(series)
    }

    fn check_length(&self, what: &'static str, length: usize, expected: usize) -> Result<(), MeasureError> {
        if length == expected { Ok(()) } else { Err(MeasureError::Unpaired { what, length, expected }) }
    }
}

/// NaN stands for a missing value; an infinite one is a mistake of whoever computed it.
pub(super) fn check_finite(values: &[f64]) -> Result<(), MeasureError> {
    match values.iter().position(|value| value.is_infinite()) {
        Some(index) => Err(MeasureError::OutOfRange { what: "value", index, value: values[index] }),
        None => Ok(()),
    }
}

/// The answer of one test for one group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// The probability of a difference at least this large if the group were like the rest, from 0 to 1.
    pub p_value: f64,
    /// How large the difference is, in the unit that the test's description names.
    pub effect: f64,
    /// Subjects of the group that count.
    pub group_size: usize,
    /// Subjects of the rest that count.
    pub rest_size: usize,
}

/// An answer, or why there is none.
pub type SiteTest = Result<Outcome, NotApplicable>;

/// One of the two sides that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The group that is judged.
    Group,
    /// All others.
    Rest,
}

/// Why a test says nothing about a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotApplicable {
    /// Fewer subjects with data than the test needs.
    TooFewSubjects {
        /// On which side.
        part: Part,
        /// Subjects with data.
        found: usize,
        /// Subjects needed.
        needed: usize,
    },
    /// Nothing differs between any two subjects.
    Constant,
    /// Too few records to expect any outside the commonest kind.
    TooFewRecords,
    /// One variable is a linear function of the others.
    Collinear,
}

impl fmt::Display for NotApplicable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFewSubjects { part, found, needed } => {
                let side = match part {
                    Part::Group => "the group",
                    Part::Rest => "the rest",
                };
                write!(f, "{side} has {found} subjects with data, and the test needs {needed}")
            }
            Self::Constant => write!(f, "no two subjects differ"),
            Self::TooFewRecords => write!(f, "too few records to expect any outside the commonest kind"),
            Self::Collinear => write!(f, "one variable is a linear function of the others"),
        }
    }
}

/// Refuses a side with fewer subjects than needed.
pub(super) fn enough(group_size: usize, rest_size: usize, needed: usize) -> Result<(), NotApplicable> {
    if group_size < needed {
        return Err(NotApplicable::TooFewSubjects { part: Part::Group, found: group_size, needed });
    }
    if rest_size < needed {
        return Err(NotApplicable::TooFewSubjects { part: Part::Rest, found: rest_size, needed });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_numbered_closely() {
        assert_eq!(Cohort::new(&[0, 2, 2]).map(|cohort| cohort.groups()), Ok(3));
        assert!(Cohort::new(&[]).is_err());
        assert!(Cohort::new(&[0, usize::MAX]).is_err());
    }

    #[test]
    fn records_belong_to_subjects() {
        let cohort = Cohort::new(&[0, 1]).expect("the groups are valid");
        assert_eq!(cohort.series(&[1, 0, 1], &[1.0, f64::NAN, 2.0]), Ok(vec![vec![], vec![1.0, 2.0]]));
        assert!(cohort.series(&[2], &[1.0]).is_err());
        assert!(cohort.series(&[0], &[f64::INFINITY]).is_err());
        assert!(cohort.per_subject(&[1.0]).is_err());
    }

    #[test]
    fn a_reason_reads_as_a_sentence() {
        let reason = enough(1, 9, 3).expect_err("one is too few");
        assert_eq!(reason.to_string(), "the group has 1 subjects with data, and the test needs 3");
    }
}
