//! Addresses of pages. The server's routes and these functions are the two sides of one agreement.

use crate::query::{
    AuditQuery, IndicatorQuery, JobsQuery, Level, QualityQuery, RbqmQuery, SiteTestQuery, encode_segment,
};
use crate::view::{Tab, Theme};

/// The list of studies.
pub const STUDIES: &str = "/studies";
/// Work that is done after its request was answered.
pub const JOBS: &str = "/jobs";
/// Where the form posts to that adds a schedule.
pub const SCHEDULES: &str = "/schedules";
/// The ledger.
pub const AUDIT: &str = "/audit";
/// Addresses that messages are posted to.
pub const WEBHOOKS: &str = "/webhooks";
/// A person's messages.
pub const INBOX: &str = "/inbox";
/// Where the form posts to that marks all of them as read.
pub const INBOX_READ: &str = "/inbox/read";
/// What of the inbox comes by e-mail too.
pub const INBOX_MAIL: &str = "/inbox/mail";
/// The tenant, for who administers it.
pub const ADMIN: &str = "/admin";
/// Who has which access, to be looked through and signed off.
pub const ACCESS_REVIEW: &str = "/admin/access-review";
/// Where the form posts to that signs a review off.
pub const ACCESS_REVIEW_SIGN_OFF: &str = "/admin/access-review/sign-off";
/// The accounts of the tenant.
pub const ADMIN_ACCOUNTS: &str = "/admin/accounts";
/// Where the form posts to that signs a span of the ledger off.
pub const AUDIT_REVIEWS: &str = "/audit/reviews";

/// One event of the ledger.
#[must_use]
pub fn audit_event(seq: u64) -> String {
    format!("{AUDIT}/{seq}")
}

/// The proof of one event, as a file.
#[must_use]
pub fn audit_proof(seq: u64) -> String {
    format!("{AUDIT}/{seq}/proof")
}

/// A search of the ledger as a file: `csv` or `json`.
#[must_use]
pub fn audit_export(query: &AuditQuery, format: &'static str) -> String {
    let query = AuditQuery { before: None, ..query.clone() }.to_query_string();
    let joint = if query.is_empty() { '?' } else { '&' };
    format!("{AUDIT}/export{query}{joint}format={format}")
}

/// Where the sign-in form posts to.
pub const LOGIN: &str = "/login";
/// Where a sign-in through the identity provider begins, and where it leads in the end.
#[must_use]
pub fn login_through_provider(next: &str) -> String {
    format!("{LOGIN}/oidc?next={}", encode_segment(next))
}

/// Where the sign-out form posts to.
pub const LOGOUT: &str = "/logout";

/// What a person keeps here: sessions and tokens.
pub const ACCOUNT: &str = "/account";
/// Where the form for a new token posts to.
pub const ACCOUNT_TOKENS: &str = "/account/tokens";

/// Where the form that begins a second factor posts to.
pub const SECOND_FACTOR_ENROL: &str = "/account/second-factor/enrol";
/// Where the form with the app's first code posts to.
pub const SECOND_FACTOR_CONFIRM: &str = "/account/second-factor/confirm";
/// Where the form that gives the second factor up posts to.
pub const SECOND_FACTOR_DISABLE: &str = "/account/second-factor/disable";

/// One endpoint with its deliveries.
#[must_use]
pub fn webhook(endpoint: &str) -> String {
    format!("{WEBHOOKS}/{}", encode_segment(endpoint))
}

/// The page of an endpoint's deliveries that are older than one.
#[must_use]
pub fn webhook_before(endpoint: &str, before: &str) -> String {
    format!("{}?before={}", webhook(endpoint), encode_segment(before))
}

/// Where the form posts to that does something with an endpoint.
#[must_use]
pub fn webhook_order(endpoint: &str, what: &str) -> String {
    format!("{}/{what}", webhook(endpoint))
}

/// Where the form posts to that sends a message again.
#[must_use]
pub fn retry_delivery(endpoint: &str, delivery: &str) -> String {
    format!("{}/deliveries/{}/retry", webhook(endpoint), encode_segment(delivery))
}

