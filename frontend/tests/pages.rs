//! What each page must say. The pages are also left beside the test binary, under `pages`, where a browser
//! can look at them in both themes.

use std::fs;
use std::path::Path;

use frontend::page;
use frontend::query::{
    AuditQuery, FlagFilter, IndicatorBars, IndicatorQuery, Level, QualityQuery, RbqmQuery, RowsBy, RowsQuery,
    SubjectsQuery,
};
use frontend::view::{
    AccountView, AdminAccountView, AuditView, ChecksView, Corrections, DataView, Flag, InboxView,
    IndicatorView, JobsView, LoginState, MonitoredBy, OverviewView, QualityView, RbqmView, ReportView,
    SecondFactorState, Signal, SiteRow, SiteSubjectsView, SiteTestsView, StudiesView, SubjectRowsView, Tab,
    Theme, Verification, WebhooksView,
};

use crate::example::{self, admin, clinical, data, frame, marts, quality, risk, webhooks};

/// Every page in one theme, by name.
pub(crate) fn all(theme: Theme) -> Vec<(&'static str, String)> {
    let pointed = IndicatorQuery { site: Some("117".to_owned()), ..IndicatorQuery::default() };
    let by_metric = IndicatorQuery { bars: IndicatorBars::Metric, ..IndicatorQuery::default() };
    let by_site = QualityQuery { rows: RowsBy::Site, ..QualityQuery::default() };
    vec![
        ("login", page::login(&example::login(LoginState::Fresh, theme))),
        ("login-refused", page::login(&example::login(LoginState::Refused, theme))),
        ("login-disabled", page::login(&example::login(LoginState::OrganisationDisabled, theme))),
        ("login-no-account", page::login(&example::login(LoginState::NoAccount, theme))),
        ("signed-in", page::signed_in(&example::login(LoginState::Fresh, theme).frame, "/studies?a=1&b=2")),
        ("account", page::account(&example::account(SecondFactorState::Absent, theme))),
        ("account-enrolled", page::account(&enrolled(theme))),
        ("account-confirmed", page::account(&confirmed(theme))),
        ("studies", page::studies(&example::studies(theme))),
        ("studies-empty", page::studies(&StudiesView { studies: Vec::new(), ..example::studies(theme) })),
        ("overview", page::overview(&data::overview(theme))),
        ("quality", page::quality(&quality::view(QualityQuery::default(), theme))),
        ("quality-sites", page::quality(&quality::view(by_site, theme))),
        ("quality-empty", page::quality(&empty_quality(theme))),
        ("rbqm", page::rbqm(&risk::rbqm(RbqmQuery::default(), theme))),
        (
            "rbqm-empty",
            page::rbqm(&RbqmView { sites: Vec::new(), ..risk::rbqm(RbqmQuery::default(), theme) }),
        ),
        ("limits", page::limits(&risk::limits_page(theme))),
        ("indicator", page::indicator(&risk::indicator(pointed, theme))),
        ("indicator-monitors", page::indicator(&monitors(theme))),
        ("indicator-metric", page::indicator(&risk::indicator(by_metric, theme))),
        ("site-subjects", page::site_subjects(&risk::site_subjects(SubjectsQuery::default(), theme))),
        (
            "subject-rows",
            page::subject_rows(&risk::subject_rows(RowsQuery { page: 2, corrections: false }, theme)),
        ),
        ("site-tests", page::site_tests(&clinical::site_tests(theme))),
        (
            "site-tests-empty",
            page::site_tests(&SiteTestsView { sites: Vec::new(), ..clinical::site_tests(theme) }),
        ),
        ("site-test", page::site_test(&clinical::site_test(theme))),
        ("report", page::report(&clinical::report(theme))),
        ("report-empty", page::report(&ReportView { sections: Vec::new(), ..clinical::report(theme) })),
        ("data", page::data(&data::data(theme))),
        ("jobs", page::jobs(&example::jobs(theme))),
        ("jobs-empty", page::jobs(&JobsView { jobs: Vec::new(), ..example::jobs(theme) })),
        ("marts", page::marts(&marts::marts(theme))),
        ("mart", page::mart(&marts::mart(theme))),
        ("audit", page::audit(&example::audit(theme))),
        ("webhooks", page::webhooks(&webhooks::webhooks(theme))),
        ("webhooks-empty", page::webhooks(&no_webhooks(theme))),
        ("webhook", page::webhook(&webhooks::webhook(theme))),
        ("inbox", page::inbox(&webhooks::inbox(theme))),
        ("inbox-empty", page::inbox(&InboxView { notices: Vec::new(), ..webhooks::inbox(theme) })),
        ("audit-event", page::audit_event(&admin::event(theme))),
        ("admin", page::admin(&admin::tenant(theme))),
        ("admin-accounts", page::accounts(&admin::accounts(theme))),
        ("admin-account", page::admin_account(&admin::account(theme))),
        ("access-review", page::access_review(&admin::review(theme))),
        ("error", page::error(&example::error(theme))),
    ]
}

