//! What each method says of a snapshot.

use std::collections::BTreeMap;

use evidence::simulate::anomaly::AnomalyKind;
use kernel::{Read, StudyScope};

use crate::app::App;
use crate::error::{Failure, Result};
use crate::mart_rows::Rows;
use crate::work;

use super::calibration::Calibration;

/// An adjusted probability below this flags.
pub(crate) const LIMIT: f64 = 0.05;
/// The reference's red flag, in either direction.
const RED: i64 = 2;
/// The reference's indicators: the twelve that it judges by the normal approximation.
const REFERENCE: std::ops::RangeInclusive<u32> = 1..=12;

/// What both methods say of a site or a country.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Verdict {
    /// Whether the reference has a red flag.
    pub(crate) is_red: bool,
    /// The reference's largest score, without its sign.
    pub(crate) score: f64,
    /// Our smallest adjusted probability.
    pub(crate) q: f64,
}

impl Default for Verdict {
    fn default() -> Self {
        Self { is_red: false, score: 0.0, q: 1.0 }
    }
}

impl Verdict {
    /// Whether it is flagged: by the reference, by ours.
    pub(crate) fn by(&self) -> [bool; 2] {
        [self.is_red, self.q < LIMIT]
    }

    fn or(self, other: Self) -> Self {
        Self {
            is_red: self.is_red || other.is_red,
            score: self.score.max(other.score),
            q: self.q.min(other.q),
        }
    }
}

/// The sites and countries of a study with what is said of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flagged {
    pub(crate) sites: BTreeMap<String, Verdict>,
    pub(crate) countries: BTreeMap<String, Verdict>,
    country_of: BTreeMap<String, String>,
    /// How often the site tests reject.
    pub(crate) calibration: Calibration,
}

impl Flagged {
    /// What is said of any of the sites (joined by `+`) that an anomaly was planted at. One of a whole country has to show
    /// at the country. What concerns every site (`*`) no comparison of sites can show.
    pub(crate) fn of(&self, kind: AnomalyKind, sites: &str) -> Verdict {
        let planted = |site: &String| sites.split('+').any(|planted| planted == site);
        if kind == AnomalyKind::CountryShift {
            let country = self.country_of.iter().find(|(site, _)| planted(site)).map(|(_, country)| country);
            return country.and_then(|country| self.countries.get(country)).copied().unwrap_or_default();
        }
        let found = self.sites.iter().filter(|(site, _)| planted(site));
        found.fold(Verdict::default(), |all, (_, verdict)| all.or(*verdict))
    }
}

/// Reads what is said in the newest snapshot of a study.
pub(super) async fn flagged(app: &App, scope: &StudyScope<Read>) -> Result<Flagged> {
    let visible = work::newest(app, scope)
        .await?
        .ok_or_else(|| Failure::NotThere("the study has no snapshot".to_owned()))?;
    let table = async |name: &str| app.mart_rows.table(scope, &visible, name).await;
    let mut flagged = Flagged::default();
    let sites = table("dim_site").await?;
    let (ids, countries, now) = (sites.texts("site_id"), sites.texts("country"), sites.truths("is_current"));
    for row in (0..sites.len()).filter(|row| now[*row]) {
        flagged.sites.entry(ids[row].clone()).or_default();
        flagged.countries.entry(countries[row].clone()).or_default();
        flagged.country_of.insert(ids[row].clone(), countries[row].clone());
    }
    indicators(&mut flagged, &table("mart_indicator").await?);
    let combined = table("mart_site_test_combined").await?;
    let (ids, tests, q) = (combined.texts("site_id"), combined.texts("test_id"), combined.numbers("q_value"));
    for row in (0..combined.len()).filter(|row| tests[*row] == marts::site_test::ALL) {
        let site = flagged.sites.entry(ids[row].clone()).or_default();
        *site = site.or(Verdict { q: q[row].unwrap_or(1.0), ..Verdict::default() });
    }
    flagged.calibration = Calibration::of(&table("mart_site_test").await?);
    Ok(flagged)
}

fn indicators(flagged: &mut Flagged, rows: &Rows) {
    let [levels, groups, methods, ids] =
        ["level", "group_id", "method", "indicator_id"].map(|name| rows.texts(name));
    let (flags, scores, q) = (rows.integers("flag"), rows.numbers("score"), rows.numbers("q_value"));
    let reference: Vec<String> = REFERENCE.map(|number| format!("kri{number:04}")).collect();
    for row in 0..rows.len() {
        let said = match methods[row].as_str() {
            "normal_approximation" if reference.contains(&ids[row]) => Verdict {
                is_red: flags[row].is_some_and(|flag| flag.abs() >= RED),
                score: scores[row].map_or(0.0, f64::abs),
                ..Verdict::default()
            },
            "leave_one_out" | "in_frame" => Verdict { q: q[row].unwrap_or(1.0), ..Verdict::default() },
            _ => continue,
        };
        let group = match levels[row].as_str() {
            "site" => flagged.sites.entry(groups[row].clone()),
            "country" => flagged.countries.entry(groups[row].clone()),
            _ => continue,
        };
        let all = group.or_default();
        *all = all.or(said);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anomaly_is_found_at_its_own_site_or_country_alone() {
        let name = |text: &str| text.to_owned();
        let red = Verdict { is_red: true, score: 4.0, q: 1.0 };
        let ours = Verdict { is_red: false, score: 1.0, q: 0.01 };
        let flagged = Flagged {
            sites: BTreeMap::from([(name("1"), red), (name("2"), ours), (name("3"), Verdict::default())]),
            countries: BTreeMap::from([(name("DEU"), ours)]),
            country_of: BTreeMap::from([(name("3"), name("DEU"))]),
            calibration: Calibration::default(),
        };
        assert_eq!(flagged.of(AnomalyKind::DelayedEntry, "1").by(), [true, false]);
        assert_eq!(flagged.of(AnomalyKind::DelayedEntry, "3").by(), [false, false]);
        assert_eq!(
            flagged.of(AnomalyKind::DelayedEntry, "1+2"),
            Verdict { is_red: true, score: 4.0, q: 0.01 }
        );
        assert_eq!(flagged.of(AnomalyKind::InformativeDropout, "*").by(), [false, false]);
        assert_eq!(flagged.of(AnomalyKind::CountryShift, "3").by(), [false, true]);
    }
}
