//! One condition from its mapping.

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::check::{Affix, Leaf, Occurrence, Operand, Order, Part, Position, Share, SortKey, Spread, Test};
use super::reader::Node;
use crate::RuleError;

const KEYS: [&str; 13] = [
    "name",
    "operator",
    "value",
    "value_is_literal",
    "value_is_reference",
    "type_insensitive",
    "prefix",
    "suffix",
    "within",
    "ordering",
    "order",
    "regex",
    "negative",
];
/// Bounds on one compiled pattern, in bytes.
const PATTERN_SIZE: usize = 1 << 20;

/// The test of an operator and whether it is negated, if the family has the operator.
type Found = Result<Option<(Test, bool)>, RuleError>;

pub(super) fn read(node: Node<'_>) -> Result<Leaf, RuleError> {
    let word = node.text("operator")?;
    if let Some(key) = node.map.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(node.unsupported(format!("operator `{word}` with `{key}`")));
    }
    for family in [values, texts, dates, sets, orders] {
        if let Some((test, negated)) = family(node, word)? {
            return Ok(Leaf { target: node.text("name")?.to_owned(), test, negated });
        }
    }
    Err(node.unsupported(format!("operator `{word}`")))
}

/// Operators on presence, equality, membership and size.
fn values(node: Node<'_>, word: &str) -> Found {
    let spread = if node.flag("type_insensitive")? { Spread::FoldedType } else { Spread::Exact };
    let compares = |order| Ok(Some((Test::Compares(order, operand(node)?), false)));
    let found = match word {
        "exists" => (Test::Exists, false),
        "not_exists" => (Test::Exists, true),
        "empty" => (Test::Empty, false),
        "non_empty" => (Test::Empty, true),
        "equal_to" => (Test::Equal(operand(node)?, spread), false),
        "not_equal_to" => (Test::Differs(operand(node)?, spread), false),
        "equal_to_case_insensitive" => (Test::Equal(operand(node)?, Spread::FoldedCase), false),
        "not_equal_to_case_insensitive" => (Test::Differs(operand(node)?, Spread::FoldedCase), false),
        "contains" => (Test::Contains(operand(node)?, Spread::Exact), false),
        "does_not_contain" => (Test::Contains(operand(node)?, Spread::Exact), true),
        "contains_case_insensitive" => (Test::Contains(operand(node)?, Spread::FoldedCase), false),
        "does_not_contain_case_insensitive" => (Test::Contains(operand(node)?, Spread::FoldedCase), true),
        "is_contained_by" => (Test::In(operand(node)?, Spread::Exact), false),
        "is_not_contained_by" => (Test::In(operand(node)?, Spread::Exact), true),
        "is_contained_by_case_insensitive" => (Test::In(operand(node)?, Spread::FoldedCase), false),
        "is_not_contained_by_case_insensitive" => (Test::In(operand(node)?, Spread::FoldedCase), true),
        "less_than" => return compares(Order::Less),
        "less_than_or_equal_to" => return compares(Order::LessOrEqual),
        "greater_than" => return compares(Order::Greater),
        "greater_than_or_equal_to" => return compares(Order::GreaterOrEqual),
        "has_different_values" => (Test::DifferentValues, false),
        "has_same_values" => (Test::DifferentValues, true),
        "inconsistent_enumerated_columns" => (Test::EnumerationGap, false),
        _ => return Ok(None),
    };
    Ok(Some(found))
}