fn no_webhooks(theme: Theme) -> WebhooksView {
    WebhooksView { endpoints: Vec::new(), issued: None, problem: None, ..webhooks::webhooks(theme) }
}

fn enrolled(theme: Theme) -> AccountView {
    let enrolment =
        Some(("JBSWY3DPEHPK3PXP".to_owned(), "otpauth://totp/Cairn:ana?secret=JBSWY3DPEHPK3PXP".to_owned()));
    AccountView { enrolment, ..example::account(SecondFactorState::Enrolled, theme) }
}

fn confirmed(theme: Theme) -> AccountView {
    AccountView {
        issued: Some("cairn_pat_secret".to_owned()),
        recovery_codes: vec!["abcd-efgh-ijkl-mnop".to_owned()],
        ..example::account(SecondFactorState::Confirmed(9), theme)
    }
}

fn empty_quality(theme: Theme) -> QualityView {
    QualityView { rows: Vec::new(), ..quality::view(QualityQuery::default(), theme) }
}

#[test]
fn every_page_is_left_for_a_browser_in_both_themes() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    fs::create_dir_all(folder.join("assets")).expect("a folder for the pages");
    for theme in [Theme::Light, Theme::Dark] {
        for (name, html) in all(theme) {
            fs::write(folder.join(format!("{name}.{}.html", theme.name())), html).expect("a page");
        }
    }
    for asset in frontend::assets() {
        fs::write(folder.join(asset.path.trim_start_matches('/')), asset.bytes).expect("an asset");
    }
}

fn check_says(html: &str, expected: &[&str]) {
    for text in expected {
        assert!(html.contains(text), "the page does not say `{text}`");
    }
}

#[test]
fn the_sign_in_page_keeps_what_was_typed_and_says_why_it_is_shown() {
    let html = page::login(&example::login(LoginState::Refused, Theme::System));
    check_says(
        &html,
        &[
            "method=\"post\" action=\"/login\"",
            "name=\"password\" type=\"password\"",
            "name=\"next\" value=\"/studies/CAIRN-301/rbqm\"",
            "value=\"ana@example.org\"",
            "the password or the code is not right",
            "href=\"/login/oidc?next=%2Fstudies%2FCAIRN-301%2Frbqm\"",
            "role=\"alert\"",
        ],
    );
    assert!(!html.contains("Sign out") && !html.contains("aria-label=\"Main\""), "nobody is signed in");
}

#[test]
fn the_account_page_shows_secrets_once_and_revokes_what_is_in_use() {
    let html = page::account(&confirmed(Theme::System));
    check_says(
        &html,
        &[
            "cairn_pat_secret",
            "abcd-efgh-ijkl-mnop",
            "9 recovery codes are left",
            "action=\"/account/tokens/token-notebook/revoke\"",
            "action=\"/account/sessions/s2/end\"",
            "action=\"/account/second-factor/disable\"",
            "&lt;old&gt;",
        ],
    );
    assert!(!html.contains("token-&lt;old&gt;/revoke") && !html.contains("sessions/s1/end"));
    check_says(
        &page::account(&enrolled(Theme::System)),
        &["JBSWY3DPEHPK3PXP", "href=\"otpauth://totp/", "action=\"/account/second-factor/confirm\""],
    );
}

