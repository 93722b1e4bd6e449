//! One study at a glance.

use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::HeaderMap;
use flight::published::Visible;
use frontend::link;
use frontend::query::QualityQuery;
use frontend::view::{KeyCount, OverviewView, Tab};
use kernel::{Read, StudyScope};

use super::{Answer, Visit, data, signals};
use crate::app::App;
use crate::error::Result;
use crate::http::State;
use crate::http::caller::Reader;

const LOADS_SHOWN: usize = 3;

/// `GET /studies/{study}`.
pub(crate) async fn show(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path(study): Path<String>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let scope = visit.scope(&study).await?;
    let visible = visit.visible(&scope).await?;
    let read = signals::read(&state.app, &scope, &visible).await.map_err(|failure| visit.fail(failure))?;
    let mut batches = data::batches(&state.app, &scope).await.map_err(|failure| visit.fail(failure))?;
    batches.truncate(LOADS_SHOWN);
    let (title, counts) =
        counts(&state.app, &scope, &visible).await.map_err(|failure| visit.fail(failure))?;
    let view = OverviewView {
        frame: visit.frame(Some(Tab::Overview), Some((&scope, &visible.row))).await?,
        title,
        counts,
        indicators: read.indicators,
        sites: read.sites,
        batches,
        tables: data::tables(&state.app, &scope, &visible, &study),
        flight_snippet: snippet(&state, &headers, &study),
    };
    Ok(visit.page(frontend::page::overview(&view)))
}

async fn counts(app: &App, scope: &StudyScope<Read>, visible: &Visible) -> Result<(String, Vec<KeyCount>)> {
    let study = app.mart_rows.table(scope, visible, "dim_study").await?;
    let sites = app.mart_rows.table(scope, visible, "dim_site").await?;
    let subjects = app.mart_rows.table(scope, visible, "dim_subject").await?;
    // Members of now: a site or a subject that changed has a version for each state it had.
    let now = subjects.truths("is_current");
    let [screened, enrolled, failed] = ["is_screened", "is_enrolled", "is_screen_failure"].map(|name| {
        subjects.truths(name).into_iter().zip(&now).filter(|(truth, now)| *truth && **now).count() as u64
    });
    let sites = sites.truths("is_current").into_iter().filter(|current| *current).count() as u64;
    let of = |part: u64, whole: u64| {
        #[expect(clippy::cast_precision_loss, reason = "subjects are counted in thousands")]
        let share = 100.0 * part as f64 / whole.max(1) as f64;
        format!("{share:.0} % of screened")
    };
    let code = scope.study().as_str();
    let table = |name: &str, label: &str, note: &str| KeyCount {
        label: label.to_owned(),
        // A table without rows is a source that does not hold it.
        count: visible.manifest.tables.get(name).map(warehouse::Table::rows).filter(|rows| *rows > 0),
        note: note.to_owned(),
        href: None,
    };
    let counts = vec![
        KeyCount {
            label: "Sites".to_owned(),
            count: Some(sites),
            href: Some(link::tab(code, Tab::Rbqm)),
            ..KeyCount::default()
        },
        KeyCount { label: "Subjects screened".to_owned(), count: Some(screened), ..KeyCount::default() },
        KeyCount {
            label: "Subjects enrolled".to_owned(),
            count: Some(enrolled),
            note: of(enrolled, screened),
            href: None,
        },
        KeyCount {
            label: "Screen failures".to_owned(),
            count: Some(failed),
            note: of(failed, screened),
            href: None,
        },
        table("fact_ae", "Adverse events", ""),
        table("fact_query", "Queries", ""),
        table("fact_form", "EDC pages", ""),
        table("fact_lab", "Lab results", ""),
        KeyCount {
            href: Some(link::quality(code, &QualityQuery::default())),
            ..table("fact_observation", "Other findings", "")
        },
    ];
    let titles = study.texts("title").into_iter().zip(study.truths("is_current"));
    let title = titles.into_iter().find(|(_, current)| *current).map(|(title, _)| title).unwrap_or_default();
    Ok((title, counts))
}

/// How to pull a table over Flight from Python.
fn snippet(state: &State, headers: &HeaderMap, study: &str) -> String {
    let host = headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1:8480");
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let port = state.announced.flight.port();
    let (scheme, grpc) = state.announced.schemes;
    format!(
        r#"import json, urllib.request, pyarrow.flight as flight
login = json.dumps({{"email": "<you>", "password": "<password>", "audience": "flight"}}).encode()
request = urllib.request.Request("{scheme}://{host}/api/v1/login", login, {{"Content-Type": "application/json"}})
token = json.load(urllib.request.urlopen(request))["token"]
options = flight.FlightCallOptions(headers=[(b"authorization", b"Bearer " + token.encode())])
client = flight.connect("{grpc}://{name}:{port}")
info = client.get_flight_info(flight.FlightDescriptor.for_path("{study}", "mart_kri"), options)
print(client.do_get(info.endpoints[0].ticket, options).read_all().to_pandas())"#
    )
}
