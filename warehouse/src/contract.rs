//! The unified model: 32 entities and their columns, read from `contract.csv`, which is the contract.
//!
//! The table is data so that documentation, checks and code come from one place.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use crate::{Error, Result};

mod allowed;
mod json_schema;
mod page;

pub use allowed::{Allowed, Bound};
pub use json_schema::json_schema;
pub use page::{entity_page, page};

const CONTRACT: &str = include_str!("../contract.csv");
/// What one row of each entity is, in words.
const ABOUT: &str = include_str!("contract/entities.csv");

/// Digits of a `visit_num` in all, and after the point.
pub const VISIT_NUM: (u8, i8) = (9, 4);

/// What a canon column can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// Verbatim text; empty is null.
    Text,
    /// Whole number of 8 bits.
    Int8,
    /// Whole number of 32 bits.
    Int32,
    /// Whole number of 64 bits.
    Int64,
    /// Floating point; never NaN.
    Float64,
    /// Yes or no.
    Bool,
    /// A complete calendar day.
    Date,
    /// An instant in UTC, microseconds.
    Timestamp,
    /// A visit number: `decimal(9,4)`, because 3.1 and 201.0 are joined on.
    VisitNumber,
    /// A list of texts.
    TextList,
}

impl ColumnType {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "utf8" => Self::Text,
            "int8" => Self::Int8,
            "int32" => Self::Int32,
            "int64" => Self::Int64,
            "float64" => Self::Float64,
            "bool" => Self::Bool,
            "date32" => Self::Date,
            "timestamp[us,UTC]" => Self::Timestamp,
            "decimal128(9,4)" => Self::VisitNumber,
            "list<utf8>" => Self::TextList,
            _ => return None,
        })
    }

    /// Its name in the contract.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "utf8",
            Self::Int8 => "int8",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Float64 => "float64",
            Self::Bool => "bool",
            Self::Date => "date32",
            Self::Timestamp => "timestamp[us,UTC]",
            Self::VisitNumber => "decimal128(9,4)",
            Self::TextList => "list<utf8>",
        }
    }

    /// The Arrow type that holds it.
    #[must_use]
    pub fn arrow(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Int8 => DataType::Int8,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::Float64 => DataType::Float64,
            Self::Bool => DataType::Boolean,
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::VisitNumber => DataType::Decimal128(VISIT_NUM.0, VISIT_NUM.1),
            Self::TextList => DataType::List(Arc::new(Field::new("item", DataType::Utf8, true))),
        }
    }
}

/// One column of an entity.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name in canon.
    pub name: String,
    /// What it holds.
    pub kind: ColumnType,
    /// Whether it may be null.
    pub nullable: bool,
    /// Whether it is part of the natural key.
    pub is_key: bool,
    /// The entity it names a row of.
    pub references: Option<Reference>,
    /// The rule in words; empty when there is none.
    pub rule: String,
    /// What of the rule is checked on every row.
    pub allowed: Allowed,
    /// Where SDTM, ODM, EDC and CTMS have it, in words; empty where they do not.
    pub clinical_source: String,
    /// Where OMOP CDM 5.4 has it, in words; empty where it does not.
    pub omop_source: String,
}

/// A column that names a row of another entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The other entity.
    pub entity: String,
    /// Whether the named row may be absent.
    pub is_soft: bool,
}

impl Reference {
    /// Reads `FK:visit(soft)` out of a list of key marks.
    fn parse(key: &str) -> Option<Self> {
        let name = key.split(',').find_map(|part| part.strip_prefix("FK:"))?;
        let (entity, is_soft) = name.strip_suffix("(soft)").map_or((name, false), |entity| (entity, true));
        Some(Self { entity: entity.to_owned(), is_soft })
    }
}

impl Column {
    /// Whether canon derives day, bounds and precision from this column (`x_dtc`).
    #[must_use]
    pub fn is_partial_date(&self) -> bool {
        self.kind == ColumnType::Text && self.name.ends_with("_dtc")
    }
}

