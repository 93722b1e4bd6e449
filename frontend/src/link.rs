//! Addresses of pages. The server's routes and these functions are the two sides of one agreement.

use crate::query::{IndicatorQuery, QualityQuery, RbqmQuery, encode_segment};
use crate::view::{Tab, Theme};

/// The list of studies.
pub const STUDIES: &str = "/studies";
/// The ledger.
pub const AUDIT: &str = "/audit";
/// Where the sign-in form posts to.
pub const LOGIN: &str = "/login";
/// Where the sign-out form posts to.
pub const LOGOUT: &str = "/logout";

/// One study.
#[must_use]
pub fn study(study: &str) -> String {
    format!("{STUDIES}/{}", encode_segment(study))
}

/// A tab of one study; the audit tab is not of a study.
#[must_use]
pub fn tab(study_key: &str, tab: Tab) -> String {
    match tab {
        Tab::Overview => study(study_key),
        Tab::Quality => format!("{}/quality", study(study_key)),
        Tab::Rbqm => format!("{}/rbqm", study(study_key)),
        Tab::Data => format!("{}/data", study(study_key)),
        Tab::Audit => AUDIT.to_owned(),
    }
}

/// The missingness page.
#[must_use]
pub fn quality(study: &str, query: &QualityQuery) -> String {
    format!("{}{}", tab(study, Tab::Quality), query.to_query_string())
}

/// Sites against indicators.
#[must_use]
pub fn rbqm(study: &str, query: &RbqmQuery) -> String {
    format!("{}{}", tab(study, Tab::Rbqm), query.to_query_string())
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
