//! Which checks there are: those written in `checks.toml`, and those that follow from the contract.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::contract::{self, Column, Entity, Reference};
use crate::{Error, Result};

const WRITTEN: &str = include_str!("checks.toml");

/// What a check is about, after Kahn et al. 2016.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Values, relations and computations follow the rules of their form.
    Conformance,
    /// What is expected is there.
    Completeness,
    /// Values can be believed.
    Plausibility,
}

impl Category {
    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conformance => "conformance",
            Self::Completeness => "completeness",
            Self::Plausibility => "plausibility",
        }
    }
}

/// How much a violation weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The data is wrong.
    Error,
    /// The data is doubtful.
    Warn,
    /// Worth knowing.
    Info,
}

impl Severity {
    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
        }
    }
}

/// One check. Expressions are SQL over `r`, the row, and `s`, the facts of its subject.
#[derive(Debug, Clone)]
pub struct Check {
    /// Its name, stable across versions.
    pub id: String,
    /// Counts changes of its meaning.
    pub version: u32,
    /// What it is about.
    pub category: Category,
    /// The finer kind within the category.
    pub subcategory: String,
    /// How much a violation weighs.
    pub severity: Severity,
    /// The entity whose rows are asked; `*` when it looks at several.
    pub entity: String,
    /// The column that a violation is shown at.
    pub column: String,
    /// What holds when nothing is violated.
    pub description: String,
    /// What to do about a violation.
    pub remedy: String,
    /// How it is asked.
    pub test: Test,
    /// Every entity it reads.
    pub reads: Vec<String>,
    /// The bases it compares with.
    pub(super) needs: Vec<String>,
    pub(super) value: Option<String>,
    pub(super) message: Option<String>,
}

/// How a check is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// Of each row for which `of` holds, whether it `fails`.
    Row {
        /// The denominator.
        of: String,
        /// The violations.
        fails: String,
        /// Whether a column that no row has is not this check's business.
        once_collected: bool,
    },
    /// Of the rows for which `of` holds, those that repeat an earlier one in all columns `by`.
    Repeated {
        /// The denominator.
        of: String,
        /// The columns.
        by: Vec<String>,
    },
    /// How many expected columns of the entity no row has.
    Collected,
    /// What the deliveries set aside.
    Quarantine,
    /// What changed since the former snapshot.
    Drift(Drift),
}

/// A change since the former snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drift {
    /// An entity has many fewer or many more rows.
    Rows,
    /// Many rows of an entity were removed.
    Removed,
    /// The share of empty cells of a column changed.
    Nulls,
    /// A code was never seen before.
    Codes,
}

/// A table derived from canon that several checks compare with.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Basis {
    pub(super) name: String,
    pub(super) reads: Vec<String>,
    pub(super) sql: String,
}

/// Everything that is declared.
#[derive(Debug)]
pub(super) struct Registry {
    pub(super) macros: String,
    pub(super) bases: BTreeMap<String, Basis>,
    pub(super) checks: Vec<Check>,
}

/// Every check in the order of their ids.
///
/// # Errors
/// [`Error::Checks`] if the registry is not well formed, which a test rules out.
pub fn checks() -> Result<&'static [Check]> {
    registry().map(|registry| registry.checks.as_slice())
}

pub(super) fn registry() -> Result<&'static Registry> {
    static REGISTRY: LazyLock<Result<Registry, String>> = LazyLock::new(|| read(WRITTEN));
    REGISTRY.as_ref().map_err(|reason| Error::Checks { reason: reason.clone() })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    macros: String,
    basis: Vec<Basis>,
    check: Vec<Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCheck {
    id: String,
    #[serde(default = "first_version")]
    version: u32,
    category: Category,
    subcategory: String,
    severity: Severity,
    entity: String,
    column: String,
    description: String,
    remedy: String,
    of: Option<String>,
    fails: Option<String>,
    #[serde(default)]
    repeats: Vec<String>,
    #[serde(default)]
    once_collected: bool,
    #[serde(default)]
    reads: Vec<String>,
    #[serde(default)]
    needs: Vec<String>,
    value: Option<String>,
    message: Option<String>,
}

const fn first_version() -> u32 {
    1
}