#[test]
fn the_page_behind_the_provider_leads_on_without_a_script() {
    let html = page::signed_in(&example::login(LoginState::Fresh, Theme::System).frame, "/studies?a=1&b=2");
    check_says(
        &html,
        &["http-equiv=\"refresh\" content=\"0;url=/studies?a=1&amp;b=2\"", "href=\"/studies?a=1&amp;b=2\""],
    );
    let (head, _) = html.split_once("</head>").expect("a page has a head");
    assert!(head.contains("http-equiv"), "the browser looks for it in the head");
}

#[test]
fn the_frame_says_who_where_and_which_snapshot() {
    let html = page::rbqm(&risk::rbqm(RbqmQuery::default(), Theme::Dark));
    check_says(
        &html,
        &[
            "<!DOCTYPE html><html lang=\"en\" data-theme=\"dark\">",
            "href=\"#content\"",
            "Northwind Therapeutics",
            "Ana Ruiz",
            "Data engineer",
            "1a2b3c4d</code>",
            "2026-11-21 09:14 UTC",
            "method=\"post\" action=\"/logout\"",
            "name=\"csrf\" value=\"token\"",
            "/theme?to=light&amp;back=%2Fstudies%2FCAIRN-301%2Frbqm%3Fflag%3Dred%26country%3DDE",
            "href=\"/studies/S%2F3/rbqm\"",
            "href=\"/studies/CAIRN-301/rbqm\" aria-current=\"page\"",
        ],
    );
}

#[test]
fn an_engineer_without_studies_reads_the_command_and_others_do_not() {
    let mut view = StudiesView { studies: Vec::new(), ..example::studies(Theme::System) };
    check_says(&page::studies(&view), &["No studies", "cairn ingest --study"]);
    view.ingest_command = None;
    let html = page::studies(&view);
    check_says(&html, &["Ask your data engineer"]);
    assert!(!html.contains("cairn ingest"));
}

#[test]
fn the_overview_names_the_worst_sites_the_loads_and_the_way_out() {
    let html = page::overview(&data::overview(Theme::System));
    check_says(
        &html,
        &[
            "1,248",
            "not in this source",
            "Site 117",
            "times the study",
            "is not a date",
            "12 rows",
            "flight.connect",
            "fact_ae",
        ],
    );
    let html = page::overview(&OverviewView {
        frame: frame(Some(Tab::Overview), Theme::System),
        ..OverviewView::default()
    });
    check_says(&html, &["No risk indicators yet", "No loads"]);
}

#[test]
fn the_worst_site_comes_first_with_its_reason() {
    let html = page::rbqm(&risk::rbqm(RbqmQuery::default(), Theme::System));
    let calls = html.split("Every site and indicator").next().expect("the calls come first");
    let first = calls.split("class=\"call\"").nth(1).expect("a call");
    check_says(first, &["Site 117", "AE rate", "times the study", "(z 6.20, red)", "3 red"]);
    check_says(&html, &["▲▲", "▼▼", ">n/a<", ">few<", "red, high", "needs the table QUERY", "Risk score"]);
    check_says(
        &html,
        &["/studies/CAIRN-301/rbqm/kri0001?site=117", "not enough data yet", "not available for this source"],
    );
}

#[test]
fn a_filter_without_match_says_so_and_offers_the_way_back() {
    let query =
        RbqmQuery { flag: FlagFilter::Red, country: Some("Iceland".to_owned()), ..RbqmQuery::default() };
    let html = page::rbqm(&risk::rbqm(query, Theme::System));
    check_says(&html, &["No site in Iceland needs a call", "No sites match this filter", "Show all sites"]);
}

