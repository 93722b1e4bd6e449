//! Work that is done after its request was answered.

use serde::{Deserialize, Serialize};

use super::{Choice, Frame};
use crate::query::JobsQuery;

/// What the page of jobs needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct JobsView {
    /// The frame.
    pub frame: Frame,
    /// What the address asked for.
    pub query: JobsQuery,
    /// The states to choose from.
    pub states: Vec<Choice>,
    /// Jobs, newest first.
    pub jobs: Vec<JobLine>,
    /// The last job of this page, when older ones exist: pass as `before` for the next page.
    pub older_before: Option<String>,
    /// The schedules, oldest first.
    pub schedules: Vec<ScheduleLine>,
}

/// Jobs that are put in line again and again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ScheduleLine {
    /// Its id.
    pub id: String,
    /// What it does, as people say it.
    pub kind: String,
    /// Its study's key; empty when it is of none.
    pub study: String,
    /// Its cron expression,
    pub cron: String,
    /// and the time zone in which that is read.
    pub zone: String,
    /// The next three times; none while it is turned off.
    pub next_unix_s: Vec<i64>,
}

/// One job.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct JobLine {
    /// Its id.
    pub id: String,
    /// What it does, as people say it.
    pub kind: String,
    /// Its study's key; empty when it is of none.
    pub study: String,
    /// How far it is.
    pub state: JobStanding,
    /// When it was put in line.
    pub since_unix_s: i64,
    /// When it ended; when it is tried again, while it waits for that.
    pub until_unix_s: Option<i64>,
    /// How often it was begun.
    pub attempts: u64,
    /// What is being done; empty before it began.
    pub progress: String,
    /// Why it failed last; may be empty.
    pub problem: String,
    /// Whether it was asked to end and has not yet.
    pub is_ending: bool,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum JobStanding {
    /// It waits.
    #[default]
    Queued,
    /// Somebody is at it.
    Running,
    /// It was done.
    Succeeded,
    /// It failed for good.
    Failed,
    /// It was given up.
    Cancelled,
}

impl JobStanding {
    /// Every standing.
    pub const ALL: [Self; 5] = [Self::Queued, Self::Running, Self::Succeeded, Self::Failed, Self::Cancelled];

    /// Its name in addresses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// The word for it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Queued => "waiting",
            Self::Running => "running",
            Self::Succeeded => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The standing of that name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.name() == name)
    }

    /// Whether it may be given up.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }

    /// Whether it may be put back in line.
    #[must_use]
    pub const fn may_be_retried(self) -> bool {
        matches!(self, Self::Failed | Self::Cancelled)
    }
}
