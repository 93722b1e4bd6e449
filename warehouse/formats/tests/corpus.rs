//! Small files of every format, and the ways in which they are damaged.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Int32Type;
use arrow::ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow::ipc::{CompressionType, MetadataVersion};
use chrono::DateTime;
use formats::{Column, ColumnKind, Dataset, Format, Target, write};

/// A file that reads.
pub(crate) struct Sample {
    /// Its name, which may promise its format.
    pub(crate) name: String,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
}

/// Numbers without end from a seed (splitmix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// The next number.
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % end.max(1) as u64).unwrap_or(0)
    }
}

/// A dataset with a number, texts of several scripts and missing cells.
pub(crate) fn dataset(name: &str) -> Dataset {
    let text = |name: &str, length| Column {
        length: Some(length),
        label: format!("Label of {name}"),
        ..Column::new(name, ColumnKind::Text, "string")
    };
    Dataset {
        file: String::new(),
        name: name.to_owned(),
        label: "Adverse Events".into(),
        format: Format::Parquet,
        encoding: "utf-8",
        created_at: DateTime::from_timestamp(1_700_000_000, 0),
        columns: vec![
            Column { key_sequence: Some(1), ..text("USUBJID", 12) },
            Column { key_sequence: Some(2), ..Column::new("AESEQ", ColumnKind::Number, "integer") },
            text("AETERM", 60),
            Column::new("AEDUR", ColumnKind::Number, "double"),
            Column { length: Some(20), ..Column::new("AESTDTC", ColumnKind::Time, "date") },
        ],
        rows: None,
    }
}

/// Rows for [`dataset`].
pub(crate) fn batch(rows: usize) -> RecordBatch {
    let terms = ["HEADACHE", "Übelkeit, \"schwer\"", "頭痛", "two\nlines", ";|'\t"];
    let column = |cell: &dyn Fn(usize) -> Option<String>| {
        Arc::new((0..rows).map(cell).collect::<StringArray>()) as ArrayRef
    };
    let columns = vec![
        ("USUBJID", column(&|row| Some(format!("01-{:04}", row / 3)))),
        ("AESEQ", column(&|row| Some(row.to_string()))),
        ("AETERM", column(&|row| (row % 7 != 6).then(|| terms[row % terms.len()].to_owned()))),
        ("AEDUR", column(&|row| (row % 4 != 0).then(|| format!("{}.5", row)))),
        ("AESTDTC", column(&|row| Some(format!("2024-0{}", 1 + row % 9)))),
    ];
    RecordBatch::try_from_iter(columns).expect("columns of one length")
}

/// Numbers and a dictionary, as a foreign system would send them.
fn typed_batch() -> RecordBatch {
    let sites: DictionaryArray<Int32Type> = ["10", "20", "10", "30"].into_iter().collect();
    RecordBatch::try_from_iter(vec![
        ("SITE", Arc::new(sites) as ArrayRef),
        ("N", Arc::new(Int64Array::from(vec![Some(1), None, Some(i64::MAX), Some(-4)])) as ArrayRef),
        ("X", Arc::new(Float64Array::from(vec![0.1, 2.0, f64::NAN, 1e300])) as ArrayRef),
    ])
    .expect("columns of one length")
}

fn arrow_bytes(compression: Option<CompressionType>) -> [Vec<u8>; 2] {
    let options = IpcWriteOptions::try_new(64, false, MetadataVersion::V5)
        .and_then(|options| options.try_with_compression(compression))
        .expect("options that exist");
    let batch = typed_batch();
    let (mut file, mut stream) = (Vec::new(), Vec::new());
    let schema = batch.schema();
    let mut writer = FileWriter::try_new_with_options(&mut file, &schema, options.clone()).expect("a writer");
    writer.write(&batch).and_then(|()| writer.finish()).expect("it writes");
    drop(writer);
    let mut writer = StreamWriter::try_new_with_options(&mut stream, &schema, options).expect("a writer");
    writer.write(&batch).and_then(|()| writer.finish()).expect("it writes");
    drop(writer);
    [file, stream]
}

