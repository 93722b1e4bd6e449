//! Site tests of three sites, of which 117 is odd, and a report with a curve, a cloud of points and a table.

use frontend::query::SiteTestQuery;
use frontend::view::{
    Cell, Definition, Downloads, KeyCount, Limit, Line, LineKind, Place, Plot, ReportView, Section,
    SiteTestCell, SiteTestRow, SiteTestView, SiteTestsRow, SiteTestsView, SubjectValues, Tab, Table, Theme,
    VariableValues,
};

use super::risk::HOSTILE;
use super::{choice, frame};

fn downloads() -> Downloads {
    Downloads { csv_href: Some("/csv".to_owned()), parquet_href: Some("/parquet".to_owned()) }
}

fn definition() -> Definition {
    Definition {
        title: "Site tests".to_owned(),
        summary: "Each variable of each site is compared with all others.".to_owned(),
        formula: "p = 0.5 - atan(mean of tan((0.5 - p) pi)) / pi".to_owned(),
        ..Definition::default()
    }
}

fn cell(p_value: f64, q_value: f64) -> SiteTestCell {
    SiteTestCell { p_value, q_value, n_tests: 12, strongest: format!("Last digit: VS.SYSBP{HOSTILE}") }
}

pub(crate) fn site_tests(theme: Theme) -> SiteTestsView {
    let site = |site: &str, all: (f64, f64), cells: Vec<Option<SiteTestCell>>| SiteTestsRow {
        site: site.to_owned(),
        all: Some(cell(all.0, all.1)),
        cells,
    };
    let quiet = || Some(cell(0.4, 0.8));
    let kinds = [
        ("C1", "Mean"),
        ("C2", "Variance between subjects"),
        ("C3", "Last digit"),
        ("C4", "Values ending in 0 or 5"),
        ("C5", "Spread within a subject"),
    ];
    SiteTestsView {
        frame: frame(Some(Tab::SiteTests), theme),
        tests: kinds.map(|(key, label)| choice(key, label)).to_vec(),
        sites: vec![
            site(
                "117",
                (3e-9, 2e-7),
                vec![quiet(), quiet(), Some(cell(1e-9, 1e-7)), Some(cell(0.002, 0.03)), None],
            ),
            site("104", (0.21, 0.4), vec![quiet(), quiet(), quiet(), quiet(), quiet()]),
            SiteTestsRow { site: HOSTILE.to_owned(), all: None, cells: vec![None; 5] },
        ],
        definition: definition(),
        downloads: downloads(),
    }
}

pub(crate) fn site_test(theme: Theme) -> SiteTestView {
    let row = |title: &str, p: Option<f64>| SiteTestRow {
        id: "C3".to_owned(),
        title: title.to_owned(),
        variable: "VS.SYSBP".to_owned(),
        values_of: Some("VS.SYSBP".to_owned()),
        p_value: p,
        q_value: p.map(|p| (p * 10.0).min(1.0)),
        effect: p.map(|_| 0.71),
        effect_unit: "Cohen's w of the shares".to_owned(),
        n_site: p.map(|_| 21.0),
        n_rest: p.map(|_| 402.0),
        not_judged: p.is_none().then(|| "no two subjects differ".to_owned()),
    };
    let subject = |subject: &str| SubjectValues {
        subject: subject.to_owned(),
        n_values: 9.0,
        mean: Some(131.1),
        standard_deviation: Some(8.2),
        least: Some(110.0),
        greatest: Some(150.0),
        share_0_or_5: Some(1.0),
    };
    SiteTestView {
        frame: frame(Some(Tab::SiteTests), theme),
        query: SiteTestQuery { test: Some("C3".to_owned()), variable: Some("VS.SYSBP".to_owned()) },
        site: "117".to_owned(),
        tests: vec![choice("C3", "C3 Last digit")],
        rows: vec![row("Last digit", Some(1e-9)), row("Last digit", None)],
        values: Some(VariableValues {
            variable: "VS.SYSBP".to_owned(),
            label: "Systolic blood pressure (mmHg)".to_owned(),
            subjects: vec![subject("117-001"), subject(HOSTILE)],
            rest: subject("Other sites"),
        }),
        definition: definition(),
        downloads: downloads(),
    }
}