fn read(text: &str) -> Result<Registry, String> {
    let written: Written = toml::from_str(text).map_err(|error| error.to_string())?;
    let bases: BTreeMap<String, Basis> =
        written.basis.into_iter().map(|basis| (basis.name.clone(), basis)).collect();
    let mut checks: Vec<Check> = Vec::new();
    for table in written.check {
        for table in entries(table)? {
            let check: WrittenCheck = table.try_into().map_err(|error| error.to_string())?;
            checks.push(check.finish(&bases)?);
        }
    }
    let entities = contract::entities().map_err(|error| error.to_string())?;
    for entity in entities.values() {
        checks.push(natural_key(entity));
        checks.extend(entity.columns.iter().filter_map(|column| foreign_key(entity, column, entities)));
    }
    checks.extend(collected(&checks));
    checks.extend(over_several_entities());
    checks.sort_by(|a, b| a.id.cmp(&b.id));
    match checks.windows(2).find(|pair| pair[0].id == pair[1].id) {
        Some(pair) => Err(format!("`{}` is declared twice", pair[0].id)),
        None => Ok(Registry { macros: written.macros, bases, checks }),
    }
}

/// A check with `for` is one per entry, whose values stand for the names in braces.
fn entries(mut table: Table) -> Result<Vec<Table>, String> {
    let Some(list) = table.remove("for") else { return Ok(vec![table]) };
    let list: Vec<Table> = list.try_into().map_err(|error: toml::de::Error| error.to_string())?;
    let fill = |entry: &Table| {
        let mut table = table.clone();
        for name in ["entity", "column"] {
            if let (false, Some(value)) = (table.contains_key(name), entry.get(name)) {
                table.insert(name.to_owned(), value.clone());
            }
        }
        table.into_iter().map(|(name, value)| (name, filled(value, entry))).collect()
    };
    Ok(list.iter().map(fill).collect())
}

fn filled(value: Value, entry: &Table) -> Value {
    match value {
        Value::String(text) => {
            let whole = entry.iter().find(|(name, value)| !value.is_str() && text == format!("{{{name}}}"));
            if let Some((_, value)) = whole {
                return value.clone();
            }
            let texts = entry.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
            let fill =
                |text: String, (name, value): (&String, &str)| text.replace(&format!("{{{name}}}"), value);
            Value::String(texts.fold(text, fill))
        }
        Value::Array(values) => Value::Array(values.into_iter().map(|value| filled(value, entry)).collect()),
        value => value,
    }
}

impl WrittenCheck {
    fn finish(self, bases: &BTreeMap<String, Basis>) -> Result<Check, String> {
        let wrong = |reason: String| format!("`{}`: {reason}", self.id);
        let entity = contract::entity(&self.entity).map_err(|error| wrong(error.to_string()))?;
        let names = |column: &str| entity.schema().field_with_name(column).is_ok();
        if let Some(column) = self.repeats.iter().chain([&self.column]).find(|column| !names(column)) {
            return Err(wrong(format!("`{}` has no column `{column}`", self.entity)));
        }
        let mut reads = vec![self.entity.clone()];
        reads.extend(self.reads);
        for name in &self.needs {
            let basis = bases.get(name).ok_or_else(|| wrong(format!("there is no basis `{name}`")))?;
            reads.extend(basis.reads.clone());
        }
        reads.sort();
        reads.dedup();
        let of = self.of.unwrap_or_else(|| "TRUE".to_owned());
        let test = match (self.fails, self.repeats.is_empty()) {
            (Some(fails), true) => Test::Row { of, fails, once_collected: self.once_collected },
            (None, false) => Test::Repeated { of, by: self.repeats },
            _ => return Err(format!("`{}`: needs either `fails` or `repeats`", self.id)),
        };
        Ok(Check {
            id: self.id,
            version: self.version,
            category: self.category,
            subcategory: self.subcategory,
            severity: self.severity,
            entity: self.entity,
            column: self.column,
            description: self.description,
            remedy: self.remedy,
            test,
            reads,
            needs: self.needs,
            value: self.value,
            message: self.message,
        })
    }
}

/// A check that follows from the contract.
fn generated(id: String, entity: &str, column: &str, test: Test) -> Check {
    Check {
        id,
        version: 1,
        category: Category::Conformance,
        subcategory: "relational".to_owned(),
        severity: Severity::Error,
        entity: entity.to_owned(),
        column: column.to_owned(),
        description: String::new(),
        remedy: String::new(),
        test,
        reads: vec![entity.to_owned()],
        needs: Vec::new(),
        value: None,
        message: None,
    }
}

fn natural_key(entity: &Entity) -> Check {
    let by: Vec<String> = entity.key().map(|column| column.name.clone()).collect();
    let column = by.last().cloned().unwrap_or_default();
    let description = format!("A row of `{}` is the only one with its {}.", entity.name, by.join(", "));
    let test = Test::Repeated { of: "TRUE".to_owned(), by };
    let check = generated(format!("L1.key.{}", entity.name), &entity.name, &column, test);
    let remedy = "Deliver an entity from one source system, or map what tells the two rows apart.".to_owned();
    Check { description, remedy, ..check }
}

