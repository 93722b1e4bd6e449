//! Indicators and sites. Site 117 reports far too many adverse events and deviations; site 104 too few.

use frontend::query::{IndicatorQuery, Level, RbqmQuery, RowsQuery, SubjectsQuery};
use frontend::view::{
    AlarmState, Bound, BoundPoint, Corrections, Definition, DefinitionChange, Downloads, Flag, Indicator,
    IndicatorView, LimitActLine, LimitMethod, LimitRow, LimitSnapshot, LimitVerdict, LimitsView, Metric,
    MonitoredBy, NotApplicable, RbqmView, RowCorrection, Scored, Signal, SiteCourse, SiteRow,
    SiteSubjectsView, SourceCorrection, SubjectContribution, SubjectRowsView, Tab, Theme, ToleranceLimit,
};

use super::{choice, frame};

/// A name that would end a script block and open a tag if it were not escaped.
pub(crate) const HOSTILE: &str = "</script><b>";

pub(crate) fn indicators() -> Vec<Indicator> {
    let rate = Metric::RatePer(100.0);
    let rows: [(&str, &str, &str, &str, &str, Metric, f64); 11] = [
        ("kri0001", "AE", "AE rate", "adverse events", "patient-days", rate, 0.025),
        ("kri0002", "SAE", "SAE rate", "serious adverse events", "patient-days", rate, 0.0021),
        ("kri0003", "PD", "Non-important deviation rate", "deviations", "patient-days", rate, 0.009),
        ("kri0004", "IPD", "Important deviation rate", "important deviations", "patient-days", rate, 0.0018),
        (
            "kri0005",
            "LB",
            "Grade 3 or 4 laboratory results",
            "grade 3 or 4 results",
            "graded results",
            Metric::Share,
            0.06,
        ),
        (
            "kri0006",
            "SDSC",
            "Study discontinuation",
            "discontinued subjects",
            "enrolled subjects",
            Metric::Share,
            0.08,
        ),
        ("kri0008", "QRY", "Query rate", "queries", "data points", rate, 0.031),
        (
            "kri0009",
            "OQRY",
            "Outstanding queries",
            "queries open for over 30 days",
            "queries",
            Metric::Share,
            0.12,
        ),
        ("kri0010", "ODAT", "Late data entry", "pages entered after 10 days", "pages", Metric::Share, 0.17),
        ("kri0012", "SF", "Screen failure", "screen failures", "screened subjects", Metric::Share, 0.21),
        ("kri0013", "PK", "PK compliance", "samples taken", "samples expected", Metric::Share, 0.94),
    ];
    let indicator = |(id, abbreviation, title, numerator, denominator, metric, overall): (
        &str,
        &str,
        &str,
        &str,
        &str,
        Metric,
        f64,
    )| Indicator {
        id: id.to_owned(),
        abbreviation: abbreviation.to_owned(),
        title: title.to_owned(),
        numerator: numerator.to_owned(),
        denominator: denominator.to_owned(),
        metric,
        thresholds: vec![-3.0, -2.0, 2.0, 3.0],
        overall: Some(overall),
        ..Indicator::default()
    };
    let mut indicators: Vec<Indicator> = rows.into_iter().map(indicator).collect();
    let pk = &mut indicators[10];
    pk.scored = Scored::Metric;
    pk.thresholds = vec![0.85, 0.9];
    pk.flags = vec![-2, -1, 0];
    indicators[7].unavailable = Some("needs the table QUERY with ages".to_owned());
    indicators
}

