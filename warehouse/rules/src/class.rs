//! The general observation class of a dataset, which most rules are scoped by.

use crate::study::{Dataset, Unit, own_prefix};

/// The classes of SDTM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    SpecialPurpose,
    TrialDesign,
    Relationship,
    StudyReference,
    Interventions,
    Events,
    Findings,
    FindingsAbout,
}

impl Class {
    /// The word that scopes use.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::SpecialPurpose => "SPECIAL PURPOSE",
            Self::TrialDesign => "TRIAL DESIGN",
            Self::Relationship => "RELATIONSHIP",
            Self::StudyReference => "STUDY REFERENCE",
            Self::Interventions => "INTERVENTIONS",
            Self::Events => "EVENTS",
            Self::Findings => "FINDINGS",
            Self::FindingsAbout => "FINDINGS ABOUT",
        }
    }
}

/// The class of a dataset: that of its domain where the standard fixes it, else that of its topic variable.
// Source: SDTMIG 3.4, section 2.6: a custom domain has the class whose topic variable it holds.
pub(crate) fn class_of(unit: &Unit, dataset: &Dataset) -> Option<Class> {
    let domain = unit.domain.as_deref().unwrap_or(&unit.name);
    match domain {
        "CO" | "DM" | "SE" | "SM" | "SV" => return Some(Class::SpecialPurpose),
        "TA" | "TD" | "TE" | "TI" | "TM" | "TS" | "TV" | "TX" | "TT" | "TP" => {
            return Some(Class::TrialDesign);
        }
        "RELREC" | "RELSPEC" | "RELSUB" | "RELREF" | "POOLDEF" => return Some(Class::Relationship),
        "DI" | "OI" => return Some(Class::StudyReference),
        "FA" | "SR" => return Some(Class::FindingsAbout),
        _ if unit.is_supplemental() => return Some(Class::Relationship),
        _ => {}
    }
    let prefix = own_prefix(domain);
    let has = |suffix: &str| dataset.places.contains_key(&format!("{prefix}{suffix}"));
    if has("TRT") {
        Some(Class::Interventions)
    } else if has("TERM") {
        Some(Class::Events)
    } else if has("TESTCD") && has("OBJ") {
        Some(Class::FindingsAbout)
    } else if has("TESTCD") {
        Some(Class::Findings)
    } else {
        None
    }
}
