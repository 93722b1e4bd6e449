//! Reads the tree of a rule file: a YAML or JSON document as values, with errors that name the place.

use serde_json::{Map, Value};

use crate::RuleError;

/// Bounds on one rule file. The largest published rule has 2,500 nodes.
const MAX_NODES: usize = 200_000;
const MAX_DEPTH: usize = 64;
const MAX_ANCHORS: usize = 64;
const MAX_ALIASES: usize = 256;
const MAX_REPLAYED: usize = 20_000;

/// The document of a text.
///
/// # Errors
/// If it is neither YAML nor JSON, or larger than a rule.
pub(crate) fn document(text: &str) -> Result<Map<String, Value>, RuleError> {
    let mut aliases = serde_saphyr::options::AliasLimits::default();
    aliases.max_total_replayed_events = MAX_REPLAYED;
    aliases.max_replay_stack_depth = 16;
    aliases.max_alias_expansions_per_anchor = MAX_ALIASES;
    let options = serde_saphyr::options! {
        strict_booleans: true,
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: 2 * MAX_NODES,
            max_anchors: MAX_ANCHORS,
            max_aliases: MAX_ALIASES,
            max_documents: 1,
        },
        alias_limits: aliases,
    };
    let tree: Value = serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| malformed("?", format!("it is not YAML: {error}")))?;
    match tree {
        Value::Object(map) => Ok(map),
        _ => Err(malformed("?", "the document is not a mapping; begin with `Core:`".to_owned())),
    }
}

pub(crate) fn malformed(rule: &str, reason: String) -> RuleError {
    RuleError::Malformed { rule: rule.to_owned(), reason }
}

/// One mapping of a rule, with the rule's id and the way to it for messages.
#[derive(Clone, Copy)]
pub(crate) struct Node<'v> {
    pub(crate) rule: &'v str,
    pub(crate) path: &'v str,
    pub(crate) map: &'v Map<String, Value>,
}

impl<'v> Node<'v> {
    pub(crate) fn error(&self, reason: &str) -> RuleError {
        malformed(self.rule, format!("in `{}`: {reason}", self.path))
    }

    pub(crate) fn unsupported(&self, reason: String) -> RuleError {
        RuleError::Unsupported { rule: self.rule.to_owned(), reason }
    }

    pub(crate) fn text(&self, key: &str) -> Result<&'v str, RuleError> {
        self.map
            .get(key)
            .and_then(Value::as_str)
            .ok_or_else(|| self.error(&format!("`{key}` is missing or is no text")))
    }

    /// The text of a key; a number is taken as its text, and a missing key as the empty one.
    pub(crate) fn loose_text(&self, key: &str) -> String {
        match self.map.get(key) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Bool(flag)) => flag.to_string(),
            _ => String::new(),
        }
    }

    pub(crate) fn flag(&self, key: &str) -> Result<bool, RuleError> {
        match self.map.get(key) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.error(&format!("`{key}` is neither true nor false"))),
        }
    }

    /// A text or a list of texts.
    pub(crate) fn texts(&self, key: &str) -> Result<Vec<String>, RuleError> {
        let wrong = || self.error(&format!("`{key}` is no list of texts"));
        match self.map.get(key) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::String(text)) => Ok(vec![text.clone()]),
            Some(Value::Array(items)) => {
                items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
            }
            Some(_) => Err(wrong()),
        }
    }

    /// The mappings of a list, with the way to them.
    pub(crate) fn children(&self, key: &'v str) -> Result<Vec<Node<'v>>, RuleError> {
        let wrong = || self.error(&format!("`{key}` is no list of mappings"));
        let items = match self.map.get(key) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(wrong()),
        };
        let node = |item: &'v Value| {
            item.as_object().map(|map| Node { rule: self.rule, path: key, map }).ok_or_else(wrong)
        };
        items.iter().map(node).collect()
    }

    pub(crate) fn child(&self, key: &'v str) -> Option<Node<'v>> {
        let map = self.map.get(key)?.as_object()?;
        Some(Node { rule: self.rule, path: key, map })
    }
}
