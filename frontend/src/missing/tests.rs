use super::*;

fn row(variable: &str, visit: (&str, f64), site: &str, counts: [u64; 5]) -> MissingnessRow {
    let choice = |key: &str| Choice { key: key.to_owned(), label: key.to_owned() };
    let [n_expected, n_received, n_observed, n_item_missing, n_visit_missing] = counts;
    MissingnessRow {
        variable: choice(variable),
        visit: VisitLabel { key: visit.0.to_owned(), label: visit.0.to_owned(), order: visit.1 },
        site: choice(site),
        n_expected,
        n_received,
        n_observed,
        n_item_missing,
        n_visit_missing,
    }
}

fn rows() -> Vec<MissingnessRow> {
    vec![
        row("SYSBP", ("V10", 10.0), "101", [10, 8, 6, 2, 2]),
        row("SYSBP", ("V10", 10.0), "102", [10, 10, 10, 0, 0]),
        row("SYSBP", ("V2", 2.0), "101", [10, 10, 9, 1, 0]),
        row("WEIGHT", ("V2", 2.0), "102", [10, 2, 2, 0, 8]),
    ]
}

fn names(query: &QualityQuery) -> Vec<String> {
    cells(query, &rows()).iter().map(|cell| format!("{} {}", cell.row.key, cell.visit.key)).collect()
}

#[test]
fn both_denominators_are_told_apart() {
    let counts = MissingCounts::of(&rows()[0]);
    assert_eq!(counts.missing(Basis::Expected), 4);
    assert_eq!(counts.share(Basis::Expected), Some(0.4));
    assert_eq!(counts.missing(Basis::Received), 2);
    assert_eq!(counts.share(Basis::Received), Some(0.25));
    assert_eq!(MissingCounts::default().share(Basis::Expected), None);
}

#[test]
fn rows_add_up_to_variables_or_to_sites() {
    let by_variable = cells(&QualityQuery::default(), &rows());
    let summed = by_variable.iter().find(|cell| cell.visit.key == "V10").map(|cell| cell.counts);
    let expected =
        MissingCounts { expected: 20, received: 18, observed: 16, item_missing: 2, visit_missing: 2 };
    assert_eq!(summed, Some(expected));
    let by_site = QualityQuery { rows: RowsBy::Site, ..Default::default() };
    assert_eq!(names(&by_site), ["102 V2", "101 V10", "101 V2", "102 V10"]);
}

#[test]
fn the_table_obeys_its_order() {
    let sorted = |sort| names(&QualityQuery { sort, ..Default::default() });
    assert_eq!(sorted(QualitySort::Missing), ["WEIGHT V2", "SYSBP V10", "SYSBP V2"]);
    assert_eq!(sorted(QualitySort::Share), ["WEIGHT V2", "SYSBP V10", "SYSBP V2"]);
    assert_eq!(sorted(QualitySort::Name), ["SYSBP V2", "SYSBP V10", "WEIGHT V2"]);
    assert_eq!(sorted(QualitySort::Visit), ["WEIGHT V2", "SYSBP V2", "SYSBP V10"]);
}

#[test]
fn headings_are_worst_first_and_visits_follow_the_schedule() {
    let query = QualityQuery::default();
    let cells = cells(&query, &rows());
    let headings: Vec<String> = headings(&query, &cells).into_iter().map(|heading| heading.key).collect();
    assert_eq!(headings, ["WEIGHT", "SYSBP"]);
    let visits: Vec<String> = visits(&cells).into_iter().map(|visit| visit.key).collect();
    assert_eq!(visits, ["V2", "V10"]);
}

#[test]
fn the_basis_decides_which_rows_are_worst() {
    let worst = |basis| {
        let query = QualityQuery { basis, ..Default::default() };
        let rows = worst_rows(&query, &rows(), 1);
        (rows[0].variable.key.clone(), rows[0].site.key.clone())
    };
    assert_eq!(worst(Basis::Expected), ("WEIGHT".to_owned(), "102".to_owned()));
    assert_eq!(worst(Basis::Received), ("SYSBP".to_owned(), "101".to_owned()));
    assert_eq!(total(&rows()).visit_missing, 10);
}
