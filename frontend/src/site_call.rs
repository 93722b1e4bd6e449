//! Which sites need a call, worst first, and why.

use std::cmp::Ordering;

use crate::verdict;
use crate::view::{Flag, Indicator, MonitoredBy, SiteRow};

/// A site that needs a call.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteCall {
    /// The site's number.
    pub site: String,
    /// Investigator or city; may be empty.
    pub name: String,
    /// Country; may be empty.
    pub country: String,
    /// Who monitors it; may be empty.
    pub monitored_by: MonitoredBy,
    /// The site risk score.
    pub risk_score: Option<f64>,
    /// Indicators in red.
    pub red_count: usize,
    /// Indicators in amber.
    pub amber_count: usize,
    /// Why, most urgent first.
    pub reasons: Vec<Reason>,
}

/// One reason for a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// The indicator's identifier.
    pub indicator: String,
    /// Red or amber.
    pub flag: Flag,
    /// One sentence.
    pub sentence: String,
}

/// The sites that need a call, worst first. A site needs one when an indicator is red, or two are amber.
#[must_use]
pub fn site_calls(indicators: &[Indicator], sites: &[SiteRow]) -> Vec<SiteCall> {
    let mut called: Vec<&SiteRow> = sites
        .iter()
        .filter(|site| {
            let (red, amber) = flag_counts(site);
            red > 0 || amber > 1
        })
        .collect();
    called.sort_by(|a, b| worst_first(a, b));
    called.into_iter().map(|site| site_call(indicators, site)).collect()
}

/// Red and amber flags of a site.
#[must_use]
pub fn flag_counts(site: &SiteRow) -> (usize, usize) {
    let red = site.signals.iter().filter(|signal| signal.flag.is_red()).count();
    let amber = site.signals.iter().filter(|signal| signal.flag.is_amber()).count();
    (red, amber)
}

/// The worst site first: those with a red indicator, whatever the weights of the others say; then the highest risk score,
/// sites without one last; then most red, most amber, and the site's number.
#[must_use]
pub fn worst_first(a: &SiteRow, b: &SiteRow) -> Ordering {
    let known = |site: &SiteRow| site.risk_score.unwrap_or(f64::NEG_INFINITY);
    let (a_flags, b_flags) = (flag_counts(a), flag_counts(b));
    let by_red = (b_flags.0 > 0).cmp(&(a_flags.0 > 0));
    let by_score = by_red.then_with(|| known(b).total_cmp(&known(a)));
    by_score.then_with(|| b_flags.cmp(&a_flags)).then_with(|| a.site.cmp(&b.site))
}

fn site_call(indicators: &[Indicator], site: &SiteRow) -> SiteCall {
    let (red_count, amber_count) = flag_counts(site);
    let mut raised: Vec<_> = indicators
        .iter()
        .zip(&site.signals)
        .filter_map(|(indicator, signal)| Some((indicator, signal, verdict::reason(indicator, signal)?)))
        .collect();
    // The sort is stable: equal ones stay in catalogue order.
    raised.sort_by(|(_, a, _), (_, b, _)| {
        let size = |score: Option<f64>| score.map_or(0.0, f64::abs);
        verdict::urgency(a.flag).cmp(&verdict::urgency(b.flag)).then(size(b.score).total_cmp(&size(a.score)))
    });
    let reasons = raised
        .into_iter()
        .map(|(indicator, signal, sentence)| Reason {
            indicator: indicator.id.clone(),
            flag: signal.flag,
            sentence,
        })
        .collect();
    SiteCall {
        site: site.site.clone(),
        name: site.name.clone(),
        country: site.country.clone(),
        monitored_by: site.monitored_by.clone(),
        risk_score: site.risk_score,
        red_count,
        amber_count,
        reasons,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Signal;

    fn indicators() -> Vec<Indicator> {
        ["kri0001", "kri0002"].map(|id| Indicator { id: id.to_owned(), ..Indicator::default() }).to_vec()
    }

    fn site(name: &str, risk_score: Option<f64>, flags: [Flag; 2]) -> SiteRow {
        let signals = flags
            .into_iter()
            .zip([2.5, -9.0])
            .map(|(flag, score)| Signal { flag, score: Some(score), ..Signal::default() })
            .collect();
        SiteRow { site: name.to_owned(), risk_score, signals, ..SiteRow::default() }
    }

    fn check_calls(sites: &[SiteRow], expected: &[&str]) {
        let calls = site_calls(&indicators(), sites);
        let names: Vec<&str> = calls.iter().map(|call| call.site.as_str()).collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn one_red_or_two_ambers_make_a_call() {
        check_calls(
            &[
                site("red", Some(1.0), [Flag::LowRed, Flag::None]),
                site("one amber", Some(9.0), [Flag::HighAmber, Flag::None]),
                site("two ambers", Some(5.0), [Flag::HighAmber, Flag::LowAmber]),
                site("silent", None, [Flag::NotEnough, Flag::NotAvailable]),
            ],
            &["red", "two ambers"],
        );
    }

    #[test]
    fn equal_scores_are_ordered_by_flags_and_then_by_number() {
        check_calls(
            &[
                site("b", Some(5.0), [Flag::HighRed, Flag::None]),
                site("a", Some(5.0), [Flag::HighRed, Flag::None]),
                site("c", Some(5.0), [Flag::HighRed, Flag::LowRed]),
                site("d", None, [Flag::HighRed, Flag::LowRed]),
            ],
            &["c", "a", "b", "d"],
        );
    }

    #[test]
    fn the_most_urgent_reason_comes_first() {
        let calls = site_calls(&indicators(), &[site("a", None, [Flag::HighAmber, Flag::LowRed])]);
        let order: Vec<&str> = calls[0].reasons.iter().map(|reason| reason.indicator.as_str()).collect();
        assert_eq!(order, ["kri0002", "kri0001"]);
        let calls = site_calls(&indicators(), &[site("a", None, [Flag::HighRed, Flag::LowRed])]);
        assert_eq!(calls[0].reasons[0].indicator, "kri0002", "both red: the larger distance first");
    }
}
