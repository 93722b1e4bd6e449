//! Rows of a fact as a person reads them: keys give way to the names that they stand for, what is empty in every row is
//! told once, where a row comes from stands last, and rows are in the order of their days. The files that a reader takes
//! away have every column as it is stored.

use std::collections::BTreeMap;

use flight::published::Visible;
use kernel::{Read, StudyScope};

use crate::app::App;
use crate::error::Result;
use crate::mart_rows::Rows;

/// A key, the dimension that it points to, and the column there that names a member.
const NAMED: [(&str, &str, &str); 4] = [
    ("visit_sk", "dim_visit", "visit"),
    ("form_sk", "dim_form", "form_oid"),
    ("test_sk", "dim_test", "test"),
    ("term_sk", "dim_term", "term"),
];
/// What ends the name of a column that holds a key.
const KEYS: [&str; 2] = ["_sk", "_dk"];
/// What ends the name of a column that holds the day of a row.
const DAYS: [&str; 2] = ["_date", "start_min"];
/// What a column says of where its row comes from begins or ends with.
const ORIGIN: [&str; 5] = ["source_", "row_id", "row_hash", "_instance_id", "_oid"];

/// Rows of one table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Readable {
    /// The columns in which any row has something.
    pub(super) columns: Vec<String>,
    /// One text per column and row.
    pub(super) rows: Vec<Vec<String>>,
    /// The columns in which none has.
    pub(super) empty: Vec<String>,
}

/// Makes rows readable with the dimensions of their snapshot.
pub(super) async fn readable(
    app: &App,
    (scope, visible): (&StudyScope<Read>, &Visible),
    rows: &Rows,
) -> Result<Readable> {
    let mut named = Vec::new();
    for (key, dimension, name) in NAMED {
        let keys = rows.integers(key);
        if keys.iter().all(Option::is_none) || !visible.manifest.tables.contains_key(dimension) {
            continue;
        }
        let members = app.mart_rows.table(scope, visible, dimension).await?;
        let names: BTreeMap<i64, String> = members
            .integers(key)
            .into_iter()
            .zip(members.texts(name))
            .filter_map(|(key, name)| Some((key?, name)))
            .collect();
        let texts = keys.iter().map(|key| key.and_then(|key| names.get(&key)).cloned().unwrap_or_default());
        let heading = key.trim_end_matches("_sk").to_owned();
        named.push((heading, texts.collect()));
    }
    Ok(laid_out(named, rows.cells()))
}

/// A column's name and texts.
type Texts = (String, Vec<String>);

fn laid_out(named: Vec<Texts>, (names, cells): (Vec<String>, Vec<Vec<String>>)) -> Readable {
    let is_key = |name: &str| KEYS.iter().any(|end| name.ends_with(end));
    let is_origin = |name: &str| ORIGIN.iter().any(|part| name.starts_with(part) || name.ends_with(part));
    let own = names.iter().enumerate().filter(|(_, name)| !is_key(name)).map(|(place, name)| {
        (name.clone(), cells.iter().map(|row| row[place].clone()).collect::<Vec<String>>())
    });
    // What a fact says itself is not said again.
    let mut columns: Vec<Texts> = named.into_iter().filter(|(name, _)| !names.contains(name)).collect();
    columns.extend(own);
    let (mut columns, empty): (Vec<Texts>, Vec<Texts>) =
        columns.into_iter().partition(|(_, texts)| texts.iter().any(|text| !text.is_empty()));
    let day =
        columns.iter().map(|(name, _)| name).find(|name| DAYS.iter().any(|end| name.ends_with(end))).cloned();
    columns.sort_by_key(|(name, _)| (Some(name) != day.as_ref(), is_origin(name)));
    let mut order: Vec<usize> = (0..cells.len()).collect();
    if let Some((_, days)) = columns.first().filter(|(name, _)| Some(name) == day.as_ref()) {
        order.sort_by(|one, other| days[*one].cmp(&days[*other]));
    }
    let row = |row: &usize| columns.iter().map(|(_, texts)| short(&texts[*row])).collect();
    Readable {
        rows: order.iter().map(row).collect(),
        columns: columns.into_iter().map(|(name, _)| name).collect(),
        empty: empty.into_iter().map(|(name, _)| name).collect(),
    }
}

/// A number with as many digits as say anything; any other text as it is.
fn short(text: &str) -> String {
    let Some(number) = text.contains('.').then(|| text.parse::<f64>().ok()).flatten() else {
        return text.to_owned();
    };
    if number != 0.0 && number.abs() < 1e-3 {
        return format!("{number:.3e}");
    }
    let decimals = format!("{number:.4}");
    decimals.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_become_names_empty_columns_are_told_once_and_rows_follow_their_days() {
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<String>>();
        let names = texts(&["subject_dk", "visit_sk", "source_row_id", "event_date", "locked", "n_items"]);
        let cells = vec![
            texts(&["7", "1", "b", "2026-02-01", "", "3"]),
            texts(&["7", "2", "a", "2026-01-01", "", "2"]),
        ];
        let named = vec![
            ("visit".to_owned(), texts(&["Week 4", "Screening"])),
            ("n_items".to_owned(), texts(&["of another table", ""])),
        ];
        let readable = laid_out(named, (names, cells));
        assert_eq!(readable.columns, ["event_date", "visit", "n_items", "source_row_id"]);
        assert_eq!(
            readable.rows,
            [texts(&["2026-01-01", "Screening", "2", "a"]), texts(&["2026-02-01", "Week 4", "3", "b"])]
        );
        assert_eq!(readable.empty, ["locked"]);
    }
    #[test]
    fn a_number_has_as_many_digits_as_say_anything() {
        let told = [
            ("0.9393866794441782", "0.9394"),
            ("1.0000", "1"),
            ("3.1000", "3.1"),
            ("0.00001234", "1.234e-5"),
            ("0.0", "0"),
            ("120", "120"),
            ("2026-01-01", "2026-01-01"),
            ("v1.2.3", "v1.2.3"),
        ];
        for (stored, shown) in told {
            assert_eq!(short(stored), shown);
        }
    }
}
