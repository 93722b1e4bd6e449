//! Statistical tests of each site against the rest, and what is behind those of one site.

use std::collections::BTreeMap;

use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::HeaderMap;
use flight::published::Visible;
use frontend::query::SiteTestQuery;
use frontend::view::{
    Choice, Definition, SiteTestCell, SiteTestRow, SiteTestView, SiteTestsRow, SiteTestsView, SubjectValues,
    Tab, VariableValues,
};
use kernel::{Read, StudyScope};
use marts::site_test::{ALL, LEAST_SUBJECTS, TESTS, facts};

use super::subjects::recorded;
use super::{Answer, Visit, pairs, signals};
use crate::app::App;
use crate::error::{Failure, Result};
use crate::http::State;
use crate::http::caller::Reader;

/// `GET /studies/{study}/site-tests`.
pub(crate) async fn list(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path(study): Path<String>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let scope = visit.scope(&study).await?;
    let visible = visit.visible(&scope).await?;
    let sites = sites(&state.app, &scope, &visible).await.map_err(|failure| visit.fail(failure))?;
    let view = SiteTestsView {
        frame: visit.frame(Some(Tab::SiteTests), Some((&scope, &visible.row))).await?,
        tests: kinds(),
        sites,
        definition: definition(),
        downloads: signals::downloads(&study, "mart_site_test_combined"),
    };
    Ok(visit.page(frontend::page::site_tests(&view)))
}

/// Each kind of test once, by its id; tests of one id are one kind.
fn kinds() -> Vec<Choice> {
    let mut kinds: Vec<Choice> = Vec::new();
    for test in TESTS {
        match kinds.last_mut().filter(|last| last.key == test.id) {
            Some(last) => last.label = format!("{}; {}", last.label, test.title.to_lowercase()),
            None => kinds.push(Choice { key: test.id.to_owned(), label: test.title.to_owned() }),
        }
    }
    kinds
}

async fn sites(app: &App, scope: &StudyScope<Read>, visible: &Visible) -> Result<Vec<SiteTestsRow>> {
    let rows = app.mart_rows.table(scope, visible, "mart_site_test_combined").await?;
    let [sites, tests, methods, variables] =
        ["site_id", "test_id", "strongest_method", "strongest_variable"].map(|name| rows.texts(name));
    let [p, q, n] = ["p_value", "q_value", "n_tests"].map(|name| rows.numbers(name));
    let kinds = kinds();
    let mut found: BTreeMap<String, SiteTestsRow> = BTreeMap::new();
    for row in 0..rows.len() {
        let title = facts(&methods[row]).map_or(methods[row].as_str(), |test| test.title);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "tests are counted in thousands"
        )]
        let n_tests = n[row].unwrap_or_default() as u64;
        let cell = SiteTestCell {
            p_value: p[row].unwrap_or(1.0),
            q_value: q[row].unwrap_or(1.0),
            n_tests,
            strongest: format!("{title}: {}", variables[row]),
        };
        let site = found.entry(sites[row].clone()).or_insert_with(|| SiteTestsRow {
            site: sites[row].clone(),
            cells: vec![None; kinds.len()],
            ..SiteTestsRow::default()
        });
        if tests[row] == ALL {
            site.all = Some(cell);
        } else if let Some(place) = kinds.iter().position(|kind| kind.key == tests[row]) {
            site.cells[place] = Some(cell);
        }
    }
    let mut sites: Vec<SiteTestsRow> = found.into_values().collect();
    let p = |site: &SiteTestsRow| site.all.as_ref().map_or(1.0, |all| all.p_value);
    sites.sort_by(|left, right| p(left).total_cmp(&p(right)).then_with(|| left.site.cmp(&right.site)));
    Ok(sites)
}

/// `GET /studies/{study}/site-tests/{site}`: the tests of a site, and its subjects' values of one variable.
pub(crate) async fn show(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path((study, site)): Path<(String, String)>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let scope = visit.scope(&study).await?;
    let visible = visit.visible(&scope).await?;
    let query = SiteTestQuery::from_pairs(&pairs(&uri));
    let rows = tests(&state.app, &scope, &visible, &site).await.map_err(|failure| visit.fail(failure))?;
    if rows.is_empty() {
        let problem = visit.caller.refuse(&state, "no_such_site").await;
        return Err(visit.refuse(&problem));
    }
    let values = match &query.variable {
        None => None,
        Some(variable) => {
            let reading = async {
                let values = values(&state.app, (&scope, &visible), &site, variable).await?;
                let rows = values.subjects.len() as u64;
                Ok::<_, Failure>((values, rows))
            };
            Some(recorded(&visit, (&scope, &visible), "mart_subject_variable", reading).await?)
        }
    };
    let wanted = |row: &SiteTestRow| query.test.as_ref().is_none_or(|test| *test == row.id);
    let view = SiteTestView {
        frame: visit.frame(Some(Tab::SiteTests), Some((&scope, &visible.row))).await?,
        site,
        tests: kinds()
            .into_iter()
            .map(|kind| Choice { label: format!("{} {}", kind.key, kind.label), ..kind })
            .collect(),
        rows: rows.into_iter().filter(wanted).collect(),
        query,
        values,
        definition: definition(),
        downloads: signals::downloads(&study, "mart_site_test"),
    };
    Ok(visit.page(frontend::page::site_test(&view)))
}

