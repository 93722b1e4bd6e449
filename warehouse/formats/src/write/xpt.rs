//! SAS transport files: version 5 where it can hold the dataset, else version 8.

use std::fs::File;
use std::io::BufWriter;

use arrow::array::{Array, StringArray};
use chrono::{DateTime, Datelike, Timelike, Utc};
use sas_xport::sas::xport::{
    XportDatasetVersion, XportError, XportFileVersion, XportMetadata, XportSchema, XportValue, XportVariable,
    XportVariableBuilder, XportWriter, XportWriterWithSchema,
};
use sas_xport::sas::{SasDateTime, SasMonth, SasVariableType};

use super::{Place, Sink, text_at};
use crate::Result;
use crate::dataset::{Column, ColumnKind, Dataset};

/// Of version 5: bytes of a name, a label, a text.
const V5: (usize, usize, u32) = (8, 40, 200);
/// Of version 8.
const V8: (usize, usize, u32) = (32, 256, 32_767);
/// Between them lies every number that the format can hold.
const SMALLEST: f64 = 5.4e-79;
const LARGEST: f64 = 7.2e75;
const MONTHS: [SasMonth; 12] = [
    SasMonth::January,
    SasMonth::February,
    SasMonth::March,
    SasMonth::April,
    SasMonth::May,
    SasMonth::June,
    SasMonth::July,
    SasMonth::August,
    SasMonth::September,
    SasMonth::October,
    SasMonth::November,
    SasMonth::December,
];

pub(super) struct XptSink {
    writer: XportWriterWithSchema<BufWriter<File>>,
    place: Place,
    columns: Vec<Column>,
}

impl XptSink {
    pub(super) fn begin(file: File, place: Place, dataset: &Dataset) -> Result<Self> {
        check(&place, dataset)?;
        let is_v5 = fits(dataset, V5);
        let at = instant(dataset.created_at.unwrap_or(DateTime::UNIX_EPOCH));
        let failed = |error: XportError| place.unwritable(error.to_string());
        let (file_version, version) = if is_v5 {
            (XportFileVersion::V5, XportDatasetVersion::V5)
        } else {
            (XportFileVersion::V8, XportDatasetVersion::V8)
        };
        let metadata = XportMetadata::builder()
            .xport_file_version(file_version)
            .sas_version("9.4")
            .created(at)
            .modified(at)
            .build();
        let schema = XportSchema::builder()
            .xport_dataset_version(version)
            .dataset_name(dataset.name.as_str())
            .dataset_label(dataset.label.as_str())
            .version("9.4")
            .created(at)
            .modified(at)
            .add_variables(dataset.columns.iter().map(|column| variable(column, is_v5)))
            .try_build()
            .map_err(failed)?;
        let out = BufWriter::with_capacity(1 << 18, file);
        let writer = XportWriter::from_writer(out, metadata).and_then(|writer| writer.write_schema(schema));
        Ok(Self { writer: writer.map_err(failed)?, columns: dataset.columns.clone(), place })
    }

    fn value<'a>(&self, column: usize, text: &'a str, row: u64) -> Result<XportValue<'a>> {
        let meta = &self.columns[column];
        let refused = |reason: String| {
            Err(self.place.unwritable(format!("row {row}, column `{}`: {reason}", meta.name)))
        };
        if meta.kind == ColumnKind::Number {
            if text.is_empty() {
                return Ok(XportValue::Number(f64::NAN));
            }
            return match text.parse::<f64>() {
                Ok(number) if number == 0.0 || (SMALLEST..=LARGEST).contains(&number.abs()) => {
                    Ok(XportValue::Number(number))
                }
                _ => refused(format!("`{text}` is not a number that the format can hold")),
            };
        }
        let length = meta.length.unwrap_or_default() as usize;
        if text.len() > length {
            return refused(format!("a text of {} bytes is longer than its column, {length}", text.len()));
        }
        // The format fills with blanks: those at the end of a text would be lost.
        if text.ends_with([' ', '\0']) {
            return refused("a text that ends with a blank cannot be kept".into());
        }
        Ok(XportValue::from(text))
    }
}

impl Sink for XptSink {
    fn write(&mut self, columns: &[&StringArray], row: u64) -> Result<()> {
        let count = columns.first().copied().map_or(0, Array::len);
        for (at, number) in (0..count).zip(row + 1..) {
            let values = columns.iter().enumerate();
            let values = values.map(|(place, column)| self.value(place, text_at(column, at), number));
            let values: Vec<XportValue<'_>> = values.collect::<Result<_>>()?;
            self.writer
                .write_record(&values)
                .map_err(|error| self.place.unwritable(format!("row {number}: {error}")))?;
        }
        Ok(())
    }

    fn close(self: Box<Self>, _: u64) -> Result<()> {
        let Self { writer, place, .. } = *self;
        let out = writer.set_count_and_finish().map_err(|error| place.unwritable(error.to_string()))?;
        let file = out.into_inner().map_err(|error| place.io(error.into_error()))?;
        file.sync_all().map_err(|source| place.io(source))
    }
}

/// Names the first thing that not even version 8 can hold.
fn check(place: &Place, dataset: &Dataset) -> Result<()> {
    for column in &dataset.columns {
        let name = &column.name;
        if column.kind != ColumnKind::Number && column.length.is_none_or(|length| length == 0) {
            return Err(place.unwritable(format!(
                "column `{name}` has no length, which the format states: set `length`"
            )));
        }
    }
    if fits(dataset, V8) {
        return Ok(());
    }
    let (name, label, text) = V8;
    Err(place.unwritable(format!(
        "version 8 holds names of {name} bytes, labels of {label} and texts of {text}; dataset `{}` has longer ones",
        dataset.name
    )))
}

fn fits(dataset: &Dataset, (name, label, text): (usize, usize, u32)) -> bool {
    let column_fits = |column: &Column| {
        let is_text = column.kind != ColumnKind::Number;
        let length = column.length.filter(|_| is_text).unwrap_or_default();
        column.name.len() <= name && column.label.len() <= label && length <= text
    };
    // The dataset's own label has 40 bytes in either version.
    dataset.name.len() <= name && dataset.label.len() <= V5.1 && dataset.columns.iter().all(column_fits)
}

fn variable(column: &Column, is_v5: bool) -> XportVariableBuilder {
    let mut variable = XportVariable::builder();
    if column.kind == ColumnKind::Number {
        variable.value_type(SasVariableType::Numeric).value_length(8);
    } else {
        let length = u16::try_from(column.length.unwrap_or_default()).unwrap_or(u16::MAX);
        variable.value_type(SasVariableType::Character).value_length(length);
    }
    if is_v5 {
        variable.short_name(column.name.as_str()).short_label(column.label.as_str());
    } else {
        variable.full_name(column.name.as_str());
        variable.long_label(column.label.as_str());
        variable.short_label(&column.label[..column.label.floor_char_boundary(V5.1)]);
    }
    variable
}

/// The format's own form of an instant: two digits of the year, no zone.
fn instant(at: DateTime<Utc>) -> SasDateTime {
    let two = |number: u32| u8::try_from(number % 100).unwrap_or(0);
    SasDateTime::builder()
        .year(u8::try_from(at.year().rem_euclid(100)).unwrap_or(0))
        .month(MONTHS[at.month0() as usize])
        .day(two(at.day()))
        .hour(two(at.hour()))
        .minute(two(at.minute()))
        .second(two(at.second()))
        .build()
}
