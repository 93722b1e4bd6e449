//! The tolerance limits of a study with their alarms.

use serde::{Deserialize, Serialize};

use super::{Definition, Downloads, Frame, LimitVerdict};

/// What the page of tolerance limits needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LimitsView {
    /// The frame.
    pub frame: Frame,
    /// The limits that the study's sources answer.
    pub limits: Vec<LimitRow>,
    /// The limits that no source tells of, each with why.
    pub not_applicable: Vec<super::NotApplicable>,
    /// Whether the reader may act upon alarms.
    pub may_act: bool,
    /// How limits are judged.
    pub definition: Definition,
    /// The limits by every method, as a file.
    pub downloads: Downloads,
}

/// One limit.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LimitRow {
    /// As it stands in the address: `qtl_ineligible`.
    pub id: String,
    /// As it stands in a heading.
    pub title: String,
    /// The share expected.
    pub expected: f64,
    /// The share at which an early word is due.
    pub secondary: f64,
    /// The share tolerated.
    pub tolerated: f64,
    /// The state of its alarm.
    pub alarm: AlarmState,
    /// What each snapshot said, oldest first; the last is what is shown.
    pub course: Vec<LimitSnapshot>,
    /// What each method says now.
    pub methods: Vec<LimitMethod>,
    /// What people did about it, oldest first.
    pub acts: Vec<LimitActLine>,
    /// The site that adds most events, with how many.
    pub largest_site: Option<(String, u64)>,
    /// Who changed the definition last: `shipped`, `tenant 2`, `study 1`.
    pub version: String,
}

/// The state of an alarm, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AlarmState {
    /// Nothing to do.
    #[default]
    Ok,
    /// Somebody has closed it.
    Resolved,
    /// Somebody has taken it up.
    Acknowledged,
    /// The secondary limit is passed.
    Warn,
    /// The limit was passed, and nobody has taken it up.
    Breach,
}

/// What one snapshot said of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LimitSnapshot {
    /// When it became visible.
    pub published_unix_s: i64,
    /// What was counted.
    pub events: u64,
    /// Of what.
    pub units: u64,
    /// The verdict.
    pub verdict: LimitVerdict,
}

/// What one method says of a limit.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LimitMethod {
    /// The method.
    pub method: String,
    /// What it judges by.
    pub statistic: Option<f64>,
    /// Its secondary limit.
    pub secondary: Option<f64>,
    /// Its limit.
    pub limit: Option<f64>,
    /// Its verdict.
    pub verdict: LimitVerdict,
}

/// What somebody did about an alarm.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LimitActLine {
    /// What.
    pub act: String,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// When.
    pub at_unix_s: i64,
}