#[test]
fn missing_values_are_told_on_both_denominators() {
    let html = page::quality(&quality::view(QualityQuery::default(), Theme::System));
    check_says(
        &html,
        &[
            "Missing of expected (shown below)",
            "Missing of received",
            "Where most is missing",
            "id=\"figure-missingness\"",
            "aria-sort=\"descending\"",
            "risk.parquet",
            "Definition: Missing values",
        ],
    );
    check_says(&page::quality(&empty_quality(Theme::System)), &["no visit schedule", "See what was loaded"]);
    let narrow = QualityQuery { site: Some("999".to_owned()), ..QualityQuery::default() };
    check_says(
        &page::quality(&quality::view(narrow, Theme::System)),
        &["No values match this filter", "999"],
    );
}

/// Two monitors by the exact method.
fn monitors(theme: Theme) -> IndicatorView {
    let query = IndicatorQuery {
        level: Level::Monitor,
        method: Some("exact".to_owned()),
        site: Some("CRA-0000000000000001".to_owned()),
        ..IndicatorQuery::default()
    };
    let mut view = risk::indicator(query, theme);
    view.sites.truncate(2);
    for (site, name) in view.sites.iter_mut().zip(["CRA-0000000000000001", "CRA-0000000000000002"]) {
        let signals = std::mem::take(&mut site.signals);
        *site = SiteRow { site: name.to_owned(), subject_count: 40, signals, ..SiteRow::default() };
    }
    view
}

#[test]
fn sites_show_whom_to_call_and_groups_of_sites_are_compared_where_they_are_known() {
    let html = page::rbqm(&risk::rbqm(RbqmQuery::default(), Theme::System));
    check_says(
        &html,
        &[
            "Dr Martin · France · Oakfield Research · CRA-0000000000000004",
            "<td>CRA-0000000000000001</td>",
            "<option value=\"monitor\"",
            "CROs",
        ],
    );
    let mut unknown = risk::rbqm(RbqmQuery::default(), Theme::System);
    unknown.levels = vec![Level::Site, Level::Country, Level::Study];
    unknown.sites.iter_mut().for_each(|site| site.monitored_by = MonitoredBy::default());
    let html = page::rbqm(&unknown);
    assert!(!html.contains("value=\"monitor\"") && !html.contains(">Monitor<") && !html.contains(">CRO<"));
    let by_monitor = RbqmQuery { level: Level::Monitor, ..RbqmQuery::default() };
    let html = page::rbqm(&risk::rbqm(by_monitor, Theme::System));
    check_says(&html, &["Every monitor and indicator", "/rbqm/kri0001?level=monitor&amp;site="]);
}

#[test]
fn an_indicator_compares_groups_of_any_level_by_any_of_its_methods() {
    let html = page::indicator(&monitors(Theme::System));
    check_says(
        &html,
        &[
            "Monitor CRA-0000000000000001",
            "All monitors",
            "Exact, for small groups",
            "id=\"figure-funnel\"",
            "?level=monitor&amp;method=exact",
        ],
    );
    assert!(!html.contains("Subjects of this site") && !html.contains("Drill down"));
    let none = IndicatorView { sites: Vec::new(), ..monitors(Theme::System) };
    check_says(&page::indicator(&none), &["Nothing to compare", "Compare sites"]);
}

#[test]
fn an_indicator_shows_its_figures_its_table_and_its_definition() {
    let query = IndicatorQuery { site: Some("117".to_owned()), ..IndicatorQuery::default() };
    let html = page::indicator(&risk::indicator(query, Theme::System));
    check_says(
        &html,
        &[
            "id=\"figure-funnel\"",
            "id=\"figure-ranking\"",
            "class=\"lit\"",
            "normal_approximation",
            "Subjects of this site",
            "/studies/CAIRN-301/rbqm/kri0001/sites/117",
        ],
    );
    let mut unavailable = risk::indicator(IndicatorQuery::default(), Theme::System);
    unavailable.indicator.unavailable = Some("needs the table QUERY".to_owned());
    check_says(&page::indicator(&unavailable), &["Not available for this source", "needs the table QUERY"]);
    let nothing =
        IndicatorView { sites: Vec::new(), ..risk::indicator(IndicatorQuery::default(), Theme::System) };
    check_says(&page::indicator(&nothing), &["No sites"]);
}