/// Operators on the characters of a text.
fn texts(node: Node<'_>, word: &str) -> Found {
    let matches = |part: Option<Part>, negated| {
        let regex = node.text("value")?;
        let regex = if part.is_none() { at_start(node, regex)? } else { pattern(node, regex)? };
        Ok(Some((Test::Matches(part, regex), negated)))
    };
    let string_part = |negated| {
        let regex = pattern(node, node.text("regex")?)?;
        Ok(Some((Test::EqualsPart(regex, operand(node)?), negated)))
    };
    let length = |order| Ok(Some((Test::Length(order, operand(node)?), false)));
    let found = match word {
        "matches_regex" => return matches(None, false),
        "not_matches_regex" => return matches(None, true),
        "prefix_matches_regex" => return matches(Some(prefix(node)?), false),
        "not_prefix_matches_regex" => return matches(Some(prefix(node)?), true),
        "suffix_matches_regex" => return matches(Some(suffix(node)?), false),
        "not_suffix_matches_regex" => return matches(Some(suffix(node)?), true),
        "prefix_equal_to" => (Test::PartEqual(prefix(node)?, operand(node)?), false),
        "prefix_not_equal_to" => (Test::PartEqual(prefix(node)?, operand(node)?), true),
        "suffix_equal_to" => (Test::PartEqual(suffix(node)?, operand(node)?), false),
        "suffix_not_equal_to" => (Test::PartEqual(suffix(node)?, operand(node)?), true),
        "prefix_is_contained_by" => (Test::PartIn(prefix(node)?, operand(node)?), false),
        "prefix_is_not_contained_by" => (Test::PartIn(prefix(node)?, operand(node)?), true),
        "suffix_is_contained_by" => (Test::PartIn(suffix(node)?, operand(node)?), false),
        "suffix_is_not_contained_by" => (Test::PartIn(suffix(node)?, operand(node)?), true),
        "equals_string_part" => return string_part(false),
        "does_not_equal_string_part" => return string_part(true),
        "starts_with" => (Test::Affix(Affix::Start, operand(node)?), false),
        "ends_with" => (Test::Affix(Affix::End, operand(node)?), false),
        "has_equal_length" => return length(Order::Equal),
        "has_not_equal_length" => return length(Order::NotEqual),
        "longer_than" => return length(Order::Greater),
        "longer_than_or_equal_to" => return length(Order::GreaterOrEqual),
        "shorter_than" => return length(Order::Less),
        "shorter_than_or_equal_to" => return length(Order::LessOrEqual),
        _ => return Ok(None),
    };
    Ok(Some(found))
}

/// Operators on dates and durations.
fn dates(node: Node<'_>, word: &str) -> Found {
    let compares = |order| Ok(Some((Test::CompareDates(order, operand(node)?), false)));
    let found = match word {
        "is_complete_date" => (Test::CompleteDate, false),
        "is_incomplete_date" => (Test::CompleteDate, true),
        "invalid_date" => (Test::ValidDate, true),
        "invalid_duration" => {
            let negative = node.map.get("negative").and_then(Value::as_bool).unwrap_or(true);
            (Test::ValidDuration { negative }, true)
        }
        "date_equal_to" => return compares(Order::Equal),
        "date_not_equal_to" => return compares(Order::NotEqual),
        "date_less_than" => return compares(Order::Less),
        "date_less_than_or_equal_to" => return compares(Order::LessOrEqual),
        "date_greater_than" => return compares(Order::Greater),
        "date_greater_than_or_equal_to" => return compares(Order::GreaterOrEqual),
        _ => return Ok(None),
    };
    Ok(Some(found))
}

/// Operators on the values of several rows or the items of lists.
fn sets(node: Node<'_>, word: &str) -> Found {
    let regex =
        || node.map.get("regex").and_then(Value::as_str).map(|regex| at_start(node, regex)).transpose();
    let found = match word {
        "is_unique_set" => (Test::UniqueSet(node.texts("value")?, regex()?), false),
        "is_not_unique_set" => (Test::UniqueSet(node.texts("value")?, regex()?), true),
        "is_unique_relationship" => (Test::OneToOne(node.texts("value")?), false),
        "is_not_unique_relationship" => (Test::OneToOne(node.texts("value")?), true),
        "is_inconsistent_across_dataset" => (Test::Inconsistent(node.texts("value")?), false),
        "contains_all" => (Test::ContainsAll(operand(node)?), false),
        "not_contains_all" => (Test::ContainsAll(operand(node)?), true),
        "shares_at_least_one_element_with" => (Test::Shares(Share::AtLeastOne, column(node)?), false),
        "shares_exactly_one_element_with" => (Test::Shares(Share::ExactlyOne, column(node)?), false),
        "shares_no_elements_with" => (Test::Shares(Share::None, column(node)?), false),
        "is_ordered_subset_of" => (Test::OrderedSubset(column(node)?), false),
        "is_not_ordered_subset_of" => (Test::OrderedSubset(column(node)?), true),
        _ => return Ok(None),
    };
    Ok(Some(found))
}

