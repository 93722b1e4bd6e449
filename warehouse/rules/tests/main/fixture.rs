//! One published fixture: a folder of CSV files, and the rows that the rule has to report.

use std::collections::BTreeMap;

use crate::archive::Files;
use rules::{DatasetHeader, Issue, Kind, RuleOutcome, Study, StudyBuilder, VariableHeader, Verdict};

/// One reported value: dataset, record, variable, value.
pub(crate) type Row = [String; 4];

/// What stands in place of a variable where a rule could not be executed on a dataset.
const EXECUTION_ERROR: &str = "EXECUTION_ERROR";

/// The study of a fixture: `_datasets.csv` and `_variables.csv` name what the other files hold.
pub(crate) fn study(files: &Files) -> Study {
    let variables = table(&files["data/_variables.csv"]);
    let mut builder = StudyBuilder::new();
    for dataset in table(&files["data/_datasets.csv"]) {
        let stem = &dataset["Filename"];
        let Some(bytes) = files.get(&format!("data/{stem}.csv")) else { continue };
        let described: BTreeMap<&str, &BTreeMap<String, String>> = variables
            .iter()
            .filter(|variable| variable["dataset"] == *stem)
            .map(|variable| (variable["variable"].as_str(), variable))
            .collect();
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes.as_slice());
        let names = reader.headers().expect("a header").clone();
        let header = |name: &str| VariableHeader {
            name: name.to_owned(),
            label: described.get(name).map_or_else(String::new, |variable| variable["label"].clone()),
            kind: match described.get(name) {
                Some(variable) if variable["type"] == "Num" => Kind::Num,
                _ => Kind::Char,
            },
            length: described.get(name).and_then(|variable| variable["length"].parse().ok()),
        };
        let place = builder.push_dataset(DatasetHeader {
            name: stem.to_uppercase(),
            file_name: format!("{stem}.csv"),
            label: dataset["Label"].clone(),
            size_bytes: Some(bytes.len() as u64),
            variables: names.iter().map(header).collect(),
        });
        let records: Vec<_> = reader.records().map(|record| record.expect("a record")).collect();
        for column in 0..names.len() {
            let values = records.iter().map(|record| record.get(column));
            builder.push_column(place, column, values).expect("a column");
        }
    }
    builder.finish().expect("a rectangular study")
}

/// Whether the fixture holds the records of a dataset.
pub(crate) fn has_dataset(files: &Files, name: &str) -> bool {
    files.keys().any(|path| path.to_uppercase() == format!("DATA/{name}.CSV"))
}

/// The rows that the rule has to report, sorted.
pub(crate) fn expected(files: &Files) -> Option<Vec<Row>> {
    let mut rows: Vec<Row> = table(files.get("results/results.csv")?)
        .into_iter()
        .map(|row| ["Dataset", "Record", "Variable", "Value"].map(|name| row[name].clone()))
        .map(comparable)
        .collect();
    rows.sort();
    Some(rows)
}

/// The rows that a rule reports, sorted.
pub(crate) fn reported(outcome: &RuleOutcome) -> Vec<Row> {
    let of_issue = |issue: &Issue| -> Vec<Row> {
        let record = issue.record.map_or_else(String::new, |record| record.to_string());
        let row = |(variable, value): &(String, String)| {
            comparable([issue.dataset.clone(), record.clone(), variable.clone(), value.clone()])
        };
        issue.values.iter().map(row).collect()
    };
    let mut rows: Vec<Row> = outcome.issues().flat_map(of_issue).collect();
    for dataset in &outcome.datasets {
        if let Verdict::NotExecutable { reason } = &dataset.verdict {
            rows.push(comparable([
                dataset.dataset.clone(),
                String::new(),
                EXECUTION_ERROR.to_owned(),
                reason.clone(),
            ]));
        }
    }
    rows.sort();
    rows
}

/// The text of an error is each engine's own, and the list of a study's datasets has no order.
fn comparable(mut row: Row) -> Row {
    if row[2] == EXECUTION_ERROR {
        row[3].clear();
    }
    if row[2] == "$list_dataset_names" || row[2] == "$study_domains" {
        let mut names: Vec<_> = row[3].trim_matches(['[', ']']).split(", ").collect();
        names.sort_unstable();
        row[3] = names.join(", ");
    }
    row
}

fn table(bytes: &[u8]) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let names = reader.headers().expect("a header").clone();
    reader
        .records()
        .map(|record| {
            let record = record.expect("a record");
            let cell = |(place, name): (usize, &str)| {
                (name.to_owned(), record.get(place).unwrap_or_default().to_owned())
            };
            names.iter().enumerate().map(cell).collect()
        })
        .collect()
}
