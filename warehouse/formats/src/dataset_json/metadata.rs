//! What a Dataset-JSON file says of itself.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{FORMAT, without_place};
use crate::dataset::{Column, ColumnKind, Dataset, Format, check_columns};
use crate::limits::MAX_COLUMNS;
use crate::{Error, Result};

/// Members that the standard requires, rows aside.
const REQUIRED: [&str; 7] = [
    "datasetJSONCreationDateTime",
    "datasetJSONVersion",
    "itemGroupOID",
    "records",
    "name",
    "label",
    "columns",
];
/// Types of columns in the standard, and what they hold.
const DATA_TYPES: [(&str, ColumnKind); 10] = [
    ("string", ColumnKind::Text),
    ("URI", ColumnKind::Text),
    ("integer", ColumnKind::Number),
    ("decimal", ColumnKind::Number),
    ("float", ColumnKind::Number),
    ("double", ColumnKind::Number),
    ("boolean", ColumnKind::Bool),
    ("datetime", ColumnKind::Time),
    ("date", ColumnKind::Time),
    ("time", ColumnKind::Time),
];

/// Bytes of a member that is one text or one number.
const MAX_SCALAR_BYTES: usize = 1 << 16;
const COLUMNS: &str = "columns";

/// The members of the object that describes a dataset.
#[derive(Default)]
pub(super) struct Members {
    scalars: Map<String, Value>,
    columns: Option<Vec<Column>>,
}

impl Members {
    /// Keeps a member if it is needed; whatever it is, it has to be JSON.
    pub(super) fn add(&mut self, name: &str, value: &[u8]) -> Result<(), String> {
        let failed = |error: serde_json::Error| format!("the member `{name}`: {}", without_place(&error));
        if !REQUIRED.contains(&name) {
            return serde_json::from_slice::<IgnoredAny>(value).map(|_| ()).map_err(failed);
        }
        if self.has(name) {
            return Err(format!("the member `{name}` occurs twice"));
        }
        if name == COLUMNS {
            // Each is looked at by itself, so that what is none is refused before it takes much memory.
            let members: Vec<&RawValue> = serde_json::from_slice(value).map_err(failed)?;
            if members.len() > MAX_COLUMNS {
                return Err(format!("it has {} columns, the limit is {MAX_COLUMNS}", members.len()));
            }
            let columns = members.iter().zip(1..).map(|(member, number)| column(member.get(), number));
            self.columns = Some(columns.collect::<Result<_, _>>()?);
            return Ok(());
        }
        if value.len() > MAX_SCALAR_BYTES {
            return Err(format!(
                "the member `{name}` has {} bytes, the limit is {MAX_SCALAR_BYTES}",
                value.len()
            ));
        }
        self.scalars.insert(name.to_owned(), serde_json::from_slice(value).map_err(failed)?);
        Ok(())
    }

    fn has(&self, name: &str) -> bool {
        if name == COLUMNS { self.columns.is_some() } else { self.scalars.contains_key(name) }
    }

    fn text(&self, name: &'static str) -> Result<&str, String> {
        self.scalars[name].as_str().ok_or_else(|| format!("the member `{name}` is not a text"))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ColumnMember {
    #[serde(rename = "itemOID")]
    item_oid: String,
    name: String,
    label: String,
    data_type: String,
    length: Option<u32>,
    key_sequence: Option<u32>,
}

/// The dataset that the members describe.
pub(super) fn dataset(file: &str, members: &Members, format: Format) -> Result<Dataset> {
    let dataset = described(file, members, format).map_err(|reason| Error::damaged(file, FORMAT, reason))?;
    check_columns(file, FORMAT, &dataset.columns)?;
    Ok(dataset)
}

fn described(file: &str, members: &Members, format: Format) -> Result<Dataset, String> {
    if let Some(missing) = REQUIRED.iter().find(|name| !members.has(name)) {
        return Err(format!("it lacks the member `{missing}`, which Dataset-JSON 1.1 requires"));
    }
    let version = members.text("datasetJSONVersion")?;
    if version != "1.1" && !version.starts_with("1.1.") {
        return Err(format!("it is version `{version}`; version 1.1 is read"));
    }
    let records = members.scalars["records"].as_u64().ok_or("the member `records` is not a count")?;
    let name = members.text("name")?.trim().to_ascii_uppercase();
    if name.is_empty() || members.text("itemGroupOID")?.is_empty() {
        return Err("its `name` or `itemGroupOID` is empty".into());
    }
    let created = members.text("datasetJSONCreationDateTime")?;
    Ok(Dataset {
        file: file.to_owned(),
        name,
        label: members.text("label")?.to_owned(),
        format,
        encoding: "utf-8",
        // Without a zone, a time is not an instant.
        created_at: DateTime::parse_from_rfc3339(created).ok().map(|at| at.with_timezone(&Utc)),
        columns: members.columns.clone().unwrap_or_default(),
        rows: Some(records),
    })
}

fn column(member: &str, number: usize) -> Result<Column, String> {
    let member: ColumnMember = serde_json::from_str(member)
        .map_err(|error| format!("column {number}: {}", without_place(&error)))?;
    let known = DATA_TYPES.iter().find(|(name, _)| *name == member.data_type);
    let Some((type_name, kind)) = known else {
        let known = DATA_TYPES.map(|(name, _)| name).join(", ");
        return Err(format!(
            "column `{}`: its dataType `{}` is none of {known}",
            member.name, member.data_type
        ));
    };
    Ok(Column {
        label: member.label,
        length: member.length,
        oid: Some(member.item_oid),
        key_sequence: member.key_sequence,
        ..Column::new(member.name.trim(), *kind, *type_name)
    })
}
