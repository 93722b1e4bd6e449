//! An entity as JSON Schema (2020-12): what a sender can check rows against before they are sent.

use serde_json::{Map, Value, json};

use super::{Allowed, Bound, Column, ColumnType, Entity};

/// The schema of one row of `entity`: an object with the business columns, of which those that may not be null
/// are required. Its dialect is 2020-12.
#[must_use]
pub fn json_schema(entity: &Entity) -> Value {
    let columns = entity.columns.iter();
    let properties: Map<String, Value> =
        columns.clone().map(|column| (column.name.clone(), property(column))).collect();
    let required: Vec<&str> =
        columns.filter(|column| !column.nullable).map(|column| column.name.as_str()).collect();
    let key: Vec<&str> = entity.key().map(|column| column.name.as_str()).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("urn:cairn:model:{}", entity.name),
        "$comment": format!("natural key: {}", key.join(", ")),
        "title": entity.name,
        "description": entity.about,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn property(column: &Column) -> Value {
    let mut property = type_of(column.kind);
    restrict(&mut property, &column.allowed);
    if column.nullable {
        let name = property.remove("type").unwrap_or_default();
        property.insert("type".into(), json!([name, "null"]));
        if let Some(Value::Array(values)) = property.get_mut("enum") {
            values.push(Value::Null);
        }
    }
    let description = description(column);
    if !description.is_empty() {
        property.insert("description".into(), description.into());
    }
    Value::Object(property)
}

fn type_of(kind: ColumnType) -> Map<String, Value> {
    let described = match kind {
        ColumnType::Text => json!({ "type": "string" }),
        ColumnType::Int8 => json!({ "type": "integer", "minimum": i8::MIN, "maximum": i8::MAX }),
        ColumnType::Int32 => json!({ "type": "integer", "minimum": i32::MIN, "maximum": i32::MAX }),
        ColumnType::Int64 => json!({ "type": "integer", "minimum": i64::MIN, "maximum": i64::MAX }),
        ColumnType::Float64 => json!({ "type": "number" }),
        ColumnType::Bool => json!({ "type": "boolean" }),
        ColumnType::Date => json!({ "type": "string", "format": "date" }),
        ColumnType::Timestamp => json!({ "type": "string", "format": "date-time" }),
        // Five digits before the point and four after it.
        ColumnType::VisitNumber => {
            json!({ "type": "number", "exclusiveMinimum": -100_000, "exclusiveMaximum": 100_000 })
        }
        ColumnType::TextList => json!({ "type": "array", "items": { "type": "string" } }),
    };
    match described {
        Value::Object(described) => described,
        _ => Map::new(),
    }
}

fn restrict(property: &mut Map<String, Value>, allowed: &Allowed) {
    match allowed {
        Allowed::Any => {}
        Allowed::OneOf(values) => {
            property.insert("enum".into(), json!(values));
        }
        Allowed::Range { least, greatest } => {
            let mut bound = |inclusive: &str, exclusive: &str, bound: Option<Bound>| {
                let Some(bound) = bound else { return };
                // The bound of the type is the wider one.
                property.remove(inclusive);
                let name = if bound.inclusive { inclusive } else { exclusive };
                property.insert(name.to_owned(), number(bound.value));
            };
            bound("minimum", "exclusiveMinimum", *least);
            bound("maximum", "exclusiveMaximum", *greatest);
        }
        Allowed::Length { fewest, most } => {
            property.insert("minLength".into(), json!(fewest));
            property.insert("maxLength".into(), json!(most));
        }
        Allowed::Day => {
            property.insert("format".into(), json!("date"));
        }
    }
}

/// A whole number without a point.
fn number(value: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "a bound of the contract is a small number")]
    let whole = value as i64;
    if value.fract() == 0.0 { json!(whole) } else { json!(value) }
}

fn description(column: &Column) -> String {
    let partial = if column.is_partial_date() { "ISO 8601, as far as it is known" } else { "" };
    let parts = [partial, column.rule.as_str()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract;

    #[test]
    fn a_schema_has_types_lists_bounds_and_formats() {
        let schema = |name: &str| json_schema(contract::entity(name).expect("it is an entity"));
        let query = schema("query");
        let state = &query["properties"]["state"];
        assert_eq!(state["enum"], json!(["CANDIDATE", "OPEN", "ANSWERED", "CLOSED", "CANCELLED"]));
        assert_eq!(state["type"], json!("string"));
        assert_eq!(query["properties"]["closed_ts"]["type"], json!(["string", "null"]));
        assert_eq!(query["properties"]["closed_ts"]["format"], json!("date-time"));
        assert_eq!(query["properties"]["n_reopened"]["minimum"], json!(0));
        let lab = schema("lab_result");
        assert_eq!(lab["properties"]["toxicity_direction"]["enum"], json!(["LOW", "HIGH", null]));
        assert_eq!(lab["properties"]["toxicity_grade"]["maximum"], json!(5));
        assert_eq!(lab["$comment"], json!("natural key: study_id, subject_id, lb_seq"));
    }

    #[test]
    fn exactly_the_columns_that_may_not_be_null_are_required() {
        for entity in contract::entities().expect("the contract is well formed").values() {
            let schema = json_schema(entity);
            let required = schema["required"].as_array().map_or(0, Vec::len);
            assert_eq!(
                required,
                entity.columns.iter().filter(|column| !column.nullable).count(),
                "{}",
                entity.name
            );
            assert_eq!(schema["properties"].as_object().map_or(0, Map::len), entity.columns.len());
        }
    }
}