/// Operators on the order of rows.
fn orders(node: Node<'_>, word: &str) -> Found {
    let position = || match node.loose_text("order").as_str() {
        "" | "asc" => Ok(Position::Ascending),
        "dsc" | "desc" => Ok(Position::Descending),
        other => Err(node.error(&format!("`order` is `{other}`; it is `asc` or `dsc`"))),
    };
    let by_value = || {
        let within = node.texts("value")?;
        Ok(Occurrence { within, ordering: occurrence(node)?.ordering })
    };
    let found = match word {
        "has_next_corresponding_record" => (Test::HasNext(column(node)?, occurrence(node)?), false),
        "does_not_have_next_corresponding_record" => (Test::HasNext(column(node)?, occurrence(node)?), true),
        "present_on_multiple_rows_within" => (Test::OnMultipleRows(occurrence(node)?), false),
        "not_present_on_multiple_rows_within" => (Test::OnMultipleRows(occurrence(node)?), true),
        "empty_within_except_last_row" => (Test::EmptyExceptLast(by_value()?), false),
        "target_is_sorted_by" => (Test::SortedBy(sort_keys(node)?, occurrence(node)?), false),
        "target_is_not_sorted_by" => (Test::SortedBy(sort_keys(node)?, occurrence(node)?), true),
        "is_ordered_by" => (Test::OrderedBy(position()?), false),
        "is_not_ordered_by" => (Test::OrderedBy(position()?), true),
        _ => return Ok(None),
    };
    Ok(Some(found))
}

fn prefix(node: Node<'_>) -> Result<Part, RuleError> {
    part_length(node, "prefix").map(Part::Prefix)
}

fn suffix(node: Node<'_>) -> Result<Part, RuleError> {
    part_length(node, "suffix").map(Part::Suffix)
}

fn part_length(node: Node<'_>, key: &str) -> Result<usize, RuleError> {
    let length = node.map.get(key).and_then(Value::as_u64).and_then(|length| usize::try_from(length).ok());
    length.filter(|length| *length > 0).ok_or_else(|| node.error(&format!("`{key}` is no length")))
}

fn column(node: Node<'_>) -> Result<String, RuleError> {
    node.text("value").map(str::to_owned)
}

fn occurrence(node: Node<'_>) -> Result<Occurrence, RuleError> {
    let ordering = node.map.get("ordering").and_then(Value::as_str).map(str::to_owned);
    Ok(Occurrence { within: node.texts("within")?, ordering })
}

fn sort_keys(node: Node<'_>) -> Result<Vec<SortKey>, RuleError> {
    let key = |node: Node<'_>| {
        let descending = node.loose_text("sort_order").eq_ignore_ascii_case("desc");
        Ok(SortKey { name: node.text("name")?.to_owned(), descending })
    };
    node.children("value")?.into_iter().map(key).collect()
}

fn operand(node: Node<'_>) -> Result<Operand, RuleError> {
    let literal = node.flag("value_is_literal")?;
    let value = node.map.get("value").ok_or_else(|| node.error("`value` is missing"))?;
    if node.flag("value_is_reference")? {
        return node.text("value").map(|name| Operand::Reference(name.to_owned()));
    }
    read_operand(node, value, if literal { Operand::Text } else { Operand::Name })
}

fn read_operand(node: Node<'_>, value: &Value, text: fn(String) -> Operand) -> Result<Operand, RuleError> {
    Ok(match value {
        Value::String(word) => text(word.clone()),
        Value::Number(number) => Operand::Number(number.as_f64().unwrap_or(f64::NAN)),
        Value::Bool(flag) => Operand::Flag(*flag),
        Value::Null => Operand::Text(String::new()),
        Value::Array(items) => {
            let items = items.iter().map(|item| read_operand(node, item, Operand::Name));
            Operand::List(items.collect::<Result<_, _>>()?)
        }
        Value::Object(_) => return Err(node.error("`value` is a mapping")),
    })
}

/// A pattern that is searched for.
pub(super) fn pattern(node: Node<'_>, pattern: &str) -> Result<Regex, RuleError> {
    // Linear in the text and bounded in size: a pattern of a rule cannot hold the program up. The price is that
    // look-around and back references, which none of the published rules has, are not understood.
    RegexBuilder::new(pattern)
        .size_limit(PATTERN_SIZE)
        .dfa_size_limit(2 * PATTERN_SIZE)
        .nest_limit(64)
        .build()
        .map_err(|error| node.unsupported(format!("pattern `{pattern}` ({error})").replace('\n', " ")))
}

/// A pattern that has to match from the first character on.
fn at_start(node: Node<'_>, text: &str) -> Result<Regex, RuleError> {
    pattern(node, text)?;
    pattern(node, &format!(r"\A(?:{text})"))
}
