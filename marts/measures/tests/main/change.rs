//! The changes of three indicators over three snapshots, against gsm.reporting 1.1.2.

use std::collections::BTreeMap;

use measures::{Change, change};

use super::oracle::{assert_close, rows};

const COLUMNS: [&str; 5] = ["Numerator", "Denominator", "Metric", "Score", "Flag"];

fn number(row: &BTreeMap<String, String>, column: &str) -> Option<f64> {
    let text = row[column].as_str();
    (!text.is_empty()).then(|| text.parse().expect("the column holds numbers"))
}

#[test]
fn every_change_agrees() {
    let Some(theirs) = rows::<BTreeMap<String, String>>("gsm_change_3kri.csv") else { return };
    assert_eq!(theirs.len(), 868);
    let mut compared = 0;
    for row in &theirs {
        for column in COLUMNS {
            let name = format!("{} {} {column}", row["GroupID"], row["MetricID"]);
            let before = number(row, &format!("{column}_Previous"));
            let difference = number(row, &format!("{column}_Change"));
            let percent = number(row, &format!("{column}_PercentChange")).filter(|value| value.is_finite());
            let ours = change(before, number(row, column));
            assert_eq!(ours.is_some(), difference.is_some(), "{name}");
            let Some(Change { difference: our_difference, percent: our_percent }) = ours else { continue };
            assert_close(&name, our_difference, difference.expect("both are there"));
            assert_eq!(our_percent.is_some(), percent.is_some(), "{name}");
            if let (Some(ours), Some(theirs)) = (our_percent, percent) {
                assert_close(&name, ours, theirs);
            }
            compared += 1;
        }
    }
    assert_eq!(compared, 1741, "429 each of numerator, denominator and metric, 227 of score and of flag");
}

#[test]
fn the_value_before_is_that_of_the_snapshot_before() {
    let Some(theirs) = rows::<BTreeMap<String, String>>("gsm_change_3kri.csv") else { return };
    let mut series: BTreeMap<(&str, &str), Vec<&BTreeMap<String, String>>> = BTreeMap::new();
    for row in &theirs {
        series.entry((&row["GroupID"], &row["MetricID"])).or_default().push(row);
    }
    let mut compared = 0;
    for rows in series.values_mut() {
        rows.sort_by(|left, right| left["SnapshotDate"].cmp(&right["SnapshotDate"]));
        let values: Vec<Option<f64>> = rows.iter().map(|row| number(row, "Numerator")).collect();
        for (row, ours) in rows.iter().zip(measures::changes(&values)) {
            assert_eq!(ours.map(|change| change.difference), number(row, "Numerator_Change"), "{row:?}");
            compared += 1;
        }
    }
    assert_eq!(compared, 868);
}
