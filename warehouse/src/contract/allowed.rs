//! Which values a column may have, read from its rule in `contract.csv`: closed lists, ranges, lengths and
//! two patterns. A list of CDISC controlled terminology (`CT C66737 …`) is not closed here: its package decides.

use std::fmt;

use super::ColumnType;

/// What a column's rule allows, for the texts that reach it.
#[derive(Debug, Clone, PartialEq)]
pub enum Allowed {
    /// The rule closes nothing.
    Any,
    /// One of these, in this case.
    OneOf(Vec<String>),
    /// A number from one bound to the other, where they are given.
    Range {
        /// The least value.
        least: Option<Bound>,
        /// The greatest value.
        greatest: Option<Bound>,
    },
    /// Text of some length, counted in characters.
    Length {
        /// The fewest characters.
        fewest: usize,
        /// The most characters.
        most: usize,
    },
    /// A day as `YYYY-MM-DD`.
    Day,
}

/// One end of a range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    /// The number.
    pub value: f64,
    /// Whether the number itself is allowed.
    pub inclusive: bool,
}

impl Allowed {
    /// Reads a rule of the contract. What follows a `;` explains, and so does what stands in parentheses at
    /// the end of a list.
    pub(super) fn parse(rule: &str, kind: ColumnType) -> Self {
        let head = rule.split(';').next().unwrap_or_default().trim();
        let found = match kind {
            ColumnType::Text => list(head).or_else(|| length(head)).or_else(|| day(head)),
            ColumnType::Int8 | ColumnType::Int32 | ColumnType::Int64 | ColumnType::Float64 => range(head),
            _ => None,
        };
        found.unwrap_or(Self::Any)
    }

    /// Whether a text is allowed. Of texts that are no number a range says nothing: their type refuses them.
    #[must_use]
    pub fn allows(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(values) => values.iter().any(|value| value == text),
            Self::Range { least, greatest } => text.trim().parse::<f64>().map_or(true, |number| {
                least.is_none_or(|bound| number > bound.value || bound.holds(number))
                    && greatest.is_none_or(|bound| number < bound.value || bound.holds(number))
            }),
            Self::Length { fewest, most } => (*fewest..=*most).contains(&text.chars().count()),
            Self::Day => chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok(),
        }
    }
}

impl Bound {
    #[expect(clippy::float_cmp, reason = "a bound is a whole number of the contract, and is met exactly")]
    fn holds(self, number: f64) -> bool {
        self.inclusive && number == self.value
    }
}

impl fmt::Display for Allowed {
    /// What a value is not when it is refused: `one of …`, `from 0 to 5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("anything"),
            Self::OneOf(values) => {
                let values: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
                write!(f, "one of {}", values.join(", "))
            }
            Self::Range { least: Some(least), greatest: Some(greatest) } => {
                write!(f, "from {} to {}", least.value, greatest.value)
            }
            Self::Range { least, greatest } => {
                let side = |word: &str, bound: &Bound| {
                    let or_equal = if bound.inclusive { " or equal to" } else { "" };
                    format!("{word} than{or_equal} {}", bound.value)
                };
                let least = least.as_ref().map(|bound| side("greater", bound));
                let greatest = greatest.as_ref().map(|bound| side("less", bound));
                f.write_str(&least.or(greatest).unwrap_or_default())
            }
            Self::Length { fewest, most } if fewest == most => write!(f, "of {most} characters"),
            Self::Length { fewest: 0, most } => write!(f, "of at most {most} characters"),
            Self::Length { fewest, most } => write!(f, "of {fewest} to {most} characters"),
            Self::Day => f.write_str("a day as YYYY-MM-DD"),
        }
    }
}

/// `A,B,C`: items without spaces around the commas, so that prose is no list; `A / B` joins two lists; `D or
/// S` and `one of < <= >` are the two other spellings that the contract has.
fn list(head: &str) -> Option<Allowed> {
    let closed = |items: Vec<&str>| Some(Allowed::OneOf(items.into_iter().map(str::to_owned).collect()));
    if let Some(items) = head.strip_prefix("one of ") {
        return closed(items.split_whitespace().collect());
    }
    if head.starts_with("CT ") {
        return None;
    }
    let head = head.split(" (").next().unwrap_or_default();
    if let Some((left, right)) =
        head.split_once(" or ").filter(|(left, right)| is_code(left) && is_code(right))
    {
        return closed(vec![left, right]);
    }
    let items: Vec<&str> = head.split(" / ").flat_map(|part| part.split(',')).collect();
    (items.len() > 1 && head.contains(',') && items.iter().all(|item| is_item(item)))
        .then(|| closed(items))?
}

