//! Five hundred bad files: each is read or refused, none breaks the reader or takes the memory of the machine.

use std::fs;
use std::sync::Arc;

use arrow::array::{ArrayRef, NullArray, RecordBatch};
use arrow::ipc::writer::StreamWriter;

use crate::attack::attack;
use crate::corpus::{Dice, Sample, corpus, damage};
use crate::oracle::studies;

/// The most memory that this process ever held, in KiB.
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Files that are made for harm, with what their refusal has to say.
fn made_for_harm() -> Vec<(String, Vec<u8>, &'static str)> {
    let names: Vec<String> = (0..100_000).map(|number| format!("C{number}")).collect();
    let mut long_cell = b"A,B\n1,".to_vec();
    long_cell.resize((17 << 20) + 7, b'x');
    let mut open_quote = b"A,B\n1,\"".to_vec();
    open_quote.resize(70 << 20, b'y');
    let json = |records: &str, rows: &str| {
        format!(
            "{{\"datasetJSONCreationDateTime\":\"2024-01-01T00:00:00\",\"datasetJSONVersion\":\"1.1.0\",\
             \"itemGroupOID\":\"IG.X\",\"records\":{records},\"name\":\"X\",\"label\":\"\",\"columns\":\
             [{{\"itemOID\":\"IT.X.A\",\"name\":\"A\",\"label\":\"\",\"dataType\":\"string\"}}],\"rows\":[{rows}]}}"
        )
        .into_bytes()
    };
    let deep = format!("[{}", "[".repeat(100_000));
    let bomb = vec![b' '; 64 << 20];
    vec![
        ("wide.csv".into(), (names.join(",") + "\n").into_bytes(), "limit"),
        ("long.csv".into(), long_cell, "limit"),
        ("quote.csv".into(), open_quote, "quote"),
        ("zero.csv".into(), b"A,B\n1,\0\n".to_vec(), "column `B`"),
        ("utf16.csv".into(), b"\xff\xfeA\0,\0B\0\n\0\x00\xd8\n\0".to_vec(), "UTF-16"),
        ("marked.csv".into(), b"\xef\xbb\xbfA,B\n1,\xff\n".to_vec(), "UTF-8"),
        ("many.json".into(), json("5000000000", "[\"a\"]"), "5000000000"),
        ("negative.json".into(), json("-1", "[\"a\"]"), "records"),
        ("deep.json".into(), json("1", &deep), "cut short"),
        ("bytes.json".into(), [&json("1", "[\"")[..], b"\xff\xfe\"]]}"].concat(), "byte"),
        ("bomb.dsjc".into(), packed(&bomb), "become"),
        (
            "huge.parquet".into(),
            [b"PAR1".as_slice(), &[0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0], &[8, 0, 0, 0], b"PAR1"]
                .concat(),
            "footer",
        ),
        ("nothing.arrows".into(), nothing(1 << 40), "rows"),
        ("huge.arrows".into(), [[0xff; 4], [0xff, 0xff, 0xff, 0x7f]].concat(), "promises"),
    ]
}

/// An Arrow stream of a few hundred bytes, with as many rows of nothing as are asked for.
fn nothing(rows: usize) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter([("X", Arc::new(NullArray::new(rows)) as ArrayRef)]);
    let batch = batch.expect("one column");
    let mut stream = Vec::new();
    let mut writer = StreamWriter::try_new(&mut stream, &batch.schema()).expect("a writer");
    writer.write(&batch).and_then(|()| writer.finish()).expect("it writes");
    drop(writer);
    stream
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes it")
}

#[test]
fn five_hundred_bad_files_are_read_or_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let harmful = made_for_harm();
    for (name, bytes, reason) in &harmful {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("it is written");
        let error = attack(&path).expect_err(name);
        assert!(error.to_string().contains(reason), "{name}: {error}");
    }
    let mut samples = corpus(folder.path());
    if let Some(studies) = studies() {
        let bytes = fs::read(studies.join("cdiscpilot01/sas7bdat/dm.sas7bdat")).expect("it is there");
        samples.push(Sample { name: "dm.sas7bdat".into(), bytes });
    }
    let mut dice = Dice(20_260_101);
    let (mut good, mut refused) = (0, harmful.len());
    while good + refused < 500 {
        let sample = &samples[dice.below(samples.len())];
        let path = folder.path().join(&sample.name);
        fs::write(&path, damage(&sample.bytes, &mut dice)).expect("it is written");
        match attack(&path) {
            Ok(_) => good += 1,
            Err(_) => refused += 1,
        }
    }
    println!("{good} were read, {refused} refused");
    assert!(refused > 250, "only {refused} of 500 damaged files were refused");
    let peak = peak_memory().unwrap_or_default();
    assert!(peak < 1 << 20, "reading took {peak} KiB");
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let samples = corpus(folder.path());
    let mut dice = Dice(7);
    for sample in samples.iter().filter(|sample| !sample.name.ends_with("csv")) {
        for _ in 0..25 {
            // A card's blanks at the end, and a line's end, are no loss.
            let length = dice.below(sample.bytes.len() - 81);
            let path = folder.path().join(&sample.name);
            fs::write(&path, &sample.bytes[..length]).expect("it is written");
            let read = attack(&path);
            assert!(read.is_err(), "{} cut to {length} is read", sample.name);
        }
    }
}
