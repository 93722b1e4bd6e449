//! What surrounds every page: who is signed in, where they are and which snapshot they see.

use serde::{Deserialize, Serialize};

/// The frame of a page.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Frame {
    /// The product's name, `Cairn`.
    pub product: String,
    /// The product's version, for the foot of the page.
    pub version: String,
    /// The tenant's name as people say it; empty before signing in.
    pub tenant: String,
    /// Who is signed in; `None` shows no tabs, study menu or sign-out.
    pub person: Option<Person>,
    /// The colours asked for through `/theme`.
    pub theme: Theme,
    /// The tab that is lit.
    pub tab: Option<Tab>,
    /// The tabs this person may open, in order. Study tabs show only when `study` is set.
    pub tabs: Vec<Tab>,
    /// The study of this page.
    pub study: Option<Choice>,
    /// The studies this person may open, for the study menu.
    pub studies: Vec<Choice>,
    /// The snapshot every figure of this page comes from.
    pub snapshot: Option<SnapshotLine>,
    /// Path and query of this page, for the theme switch to come back to.
    pub here: String,
    /// How many messages in the person's inbox are unread.
    pub unread: u64,
    /// Sent back as the hidden field `csrf` by every form that posts.
    pub csrf: Option<String>,
}

impl Frame {
    /// The key of this page's study; empty outside a study.
    #[must_use]
    pub fn study_key(&self) -> &str {
        self.study.as_ref().map_or("", |study| study.key.as_str())
    }
}

/// Somebody signed in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Person {
    /// Name or e-mail address.
    pub name: String,
    /// The role as people say it: `Data engineer`.
    pub role: String,
}

/// One thing to choose from: a key for the address and a label for people.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Choice {
    /// As it stands in the address.
    pub key: String,
    /// As people say it.
    pub label: String,
}

/// The snapshot a page shows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SnapshotLine {
    /// The full identifier; the page shows its first eight characters.
    pub id: String,
    /// When it was published.
    pub published_unix_s: i64,
}

/// Light, dark, or whatever the reader's system says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// Follow `prefers-color-scheme`.
    #[default]
    System,
    /// Light, whatever the system says.
    Light,
    /// Dark, whatever the system says.
    Dark,
}

impl Theme {
    /// Every theme, in the order of the switch.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The value of `/theme?to=` and of the cookie.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme of that name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.name() == name)
    }
}

/// A tab of the main navigation. Only what exists is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tab {
    /// `/studies/{study}`
    Overview,
    /// `/studies/{study}/quality`
    Quality,
    /// `/studies/{study}/rbqm`
    Rbqm,
    /// `/studies/{study}/site-tests`
    SiteTests,
    /// `/studies/{study}/enrolment`
    Enrolment,
    /// `/studies/{study}/safety`
    Safety,
    /// `/studies/{study}/data`
    Data,
    /// `/jobs`
    Jobs,
    /// `/audit`
    Audit,
    /// `/webhooks`
    Webhooks,
    /// `/admin`
    Admin,
}

impl Tab {
    /// Every tab, in order.
    pub const ALL: [Self; 11] = [
        Self::Overview,
        Self::Quality,
        Self::Rbqm,
        Self::SiteTests,
        Self::Enrolment,
        Self::Safety,
        Self::Data,
        Self::Jobs,
        Self::Audit,
        Self::Webhooks,
        Self::Admin,
    ];

    /// Whether it is of one study.
    #[must_use]
    pub const fn is_of_a_study(self) -> bool {
        !matches!(self, Self::Jobs | Self::Audit | Self::Webhooks | Self::Admin)
    }

    /// The word on the tab.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Quality => "Quality",
            Self::Rbqm => "RBQM",
            Self::SiteTests => "Site tests",
            Self::Enrolment => "Enrolment",
            Self::Safety => "Safety",
            Self::Data => "Data",
            Self::Jobs => "Jobs",
            Self::Audit => "Audit",
            Self::Webhooks => "Webhooks",
            Self::Admin => "Admin",
        }
    }
}