pub(crate) fn sites() -> Vec<SiteRow> {
    let indicators = indicators();
    let countries = ["Germany", "France", "Poland", "United States", "Japan"];
    (101_u32..=124)
        .map(|number| {
            let place = usize::try_from(number - 101).expect("few sites");
            let subjects = 6 + (number * 37) % 71;
            let signals: Vec<Signal> = indicators
                .iter()
                .enumerate()
                .map(|(column, indicator)| signal(number, subjects, column, indicator))
                .collect();
            let weight = |flag: Flag| match flag {
                Flag::HighRed | Flag::LowRed => 16.0,
                Flag::HighAmber | Flag::LowAmber => 6.0,
                _ => 0.0,
            };
            SiteRow {
                site: number.to_string(),
                name: format!("Dr {}", ["Weber", "Martin", "Nowak", "Smith", "Sato"][place % 5]),
                country: countries[place % 5].to_owned(),
                monitored_by: MonitoredBy {
                    cro: ["Oakfield Research", "Elmwood Trials"][place % 2].to_owned(),
                    monitor: format!("CRA-{:016x}", 1 + place / 5),
                },
                subject_count: u64::from(subjects),
                risk_score: Some(signals.iter().map(|signal| weight(signal.flag)).sum::<f64>() / 1.28),
                signals,
            }
        })
        .collect()
}

fn signal(number: u32, subjects: u32, column: usize, indicator: &Indicator) -> Signal {
    if indicator.unavailable.is_some() {
        return Signal { flag: Flag::NotAvailable, ..Signal::default() };
    }
    let overall = indicator.overall.unwrap_or(0.1);
    let denominator =
        f64::from(subjects) * if indicator.denominator.contains("subjects") { 1.0 } else { 41.0 };
    let wobble = f64::from((number * 7919 + u32::try_from(column).expect("few columns") * 104_729) % 401)
        / 100.0
        - 2.0;
    let z = match (number, column) {
        (117, 0) => 6.2,
        (117, 2) => 4.4,
        (117, 9) => 3.3,
        (104, 0) => -3.4,
        (104, 1 | 3) => -2.3,
        (111, 3) => 3.6,
        (120, 8) => 2.6,
        (120, 6) => 2.2,
        _ => wobble * 0.9,
    };
    if indicator.scored == Scored::Metric {
        let metric = if number == 109 { 0.82 } else { 0.93 + wobble / 40.0 };
        let flag = if metric < 0.85 {
            Flag::LowRed
        } else if metric < 0.9 {
            Flag::LowAmber
        } else {
            Flag::None
        };
        let numerator = Some((metric * denominator).round());
        return Signal {
            flag,
            numerator,
            denominator: Some(denominator),
            metric: Some(metric),
            score: Some(metric),
        };
    }
    if denominator < 12.0 {
        let metric = Some(1.0 / denominator);
        return Signal {
            flag: Flag::NotEnough,
            numerator: Some(1.0),
            denominator: Some(denominator),
            metric,
            score: None,
        };
    }
    let metric = (overall + z * (overall * 1.6 / denominator).sqrt()).max(0.0);
    let flag = match z {
        z if z >= 3.0 => Flag::HighRed,
        z if z >= 2.0 => Flag::HighAmber,
        z if z < -3.0 => Flag::LowRed,
        z if z < -2.0 => Flag::LowAmber,
        _ => Flag::None,
    };
    Signal {
        flag,
        numerator: Some((metric * denominator).round()),
        denominator: Some(denominator),
        metric: Some(metric),
        score: Some(z),
    }
}

pub(crate) fn definition() -> Definition {
    Definition {
        title: "Adverse event rate".to_owned(),
        summary: "Adverse events per day on study, compared with the whole study; the score is in standard \
                  deviations, corrected for overdispersion."
            .to_owned(),
        numerator: "count of adverse events".to_owned(),
        denominator: "sum of days on study".to_owned(),
        method: "normal_approximation".to_owned(),
        formula: "z = (y − μ) / √(φ μ / D), y = N / D".to_owned(),
        accrual: "denominator of at least 30 patient-days".to_owned(),
        source: "gsm.kri 1.5.1, kri0001; Zink, Castro-Schilo, Ding 2018".to_owned(),
        parameters: vec![
            ("Thresholds".to_owned(), "−3, −2, 2, 3".to_owned()),
            ("Code".to_owned(), "0.1.0".to_owned()),
        ],
        changes: vec![DefinitionChange {
            title: "Adverse event rate".to_owned(),
            place: "this study".to_owned(),
            before: "thresholds: −3, −2, 2, 3".to_owned(),
            after: "thresholds: −4, −3, 3, 4".to_owned(),
            reason: "monitoring plan 2.1".to_owned(),
            by: "operator".to_owned(),
            at_unix_s: 1_794_000_000,
        }],
    }
}