/// A file of every format that this crate can make, written into `folder` on the way.
pub(crate) fn corpus(folder: &Path) -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut wide = dataset("AELONG");
    wide.columns[2] =
        Column { length: Some(300), ..Column::new("AETERM_OF_MANY_LETTERS", ColumnKind::Text, "string") };
    let targets = [
        ("ae5.xpt", Target::Xpt, dataset("AE")),
        ("ae8.xpt", Target::Xpt, wide),
        ("ae.json", Target::DatasetJson, dataset("AE")),
        ("ae.ndjson", Target::DatasetNdjson, dataset("AE")),
        ("ae.dsjc", Target::Dsjc, Dataset { rows: Some(40), ..dataset("AE") }),
        ("ae.csv", Target::Csv, dataset("AE")),
        ("ae.parquet", Target::Parquet, dataset("AE")),
    ];
    for (name, target, dataset) in targets {
        let path = folder.join(name);
        write(&path, &dataset, target, [batch(40)]).expect(name);
        samples.push(Sample { name: name.to_owned(), bytes: fs::read(&path).expect("it was written") });
    }
    let arrow =
        [("plain", None), ("lz4", Some(CompressionType::LZ4_FRAME)), ("zstd", Some(CompressionType::ZSTD))];
    for (kind, compression) in arrow {
        let [file, stream] = arrow_bytes(compression);
        samples.push(Sample { name: format!("{kind}.arrow"), bytes: file });
        samples.push(Sample { name: format!("{kind}.arrows"), bytes: stream });
    }
    let xml = [
        ("snapshot_1_3.xml", include_str!("../src/odm/tests/snapshot_1_3.xml")),
        ("transactions_1_3.xml", include_str!("../src/odm/tests/transactions_1_3.xml")),
        ("snapshot_2_0.xml", include_str!("../src/odm/tests/snapshot_2_0.xml")),
    ];
    samples.extend(xml.map(|(name, text)| Sample { name: name.to_owned(), bytes: text.into() }));
    samples
}

/// Damages a file in one of many ways.
pub(crate) fn damage(bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let length = bytes.len().max(1);
    match dice.below(9) {
        0 => bytes.truncate(dice.below(length)),
        1 => {
            for _ in 0..=dice.below(4) {
                flip(&mut bytes, dice);
            }
        }
        // Numbers that lie: all bits set, or one of a few favourites, at any place.
        2 => overwrite(&mut bytes, dice, &[0xff; 8]),
        3 => overwrite(&mut bytes, dice, &[0x7f, 0xff, 0xff, 0xff]),
        4 => overwrite(&mut bytes, dice, &[0; 8]),
        // The end, where footers stand.
        5 => {
            let at = length - dice.below(length.min(64)) - 1;
            if let Some(byte) = bytes.get_mut(at) {
                *byte = u8::try_from(dice.below(256)).unwrap_or(0);
            }
        }
        // Four bytes the other way round.
        6 => {
            let at = dice.below(length);
            if let Some(word) = bytes.get_mut(at..at + 4) {
                word.reverse();
            }
        }
        7 => {
            let (from, size) = (dice.below(length), dice.below(200));
            let piece = bytes[from.min(bytes.len())..(from + size).min(bytes.len())].to_vec();
            let at = dice.below(length).min(bytes.len());
            bytes.splice(at..at, piece);
        }
        _ => {
            let from = dice.below(length).min(bytes.len());
            let to = (from + 1 + dice.below(100)).min(bytes.len());
            bytes.drain(from..to);
        }
    }
    bytes
}

fn flip(bytes: &mut [u8], dice: &mut Dice) {
    let at = dice.below(bytes.len());
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << dice.below(8);
    }
}

fn overwrite(bytes: &mut [u8], dice: &mut Dice, with: &[u8]) {
    let at = dice.below(bytes.len());
    for (byte, new) in bytes.iter_mut().skip(at).zip(with) {
        *byte = *new;
    }
}