/// The check of a reference. A reference to an entity that was never delivered is asked of no row. Study ids are
/// compared row by row on entry.
fn foreign_key(entity: &Entity, column: &Column, entities: &BTreeMap<String, Entity>) -> Option<Check> {
    let Reference { entity: target, is_soft } = column.references.as_ref()?;
    let known = entities.get(target).filter(|_| target != "study")?;
    let (name, source) = (&column.name, &entity.name);
    // A visit belongs to its subject; every other target is named by one column, which may have another name.
    let (row, other) = if target == "visit" {
        (format!("(r.subject_id, r.{name})"), "(t.subject_id, t.visit_num)".to_owned())
    } else {
        let same = known.key().any(|key| &key.name == name);
        let key = if same { Some(name.as_str()) } else { known.key().last().map(|key| key.name.as_str()) };
        (format!("r.{name}"), format!("t.{}", key?))
    };
    let exempt = match name.as_str() {
        "subject_id" if source == "deviation" => " AND r.subject_id <> '*'",
        "form_instance_id" => " AND NOT starts_with(r.form_instance_id, 'unlinked:')",
        "planned_arm_code" | "actual_arm_code" => {
            &format!(" AND upper(r.{name}) NOT IN ('SCRNFAIL', 'NOTASSGN', 'NOTTRT', 'UNPLAN')")
        }
        _ => "",
    };
    let of = format!("r.{name} IS NOT NULL AND EXISTS (SELECT 1 FROM {target} t){exempt}");
    let fails = format!("{row} NOT IN (SELECT {other} FROM {target} t)");
    let test = Test::Row { of, fails, once_collected: false };
    let check = generated(format!("L1.fk.{source}.{name}"), source, name, test);
    let mut reads = vec![source.clone(), target.clone()];
    reads.sort();
    reads.dedup();
    // The arm of a subject is not shown: the study may be blinded (rule R-20).
    let value = (target == "planned_arm").then(|| "NULL".to_owned());
    Some(Check {
        value,
        severity: if *is_soft { Severity::Warn } else { Severity::Error },
        description: format!("`{name}` names a row of `{target}`."),
        remedy: format!("Deliver the row of `{target}`, or correct `{name}`."),
        reads,
        ..check
    })
}

/// For each entity with expected columns: whether its source collects them at all.
fn collected(checks: &[Check]) -> Vec<Check> {
    let expected = checks.iter().filter(|check| matches!(check.test, Test::Row { once_collected: true, .. }));
    let mut entities: Vec<&str> = expected.map(|check| check.entity.as_str()).collect();
    entities.sort_unstable();
    entities.dedup();
    let one = |entity: &&str| Check {
        category: Category::Completeness,
        subcategory: "collection".to_owned(),
        severity: Severity::Info,
        description: format!("The source of `{entity}` collects every column that is expected."),
        remedy: "Map the column, or accept that this study does not collect it.".to_owned(),
        ..generated(format!("C.collected.{entity}"), entity, "*", Test::Collected)
    };
    entities.iter().map(one).collect()
}

fn over_several_entities() -> Vec<Check> {
    let drift = |id: &str, kind, description: &str, remedy: &str| Check {
        category: Category::Plausibility,
        subcategory: "drift".to_owned(),
        severity: Severity::Warn,
        description: description.to_owned(),
        remedy: remedy.to_owned(),
        ..generated(id.to_owned(), "*", "*", Test::Drift(kind))
    };
    let set_aside = Check {
        subcategory: "value".to_owned(),
        description: "Every delivered row fits the model.".to_owned(),
        remedy: "Correct the row at its source, or the mapping; see `cairn quarantine list` and `cairn quarantine replay`."
            .to_owned(),
        ..generated("L1.quarantine".to_owned(), "*", "*", Test::Quarantine)
    };
    vec![
        set_aside,
        drift(
            "L5.rows",
            Drift::Rows,
            "An entity keeps 95 % of its rows and does not triple between two snapshots.",
            "Look whether a part of the delivery is missing or came twice.",
        ),
        drift(
            "L5.removed",
            Drift::Removed,
            "A delivery removes no more than 1 % of an entity's rows.",
            "Ask the sender whether the cut was complete.",
        ),
        drift(
            "L5.nulls",
            Drift::Nulls,
            "The share of empty cells of an expected column changes by no more than 10 points.",
            "Look whether the sender renamed or dropped the column.",
        ),
        drift(
            "L5.codes",
            Drift::Codes,
            "A coded column holds no code that the former snapshot did not know.",
            "Look whether the code is a new term or a slip.",
        ),
    ]
}