#[test]
fn the_drill_path_ends_at_the_rows() {
    let html = page::site_subjects(&risk::site_subjects(SubjectsQuery::default(), Theme::System));
    check_says(&html, &["/sites/117/subjects/117-005", "Breadcrumb", "times the study"]);
    check_says(&html, &["thresholds: −3, −2, 2, 3", "thresholds: −4, −3, 3, 4", "monitoring plan 2.1"]);
    let nobody = SiteSubjectsView {
        subjects: Vec::new(),
        ..risk::site_subjects(SubjectsQuery::default(), Theme::System)
    };
    check_says(&page::site_subjects(&nobody), &["No subjects"]);
    let html =
        page::subject_rows(&risk::subject_rows(RowsQuery { page: 2, corrections: false }, Theme::System));
    let said = [
        "preferred_term",
        "Headache",
        "Page 2 of 3",
        "?page=3",
        "45 rows from fact_ae",
        "Empty in every row",
    ];
    check_says(&html, &said);
    let nothing = SubjectRowsView {
        rows: Vec::new(),
        row_count: 0,
        ..risk::subject_rows(RowsQuery::default(), Theme::System)
    };
    check_says(&page::subject_rows(&nothing), &["no row stands behind it"]);
    let asked = risk::subject_rows(RowsQuery { page: 1, corrections: true }, Theme::System);
    let html = page::subject_rows(&asked);
    check_says(&html, &["mild", "severe", "reason not given by the source", "misread", "(empty)", "u-17"]);
    let blinded = SubjectRowsView {
        corrections: Some(Corrections { snapshots: 3, ..Corrections::default() }),
        ..asked
    };
    check_says(
        &page::subject_rows(&blinded),
        &["while the study is blinded", "3 snapshots that were looked at"],
    );
}

#[test]
fn loads_show_their_receipts_and_what_was_set_aside() {
    let html = page::data(&data::data(Theme::System));
    check_says(&html, &["38.2 MB", "current", "replaced", "410,477", "Set aside because", "failed"]);
    let nothing = DataView { frame: frame(Some(Tab::Data), Theme::System), ..DataView::default() };
    check_says(&page::data(&nothing), &["No snapshots", "No loads"]);
}

#[test]
fn control_12_a_signature_is_shown_with_its_name_time_zone_and_meaning_and_an_invalid_one_says_so() {
    let html = page::data(&data::data(Theme::System));
    let shown = ["Ada Lovelace", "approval", " UTC", "signature invalid: the record was changed since"];
    check_says(&html, &shown);
    let form =
        ["action=\"/studies/CAIRN-301/signatures\"", "What your signature stands for", "authenticator app"];
    check_says(&html, &form);
}

#[test]
fn failing_checks_stand_with_their_remedy_and_those_without_rows_apart() {
    let view = data::data(Theme::System);
    let html = page::data(&view);
    check_says(
        &html,
        &[
            "R-10",
            "Reconcile with the safety database",
            "href=\"/api/v1/studies/CAIRN-301/quality/R-10\"",
            "1 checks fail, 127 pass, 2 are not applicable",
            "L5.rows",
        ],
    );
    let unchecked = DataView { checks: None, ..view.clone() };
    check_says(&page::data(&unchecked), &["No checks", "The next load is checked"]);
    let clean = ChecksView { failing: Vec::new(), ..view.checks.clone().unwrap_or_default() };
    check_says(&page::data(&DataView { checks: Some(clean), ..view }), &["no check fails"]);
}

