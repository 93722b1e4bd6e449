//! The tolerance limits of a study, as its page shows them.

use flight::published::Visible;
use frontend::view::{LimitVerdict, ToleranceLimit};
use kernel::{Read, StudyScope};

use crate::app::App;
use crate::error::Result;

/// Each limit of `mart_tolerance_limit` once: judged by its fixed limits, with the forecast beside them.
pub(crate) async fn read(
    app: &App,
    scope: &StudyScope<Read>,
    visible: &Visible,
) -> Result<Vec<ToleranceLimit>> {
    let rows = app.mart_rows.table(scope, visible, "mart_tolerance_limit").await?;
    let [ids, methods, titles, verdicts] =
        ["limit_id", "method", "title", "verdict"].map(|name| rows.texts(name));
    let [events, units] = ["events", "units"].map(|name| rows.counts(name));
    let [expected, tolerated, statistic] =
        ["expected", "tolerated", "statistic"].map(|name| rows.numbers(name));
    let forecast = |id: &str| {
        (0..rows.len())
            .find(|row| ids[*row] == id && methods[*row] == "predictive")
            .and_then(|row| statistic[row])
    };
    let limits = (0..rows.len()).filter(|row| methods[*row] == "fixed").map(|row| ToleranceLimit {
        title: titles[row].clone(),
        events: events[row],
        units: units[row],
        expected: expected[row].unwrap_or_default(),
        tolerated: tolerated[row].unwrap_or_default(),
        verdict: match verdicts[row].as_str() {
            "within" => LimitVerdict::Within,
            "secondary" => LimitVerdict::Secondary,
            "breach" => LimitVerdict::Breach,
            _ => LimitVerdict::TooFew,
        },
        chance_above: forecast(&ids[row]),
    });
    Ok(limits.collect())
}