pub(crate) fn report(theme: Theme) -> ReportView {
    let (staying, liver) = plots();
    let section = |id: &str, title: &str, plot, rows| Section {
        id: id.to_owned(),
        title: title.to_owned(),
        note: "Who completed is censored.".to_owned(),
        plot,
        table: Table {
            heads: ["Term", "Subjects", "Share", "95 % limits", "Verdict"].map(str::to_owned).to_vec(),
            rows,
            of: Some(400),
        },
        is_folded: false,
        empty: "Nobody left early.".to_owned(),
        downloads: downloads(),
    };
    let row = |name: Cell, verdict: Cell| {
        vec![name, Cell::Count(1234), Cell::Share(0.121), Cell::ShareBetween(0.1, 0.15), verdict]
    };
    let rows = vec![
        row(Cell::Text("nervous system".to_owned()), Cell::Alarm("met".to_owned())),
        row(Cell::Below(format!("headache{HOSTILE}")), Cell::Empty),
    ];
    ReportView {
        frame: frame(Some(Tab::Enrolment), theme),
        title: "Enrolment and retention".to_owned(),
        lead: "How many subjects came, and who stays.".to_owned(),
        above: Some(choice("/studies/CAIRN-301/quality", "Quality")),
        counts: vec![KeyCount {
            label: "Subjects enrolled".to_owned(),
            count: Some(1156),
            note: "77 % of the target".to_owned(),
            href: None,
        }],
        sections: vec![
            section("staying", "Who stays", Some(staying), rows.clone()),
            section("liver", "Liver: Hy's law", Some(liver), rows),
            section("leaving", "Why subjects leave", None, Vec::new()),
        ],
        needs: "Subjects of this study have to be loaded.".to_owned(),
        definition: definition(),
    }
}

/// A curve with its band, and a cloud of points with limits.
fn plots() -> (Plot, Plot) {
    let curve = Line {
        name: "on study".to_owned(),
        kind: LineKind::Steps,
        x: [0.0, 30.0, 60.0, 120.0, 168.0].map(Place::Number).to_vec(),
        y: vec![1.0, 0.97, 0.95, 0.91, 0.88],
        band: vec![(1.0, 1.0), (0.96, 0.98), (0.93, 0.97), (0.88, 0.93), (0.85, 0.91)],
        says: Vec::new(),
    };
    let points = |kind, x: &[f64], y: &[f64]| Line {
        name: String::new(),
        kind,
        x: x.iter().copied().map(Place::Number).collect(),
        y: y.to_vec(),
        band: Vec::new(),
        says: x.iter().map(|x| format!("{HOSTILE}: {x}")).collect(),
    };
    let staying = Plot {
        label: "Share of subjects that stays".to_owned(),
        caption: "Kaplan-Meier estimate with log-log limits.".to_owned(),
        across: "Days on study".to_owned(),
        up: "Share on study".to_owned(),
        is_share: true,
        lines: vec![curve],
        ..Plot::default()
    };
    let liver = Plot {
        label: "Highest bilirubin against highest transaminase".to_owned(),
        caption: "Each mark is a subject.".to_owned(),
        across: "Highest transaminase, times the upper limit".to_owned(),
        up: "Highest bilirubin, times the upper limit".to_owned(),
        is_logarithmic: true,
        lines: vec![
            points(LineKind::Points, &[0.4, 0.8, 1.2, 0.6, 3.5], &[0.5, 0.4, 0.9, 0.3, 0.8]),
            points(LineKind::Alarms, &[4.2], &[2.6]),
        ],
        limits: vec![Limit::Across(3.0, "3 times".to_owned()), Limit::Height(2.0, "2 times".to_owned())],
        ..Plot::default()
    };
    (staying, liver)
}