/// The page of an inbox that is older than one of its messages.
#[must_use]
pub fn inbox_before(before: &str) -> String {
    format!("{INBOX}?before={}", encode_segment(before))
}

/// Where the form posts to that marks a message as read.
#[must_use]
pub fn read_notice(notice: &str) -> String {
    format!("{INBOX}/{}/read", encode_segment(notice))
}

/// Where the form that signs a record of a study posts to.
#[must_use]
pub fn sign(study_key: &str) -> String {
    format!("{}/signatures", study(study_key))
}

/// Where the form that revokes a token posts to.
#[must_use]
pub fn revoke_token(token: &str) -> String {
    format!("{ACCOUNT_TOKENS}/{}/revoke", encode_segment(token))
}

/// Where the form that ends a session posts to.
#[must_use]
pub fn end_session(session: &str) -> String {
    format!("{ACCOUNT}/sessions/{}/end", encode_segment(session))
}

/// One account, for who administers the tenant.
#[must_use]
pub fn admin_account(account: &str) -> String {
    format!("{ADMIN_ACCOUNTS}/{}", encode_segment(account))
}

/// Where a form posts to that changes an account: `grant`, `disable`, `sessions/end` and so on.
#[must_use]
pub fn admin_account_action(account: &str, what: &'static str) -> String {
    format!("{}/{what}", admin_account(account))
}

/// Where the form posts to that takes one role from an account.
#[must_use]
pub fn admin_revoke_grant(account: &str, role: &str, study: Option<&str>) -> String {
    let place = study.map_or_else(String::new, |study| format!("/{}", encode_segment(study)));
    format!("{}/grants/{}{place}/revoke", admin_account(account), encode_segment(role))
}

/// Where the form posts to that ends another's session.
#[must_use]
pub fn admin_end_session(account: &str, session: &str) -> String {
    format!("{}/sessions/{}/end", admin_account(account), encode_segment(session))
}

/// Where the form posts to that revokes another's token.
#[must_use]
pub fn admin_revoke_token(account: &str, token: &str) -> String {
    format!("{}/tokens/{}/revoke", admin_account(account), encode_segment(token))
}

/// One study.
#[must_use]
pub fn study(study: &str) -> String {
    format!("{STUDIES}/{}", encode_segment(study))
}

/// A tab of one study; those of jobs and of the ledger are of none.
#[must_use]
pub fn tab(study_key: &str, tab: Tab) -> String {
    match tab {
        Tab::Overview => study(study_key),
        Tab::Quality => format!("{}/quality", study(study_key)),
        Tab::Rbqm => format!("{}/rbqm", study(study_key)),
        Tab::SiteTests => format!("{}/site-tests", study(study_key)),
        Tab::Enrolment => format!("{}/enrolment", study(study_key)),
        Tab::Safety => format!("{}/safety", study(study_key)),
        Tab::Data => format!("{}/data", study(study_key)),
        Tab::Jobs => JOBS.to_owned(),
        Tab::Audit => AUDIT.to_owned(),
        Tab::Webhooks => WEBHOOKS.to_owned(),
        Tab::Admin => ADMIN.to_owned(),
    }
}

/// The missingness page.
#[must_use]
pub fn quality(study: &str, query: &QualityQuery) -> String {
    format!("{}{}", tab(study, Tab::Quality), query.to_query_string())
}

/// Why values are missing.
#[must_use]
pub fn missing(study: &str) -> String {
    format!("{}/missing", self::study(study))
}

/// Sites against indicators.
#[must_use]
pub fn rbqm(study: &str, query: &RbqmQuery) -> String {
    format!("{}{}", tab(study, Tab::Rbqm), query.to_query_string())
}

/// The tests of one site.
#[must_use]
pub fn site_test(study: &str, site: &str, query: &SiteTestQuery) -> String {
    format!("{}/{}{}", tab(study, Tab::SiteTests), encode_segment(site), query.to_query_string())
}

