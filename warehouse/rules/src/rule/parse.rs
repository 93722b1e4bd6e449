//! A rule from its document.

use serde_json::Value;

use super::check::{Check, Match};
use super::reader::{Node, document};
use super::scope::{Scope, Selection, Splits};
use super::{Authority, Rule, RuleType, Sensitivity, leaf, operation};
use crate::RuleError;

const MAX_CHECK_DEPTH: usize = 32;
const TYPES: [(&str, RuleType); 4] = [
    ("Record Data", RuleType::RecordData),
    ("Variable Metadata Check", RuleType::VariableMetadata),
    ("Dataset Metadata Check", RuleType::DatasetMetadata),
    ("Domain Presence Check", RuleType::DomainPresence),
];

impl Rule {
    /// Reads a rule from the text of a rule file: YAML, or JSON, which is YAML.
    ///
    /// # Errors
    /// [`RuleError::Malformed`] if the text is no rule, [`RuleError::Unsupported`] with the missing operator,
    /// operation, metadata or rule type if it is one that this engine cannot execute.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let map = document(text)?;
        let core = map.get("Core").and_then(Value::as_object);
        let id = core.and_then(|core| core.get("Id")).and_then(Value::as_str).unwrap_or("?").to_owned();
        let root = Node { rule: &id, path: "rule", map: &map };
        if id == "?" {
            return Err(root.error("`Core` has no `Id`"));
        }
        let core = root.child("Core").ok_or_else(|| root.error("`Core` is no mapping"))?;
        let outcome = root.child("Outcome").ok_or_else(|| root.error("`Outcome` is missing"))?;
        let severity = root.loose_text("Severity");
        let (rule_type, sensitivity) = (rule_type(root)?, sensitivity(root)?);
        let check = root.map.get("Check").ok_or_else(|| root.error("`Check` is missing"))?;
        let rule = Self {
            version: core.loose_text("Version"),
            status: core.loose_text("Status"),
            description: root.loose_text("Description"),
            message: outcome.loose_text("Message"),
            severity: if severity.is_empty() { "error".to_owned() } else { severity.to_lowercase() },
            executability: root.loose_text("Executability"),
            rule_type,
            sensitivity,
            authorities: authorities(root)?,
            scope: scope(root)?,
            matches: root.children("Match Datasets")?.into_iter().map(matching).collect::<Result<_, _>>()?,
            operations: root
                .children("Operations")?
                .into_iter()
                .map(operation::read)
                .collect::<Result<_, _>>()?,
            check: read_check(root, check, 0)?,
            output: outcome.texts("Output Variables")?,
            id: id.clone(),
        };
        check_names(root, &rule)?;
        Ok(rule)
    }
}

/// The columns that tables of metadata have.
const METADATA: [&str; 9] = [
    "variable_name",
    "variable_label",
    "variable_size",
    "variable_data_type",
    "variable_order_number",
    "dataset_name",
    "dataset_label",
    "dataset_location",
    "dataset_size",
];

/// Refuses a rule that names the result of an operation that it does not have, or metadata that this engine does not
/// have: on data, such a rule would look as if it did not apply.
fn check_names(root: Node<'_>, rule: &Rule) -> Result<(), RuleError> {
    for leaf in rule.check.leaves() {
        for name in leaf.names() {
            let derived = name.starts_with('$');
            if derived && !rule.operations.iter().any(|operation| operation.id == name) {
                return Err(root.error(&format!("the check names `{name}`, which no operation makes")));
            }
            if ["define_", "library_"].iter().any(|source| name.starts_with(source)) {
                return Err(root.unsupported(format!("metadata `{name}`")));
            }
        }
        let of_metadata = matches!(rule.rule_type, RuleType::VariableMetadata | RuleType::DatasetMetadata);
        let known = leaf.target.starts_with('$') || METADATA.contains(&leaf.target.as_str());
        if of_metadata && !known {
            return Err(root.unsupported(format!("metadata `{}`", leaf.target)));
        }
    }
    Ok(())
}

fn rule_type(root: Node<'_>) -> Result<RuleType, RuleError> {
    let word = root.text("Rule Type")?;
    let known = TYPES.iter().find(|(known, _)| *known == word);
    known.map(|(_, rule_type)| *rule_type).ok_or_else(|| root.unsupported(format!("rule type `{word}`")))
}

