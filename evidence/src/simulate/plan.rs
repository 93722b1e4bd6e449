//! What a simulated study is asked to be.

use std::fs;
use std::path::Path;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate};
use kernel::{Seed, StudyId};
use serde::{Deserialize, Serialize};

use super::anomaly::{Anomaly, AnomalyKind, Target};
use super::calendar::after;
use super::error::SimulateError;
use super::rates::Rates;

/// A study to simulate. [`StudyPlan::demo`] is the one to start from; a plan file may leave out whatever it takes
/// from [`StudyPlan::default`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StudyPlan {
    /// The seed that a plan file keeps. [`simulate`](super::simulate) writes the one that it was called with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<Seed>,
    /// The study's id.
    pub study: StudyId,
    /// How many sites take part, up to 8,999.
    pub sites: u32,
    /// How many subjects a site screens on average; each site screens at least one.
    pub subjects_per_site: f64,
    /// The day the first site may open.
    pub start: NaiveDate,
    /// For how many days from the start subjects are screened.
    pub recruitment_days: u32,
    /// The last day that the extract knows of. What was entered later is not in it.
    pub cut_off: NaiveDate,
    /// How many monthly cuts are written besides the extract of the cut-off: the last month ends before it.
    pub cuts: u32,
    /// The forms in which the study is written.
    pub formats: Vec<Format>,
    /// When subjects come, and how much they are asked.
    pub protocol: Protocol,
    /// How often things happen.
    pub rates: Rates,
    /// What is planted. A study with none is a null study.
    pub anomalies: Vec<Anomaly>,
}

/// A form in which a study is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// The extract of a data-capture and a trial-management system, in Parquet.
    Edc,
    /// SDTM datasets as SAS transport files, version 5.
    SdtmXpt,
    /// SDTM datasets as Dataset-JSON 1.1.
    SdtmDatasetjson,
}

impl FromStr for Format {
    type Err = SimulateError;

    fn from_str(text: &str) -> Result<Self, SimulateError> {
        match text {
            "edc" => Ok(Self::Edc),
            "sdtm-xpt" => Ok(Self::SdtmXpt),
            "sdtm-datasetjson" => Ok(Self::SdtmDatasetjson),
            _ => Err(SimulateError::UnknownFormat { name: text.to_owned() }),
        }
    }
}

/// When subjects come, and how much they are asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Protocol {
    /// The weeks after baseline in which a visit is due, in order. Windows are 3 days up to week 12, then 5.
    pub visit_weeks: Vec<u32>,
    /// How many questions the questionnaire of a visit has.
    pub questionnaire_items: u32,
}

impl Default for Protocol {
    fn default() -> Self {
        Self { visit_weeks: vec![2, 4, 8, 12, 16, 20, 24], questionnaire_items: 6 }
    }
}

impl Default for StudyPlan {
    /// The demonstration's size with the rates of [`Rates::default`], and nothing planted.
    fn default() -> Self {
        Self { rates: Rates::default(), ..Self::demo().without_anomalies() }
    }
}

impl StudyPlan {
    /// The demonstration study: 60 sites and about 1,500 screened subjects over fifteen months. The six largest
    /// sites misbehave: a quarter of the adverse events reported; pages entered five times as late from September
    /// 2025 on; three times the queries; blood pressures rounded to tens; visits that drift out of their windows;
    /// important deviations recorded as minor.
    #[must_use]
    pub fn demo() -> Self {
        let planted = |kind, rank| Anomaly::of(kind, Target::Rank(rank));
        let anomalies = vec![
            planted(AnomalyKind::AeUnderReporting, 1),
            planted(AnomalyKind::DelayedEntry, 2).from_day(day(2025, 9, 1)),
            planted(AnomalyKind::HighQueryRate, 3),
            planted(AnomalyKind::DigitPreference, 4),
            planted(AnomalyKind::WindowDrift, 5),
            planted(AnomalyKind::HiddenImportantDeviations, 6),
        ];
        Self {
            seed: None,
            study: "CAIRN-DEMO-01".parse().expect("the id is 13 letters, digits and hyphens"),
            sites: 60,
            subjects_per_site: 25.0,
            start: day(2025, 1, 6),
            recruitment_days: 300,
            cut_off: day(2026, 3, 31),
            cuts: 0,
            formats: vec![Format::Edc],
            protocol: Protocol::default(),
            // Sites differ less than those of clindata, so that the page shows what was planted and little else.
            rates: Rates {
                adverse_events_site_variance: 0.05,
                deviations_site_variance: 0.03,
                discontinuation_site_variance: 0.03,
                screen_failure_concentration: 40.0,
                ..Rates::default()
            },
            anomalies,
        }
    }

