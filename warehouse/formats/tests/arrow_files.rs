//! Parquet and Arrow files with the types that foreign systems send.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float32Array,
    Float64Array, Int64Array, ListArray, RecordBatch, StringArray, StringViewArray, StructArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Int32Type};
use arrow::ipc::writer::{FileWriter, StreamWriter};
use formats::{ColumnKind, Format};
use parquet::arrow::ArrowWriter;

use crate::table::{Table, table};

fn batch() -> RecordBatch {
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1)]), None]);
    let inner: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let nested = StructArray::from(vec![(Arc::new(Field::new("a", DataType::Int64, true)), inner)]);
    let sites: DictionaryArray<Int32Type> = ["10", "10"].into_iter().collect();
    let at = TimestampMicrosecondArray::from(vec![Some(1_700_000_000_000_000), None]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("TEXT", Arc::new(StringArray::from(vec![Some("é"), Some("")]))),
        ("VIEW", Arc::new(StringViewArray::from(vec![Some("a view of more than twelve bytes"), None]))),
        ("SITE", Arc::new(sites)),
        ("F32", Arc::new(Float32Array::from(vec![0.1, -0.0]))),
        ("F64", Arc::new(Float64Array::from(vec![Some(7.0), Some(f64::NAN)]))),
        (
            "DEC",
            Arc::new(
                Decimal128Array::from(vec![Some(12_345), None])
                    .with_precision_and_scale(9, 2)
                    .expect("it fits"),
            ),
        ),
        ("YES", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("DAY", Arc::new(Date32Array::from(vec![Some(19_675), None]))),
        ("AT", Arc::new(at.with_timezone("+02:00"))),
        ("LIST", Arc::new(list)),
        ("NEST", Arc::new(nested)),
    ];
    RecordBatch::try_from_iter(columns).expect("columns of one length")
}

fn check(table: &Table) {
    let cells = |name| table.column(name);
    assert_eq!(cells("TEXT"), [Some("é"), None]);
    assert_eq!(cells("VIEW"), [Some("a view of more than twelve bytes"), None]);
    assert_eq!(cells("SITE"), [Some("10"), Some("10")]);
    assert_eq!(cells("F32"), [Some("0.1"), Some("0")]);
    assert_eq!(cells("F64"), [Some("7"), None]);
    assert_eq!(cells("DEC"), [Some("123.45"), None]);
    assert_eq!(cells("YES"), [Some("true"), None]);
    assert_eq!(cells("DAY"), [Some("2023-11-14"), None]);
    assert_eq!(cells("AT"), [Some("2023-11-14T22:13:20"), None]);
    assert_eq!(cells("LIST"), [None, None]);
    let kind = |name| table.dataset.columns[table.dataset.position(name).expect("it is there")].kind;
    assert_eq!((kind("LIST"), kind("NEST")), (ColumnKind::Other, ColumnKind::Other));
    assert_eq!(
        (kind("SITE"), kind("DEC"), kind("AT")),
        (ColumnKind::Text, ColumnKind::Number, ColumnKind::Time)
    );
}

fn written(folder: &Path, batch: &RecordBatch) -> [Table; 3] {
    let create = |name: &str| File::create(folder.join(name)).expect("a file");
    let schema = batch.schema();
    let mut writer = ArrowWriter::try_new(create("x.parquet"), schema.clone(), None).expect("a writer");
    writer.write(batch).expect("it writes");
    writer.close().expect("it ends");
    let mut writer = FileWriter::try_new(create("x.arrow"), &schema).expect("a writer");
    writer.write(batch).and_then(|()| writer.finish()).expect("it writes");
    let mut writer = StreamWriter::try_new(create("x.arrows"), &schema).expect("a writer");
    writer.write(batch).and_then(|()| writer.finish()).expect("it writes");
    ["x.parquet", "x.arrow", "x.arrows"].map(|name| table(&folder.join(name)).expect("it reads"))
}

#[test]
fn every_type_becomes_what_a_person_would_write() {
    let folder = tempfile::tempdir().expect("a folder");
    let tables = written(folder.path(), &batch());
    let formats = tables.each_ref().map(|table| table.dataset.format);
    assert_eq!(formats, [Format::Parquet, Format::ArrowFile, Format::ArrowStream]);
    tables.iter().for_each(check);
}

#[test]
fn a_long_text_that_a_dictionary_holds_once_comes_in_small_batches() {
    let folder = tempfile::tempdir().expect("a folder");
    let long = "x".repeat(1 << 20);
    let texts: DictionaryArray<Int32Type> = std::iter::repeat_n(long.as_str(), 100).collect();
    let plain: StringArray = std::iter::repeat_n(Some(long.as_str()), 100).collect();
    for column in [Arc::new(texts) as ArrayRef, Arc::new(plain) as ArrayRef] {
        let batch = RecordBatch::try_from_iter([("A", column)]).expect("a column");
        written(folder.path(), &batch);
        for name in ["x.parquet", "x.arrow", "x.arrows"] {
            let path = folder.path().join(name);
            let dataset = formats::datasets(&path).expect("it is sound").remove(0);
            let mut source = formats::open(&path, &dataset).expect("it opens");
            let mut rows = 0;
            while let Some(batch) = source.next_batch().expect("it reads") {
                let texts = batch.column(0).as_string::<i32>();
                let bytes: usize = texts.iter().flatten().map(str::len).sum();
                assert!(bytes <= 64 << 20, "{name}: {bytes}");
                rows += batch.num_rows();
            }
            assert_eq!(rows, 100, "{name}");
        }
    }
}