fn is_code(text: &str) -> bool {
    text.len() <= 2 && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn is_item(item: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_ *".contains(letter);
    !item.is_empty() && item.trim() == item && item.chars().all(plain)
}

/// `1-20 chars`, `<=20 chars`, `verbatim, <= 200 chars`, `2-char …`, and the length in `^[…]{1,40}$`.
fn length(head: &str) -> Option<Allowed> {
    if let Some(bounds) = head.strip_prefix('^').and_then(|rest| rest.split_once('{')).map(|(_, rest)| rest) {
        return between(bounds.split('}').next()?, ',');
    }
    if let Some((count, _)) = head.split_once("-char ") {
        let count = count.parse().ok()?;
        return Some(Allowed::Length { fewest: count, most: count });
    }
    let bounds = head.strip_suffix(" chars")?;
    match bounds.split_once("<=") {
        Some((_, most)) => Some(Allowed::Length { fewest: 0, most: most.trim().parse().ok()? }),
        None => between(bounds, '-'),
    }
}

fn between(bounds: &str, separator: char) -> Option<Allowed> {
    let (fewest, most) = bounds.split_once(separator)?;
    Some(Allowed::Length { fewest: fewest.parse().ok()?, most: most.parse().ok()? })
}

fn day(head: &str) -> Option<Allowed> {
    head.ends_with("YYYY-MM-DD").then_some(Allowed::Day)
}

/// `>=0`, `>0`, `<=0 offset`, `0..120 after …`. A space after the sign means a comparison with a column.
fn range(head: &str) -> Option<Allowed> {
    let head = head.split([' ', ',']).next()?;
    let bound = |text: &str, inclusive| Some(Bound { value: text.parse().ok()?, inclusive });
    if let Some((least, greatest)) = head.split_once("..") {
        return Some(Allowed::Range {
            least: Some(bound(least, true)?),
            greatest: Some(bound(greatest, true)?),
        });
    }
    let least = |bound| Some(Allowed::Range { least: Some(bound), greatest: None });
    let greatest = |bound| Some(Allowed::Range { least: None, greatest: Some(bound) });
    if let Some(text) = head.strip_prefix(">=") {
        return bound(text, true).and_then(least);
    }
    if let Some(text) = head.strip_prefix("<=") {
        return bound(text, true).and_then(greatest);
    }
    if let Some(text) = head.strip_prefix('>') {
        return bound(text, false).and_then(least);
    }
    head.strip_prefix('<').and_then(|text| bound(text, false)).and_then(greatest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rule: &str, kind: ColumnType, right: &[&str], wrong: &[&str]) {
        let allowed = Allowed::parse(rule, kind);
        for text in right {
            assert!(allowed.allows(text), "{rule}: {text} is allowed by {allowed:?}");
        }
        for text in wrong {
            assert!(!allowed.allows(text), "{rule}: {text} is refused by {allowed:?}");
        }
    }

    #[test]
    fn closed_lists_are_read_in_their_spellings() {
        let text = ColumnType::Text;
        check("INCLUSION,EXCLUSION", text, &["INCLUSION"], &["inclusion", "BOTH", ""]);
        check("A_B,C D; default C D", text, &["A_B", "C D"], &["default C D"]);
        check("OPEN,CLOSED (ODM \"Resolved\" -> CLOSED)", text, &["CLOSED"], &["Resolved"]);
        check("D or S", text, &["D", "S"], &["D or S"]);
        check("one of < <= > >= =; parsed from std_result", text, &["<", ">="], &["parsed"]);
        check("LLT,PT / CODELIST,TERM", text, &["PT", "TERM"], &["CODELIST,TERM"]);
        check("F,M,*", text, &["*"], &["U"]);
    }

    #[test]
    fn prose_and_controlled_terminology_close_nothing() {
        for rule in [
            "CT C66731: F,M,U,INTERSEX",
            "-",
            "years, inclusive",
            "source id, else hash(subject,event,repeat)",
            "ISO 3166-1 alpha-3 (alpha-2 upcast)",
            "true => all results null, reason given",
        ] {
            assert_eq!(Allowed::parse(rule, ColumnType::Text), Allowed::Any, "{rule}");
        }
        for rule in
            ["<= last_subject_out_date", "<= 1 true per subject x test", ">= start", "R-02", "no day 0"]
        {
            assert_eq!(Allowed::parse(rule, ColumnType::Int32), Allowed::Any, "{rule}");
        }
    }

    #[test]
    fn ranges_lengths_and_days_are_read() {
        check(">=1, dense", ColumnType::Int32, &["1", "7.0"], &["0", "-1"]);
        check(">0", ColumnType::Float64, &["0.5"], &["0", "-0.1"]);
        check("<=0 offset; ODM TimepointPreWindow", ColumnType::Int32, &["0", "-3"], &["1"]);
        check("1..5; 5 <=> outcome FATAL (R-09)", ColumnType::Int8, &["1", "5"], &["0", "6"]);
        check("0..120 after unit normalisation to years", ColumnType::Float64, &["0", "120"], &["120.5"]);
        check(
            "1-20 chars; verbatim",
            ColumnType::Text,
            &["001", "ääääääääääääääääääää"],
            &["", "123456789012345678901"],
        );
        check("<=20 chars", ColumnType::Text, &["Xan_Hi"], &["123456789012345678901"]);
        check("2-char SDTM domain", ColumnType::Text, &["VS"], &["V", "QSPH"]);
        check(
            "CDISC CT package date YYYY-MM-DD; pinned per batch",
            ColumnType::Text,
            &["2020-03-27"],
            &["2020-13-01", "v5"],
        );
        check("^[A-Za-z0-9._-]{1,40}$ ; equal in every entity", ColumnType::Text, &["S1"], &[""]);
    }

    #[test]
    fn a_refusal_says_what_is_allowed() {
        let said = |rule: &str, kind| Allowed::parse(rule, kind).to_string();
        assert_eq!(said("INCLUSION,EXCLUSION", ColumnType::Text), "one of `INCLUSION`, `EXCLUSION`");
        assert_eq!(said("0..5", ColumnType::Int8), "from 0 to 5");
        assert_eq!(said(">=0", ColumnType::Int32), "greater than or equal to 0");
        assert_eq!(said("1-20 chars", ColumnType::Text), "of 1 to 20 characters");
        assert_eq!(said("<=20 chars", ColumnType::Text), "of at most 20 characters");
    }
}