async fn tests(
    app: &App,
    scope: &StudyScope<Read>,
    visible: &Visible,
    site: &str,
) -> Result<Vec<SiteTestRow>> {
    let rows = app.mart_rows.table(scope, visible, "mart_site_test").await?;
    let [sites, ids, methods, variables] =
        ["site_id", "test_id", "method", "variable"].map(|name| rows.texts(name));
    let [p, q, effect, here, elsewhere] =
        ["p_value", "q_value", "effect", "n_site", "n_rest"].map(|name| rows.numbers(name));
    let why = rows.optional_texts("not_judged");
    let mut found: Vec<SiteTestRow> = (0..rows.len())
        .filter(|row| sites[*row] == site)
        .map(|row| {
            let facts = facts(&methods[row]);
            SiteTestRow {
                id: ids[row].clone(),
                title: facts.map_or_else(|| methods[row].clone(), |test| test.title.to_owned()),
                variable: variables[row].clone(),
                values_of: variable_of(&ids[row], &variables[row]),
                p_value: p[row],
                q_value: q[row],
                effect: effect[row],
                effect_unit: facts.map_or_else(String::new, |test| test.effect.to_owned()),
                n_site: here[row],
                n_rest: elsewhere[row],
                not_judged: why[row].clone(),
            }
        })
        .collect();
    let p = |row: &SiteTestRow| row.p_value.unwrap_or(2.0);
    found.sort_by(|left, right| p(left).total_cmp(&p(right)));
    Ok(found)
}

/// The numeric variable that a test is about: the first of a pair, and none for kinds of records and visits.
fn variable_of(id: &str, variable: &str) -> Option<String> {
    let first = variable.split(" with ").next().unwrap_or(variable);
    (first.contains('.') && id != "C12").then(|| first.to_owned())
}

async fn values(
    app: &App,
    (scope, visible): (&StudyScope<Read>, &Visible),
    site: &str,
    variable: &str,
) -> Result<VariableValues> {
    let rows = app.mart_rows.table(scope, visible, "mart_subject_variable").await?;
    let [sites, subjects, variables, tests, units] =
        ["site_id", "subject_id", "variable", "test", "unit"].map(|name| rows.texts(name));
    let [n, mean, deviation, least, greatest, round] =
        ["n_values", "mean", "standard_deviation", "least", "greatest", "n_ending_in_0_or_5"]
            .map(|name| rows.numbers(name));
    let mut values = VariableValues { variable: variable.to_owned(), ..VariableValues::default() };
    let mut rest: Vec<SubjectValues> = Vec::new();
    for row in (0..rows.len()).filter(|row| variables[*row] == variable) {
        values.label = match units[row].as_str() {
            "" => tests[row].clone(),
            unit => format!("{} ({unit})", tests[row]),
        };
        let subject = SubjectValues {
            subject: subjects[row].clone(),
            n_values: n[row].unwrap_or_default(),
            mean: mean[row],
            standard_deviation: deviation[row],
            least: least[row],
            greatest: greatest[row],
            share_0_or_5: round[row].zip(n[row]).map(|(round, all)| round / all),
        };
        if sites[row] == site { values.subjects.push(subject) } else { rest.push(subject) }
    }
    values.rest = middle(&rest);
    Ok(values)
}

/// The means over subjects.
fn middle(subjects: &[SubjectValues]) -> SubjectValues {
    let mean = |of: fn(&SubjectValues) -> Option<f64>| {
        let known: Vec<f64> = subjects.iter().filter_map(of).collect();
        #[expect(clippy::cast_precision_loss, reason = "subjects are fewer than 2^53")]
        let count = known.len() as f64;
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / count)
    };
    SubjectValues {
        subject: "Other sites".to_owned(),
        n_values: mean(|subject| Some(subject.n_values)).unwrap_or_default(),
        mean: mean(|subject| subject.mean),
        standard_deviation: mean(|subject| subject.standard_deviation),
        least: mean(|subject| subject.least),
        greatest: mean(|subject| subject.greatest),
        share_0_or_5: mean(|subject| subject.share_0_or_5),
    }
}

fn definition() -> Definition {
    let mut parameters = vec![
        ("subjects that a site needs with data".to_owned(), LEAST_SUBJECTS.to_string()),
        ("red, amber".to_owned(), "adjusted probability below 0.01, below 0.05".to_owned()),
    ];
    parameters.extend(TESTS.iter().map(|test| (format!("{} {}", test.id, test.title), test.how.to_owned())));
    Definition {
        title: "Site tests".to_owned(),
        summary: "Each variable of each site is compared with all other sites. A small probability says that chance \
                  alone seldom makes such a difference; it does not say why. Look at the effect and at the values."
            .to_owned(),
        method: "permutation of subjects among sites, without simulation; other tests say theirs below. What the other sites \
                 differ among themselves by the same test is taken off: a site is asked whether it differs more than sites do"
            .to_owned(),
        formula: "z becomes z / sqrt(1 + t w), with t the variance between the other sites and 1 / w = 1 / n + 1 / r for n \
                  subjects at the site and r elsewhere; tests of one kind, and kinds of one site, are combined by Cauchy's transformation, \
                  p = 0.5 - atan(mean of tan((0.5 - p) pi)) / pi; sites and kinds are adjusted by Benjamini and Hochberg"
            .to_owned(),
        source: "Paule and Mandel 1982; Liu and Xie 2020; Benjamini and Hochberg 1995".to_owned(),
        parameters,
        ..Definition::default()
    }
}
