//! The operations of a rule: values derived before the check, which it names by their id.

use regex::Regex;
use serde_json::Value;

use super::leaf::pattern;
use super::reader::Node;
use crate::RuleError;

/// One operation.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    /// The name of the column that it makes, as `$dm_usubjid`.
    pub(crate) id: String,
    pub(crate) operator: Operator,
    /// The column that it reads.
    pub(crate) name: Option<String>,
    /// The domain that it reads, where that is not the one in scope.
    pub(crate) domain: Option<String>,
    pub(crate) group: Vec<String>,
    /// Columns and the values that they must have.
    pub(crate) filter: Vec<(String, String)>,
    pub(crate) regex: Option<Regex>,
    /// Whether the column names columns of the dataset that `RDOMAIN` names.
    pub(crate) by_reference: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Distinct,
    RecordCount,
    StudyDay,
    MinDate,
    MaxDate,
    DomainLabel,
    StudyDomains,
    DatasetNames,
    ColumnOrder,
    Metadata,
    VariableExists,
    VariableCount,
}

const KNOWN: [(&str, Operator); 12] = [
    ("distinct", Operator::Distinct),
    ("record_count", Operator::RecordCount),
    ("dy", Operator::StudyDay),
    ("min_date", Operator::MinDate),
    ("max_date", Operator::MaxDate),
    ("domain_label", Operator::DomainLabel),
    ("study_domains", Operator::StudyDomains),
    ("dataset_names", Operator::DatasetNames),
    ("get_column_order_from_dataset", Operator::ColumnOrder),
    ("extract_metadata", Operator::Metadata),
    ("variable_exists", Operator::VariableExists),
    ("variable_count", Operator::VariableCount),
];

const KEYS: [&str; 8] =
    ["id", "operator", "name", "domain", "group", "filter", "regex", "value_is_reference"];

pub(super) fn read(node: Node<'_>) -> Result<Operation, RuleError> {
    let word = node.text("operator")?;
    let Some((_, operator)) = KNOWN.iter().find(|(known, _)| *known == word) else {
        return Err(node.unsupported(format!("operation `{word}`")));
    };
    if let Some(key) = node.map.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(node.unsupported(format!("operation `{word}` with `{key}`")));
    }
    let name = node.map.get("name").and_then(Value::as_str).map(str::to_owned);
    let needs_name = !matches!(
        operator,
        Operator::RecordCount
            | Operator::DomainLabel
            | Operator::StudyDomains
            | Operator::DatasetNames
            | Operator::ColumnOrder
    );
    if needs_name && name.is_none() {
        return Err(node.error(&format!("operation `{word}` has no `name`")));
    }
    let filter = node.child("filter").map_or_else(Vec::new, |filter| {
        filter.map.keys().map(|key| (key.clone(), filter.loose_text(key))).collect()
    });
    let regex = node.map.get("regex").and_then(Value::as_str);
    Ok(Operation {
        id: node.text("id")?.to_owned(),
        operator: *operator,
        name,
        domain: node.map.get("domain").and_then(Value::as_str).map(str::to_owned),
        group: node.texts("group")?,
        filter,
        regex: regex.map(|regex| pattern(node, regex)).transpose()?,
        by_reference: node.flag("value_is_reference")?,
    })
}