/// One table of canon.
#[derive(Debug, Clone)]
pub struct Entity {
    /// Its name.
    pub name: String,
    /// What one row of it is, in words.
    pub about: String,
    /// `reference`, `clinical` or `operational`.
    pub class: String,
    /// Its business columns in contract order, which is the order of the row hash.
    pub columns: Vec<Column>,
}

impl Entity {
    /// The column of that name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The columns of the natural key, in contract order.
    pub fn key(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.is_key)
    }

    /// Every column of the entity's canon files: business columns, those derived from partial dates, and
    /// the system columns.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        let mut fields: Vec<Field> = Vec::new();
        for column in &self.columns {
            fields.push(Field::new(&column.name, column.kind.arrow(), column.nullable));
        }
        for column in self.columns.iter().filter(|column| column.is_partial_date()) {
            fields.extend(derived_date_fields(&column.name));
        }
        fields.extend(system_fields());
        Arc::new(Schema::new(fields))
    }
}

/// The four columns that canon derives from `x_dtc`: the day if it is complete, its bounds, its precision.
fn derived_date_fields(dtc: &str) -> [Field; 4] {
    let stem = dtc.trim_end_matches("_dtc");
    [
        Field::new(format!("{stem}_date"), DataType::Date32, true),
        Field::new(format!("{stem}_min"), DataType::Date32, true),
        Field::new(format!("{stem}_max"), DataType::Date32, true),
        Field::new(format!("{stem}_prec"), DataType::Utf8, false),
    ]
}

/// The system columns of every canon row. `sys_to_ts` is not stored: a file is never rewritten, so the end
/// of a version is the start of the next one.
#[must_use]
pub fn system_fields() -> Vec<Field> {
    let instant = || ColumnType::Timestamp.arrow();
    vec![
        Field::new("row_id", DataType::FixedSizeBinary(16), false),
        Field::new("source_system", DataType::Utf8, false),
        Field::new("source_record_id", DataType::Utf8, false),
        Field::new("batch_id", DataType::Utf8, false),
        Field::new("source_extract_ts", instant(), false),
        Field::new("row_hash", DataType::FixedSizeBinary(32), false),
        Field::new("sys_from_ts", instant(), false),
        Field::new("op", DataType::Utf8, false),
        Field::new("dq_status", DataType::Utf8, false),
        Field::new("source_dataset", DataType::Utf8, false),
        Field::new("source_row", DataType::Int64, false),
    ]
}

/// All entities by name.
///
/// # Errors
/// [`Error::Contract`] if the embedded table is not well formed, which a test rules out.
pub fn entities() -> Result<&'static BTreeMap<String, Entity>> {
    static ENTITIES: LazyLock<Result<BTreeMap<String, Entity>, String>> =
        LazyLock::new(|| parse(CONTRACT, ABOUT));
    ENTITIES.as_ref().map_err(|reason| Error::Contract { reason: reason.clone() })
}

/// The entity of that name.
///
/// # Errors
/// [`Error::Contract`] if there is none.
pub fn entity(name: &str) -> Result<&'static Entity> {
    entities()?.get(name).ok_or_else(|| Error::Contract { reason: format!("there is no entity `{name}`") })
}

fn parse(table: &str, about: &str) -> Result<BTreeMap<String, Entity>, String> {
    let mut entities: BTreeMap<String, Entity> = BTreeMap::new();
    let about = described(about)?;
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    for row in reader.records() {
        let row = row.map_err(|error| error.to_string())?;
        let [name, class, column, kind, nullable, key, rule, clinical, omop] =
            [0, 1, 2, 3, 4, 5, 6, 7, 8].map(|index| row.get(index).unwrap_or_default());
        if class == "system" {
            continue;
        }
        let kind = ColumnType::parse(kind).ok_or_else(|| format!("`{name}.{column}` has type `{kind}`"))?;
        let entity = entities.entry(name.to_owned()).or_insert_with(|| Entity {
            name: name.to_owned(),
            about: about.get(name).cloned().unwrap_or_default(),
            class: class.to_owned(),
            columns: Vec::new(),
        });
        entity.columns.push(Column {
            name: column.to_owned(),
            kind,
            nullable: nullable == "YES",
            is_key: key.split(',').any(|part| part == "PK"),
            references: Reference::parse(key),
            rule: stated(rule),
            allowed: Allowed::parse(rule, kind),
            clinical_source: stated(clinical),
            omop_source: stated(omop),
        });
    }
    share_lists(&mut entities)?;
    Ok(entities)
}