    /// The same study with nothing planted in it.
    #[must_use]
    pub fn without_anomalies(self) -> Self {
        Self { anomalies: Vec::new(), ..self }
    }

    /// The same study with other sites and subjects. What is planted at a rank that it no longer has is left out.
    #[must_use]
    pub fn resized(mut self, sites: u32, subjects_per_site: f64) -> Self {
        let fits = |anomaly: &Anomaly| !matches!(anomaly.target, Target::Rank(rank) if rank > sites);
        self.anomalies.retain(fits);
        Self { sites, subjects_per_site, ..self }
    }

    /// The same study with every kind of anomaly planted once: each at a site of its own by size as far as there
    /// are sites, the country's in its commonest country.
    #[must_use]
    pub fn with_all_anomalies(self) -> Self {
        let mut rank = 0;
        let mut next_rank = || {
            rank = rank % self.sites.max(1) + 1;
            Target::Rank(rank)
        };
        let anomaly = |facts: &super::anomaly::Facts| {
            let target = match facts.kind {
                AnomalyKind::CountryShift => Target::LargestCountry,
                AnomalyKind::InformativeDropout => Target::Study,
                kind if kind.is_platform_test() => Target::Study,
                _ => next_rank(),
            };
            Anomaly::of(facts.kind, target)
        };
        let anomalies = super::anomaly::KINDS.iter().map(anomaly).collect();
        Self { anomalies, ..self }
    }

    /// The plan that a file holds: TOML where its name ends so, otherwise JSON.
    ///
    /// # Errors
    /// If the file cannot be read or holds no plan; the message has the place.
    pub fn read(path: &Path) -> Result<Self, SimulateError> {
        let text = fs::read_to_string(path)
            .map_err(|source| SimulateError::Read { path: path.to_owned(), source })?;
        let is_toml = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
        let parsed = if is_toml {
            toml::from_str(&text).map_err(|error| error.to_string())
        } else {
            serde_json::from_str(&text).map_err(|error| error.to_string())
        };
        parsed.map_err(|reason| SimulateError::PlanFile { path: path.to_owned(), reason })
    }

    /// The last day on which a subject may be screened.
    pub(super) fn recruitment_end(&self) -> NaiveDate {
        after(self.start, i64::from(self.recruitment_days))
    }

    /// Checks that the plan is one that a study can be made of.
    ///
    /// # Errors
    /// With the first value at fault.
    pub fn check(&self) -> Result<(), SimulateError> {
        let years = 1990..=2100;
        let weeks = &self.protocol.visit_weeks;
        let platform = self.anomalies.iter().any(|anomaly| anomaly.kind.is_platform_test());
        let rules = [
            ("sites", "between 1 and 8999", (1..=8999).contains(&self.sites)),
            ("subjects_per_site", "above 0 and at most 10000", within(self.subjects_per_site, 1e-9, 1e4)),
            ("start", "a day from 1990 to 2100", years.contains(&self.start.year())),
            ("cut_off", "after the start and before 2101", {
                self.cut_off > self.start && years.contains(&self.cut_off.year())
            }),
            ("recruitment_days", "between 1 and 3650", (1..=3650).contains(&self.recruitment_days)),
            ("cuts", "at most 60", self.cuts <= 60),
            ("formats", "at least one", !self.formats.is_empty()),
            ("formats", "`edc` among others, since cuts and platform tests are extracts", {
                self.formats.contains(&Format::Edc) || (self.cuts == 0 && !platform)
            }),
            ("protocol.visit_weeks", "1 to 200 weeks in rising order, from 1 to 520", {
                (1..=200).contains(&weeks.len())
                    && weeks.iter().all(|week| (1..=520).contains(week))
                    && weeks.windows(2).all(|pair| pair[0] < pair[1])
            }),
            ("protocol.questionnaire_items", "at most 500", self.protocol.questionnaire_items <= 500),
        ];
        first_broken(&rules)?;
        self.rates.check()?;
        self.anomalies.iter().try_for_each(Anomaly::check)
    }
}

