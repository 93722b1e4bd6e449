//! Marts, of which one failed.

use frontend::view::{
    MartAlert, MartColumn, MartRow, MartRunRow, MartTest, MartTiming, MartView, MartsView, Tab, Theme,
};

use super::{PUBLISHED_UNIX_S, frame};

fn row(name: &str, reads: &[&str], outcome: &str) -> MartRow {
    MartRow {
        name: name.to_owned(),
        href: format!("/studies/CAIRN-301/data/marts/{name}"),
        grain: "one row per site".to_owned(),
        owner: "central monitoring".to_owned(),
        tags: vec!["rbqm".to_owned()],
        reads: reads.iter().map(|name| (*name).to_owned()).collect(),
        row_count: Some(1_248),
        outcome: Some(outcome.to_owned()),
        why: "`fact_ae` has other content".to_owned(),
        took_us: Some(41_200),
    }
}

pub(crate) fn marts(theme: Theme) -> MartsView {
    let run = |status: &str, place: i64| MartRunRow {
        id: "01890a5d-ac96-774b-bcce-b302099a8057".to_owned(),
        ended_unix_s: PUBLISHED_UNIX_S - place * 3_600,
        status: status.to_owned(),
        made_count: 3,
        shared_count: 7,
        error_count: u64::from(status == "failed"),
        warning_count: 0,
        took_us: 812_000,
        snapshot: (status == "published").then(|| "1a2b3c4d5e6f708192a3b4c5d6e7f809".to_owned()),
        as_of_unix_s: (place == 2).then_some(PUBLISHED_UNIX_S - 86_400 * 31),
    };
    MartsView {
        frame: frame(Some(Tab::Data), theme),
        marts: vec![
            row("mart_indicator_input", &["dim_subject", "fact_ae"], "made"),
            row("mart_kri", &["mart_indicator_input", "dim_site"], "unchanged"),
            row("mart_retention", &["dim_subject", "fact_disposition"], "failed"),
        ],
        runs: vec![run("failed", 0), run("published", 1), run("published", 2)],
        alerts: vec![MartAlert {
            mart: "mart_retention".to_owned(),
            href: Some("/studies/CAIRN-301/data/marts/mart_retention".to_owned()),
            test: "day is between 0 and 36525".to_owned(),
            is_error: true,
            row_count: 1,
            next: "`cairn marts lineage mart_retention.day` names the files.".to_owned(),
        }],
        plan_command: "cairn marts build --dry-run".to_owned(),
    }
}

pub(crate) fn mart(theme: Theme) -> MartView {
    let test = |words: &str, is_error: bool, row_count: Option<u64>| MartTest {
        words: words.to_owned(),
        is_error,
        row_count,
        sample: row_count
            .filter(|count| *count > 0)
            .map(|_| vec![("day".to_owned(), "328722".to_owned())])
            .into_iter()
            .collect(),
    };
    MartView {
        frame: frame(Some(Tab::Data), theme),
        name: "mart_retention".to_owned(),
        description: "The share of subjects that stays on study.".to_owned(),
        facts: vec![("Grain".to_owned(), "one row per day".to_owned()), ("Key".to_owned(), "day".to_owned())],
        reads: vec![("dim_subject".to_owned(), None), ("fact_disposition".to_owned(), None)],
        read_by: Vec::new(),
        query: Some("SELECT day FROM a WHERE b < 1".to_owned()),
        columns: vec![MartColumn {
            name: "day".to_owned(),
            description: "days on study".to_owned(),
            from: vec!["dim_subject.days_on_study".to_owned()],
            canon: vec!["subject.ref_end_dtc".to_owned()],
            files: vec!["dm.xpt: RFENDTC".to_owned()],
        }],
        tests: vec![
            test("day is between 0 and 36525", true, Some(1)),
            test("share_on_study is between 0 and 1", true, Some(0)),
            test("every reason is known", false, None),
        ],
        tested_unix_s: Some(PUBLISHED_UNIX_S),
        history: vec![MartTiming {
            ended_unix_s: PUBLISHED_UNIX_S,
            outcome: "failed".to_owned(),
            why: "`dim_subject` has other content".to_owned(),
            row_count: 97,
            took_us: 900,
        }],
        lineage_command: "cairn marts lineage mart_retention".to_owned(),
    }
}
