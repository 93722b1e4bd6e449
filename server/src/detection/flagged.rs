//! What each method flags in a snapshot.

use std::collections::BTreeMap;

use evidence::simulate::anomaly::AnomalyKind;
use kernel::{Read, StudyScope};

use crate::app::App;
use crate::error::{Failure, Result};
use crate::work;

/// An adjusted probability below this flags.
pub(crate) const LIMIT: f64 = 0.05;
/// The reference's red flag, in either direction.
const RED: i64 = 2;

/// The sites and countries of a study, and by which method each is flagged: the reference, ours.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flagged {
    pub(crate) sites: BTreeMap<String, [bool; 2]>,
    countries: BTreeMap<String, [bool; 2]>,
    country_of: BTreeMap<String, String>,
}

impl Flagged {
    /// Whether each method flags any of the sites (joined by `+`; `*` is every site) that an anomaly was planted at. One of a
    /// whole country has to show at the country.
    pub(crate) fn finds(&self, kind: AnomalyKind, sites: &str) -> [bool; 2] {
        let either = |left: [bool; 2], right: &[bool; 2]| [left[0] || right[0], left[1] || right[1]];
        let planted = |site: &String| sites == "*" || sites.split('+').any(|planted| planted == site);
        if kind == AnomalyKind::CountryShift {
            let country = self.country_of.iter().find(|(site, _)| planted(site)).map(|(_, country)| country);
            return country.and_then(|country| self.countries.get(country)).copied().unwrap_or_default();
        }
        let found = self.sites.iter().filter(|(site, _)| planted(site));
        found.fold([false; 2], |all, (_, by)| either(all, by))
    }
}

/// Reads what is flagged in the newest snapshot of a study.
pub(super) async fn flagged(app: &App, scope: &StudyScope<Read>) -> Result<Flagged> {
    let visible = work::newest(app, scope)
        .await?
        .ok_or_else(|| Failure::NotThere("the study has no snapshot".to_owned()))?;
    let mut flagged = Flagged::default();
    let sites = app.mart_rows.table(scope, &visible, "dim_site").await?;
    let (ids, countries, now) = (sites.texts("site_id"), sites.texts("country"), sites.truths("is_current"));
    for row in (0..sites.len()).filter(|row| now[*row]) {
        flagged.sites.insert(ids[row].clone(), [false; 2]);
        flagged.country_of.insert(ids[row].clone(), countries[row].clone());
    }
    let indicators = app.mart_rows.table(scope, &visible, "mart_indicator").await?;
    let [levels, groups, methods] = ["level", "group_id", "method"].map(|name| indicators.texts(name));
    let (flags, q) = (indicators.integers("flag"), indicators.numbers("q_value"));
    for row in 0..indicators.len() {
        let by = match methods[row].as_str() {
            "normal_approximation" => [flags[row].is_some_and(|flag| flag.abs() >= RED), false],
            "leave_one_out" => [false, q[row].is_some_and(|q| q < LIMIT)],
            _ => continue,
        };
        let group = match levels[row].as_str() {
            "site" => flagged.sites.entry(groups[row].clone()),
            "country" => flagged.countries.entry(groups[row].clone()),
            _ => continue,
        };
        let all = group.or_default();
        *all = [all[0] || by[0], all[1] || by[1]];
    }
    let tests = app.mart_rows.table(scope, &visible, "mart_site_test_combined").await?;
    let (ids, q) = (tests.texts("site_id"), tests.numbers("q_value"));
    for row in 0..tests.len() {
        if q[row].is_some_and(|q| q < LIMIT) {
            flagged.sites.entry(ids[row].clone()).or_default()[1] = true;
        }
    }
    Ok(flagged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anomaly_is_found_at_its_own_site_or_country_alone() {
        let name = |text: &str| text.to_owned();
        let flagged = Flagged {
            sites: BTreeMap::from([
                (name("1"), [true, false]),
                (name("2"), [false, true]),
                (name("3"), [false; 2]),
            ]),
            countries: BTreeMap::from([(name("DEU"), [false, true])]),
            country_of: BTreeMap::from([(name("3"), name("DEU"))]),
        };
        assert_eq!(flagged.finds(AnomalyKind::DelayedEntry, "1"), [true, false]);
        assert_eq!(flagged.finds(AnomalyKind::DelayedEntry, "3"), [false, false]);
        assert_eq!(flagged.finds(AnomalyKind::DelayedEntry, "1+2"), [true, true]);
        assert_eq!(flagged.finds(AnomalyKind::InformativeDropout, "*"), [true, true]);
        assert_eq!(flagged.finds(AnomalyKind::CountryShift, "3"), [false, true]);
    }
}