#[test]
fn the_ledger_says_whether_it_is_whole() {
    let view = example::audit(Theme::System);
    check_says(
        &page::audit(&view),
        &["Ledger verified.", "4,218 entries", "/audit?before=4207", "snapshot.publish"],
    );
    let broken = Verification::Broken { sequence: 12, reason: "the hash differs".to_owned() };
    let query = AuditQuery { action: Some("nothing".to_owned()), ..AuditQuery::default() };
    let html = page::audit(&AuditView { verification: broken, events: Vec::new(), query, ..view });
    check_says(&html, &["Entry 12 does not fit: the hash differs", "No event matches", "role=\"alert\""]);
}

#[test]
fn an_event_shows_what_was_and_what_is_and_gives_its_proof() {
    check_says(
        &page::audit_event(&admin::event(Theme::System)),
        &[
            "Before",
            "researcher@S1",
            "After",
            "clinical@* researcher@S1",
            "/audit/4218/proof",
            "a change of duties",
        ],
    );
}

#[test]
fn every_change_of_an_account_asks_for_its_reason_and_no_key_press_makes_one() {
    let html = page::admin_account(&admin::account(Theme::System));
    check_says(
        &html,
        &[
            "name=\"reason\"",
            "/admin/accounts/0199-ana/disable",
            "/admin/accounts/0199-ana/grants/researcher/S%2F3/revoke",
            "/admin/accounts/0199-ana/sessions/s1/end",
            "/admin/accounts/0199-ana/tokens/t1/revoke",
            "/admin/accounts/0199-ana/identities\"",
            "name=\"identity\" value=\"9f86d081\" formaction=\"/admin/accounts/0199-ana/identities/unlink\"",
            "aria-label=\"Take the identity 248289761001 of https://id.example.org\"",
        ],
    );
    let nobody = AdminAccountView { identities: Vec::new(), ..admin::account(Theme::System) };
    check_says(
        &page::admin_account(&nobody),
        &["Nobody signs in to the account through an identity provider.", "Link the identity"],
    );
    let first = html.split("type=\"submit\"").find(|part| part.contains("name=\"csrf\"")).map(|_| ());
    assert!(first.is_some() && html.contains("disabled hidden"), "the first button of the form does nothing");
}

#[test]
fn a_review_that_is_overdue_says_so_and_marks_what_should_not_stay() {
    check_says(
        &page::access_review(&admin::review(Theme::System)),
        &[
            "The review is overdue.",
            "2 lines",
            "never used",
            "account disabled",
            "list_sha256",
            "?format=csv",
        ],
    );
    check_says(&page::admin(&admin::tenant(Theme::System)), &["overdue", "/admin/accounts", "1 disabled"]);
}

#[test]
fn an_error_says_what_to_do() {
    check_says(
        &page::error(&example::error(Theme::System)),
        &["404", "no such page", "choose the study", "4bf92f3577b34da6"],
    );
}

#[test]
fn a_hostile_site_name_stays_text_on_every_page() {
    let hostile = risk::HOSTILE.to_owned();
    let mut view =
        risk::indicator(IndicatorQuery { site: Some(hostile.clone()), ..Default::default() }, Theme::System);
    view.sites[0].site.clone_from(&hostile);
    view.sites[0].signals[0] =
        Signal { flag: Flag::HighRed, score: Some(9.0), ..view.sites[0].signals[0].clone() };
    view.indicator.title = hostile.clone();
    let mut matrix =
        risk::rbqm(RbqmQuery { country: Some(hostile.clone()), ..RbqmQuery::default() }, Theme::System);
    matrix.sites[0].site.clone_from(&hostile);
    matrix.sites[0].country.clone_from(&hostile);
    for html in [page::indicator(&view), page::rbqm(&matrix)] {
        assert!(!html.contains("<b>") && html.contains("&lt;b&gt;"));
        let blocks = html.matches("<script").count();
        assert_eq!(html.matches("</script>").count(), blocks, "a name ended a script block");
    }
}

