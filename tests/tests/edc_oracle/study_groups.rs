//! What the reference reports of the study, its countries and its sites.

use std::collections::{BTreeMap, BTreeSet};

use super::{Fields, STUDY, report};

/// Not in the star: a nickname, a product and estimated dates have no place in canon; cities and the names of
/// investigators are there and are never carried further (`docs/model.md`).
const KEPT_BACK: [&str; 7] =
    ["nickname", "product", "est_fpfv", "est_lpfv", "City", "InvestigatorFirstName", "InvestigatorLastName"];

/// By level, group and attribute.
type Attributes = BTreeMap<(String, String, String), String>;

/// Compares the dimensions of the star with the attributes of the reference.
pub(super) fn check(tables: &BTreeMap<&str, Vec<Fields>>, reference: &[Fields]) {
    assert_eq!(reference.len(), 1_668);
    let told = reference.iter().filter(|row| !KEPT_BACK.contains(&row["Param"].as_str()));
    let theirs: Attributes = told
        .map(|row| {
            let key = (row["GroupLevel"].clone(), row["GroupID"].clone(), row["Param"].clone());
            // A status is a code of ours in capitals.
            let is_status = row["Param"].ends_with("status");
            (key, if is_status { row["Value"].to_uppercase() } else { row["Value"].clone() })
        })
        .collect();
    let mut ours = Attributes::new();
    of_study(tables, &mut ours);
    of_countries(tables, &mut ours);
    of_sites(tables, &mut ours);
    let keys = theirs.keys().chain(ours.keys().filter(|key| !theirs.contains_key(*key)));
    let differ = keys.filter(|key| ours.get(*key) != theirs.get(*key));
    let said =
        differ.map(|key| format!("{key:?}: ours {:?}, reference {:?}", ours.get(key), theirs.get(key)));
    report(&said.collect::<Vec<_>>());
}

fn now<'a>(tables: &'a BTreeMap<&str, Vec<Fields>>, table: &str) -> impl Iterator<Item = &'a Fields> {
    tables[table].iter().filter(|row| row["is_current"] == "true")
}

fn enrolled<'a>(tables: &'a BTreeMap<&str, Vec<Fields>>) -> Vec<&'a Fields> {
    now(tables, "dim_subject").filter(|row| row["is_enrolled"] == "true").collect()
}

/// The subjects of a set and the sites they are at.
fn counts(subjects: &[&Fields]) -> [(&'static str, String); 2] {
    let sites: BTreeSet<&str> = subjects.iter().map(|row| row["site_id"].as_str()).collect();
    [("ParticipantCount", subjects.len().to_string()), ("SiteCount", sites.len().to_string())]
}

fn of_study(tables: &BTreeMap<&str, Vec<Fields>>, ours: &mut Attributes) {
    let study = now(tables, "dim_study").next().expect("the study is current");
    let mut add = |name: &str, value: String| {
        ours.insert(("Study".to_owned(), STUDY.to_owned(), name.to_owned()), value);
    };
    for (name, column) in [
        ("studyid", "study_id"),
        ("protocol_title", "title"),
        ("status", "status"),
        ("phase", "phase"),
        ("therapeutic_area", "therapeutic_area"),
        ("protocol_indication", "indication"),
        ("num_plan_site", "planned_sites"),
        ("num_plan_subj", "planned_subjects"),
        ("SiteTarget", "planned_sites"),
        ("ParticipantTarget", "planned_subjects"),
        ("act_fpfv", "first_subject_in_date"),
        ("est_lplv", "last_subject_out_date"),
    ] {
        add(name, study[column].clone());
    }
    let [(subjects_name, subjects), (sites_name, sites)] = counts(&enrolled(tables));
    let percent = |count: &str, of: &str| {
        let [count, of] = [count, of].map(|number| number.parse::<f64>().expect("it is a number"));
        format!("{:.1}", 100.0 * count / of)
    };
    let (planned_sites, planned_subjects) = (&study["planned_sites"], &study["planned_subjects"]);
    let [active, full] = [percent(&sites, planned_sites), percent(&subjects, planned_subjects)];
    add("SiteActivation", format!("{sites} / {planned_sites} ({active}%)"));
    add("ParticipantEnrollment", format!("{subjects} / {planned_subjects} ({full}%)"));
    add("PercentSitesActivated", active);
    add("PercentParticipantsEnrolled", full);
    add(subjects_name, subjects);
    add(sites_name, sites);
}

fn of_countries(tables: &BTreeMap<&str, Vec<Fields>>, ours: &mut Attributes) {
    let country_of: BTreeMap<&str, &str> =
        now(tables, "dim_site").map(|row| (row["site_id"].as_str(), row["country"].as_str())).collect();
    let mut by_country: BTreeMap<&str, Vec<&Fields>> = BTreeMap::new();
    for subject in enrolled(tables) {
        by_country.entry(country_of[subject["site_id"].as_str()]).or_default().push(subject);
    }
    for (country, subjects) in by_country {
        for (name, count) in counts(&subjects) {
            ours.insert(("Country".to_owned(), country.to_owned(), name.to_owned()), count);
        }
    }
}

fn of_sites(tables: &BTreeMap<&str, Vec<Fields>>, ours: &mut Attributes) {
    let enrolled = enrolled(tables);
    for site in now(tables, "dim_site") {
        let id = &site["site_id"];
        let mut add = |name: &str, value: String| {
            ours.insert(("Site".to_owned(), id.clone(), name.to_owned()), value);
        };
        for (name, column) in [
            ("studyid", "study_id"),
            ("invid", "site_id"),
            ("site_status", "status"),
            ("site_active_dt", "activation_date"),
            ("State", "region"),
            ("Country", "country"),
        ] {
            add(name, site[column].clone());
        }
        // The reference counts sites that enrolled somebody.
        let subjects: Vec<&Fields> =
            enrolled.iter().copied().filter(|subject| subject["site_id"] == *id).collect();
        if !subjects.is_empty() {
            for (name, count) in counts(&subjects) {
                add(name, count);
            }
        }
    }
}
