//! What a rule says: where it applies, what it joins and derives, its check, and what it reports.

mod check;
mod leaf;
mod operation;
mod parse;
mod reader;
mod scope;

pub(crate) use check::{
    Affix, Check, Leaf, Match, Occurrence, Operand, Order, Part, Position, Share, SortKey, Spread, Test,
};
pub(crate) use operation::{Operation, Operator};
pub(crate) use scope::Scope;

/// One rule, ready to be executed.
#[derive(Debug, Clone)]
pub struct Rule {
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) status: String,
    pub(crate) description: String,
    pub(crate) message: String,
    pub(crate) severity: String,
    pub(crate) executability: String,
    pub(crate) rule_type: RuleType,
    pub(crate) sensitivity: Sensitivity,
    pub(crate) authorities: Vec<Authority>,
    pub(crate) scope: Scope,
    pub(crate) matches: Vec<Match>,
    pub(crate) operations: Vec<Operation>,
    pub(crate) check: Check,
    pub(crate) output: Vec<String>,
}

impl Rule {
    /// The id, as `CORE-000001`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The version of the rule.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Where the rule stands in its life: `Published`, `Draft`.
    pub fn status(&self) -> &str {
        &self.status
    }

    /// What the rule looks for.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// What is said of a record that violates the rule.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// `error` unless the rule says otherwise.
    pub fn severity(&self) -> &str {
        &self.severity
    }

    /// How much of the guidance the rule covers, as its authors say: `Fully Executable`.
    pub fn executability(&self) -> &str {
        &self.executability
    }

    /// What one row of the rule's table is.
    pub fn rule_type(&self) -> RuleType {
        self.rule_type
    }

    /// What one issue stands for.
    pub fn sensitivity(&self) -> Sensitivity {
        self.sensitivity
    }

    /// The standards that the rule comes from, with their own ids for it, such as `CG0176`.
    pub fn authorities(&self) -> &[Authority] {
        &self.authorities
    }

    /// What to do about an issue: the guidance that the rule cites first, or its message.
    pub fn remedy(&self) -> &str {
        let cited = self.authorities.iter().map(|authority| authority.guidance.as_str());
        cited.into_iter().find(|guidance| !guidance.is_empty()).unwrap_or(&self.message)
    }

    /// Whether the rule belongs to a version of a standard: `SDTMIG` and `3.4`, or `3-4`.
    pub fn belongs_to(&self, standard: &str, version: &str) -> bool {
        let version = version.replace('-', ".");
        self.authorities.iter().any(|authority| {
            authority.standard.eq_ignore_ascii_case(standard) && authority.standard_version == version
        })
    }
}

/// One standard's word for a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// Who publishes the standard: `CDISC`, `FDA`.
    pub organization: String,
    /// The standard: `SDTMIG`.
    pub standard: String,
    /// Its version: `3.4`.
    pub standard_version: String,
    /// The rule's id there: `CG0176`.
    pub rule_id: String,
    /// The sentence that the rule rests on.
    pub guidance: String,
    /// The document of that sentence.
    pub document: String,
    /// Its section and item.
    pub place: String,
}

/// What one row of the table is that a rule is evaluated on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RuleType {
    /// One record of a dataset.
    RecordData,
    /// One variable of a dataset.
    VariableMetadata,
    /// One dataset.
    DatasetMetadata,
    /// The study, with a column for each dataset.
    DomainPresence,
}

/// What one issue stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sensitivity {
    /// One row.
    Record,
    /// All rows of a dataset that violate the rule, shown by the first.
    Dataset,
}
