//! Loads, snapshots and tables.

use frontend::view::{
    BatchRow, BatchState, CheckSeverity, ChecksView, Choice, DataView, FailingCheck, KeyCount, OverviewView,
    QuarantineReason, SignatureLine, SignaturesView, SnapshotRow, SnapshotState, Tab, TableRow, Theme,
    ToSign,
};

use super::{PUBLISHED_UNIX_S, frame, risk, snapshot};

pub(crate) fn overview(theme: Theme) -> OverviewView {
    let count = |label: &str, count: u64, note: &str| KeyCount {
        label: label.to_owned(),
        count: Some(count),
        note: note.to_owned(),
        href: None,
    };
    OverviewView {
        frame: frame(Some(Tab::Overview), theme),
        title: "A phase 3 study of an invented compound in moderate asthma".to_owned(),
        counts: vec![
            count("Sites", 24, "5 countries"),
            count("Subjects screened", 1_580, ""),
            count("Subjects enrolled", 1_248, "79.0% of screened"),
            count("Discontinued", 97, "7.8% of enrolled"),
            count("Adverse events", 3_412, "112 serious"),
            count("Pages received", 48_310, ""),
            KeyCount { label: "Open queries".to_owned(), ..KeyCount::default() },
        ],
        indicators: risk::indicators(),
        sites: risk::sites(),
        batches: batches(),
        tables: tables(),
        flight_snippet: "from pyarrow import flight\n\nclient = flight.connect(\"grpc+tls://localhost:50051\")\n\
                         reader = client.do_get(flight.Ticket(b\"CAIRN-301/fact_ae\"))\ntable = reader.read_all()"
            .to_owned(),
    }
}

fn checks() -> ChecksView {
    let failing = FailingCheck {
        id: "R-10".to_owned(),
        severity: CheckSeverity::Error,
        category: "plausibility".to_owned(),
        entity: "adverse_event".to_owned(),
        description: "An adverse event with a criterion of seriousness is serious.".to_owned(),
        remedy: "Reconcile with the safety database at once.".to_owned(),
        denominator: 3_412,
        violations: 36,
        accepted: "at most 0 violations (data management)".to_owned(),
        href: "/api/v1/studies/CAIRN-301/quality/R-10".to_owned(),
    };
    ChecksView {
        failing: vec![failing],
        pass_count: 127,
        not_applicable: vec!["R-11".to_owned(), "L5.rows".to_owned()],
        list_href: "/api/v1/studies/CAIRN-301/quality".to_owned(),
    }
}

pub(crate) fn data(theme: Theme) -> DataView {
    let row = |id: &str, published_unix_s, replaces: Option<&str>, state| SnapshotRow {
        id: id.to_owned(),
        published_unix_s,
        table_count: 17,
        row_count: 4_120_332,
        bytes: 38_200_111,
        replaces: replaces.map(str::to_owned),
        state,
    };
    DataView {
        frame: frame(Some(Tab::Data), theme),
        snapshots: vec![
            row(&snapshot().id, PUBLISHED_UNIX_S, Some("0badcafe0badcafe"), SnapshotState::Current),
            row("0badcafe0badcafe", PUBLISHED_UNIX_S - 86_400, None, SnapshotState::Superseded),
        ],
        batches: batches(),
        checks: Some(checks()),
        tables: tables(),
        signatures: signatures(),
        marts_href: Some("/studies/CAIRN-301/data/marts".to_owned()),
        ingest_command: Some("cairn ingest --study CAIRN-301 ./cuts/2026-11-21".to_owned()),
    }
}

fn signatures() -> SignaturesView {
    let line = |record: &str, name: Option<&str>, meaning: &str, is_valid, said: &str| SignatureLine {
        id: format!("{record}-{meaning}"),
        record: record.to_owned(),
        record_sha256: "5b".repeat(32),
        name: name.map(ToOwned::to_owned),
        meaning: meaning.to_owned(),
        signed_unix_s: PUBLISHED_UNIX_S + 60,
        is_valid,
        said: said.to_owned(),
    };
    let choice = |name: &str| Choice { key: name.to_owned(), label: name.to_owned() };
    SignaturesView {
        signatures: vec![
            line("snapshot 0badcafe", Some("Ada Lovelace"), "approval", true, "valid"),
            line(
                "delivery 11111111",
                Some("Grace Hopper"),
                "review",
                false,
                "signature invalid: the record was changed since, or is gone",
            ),
        ],
        to_sign: Some(ToSign {
            action: "/studies/CAIRN-301/signatures".to_owned(),
            record_type: "snapshot".to_owned(),
            record: snapshot().id,
            record_sha256: "5b".repeat(32),
            meanings: vec![choice("approval"), choice("review")],
            provider: Some("Example ID".to_owned()),
        }),
        problem: None,
    }
}

fn batches() -> Vec<BatchRow> {
    let batch = |id: &str, state, rows_quarantined, quarantine| BatchRow {
        id: id.to_owned(),
        received_unix_s: PUBLISHED_UNIX_S - 600,
        source: "sdtm/2026-11-21".to_owned(),
        state,
        file_count: 22,
        rows_in: 412_009,
        rows_new: 1_204,
        rows_changed: 311,
        rows_unchanged: 410_477,
        rows_deleted: 12,
        rows_quarantined,
        quarantine,
    };
    let reason = |table: &str, reason: &str, row_count| QuarantineReason {
        table: table.to_owned(),
        reason: reason.to_owned(),
        row_count,
    };
    vec![
        batch(
            "7c1d2e3f4a5b6c7d",
            BatchState::Published,
            17,
            vec![
                reason("AE", "start date `2026-13-04` is not a date", 12),
                reason("LB", "subject is not in the demographics", 5),
            ],
        ),
        batch("66aa77bb88cc99dd", BatchState::Failed, 0, Vec::new()),
    ]
}

fn tables() -> Vec<TableRow> {
    let table = |name: &str, grain: &str, row_count| TableRow {
        name: name.to_owned(),
        grain: grain.to_owned(),
        row_count,
        column_count: 24,
        csv_href: Some(format!("/api/v1/studies/CAIRN-301/tables/{name}.csv")),
        parquet_href: Some(format!("/api/v1/studies/CAIRN-301/tables/{name}.parquet")),
    };
    vec![
        table("dim_subject", "one subject", 1_248),
        table("fact_ae", "one adverse event", 3_412),
        table("fact_observation", "one subject, visit and variable", 2_318_044),
    ]
}
