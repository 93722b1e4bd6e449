//! Which rows a table shows and in which order. Every order ends on a full key.

use crate::query::{
    FlagFilter, IndicatorQuery, IndicatorSort, RbqmQuery, RbqmSort, SubjectsQuery, SubjectsSort,
};
use crate::site_call::{flag_counts, worst_first};
use crate::verdict;
use crate::view::{Indicator, SiteRow, SubjectContribution};

/// The sites of the matrix that the query asks for, in its order.
#[must_use]
pub fn matrix_sites(query: &RbqmQuery, indicators: &[Indicator], sites: &[SiteRow]) -> Vec<SiteRow> {
    let mut shown: Vec<SiteRow> = sites.iter().filter(|site| is_shown(query, site)).cloned().collect();
    shown.sort_by(worst_first);
    match &query.sort {
        RbqmSort::Worst => {}
        RbqmSort::Site => shown.sort_by(|a, b| a.site.cmp(&b.site)),
        RbqmSort::Country => shown.sort_by(|a, b| (&a.country, &a.site).cmp(&(&b.country, &b.site))),
        RbqmSort::Subjects => {
            shown.sort_by(|a, b| b.subject_count.cmp(&a.subject_count).then_with(|| a.site.cmp(&b.site)));
        }
        RbqmSort::Indicator(id) => {
            if let Some(place) = indicators.iter().position(|indicator| &indicator.id == id) {
                shown.sort_by(|a, b| most_urgent_first(a, b, place));
            }
        }
    }
    shown
}

/// The sites of an indicator's table, in the query's order. Each has this indicator's signal first.
#[must_use]
pub fn indicator_sites(query: &IndicatorQuery, sites: &[SiteRow]) -> Vec<SiteRow> {
    let mut shown = sites.to_vec();
    let numerator = |site: &SiteRow| site.signals.first().and_then(|signal| signal.numerator);
    let denominator = |site: &SiteRow| site.signals.first().and_then(|signal| signal.denominator);
    let metric = |site: &SiteRow| site.signals.first().and_then(|signal| signal.metric);
    let score = |site: &SiteRow| site.signals.first().and_then(|signal| signal.score);
    shown.sort_by(|a, b| {
        let order = match query.sort {
            IndicatorSort::Flag => most_urgent_first(a, b, 0),
            IndicatorSort::Score => largest_first(score(a), score(b)),
            IndicatorSort::Metric => largest_first(metric(a), metric(b)),
            IndicatorSort::Numerator => largest_first(numerator(a), numerator(b)),
            IndicatorSort::Denominator => largest_first(denominator(a), denominator(b)),
            IndicatorSort::Site => std::cmp::Ordering::Equal,
        };
        order.then_with(|| a.site.cmp(&b.site))
    });
    shown
}

/// The subjects of a site in the query's order.
#[must_use]
pub fn subjects(query: &SubjectsQuery, subjects: &[SubjectContribution]) -> Vec<SubjectContribution> {
    let mut shown = subjects.to_vec();
    let metric = |subject: &SubjectContribution| {
        (subject.denominator > 0.0).then(|| subject.numerator / subject.denominator)
    };
    shown.sort_by(|a, b| {
        let order = match query.sort {
            SubjectsSort::Numerator => b.numerator.total_cmp(&a.numerator),
            SubjectsSort::Denominator => b.denominator.total_cmp(&a.denominator),
            SubjectsSort::Metric => largest_first(metric(a), metric(b)),
            SubjectsSort::Subject => std::cmp::Ordering::Equal,
        };
        order.then_with(|| a.subject.cmp(&b.subject))
    });
    shown
}

fn is_shown(query: &RbqmQuery, site: &SiteRow) -> bool {
    let (red, amber) = flag_counts(site);
    let flagged = match query.flag {
        FlagFilter::All => true,
        FlagFilter::Flagged => red + amber > 0,
        FlagFilter::Red => red > 0,
    };
    flagged && query.country.as_ref().is_none_or(|country| *country == site.country)
}

