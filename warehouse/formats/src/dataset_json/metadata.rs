//! What a Dataset-JSON file says of itself.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{FORMAT, without_place};
use crate::dataset::{Column, ColumnKind, Dataset, Format, check_columns};
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

/// The members of the object that describes a dataset.
#[derive(Default)]
pub(super) struct Members(Map<String, Value>);

impl Members {
    /// Keeps a member if it is needed; whatever it is, it has to be JSON.
    pub(super) fn add(&mut self, name: &str, value: &[u8]) -> Result<(), String> {
        let failed = |error: serde_json::Error| format!("the member `{name}`: {}", without_place(&error));
        if !REQUIRED.contains(&name) {
            return serde_json::from_slice::<serde::de::IgnoredAny>(value).map(|_| ()).map_err(failed);
        }
        let value = serde_json::from_slice(value).map_err(failed)?;
        if self.0.insert(name.to_owned(), value).is_some() {
            return Err(format!("the member `{name}` occurs twice"));
        }
        Ok(())
    }

    fn text(&self, name: &'static str) -> Result<&str, String> {
        self.0[name].as_str().ok_or_else(|| format!("the member `{name}` is not a text"))
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
    if let Some(missing) = REQUIRED.iter().find(|name| !members.0.contains_key(**name)) {
        return Err(format!("it lacks the member `{missing}`, which Dataset-JSON 1.1 requires"));
    }
    let version = members.text("datasetJSONVersion")?;
    if version != "1.1" && !version.starts_with("1.1.") {
        return Err(format!("it is version `{version}`; version 1.1 is read"));
    }
    let records = members.0["records"].as_u64().ok_or("the member `records` is not a count")?;
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
        columns: columns(&members.0["columns"])?,
        rows: Some(records),
    })
}

fn columns(members: &Value) -> Result<Vec<Column>, String> {
    let members = members.as_array().ok_or("the member `columns` is not an array")?;
    members.iter().zip(1..).map(|(member, number)| column(member, number)).collect()
}

fn column(member: &Value, number: usize) -> Result<Column, String> {
    let member = ColumnMember::deserialize(member).map_err(|error| format!("column {number}: {error}"))?;
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