fn described(table: &str) -> Result<BTreeMap<String, String>, String> {
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let rows = reader.records().map(|row| row.map_err(|error| error.to_string()));
    let pair = |row: csv::StringRecord| {
        (row.get(0).unwrap_or_default().to_owned(), row.get(1).unwrap_or_default().to_owned())
    };
    rows.map(|row| row.map(pair)).collect()
}

/// The contract writes `-` for nothing.
fn stated(text: &str) -> String {
    if text == "-" { String::new() } else { text.to_owned() }
}

/// `same list as query.state`: a list that stands once.
fn share_lists(entities: &mut BTreeMap<String, Entity>) -> Result<(), String> {
    let places: Vec<(String, String)> = entities
        .values()
        .flat_map(|entity| entity.columns.iter())
        .filter_map(|column| column.rule.strip_prefix("same list as ")?.split_once('.'))
        .map(|(entity, column)| (entity.to_owned(), column.to_owned()))
        .collect();
    for (entity, column) in places {
        let place = format!("{entity}.{column}");
        let shared = entities.get(&entity).and_then(|entity| entity.column(&column));
        let shared =
            shared.ok_or_else(|| format!("a list is said to be that of `{place}`, which is not there"))?;
        let shared = shared.allowed.clone();
        for column in entities.values_mut().flat_map(|entity| &mut entity.columns) {
            if column.rule.strip_prefix("same list as ") == Some(&place) {
                column.allowed = shared.clone();
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_has_32_entities_and_419_columns() {
        let entities = entities().expect("the contract is well formed");
        assert_eq!(entities.len(), 32);
        assert_eq!(entities.values().map(|entity| entity.columns.len()).sum::<usize>(), 419);
    }

    /// Counted in `contract.csv` by hand: 29 closed lists, one of which is another's.
    #[test]
    fn the_closed_lists_of_the_contract_are_known() {
        let allowed = |entity_name: &str, name: &str| {
            entity(entity_name)
                .expect("it is an entity")
                .column(name)
                .expect("it is a column")
                .allowed
                .clone()
        };
        assert!(allowed("query", "state").allows("CANDIDATE"));
        assert_eq!(allowed("query_event", "to_state"), allowed("query", "state"));
        assert!(!allowed("subject", "status").allows("ALIVE"));
        assert_eq!(allowed("subject", "sex"), Allowed::Any);
        let entities = entities().expect("the contract is well formed");
        let lists: Vec<String> = entities
            .values()
            .flat_map(|entity| entity.columns.iter().map(move |column| (entity, column)))
            .filter(|(_, column)| matches!(column.allowed, Allowed::OneOf(_)))
            .map(|(entity, column)| format!("{}.{}", entity.name, column.name))
            .collect();
        assert_eq!(lists.len(), 29, "{lists:?}");
    }

    #[test]
    fn every_entity_has_a_natural_key() {
        for entity in entities().expect("the contract is well formed").values() {
            assert!(entity.key().count() > 0, "{}", entity.name);
            assert!(!entity.about.is_empty(), "{}", entity.name);
        }
    }

    #[test]
    fn the_key_of_a_visit_allows_a_repeat() {
        let visit = entity("visit").expect("visit is an entity");
        let key: Vec<_> = visit.key().map(|column| column.name.as_str()).collect();
        assert_eq!(key, ["study_id", "subject_id", "visit_num", "visit_repeat"]);
    }
}