pub(crate) fn downloads() -> Downloads {
    Downloads {
        csv_href: Some("/api/v1/studies/CAIRN-301/marts/risk.csv".to_owned()),
        parquet_href: Some("/api/v1/studies/CAIRN-301/marts/risk.parquet".to_owned()),
    }
}

fn limits() -> Vec<ToleranceLimit> {
    let limit = |title: &str, events, tolerated, verdict, chance_above| ToleranceLimit {
        title: title.to_owned(),
        events,
        units: 250,
        expected: tolerated / 2.0,
        tolerated,
        verdict,
        chance_above,
    };
    vec![
        limit("Subjects lost to follow-up", 3, 0.05, LimitVerdict::Within, Some(0.012)),
        limit("Visits missed", 40, 0.1, LimitVerdict::Breach, None),
    ]
}

pub(crate) fn rbqm(query: RbqmQuery, theme: Theme) -> RbqmView {
    RbqmView {
        limits: limits(),
        limit_downloads: Downloads::default(),
        frame: frame(Some(Tab::Rbqm), theme),
        query,
        levels: Level::ALL.to_vec(),
        indicators: indicators(),
        sites: sites(),
        not_applicable: not_applicable(),
        definition: definition(),
        downloads: downloads(),
    }
}

fn not_applicable() -> Vec<NotApplicable> {
    vec![NotApplicable {
        code: "P9".to_owned(),
        title: "Treatment compliance outside 80 to 120 %".to_owned(),
        reason: "no source tells how many doses were planned and taken".to_owned(),
    }]
}

pub(crate) fn limits_page(theme: Theme) -> LimitsView {
    let said =
        |published_unix_s, events, verdict| LimitSnapshot { published_unix_s, events, units: 400, verdict };
    let method = |name: &str, statistic, limit, verdict| LimitMethod {
        method: name.to_owned(),
        statistic: Some(statistic),
        secondary: None,
        limit: Some(limit),
        verdict,
    };
    let row = |title: &str, alarm, acts| LimitRow {
        id: format!("qtl_{}", title.to_lowercase().replace(' ', "_")),
        title: title.to_owned(),
        expected: 0.05,
        secondary: 0.075,
        tolerated: 0.1,
        alarm,
        course: vec![
            said(1_770_000_000, 18, LimitVerdict::Within),
            said(1_772_600_000, 44, LimitVerdict::Breach),
        ],
        methods: vec![
            method("fixed", 0.11, 0.1, LimitVerdict::Breach),
            method("exact", 44.0, 38.0, LimitVerdict::Breach),
        ],
        acts,
        largest_site: Some(("117".to_owned(), 9)),
        version: "study 1".to_owned(),
    };
    let taken_up = LimitActLine {
        act: "acknowledge".to_owned(),
        reason: "asked the site for its visit log".to_owned(),
        by: "ana".to_owned(),
        at_unix_s: 1_772_700_000,
    };
    LimitsView {
        frame: frame(Some(Tab::Rbqm), theme),
        limits: vec![
            row("Visits missed", AlarmState::Breach, Vec::new()),
            row("Lost to follow-up", AlarmState::Acknowledged, vec![taken_up]),
            row("Ineligible", AlarmState::Ok, Vec::new()),
        ],
        not_applicable: not_applicable(),
        may_act: true,
        definition: definition(),
        downloads: downloads(),
    }
}