fn most_urgent_first(a: &SiteRow, b: &SiteRow, place: usize) -> std::cmp::Ordering {
    let urgency =
        |site: &SiteRow| site.signals.get(place).map_or(u8::MAX, |signal| verdict::urgency(signal.flag));
    let size = |site: &SiteRow| site.signals.get(place).and_then(|signal| signal.score).map(f64::abs);
    urgency(a).cmp(&urgency(b)).then(largest_first(size(a), size(b))).then_with(|| a.site.cmp(&b.site))
}

/// Sorts what is not known last.
fn largest_first(a: Option<f64>, b: Option<f64>) -> std::cmp::Ordering {
    let known = |value: Option<f64>| value.unwrap_or(f64::NEG_INFINITY);
    known(b).total_cmp(&known(a))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{Flag, Signal};

    fn site(number: &str, country: &str, flag: Flag, score: Option<f64>) -> SiteRow {
        SiteRow {
            site: number.to_owned(),
            country: country.to_owned(),
            risk_score: score.map(f64::abs),
            signals: vec![Signal { flag, score, metric: score, ..Signal::default() }],
            ..SiteRow::default()
        }
    }

    fn sites() -> Vec<SiteRow> {
        vec![
            site("1", "DE", Flag::None, Some(0.1)),
            site("2", "FR", Flag::LowRed, Some(-3.5)),
            site("3", "DE", Flag::HighAmber, Some(2.2)),
            site("4", "FR", Flag::NotEnough, None),
        ]
    }

    fn numbers(sites: &[SiteRow]) -> Vec<&str> {
        sites.iter().map(|site| site.site.as_str()).collect()
    }

    fn check_matrix(query: &str, expected: &[&str]) {
        let pairs: Vec<(String, String)> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let indicators = [Indicator { id: "kri0001".to_owned(), ..Indicator::default() }];
        let shown = matrix_sites(&RbqmQuery::from_pairs(&pairs), &indicators, &sites());
        assert_eq!(numbers(&shown), expected, "{query}");
    }

    #[test]
    fn the_matrix_obeys_its_query() {
        check_matrix("", &["2", "3", "1", "4"]);
        check_matrix("flag=flagged", &["2", "3"]);
        check_matrix("flag=red", &["2"]);
        check_matrix("country=DE", &["3", "1"]);
        check_matrix("sort=site", &["1", "2", "3", "4"]);
        check_matrix("sort=country", &["1", "3", "2", "4"]);
        check_matrix("sort=by:kri0001", &["2", "3", "1", "4"]);
        check_matrix("sort=by:nothing", &["2", "3", "1", "4"]);
    }

    #[test]
    fn the_table_of_an_indicator_obeys_its_query() {
        let sorted = |sort| {
            numbers(&indicator_sites(&IndicatorQuery { sort, ..Default::default() }, &sites())).join(" ")
        };
        assert_eq!(sorted(IndicatorSort::Flag), "2 3 1 4");
        assert_eq!(sorted(IndicatorSort::Score), "3 1 2 4");
        assert_eq!(sorted(IndicatorSort::Site), "1 2 3 4");
    }

    #[test]
    fn subjects_are_ordered_by_what_they_add() {
        let subject = |subject: &str, numerator, denominator| SubjectContribution {
            subject: subject.to_owned(),
            note: String::new(),
            numerator,
            denominator,
        };
        let rows = [subject("b", 1.0, 10.0), subject("a", 1.0, 5.0), subject("c", 3.0, 0.0)];
        let sorted = |sort| {
            let shown = subjects(&SubjectsQuery { sort }, &rows);
            shown.iter().map(|row| row.subject.clone()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(sorted(SubjectsSort::Numerator), "c a b");
        assert_eq!(sorted(SubjectsSort::Denominator), "b a c");
        assert_eq!(sorted(SubjectsSort::Metric), "a b c");
        assert_eq!(sorted(SubjectsSort::Subject), "a b c");
    }
}
