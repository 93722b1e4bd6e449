//! Small studies and rules, written by hand.

use rules::{
    DatasetHeader, DatasetOutcome, Kind, Limits, Rule, Study, StudyBuilder, VariableHeader, execute,
};

/// A study of datasets, each with its name and its lines of comma-separated cells, the first of which holds the
/// names of the variables; a name that ends in `#` is one of a variable of numbers.
pub(crate) fn study(datasets: &[(&str, &str)]) -> Study {
    let mut builder = StudyBuilder::new();
    for (name, lines) in datasets {
        let mut rows = lines.trim().lines().map(|line| line.trim().split(',').collect::<Vec<_>>());
        let names = rows.next().expect("a line of names");
        let rows: Vec<_> = rows.collect();
        let variable = |name: &&str| VariableHeader {
            name: name.trim_end_matches('#').to_owned(),
            label: format!("Label of {name}"),
            kind: if name.ends_with('#') { Kind::Num } else { Kind::Char },
            length: Some(8),
        };
        let place = builder.push_dataset(DatasetHeader {
            name: (*name).to_owned(),
            file_name: format!("{}.xpt", name.to_lowercase()),
            label: format!("Records of {name}"),
            size_bytes: None,
            variables: names.iter().map(variable).collect(),
        });
        for column in 0..names.len() {
            let cells = rows.iter().map(|row| row.get(column).copied());
            builder.push_column(place, column, cells).expect("a column");
        }
    }
    builder.finish().expect("a rectangular study")
}

/// A rule on records of every class and domain, with the check and what may follow it.
pub(crate) fn rule(check: &str, rest: &str) -> String {
    format!(
        "Core: {{Id: TEST-1, Version: '1', Status: Draft}}\n\
         Description: what is looked for\n\
         Rule Type: Record Data\n\
         Sensitivity: Record\n\
         Outcome: {{Message: what is wrong}}\n\
         Check:\n  all:\n    - {{{check}}}\n{rest}"
    )
}

/// The answers of a rule on a study.
pub(crate) fn outcomes(rule: &str, study: &Study) -> Vec<DatasetOutcome> {
    execute(&Rule::parse(rule).expect("a rule"), study, Limits::default()).datasets
}

/// The datasets and records that violate a rule, such as `AE 2`.
pub(crate) fn flagged(rule: &str, study: &Study) -> Vec<String> {
    let outcome = execute(&Rule::parse(rule).expect("a rule"), study, Limits::default());
    let name = |issue: &rules::Issue| match issue.record {
        Some(record) => format!("{} {record}", issue.dataset),
        None => issue.dataset.clone(),
    };
    outcome.issues().map(name).collect()
}
