//! Statistical tests of each site against the rest.

use serde::{Deserialize, Serialize};

use super::{Choice, Definition, Downloads, Frame};
use crate::query::SiteTestQuery;

/// What the page of all sites needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SiteTestsView {
    /// The frame.
    pub frame: Frame,
    /// The kinds of tests, in the order of the catalogue: `C1` and its title.
    pub tests: Vec<Choice>,
    /// The sites, those least like the others first.
    pub sites: Vec<SiteTestsRow>,
    /// How the probabilities are made.
    pub definition: Definition,
    /// The combined probabilities as a file.
    pub downloads: Downloads,
}

/// One site.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SiteTestsRow {
    /// The site.
    pub site: String,
    /// All of its tests together; none where none could be made.
    pub all: Option<SiteTestCell>,
    /// One for each kind of test of the page; none where it could not be made.
    pub cells: Vec<Option<SiteTestCell>>,
}

/// A combined probability.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SiteTestCell {
    /// From 0 to 1.
    pub p_value: f64,
    /// The same, adjusted for how many were looked at.
    pub q_value: f64,
    /// How many probabilities it is made of.
    pub n_tests: u64,
    /// What stands out most: `Mean of VS.SYSBP`.
    pub strongest: String,
}

/// What the page of one site needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SiteTestView {
    /// The frame.
    pub frame: Frame,
    /// What the address asked for.
    pub query: SiteTestQuery,
    /// The site.
    pub site: String,
    /// The kinds of tests to choose from.
    pub tests: Vec<Choice>,
    /// The tests of the site that were asked for, the smallest probability first.
    pub rows: Vec<SiteTestRow>,
    /// The values of the variable that was asked for.
    pub values: Option<VariableValues>,
    /// How the probabilities are made.
    pub definition: Definition,
    /// All tests as a file.
    pub downloads: Downloads,
}

/// One test of one variable.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SiteTestRow {
    /// `C1`.
    pub id: String,
    /// The test in words.
    pub title: String,
    /// What it is about.
    pub variable: String,
    /// The variable whose values can be shown; none for kinds of records.
    pub values_of: Option<String>,
    /// The probability; none where it is not judged.
    pub p_value: Option<f64>,
    /// The adjusted probability.
    pub q_value: Option<f64>,
    /// How large the difference is.
    pub effect: Option<f64>,
    /// What the effect counts.
    pub effect_unit: String,
    /// Subjects of the site that count.
    pub n_site: Option<f64>,
    /// Subjects of the rest that count.
    pub n_rest: Option<f64>,
    /// Why it is not judged.
    pub not_judged: Option<String>,
}

/// The values of one variable, subject by subject.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct VariableValues {
    /// `VS.SYSBP`.
    pub variable: String,
    /// In words, with its unit.
    pub label: String,
    /// The site's subjects.
    pub subjects: Vec<SubjectValues>,
    /// The same numbers over all subjects of the other sites.
    pub rest: SubjectValues,
}

/// The values of one subject, or the middle of many.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SubjectValues {
    /// The subject.
    pub subject: String,
    /// How many values.
    pub n_values: f64,
    /// Their mean.
    pub mean: Option<f64>,
    /// Their standard deviation.
    pub standard_deviation: Option<f64>,
    /// The least.
    pub least: Option<f64>,
    /// The greatest.
    pub greatest: Option<f64>,
    /// The share that ends in 0 or 5.
    pub share_0_or_5: Option<f64>,
}