fn sensitivity(root: Node<'_>) -> Result<Sensitivity, RuleError> {
    match root.loose_text("Sensitivity").as_str() {
        "Record" | "" => Ok(Sensitivity::Record),
        "Dataset" => Ok(Sensitivity::Dataset),
        word => Err(root.unsupported(format!("sensitivity `{word}`"))),
    }
}

fn authorities(root: Node<'_>) -> Result<Vec<Authority>, RuleError> {
    let mut authorities = Vec::new();
    for authority in root.children("Authorities")? {
        for standard in authority.children("Standards")? {
            for reference in standard.children("References")? {
                let citation = reference.children("Citations")?.into_iter().next();
                let cited = |key| citation.map_or_else(String::new, |citation| citation.loose_text(key));
                let place = [cited("Section"), cited("Item")];
                authorities.push(Authority {
                    organization: authority.loose_text("Organization"),
                    standard: standard.loose_text("Name"),
                    standard_version: standard.loose_text("Version"),
                    rule_id: reference
                        .child("Rule Identifier")
                        .map_or_else(String::new, |id| id.loose_text("Id")),
                    guidance: cited("Cited Guidance"),
                    document: cited("Document"),
                    place: place.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", "),
                });
            }
        }
    }
    Ok(authorities)
}

fn scope(root: Node<'_>) -> Result<Scope, RuleError> {
    let Some(node) = root.child("Scope") else { return Ok(Scope::default()) };
    let selection = |key| match node.child(key) {
        Some(child) => Ok(Selection { include: child.texts("Include")?, exclude: child.texts("Exclude")? }),
        None => Ok(Selection::default()),
    };
    let splits = node.child("Domains").and_then(|domains| domains.map.get("include_split_datasets"));
    Ok(Scope {
        classes: selection("Classes")?,
        domains: selection("Domains")?,
        splits: splits
            .and_then(Value::as_bool)
            .map(|included| if included { Splits::Included } else { Splits::Excluded }),
    })
}

fn matching(node: Node<'_>) -> Result<Match, RuleError> {
    let join = node.loose_text("Join Type");
    const KEYS: [&str; 5] = ["Name", "Keys", "Child", "Wildcard", "Join Type"];
    if let Some(key) = node.map.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(node.unsupported(format!("match datasets with `{key}`")));
    }
    let wildcard = node.loose_text("Wildcard");
    Ok(Match {
        name: node.text("Name")?.to_owned(),
        keys: keys(node)?,
        child: node.flag("Child")?,
        left: match join.to_lowercase().as_str() {
            "" | "inner" => false,
            "left" => true,
            _ => return Err(node.unsupported(format!("join type `{join}`"))),
        },
        wildcard: if wildcard.is_empty() { "**".to_owned() } else { wildcard },
    })
}

/// The keys of a join: names, or pairs of a name here (`Left`) and a name there (`Right`).
fn keys(node: Node<'_>) -> Result<Vec<(String, String)>, RuleError> {
    let Some(Value::Array(items)) = node.map.get("Keys") else { return Ok(Vec::new()) };
    let key = |item: &Value| match item {
        Value::String(name) => Ok((name.clone(), name.clone())),
        Value::Object(map) => {
            let node = Node { map, ..node };
            Ok((node.text("Left")?.to_owned(), node.text("Right")?.to_owned()))
        }
        _ => Err(node.error("a key is neither a text nor a pair of `Left` and `Right`")),
    };
    items.iter().map(key).collect()
}

fn read_check(root: Node<'_>, value: &Value, depth: usize) -> Result<Check, RuleError> {
    if depth > MAX_CHECK_DEPTH {
        return Err(root.error(&format!("the check nests deeper than {MAX_CHECK_DEPTH}")));
    }
    let Value::Object(map) = value else { return Err(root.error("a condition is no mapping")) };
    let node = Node { path: "Check", map, ..root };
    let group = ["all", "any", "not"].into_iter().find(|key| map.contains_key(*key));
    let Some(key) = group else { return Ok(Check::Leaf(Box::new(leaf::read(node)?))) };
    if map.len() > 1 {
        return Err(node.error(&format!("`{key}` stands beside other keys")));
    }
    if key == "not" {
        return Ok(Check::Not(Box::new(read_check(root, &map[key], depth + 1)?)));
    }
    let items = map[key].as_array().filter(|items| !items.is_empty());
    let items = items.ok_or_else(|| node.error(&format!("`{key}` is no list of conditions")))?;
    let checks = items.iter().map(|item| read_check(root, item, depth + 1)).collect::<Result<_, _>>()?;
    Ok(if key == "all" { Check::All(checks) } else { Check::Any(checks) })
}
