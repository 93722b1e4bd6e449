//! What a rule answers. Nothing that was not examined passes: a rule that found no record to judge is not
//! applicable, and one that lacks something is not executable.

/// What one rule says of a study.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleOutcome {
    /// The rule's id.
    pub rule: String,
    /// One answer for each dataset, or one for the study where the rule is about the study.
    pub datasets: Vec<DatasetOutcome>,
}

impl RuleOutcome {
    /// How many violations were found in all datasets.
    pub fn violations(&self) -> u64 {
        let count = |outcome: &DatasetOutcome| match &outcome.verdict {
            Verdict::Failed { violations, .. } => *violations,
            _ => 0,
        };
        self.datasets.iter().map(count).sum()
    }

    /// The issues that were kept.
    pub fn issues(&self) -> impl Iterator<Item = &Issue> {
        self.datasets.iter().flat_map(|outcome| match &outcome.verdict {
            Verdict::Failed { issues, .. } => issues.as_slice(),
            _ => &[],
        })
    }
}

/// What one rule says of one dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetOutcome {
    /// The dataset; for the parts of a split dataset, the name without the split; `STUDY` for the study.
    pub dataset: String,
    /// The answer.
    pub verdict: Verdict,
}

/// The answer of a rule.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Every examined row satisfies the rule.
    Passed {
        /// How many rows were examined; at least one.
        records: u64,
    },
    /// Some rows violate the rule.
    Failed {
        /// How many rows were examined.
        records: u64,
        /// How many of them violate the rule; at most `records`, whatever was joined to them.
        failed_records: u64,
        /// How many issues there are, the kept ones and the others: one for each row of the rule's table, in which a
        /// record comes once for each of its partners, or one for the dataset.
        violations: u64,
        /// The first issues, in the order of the records.
        issues: Vec<Issue>,
    },
    /// The rule has nothing to say of this dataset.
    NotApplicable {
        /// Why: the scope, an absent column, or no record.
        reason: String,
    },
    /// The rule could not be judged.
    NotExecutable {
        /// What is missing or wrong.
        reason: String,
    },
}

/// One violation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// The dataset that holds the record; one part of a split dataset.
    pub dataset: String,
    /// The number of the record there, from 1; none where the issue is about the dataset.
    pub record: Option<u64>,
    /// The subject, where the record names one.
    pub usubjid: Option<String>,
    /// The value of `--SEQ`, where the record has one.
    pub sequence: Option<String>,
    /// The variables that the rule reports and their values, ordered by name. A variable that the dataset lacks
    /// has the value [`NOT_IN_DATASET`].
    pub values: Vec<(String, String)>,
}

/// What an issue says in place of the value of a variable that is not there.
pub const NOT_IN_DATASET: &str = "Not in dataset";