pub(crate) fn indicator(query: IndicatorQuery, theme: Theme) -> IndicatorView {
    let indicator = indicators().remove(0);
    let overall = indicator.overall.unwrap_or_default();
    let grid = (1_u32..=60).map(|step| f64::from(step) * 60.0);
    let bound = |threshold: f64| Bound {
        threshold,
        points: grid
            .clone()
            .map(|denominator| BoundPoint {
                denominator,
                metric: overall + threshold * (overall * 1.6 / denominator).sqrt(),
            })
            .filter(|point| point.metric >= 0.0)
            .collect(),
    };
    let one_signal = |site: SiteRow| SiteRow { signals: site.signals.into_iter().take(1).collect(), ..site };
    IndicatorView {
        frame: frame(Some(Tab::Rbqm), theme),
        query,
        levels: Level::ALL.to_vec(),
        methods: ["normal_approximation", "leave_one_out", "exact"].map(str::to_owned).to_vec(),
        bounds: [-3.0, -2.0, 0.0, 2.0, 3.0].map(bound).to_vec(),
        indicator,
        sites: sites().into_iter().map(one_signal).collect(),
        courses: [("117".to_owned(), SiteCourse { change: Some(-0.01), flagged: 2, judged: 5 })].into(),
        definition: definition(),
        downloads: downloads(),
    }
}

pub(crate) fn site_subjects(query: SubjectsQuery, theme: Theme) -> SiteSubjectsView {
    let view = indicator(IndicatorQuery::default(), theme);
    let site = view.sites.iter().find(|site| site.site == "117").expect("site 117").clone();
    let subjects = (1_u32..=14).map(|number| SubjectContribution {
        subject: format!("117-{number:03}"),
        note: if number % 4 == 0 { "discontinued" } else { "ongoing" }.to_owned(),
        numerator: f64::from((number * 13) % 17),
        denominator: f64::from(20 + (number * 31) % 90),
    });
    SiteSubjectsView {
        frame: view.frame,
        query,
        indicator: view.indicator,
        site,
        subjects: subjects.collect(),
        definition: definition(),
        downloads: downloads(),
    }
}

fn corrections() -> Corrections {
    let change = RowCorrection {
        row: "00f1a2b3".to_owned(),
        column: "severity".to_owned(),
        before: "mild".to_owned(),
        after: "severe".to_owned(),
        published_unix_s: 1_795_000_000,
        reason: None,
    };
    let entry = SourceCorrection {
        item: "AE.AESEV".to_owned(),
        before: String::new(),
        after: "severe".to_owned(),
        reason: Some("misread".to_owned()),
        by: "u-17".to_owned(),
        at_unix_s: 1_794_000_000,
    };
    Corrections { snapshots: 2, changes: vec![change], trail: Some(vec![entry]) }
}

pub(crate) fn subject_rows(query: RowsQuery, theme: Theme) -> SubjectRowsView {
    let columns = ["ae_seq", "term", "preferred_term", "start_date", "end_date", "serious", "severity"];
    let row = |number: u32| {
        [
            number.to_string().as_str(),
            "headache",
            "Headache",
            format!("2026-08-{:02}", number + 1).as_str(),
            "",
            if number.is_multiple_of(5) { "Y" } else { "N" },
            "mild",
        ]
        .map(str::to_owned)
        .to_vec()
    };
    SubjectRowsView {
        frame: frame(Some(Tab::Rbqm), theme),
        corrections: query.corrections.then(corrections),
        query,
        indicator: indicators().remove(0),
        site: choice("117", "117"),
        subject: "117-004".to_owned(),
        table: "fact_ae".to_owned(),
        columns: columns.map(str::to_owned).to_vec(),
        rows: (1..=16).map(row).collect(),
        empty: vec!["toxicity_grade".to_owned(), "outcome".to_owned()],
        row_count: 45,
        page_size: 16,
        downloads: downloads(),
    }
}