pub(super) fn within(value: f64, least: f64, most: f64) -> bool {
    (least..=most).contains(&value)
}

pub(super) fn first_broken(rules: &[(&'static str, &'static str, bool)]) -> Result<(), SimulateError> {
    match rules.iter().find(|(_, _, kept)| !kept) {
        Some(&(field, rule, _)) => Err(SimulateError::Plan { field, rule }),
        None => Ok(()),
    }
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("the caller names a day of the calendar")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_refused(change: impl FnOnce(&mut StudyPlan), field: &str) {
        let mut plan = StudyPlan::demo();
        change(&mut plan);
        match plan.check() {
            Err(SimulateError::Plan { field: found, .. }) => assert_eq!(found, field),
            other => panic!("{field}: {other:?}"),
        }
    }

    #[test]
    fn the_demonstration_and_every_anomaly_can_be_made() {
        assert!(StudyPlan::demo().check().is_ok());
        assert!(StudyPlan::demo().with_all_anomalies().check().is_ok());
        assert!(StudyPlan::demo().resized(1, 3.0).anomalies.len() == 1);
    }

    #[test]
    fn a_plan_that_makes_no_study_is_refused() {
        check_refused(|plan| plan.sites = 0, "sites");
        check_refused(|plan| plan.subjects_per_site = f64::NAN, "subjects_per_site");
        check_refused(|plan| plan.cut_off = plan.start, "cut_off");
        check_refused(|plan| plan.protocol.visit_weeks = vec![4, 4], "protocol.visit_weeks");
        check_refused(|plan| plan.formats = Vec::new(), "formats");
        check_refused(|plan| (plan.formats, plan.cuts) = (vec![Format::SdtmXpt], 2), "formats");
        check_refused(|plan| plan.rates.screen_failure = 1.0, "screen_failure");
        check_refused(|plan| plan.rates.entry_lag_days_p95 = 1.0, "entry_lag_days_p95");
        check_refused(|plan| plan.rates.changes_mean = 0.1, "changes_mean");
    }

    #[test]
    fn an_anomaly_of_an_impossible_size_is_refused_with_its_unit() {
        let nothing = Anomaly::of(AnomalyKind::AeUnderReporting, Target::Rank(1)).sized(0.0);
        let plan = StudyPlan { anomalies: vec![nothing], ..StudyPlan::demo() };
        let message = plan.check().expect_err("a share of 0 is nothing").to_string();
        assert!(message.contains("`ae_under_reporting`") && message.contains("share"), "{message}");
    }

    #[test]
    fn a_plan_reads_back_what_it_writes() {
        let plan = StudyPlan { seed: Some(Seed(7)), ..StudyPlan::demo() };
        let text = serde_json::to_string(&plan).expect("the plan renders");
        assert_eq!(serde_json::from_str::<StudyPlan>(&text).expect("the plan parses"), plan);
    }

    #[test]
    fn a_format_has_one_name_on_the_command_line_and_in_files() {
        for name in ["edc", "sdtm-xpt", "sdtm-datasetjson"] {
            let format: Format = name.parse().expect("there is such a format");
            assert_eq!(serde_json::to_value(format).expect("a format renders"), name);
        }
        assert!("odm".parse::<Format>().is_err());
    }

    #[test]
    fn a_plan_file_says_only_what_differs() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path().join("plan.toml");
        let text = "sites = 9\n[rates]\nscreen_failure = 0.4\n[[anomalies]]\nkind = \"unit_switch\"\ntarget = { site = \"1003\" }\n";
        fs::write(&path, text).expect("the file is written");
        let plan = StudyPlan::read(&path).expect("the plan parses");
        let anomaly = Anomaly::of(AnomalyKind::UnitSwitch, Target::Site("1003".to_owned()));
        let rates = Rates { screen_failure: 0.4, ..Rates::default() };
        assert_eq!((plan.sites, plan.anomalies, plan.rates), (9, vec![anomaly], rates));
        fs::write(&path, "stes = 9").expect("the file is written");
        let message = StudyPlan::read(&path).expect_err("there is no such field").to_string();
        assert!(message.contains("stes"), "{message}");
    }
}