/// One indicator.
#[must_use]
pub fn indicator(study: &str, indicator: &str, query: &IndicatorQuery) -> String {
    format!("{}/{}{}", tab(study, Tab::Rbqm), encode_segment(indicator), query.to_query_string())
}

/// One indicator with a site pointed out.
#[must_use]
pub fn indicator_at(study: &str, indicator_id: &str, site: &str) -> String {
    indicator(study, indicator_id, &IndicatorQuery { site: Some(site.to_owned()), ..Default::default() })
}

/// What is behind a group of an indicator's page: the subjects of a site, and of any other the group pointed out.
#[must_use]
pub fn indicator_group(study: &str, indicator_id: &str, query: &IndicatorQuery, group: &str) -> String {
    match query.level {
        Level::Site => site_subjects(study, indicator_id, group),
        _ => {
            indicator(study, indicator_id, &IndicatorQuery { site: Some(group.to_owned()), ..query.clone() })
        }
    }
}

/// The subjects of a site behind an indicator.
#[must_use]
pub fn site_subjects(study: &str, indicator: &str, site: &str) -> String {
    let (indicator, site) = (encode_segment(indicator), encode_segment(site));
    format!("{}/{indicator}/sites/{site}", tab(study, Tab::Rbqm))
}

/// The rows of a subject behind an indicator.
#[must_use]
pub fn subject_rows(study: &str, indicator: &str, site: &str, subject: &str) -> String {
    format!("{}/subjects/{}", site_subjects(study, indicator, site), encode_segment(subject))
}

/// The tolerance limits of a study.
#[must_use]
pub fn limits(study_key: &str) -> String {
    format!("{}/limits", study(study_key))
}

/// Where the form posts to that acts upon the alarm of a limit.
#[must_use]
pub fn act_on_limit(study_key: &str, limit: &str) -> String {
    format!("{}/{}", limits(study_key), encode_segment(limit))
}

/// Jobs.
#[must_use]
pub fn jobs(query: &JobsQuery) -> String {
    format!("{JOBS}{}", query.to_query_string())
}

/// Where the form posts to that gives a job up.
#[must_use]
pub fn cancel_job(job: &str) -> String {
    format!("{JOBS}/{}/cancel", encode_segment(job))
}

/// Where the form posts to that puts a job back in line.
#[must_use]
pub fn retry_job(job: &str) -> String {
    format!("{JOBS}/{}/retry", encode_segment(job))
}

/// Where a form posts to that does something with a schedule: `run`, `enable`, `disable`, `remove`.
#[must_use]
pub fn schedule(schedule: &str, what: &str) -> String {
    format!("{SCHEDULES}/{}/{}", encode_segment(schedule), encode_segment(what))
}

/// The events of a job, for the script that shows its progress.
#[must_use]
pub fn job_events(job: &str) -> String {
    format!("/api/v1/jobs/{}/events", encode_segment(job))
}

/// The marts of a study, for those who build them.
#[must_use]
pub fn marts(study: &str) -> String {
    format!("{}/marts", tab(study, Tab::Data))
}

/// One mart.
#[must_use]
pub fn mart(study: &str, mart: &str) -> String {
    format!("{}/{}", marts(study), encode_segment(mart))
}

/// Sets the theme and comes back.
#[must_use]
pub fn theme(to: Theme, back: &str) -> String {
    format!("/theme?to={}&back={}", to.name(), encode_segment(back))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_cannot_leave_their_segment() {
        assert_eq!(
            subject_rows("S/1", "kri0001", "..", "a b?"),
            "/studies/S%2F1/rbqm/kri0001/sites/%2E%2E/subjects/a%20b%3F"
        );
    }

    #[test]
    fn the_theme_switch_comes_back_to_the_whole_address() {
        assert_eq!(theme(Theme::Dark, "/a?b=c&d=e"), "/theme?to=dark&back=%2Fa%3Fb%3Dc%26d%3De");
    }
}