#[test]
fn tolerance_limits_stand_with_the_gravest_first_and_with_the_forecast() {
    let html = page::rbqm(&risk::rbqm(RbqmQuery::default(), Theme::Light));
    let (breach, within) = (html.find("limit exceeded"), html.find("Subjects lost to follow-up"));
    assert!(breach.is_some() && breach < within, "{breach:?} {within:?}");
    for text in ["40 of 250", "16.0%", "1.2%"] {
        assert!(html.contains(text), "{text}");
    }
}

#[test]
fn the_page_of_the_marts_says_what_failed_and_what_to_do() {
    let html = page::marts(&marts::marts(Theme::System));
    for said in [
        "readers stay with the former snapshot",
        "day is between 0 and 36525",
        "cairn marts lineage mart_retention.day",
        "/studies/CAIRN-301/data/marts/mart_retention",
        "cairn marts build --dry-run",
    ] {
        assert!(html.contains(said), "{said}");
    }
    // Four tables and three marts, six of which are read.
    assert_eq!((html.matches("<rect").count(), html.matches("class=\"edge\"").count()), (7, 6));
}

#[test]
fn the_page_of_a_mart_shows_its_tests_with_rows_and_its_columns_with_files() {
    let html = page::mart(&marts::mart(Theme::System));
    for said in ["day 328722", "dim_subject.days_on_study", "dm.xpt: RFENDTC", "under 1 ms", "not asked yet"]
    {
        assert!(html.contains(said), "{said}");
    }
    assert!(html.contains("b &lt; 1"), "a query is text");
}

#[test]
fn a_secret_is_shown_beside_its_endpoint_and_an_answer_is_no_markup() {
    let page = page::webhooks(&webhooks::webhooks(Theme::System));
    assert!(
        page.contains("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") && page.contains("nobody can show it again")
    );
    assert!(page.contains("waiting, it fails") && page.contains("it answered 410"));
    let page = page::webhook(&webhooks::webhook(Theme::System));
    assert!(page.contains("&lt;b&gt;try later&lt;/b&gt;") && !page.contains("<b>try later"), "{page}");
    assert_eq!(page.matches("Send again</button>").count(), 1, "only what was given up is sent again");
    let page = page::inbox(&webhooks::inbox(Theme::System));
    assert!(page.contains("/inbox/b/read") && !page.contains("/inbox/a/read"), "{page}");
}

#[test]
fn site_tests_lead_with_the_oddest_site_and_say_what_stands_out() {
    let html = page::site_tests(&clinical::site_tests(Theme::Light));
    check_says(
        &html,
        &[
            "1 of 3 sites differ beyond chance, 1 of them clearly.",
            "href=\"/studies/CAIRN-301/site-tests/117?test=C3\"",
            "class=\"cell high-red\"",
            "class=\"cell high-amber\"",
            "class=\"cell not-enough\"",
        ],
    );
    let html = page::site_tests(&SiteTestsView { sites: Vec::new(), ..clinical::site_tests(Theme::Light) });
    check_says(&html, &["No site tests yet"]);
}

#[test]
fn a_site_s_tests_lead_to_its_subjects_values() {
    let html = page::site_test(&clinical::site_test(Theme::Light));
    check_says(
        &html,
        &[
            "Systolic blood pressure (mmHg): subjects of site 117",
            "Other sites",
            "117-001",
            "not judged: no two subjects differ",
        ],
    );
}

#[test]
fn a_report_has_its_tables_beside_its_figures_and_says_why_one_is_empty() {
    let html = page::report(&clinical::report(Theme::Light));
    check_says(
        &html,
        &[
            "data-figure=\"figure-plot-1\"",
            "10.0% to 15.0%",
            "2 of 400 rows are shown",
            "Nobody left early.",
            "1,156",
        ],
    );
    let html = page::report(&ReportView { sections: Vec::new(), ..clinical::report(Theme::Light) });
    check_says(&html, &["Subjects of this study have to be loaded."]);
}
