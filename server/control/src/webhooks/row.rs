//! An endpoint as it stands in its table.

use chrono::{DateTime, Utc};

use super::pace::Breaker;
use crate::error::{ControlError, corrupt};
use crate::ids::EndpointId;
use crate::instant::parse_timestamp;
use crate::outbox::Announcement;

pub(super) const WHAT: &str = "endpoint";

/// The columns of [`Columns`].
pub(super) const COLUMNS: &str = "endpoint_id, url, description, kinds, state, reason, secret_version, \
     previous_until, failures, open_until, last_status, last_sent_at, last_delivered_at, created_at, channel";

pub(super) type Columns = (
    String,
    String,
    String,
    String,
    String,
    Option<String>,
    i64,
    Option<String>,
    i64,
    Option<String>,
    Option<i64>,
    Option<String>,
    Option<String>,
    String,
    String,
);

/// How messages get to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// They are posted to its address.
    Webhook,
    /// The relay of the deployment sends them by e-mail, each to the account that it concerns.
    Mail,
}

impl Channel {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Webhook => "WEBHOOK",
            Self::Mail => "MAIL",
        }
    }

    pub(super) fn read(name: &str) -> Result<Self, ControlError> {
        let known = [Self::Webhook, Self::Mail].into_iter().find(|channel| channel.name() == name);
        known.ok_or(()).map_err(corrupt(WHAT))
    }
}

/// Whether an endpoint is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointState {
    /// Messages are posted to it.
    Enabled,
    /// They wait.
    Disabled,
}

impl EndpointState {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enabled => "ENABLED",
            Self::Disabled => "DISABLED",
        }
    }

    /// The state of that name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Enabled, Self::Disabled].into_iter().find(|state| state.name() == name)
    }
}

/// One endpoint, without its secrets.
#[derive(Debug, Clone, PartialEq)]
pub struct EndpointRow {
    /// Its id.
    pub id: EndpointId,
    /// How messages get to it.
    pub channel: Channel,
    /// Where messages are posted.
    pub url: String,
    /// What it is, in the words of whoever added it.
    pub description: String,
    /// What it asks for.
    pub kinds: Vec<Announcement>,
    /// Whether it is used.
    pub state: EndpointState,
    /// Why it is not.
    pub reason: Option<String>,
    /// How many secrets it has had.
    pub secret_version: u64,
    /// Until when the secret before the present one signs too.
    pub previous_until: Option<DateTime<Utc>>,
    /// How many attempts in a row have failed.
    pub failures: u64,
    /// Until when its breaker is open; `None` while it is closed.
    pub open_until: Option<DateTime<Utc>>,
    /// The last HTTP status that it answered with.
    pub last_status: Option<u16>,
    /// When something was last sent to it,
    pub last_sent_at: Option<DateTime<Utc>>,
    /// and taken.
    pub last_delivered_at: Option<DateTime<Utc>>,
    /// When it was added.
    pub created_at: DateTime<Utc>,
}

impl EndpointRow {
    /// Its breaker at an instant.
    #[must_use]
    pub fn breaker(&self, now: DateTime<Utc>) -> Breaker {
        Breaker::at(now, self.open_until)
    }

    pub(super) fn read(columns: &Columns) -> Result<Self, ControlError> {
        let (id, url, description, kinds, state, reason, version, previous, ..) = columns;
        let (.., failures, open, status, sent, delivered, created, channel) = columns;
        let kind = |name: &str| Announcement::from_name(name).ok_or(()).map_err(corrupt(WHAT));
        Ok(Self {
            id: id.parse().map_err(corrupt(WHAT))?,
            channel: Channel::read(channel)?,
            url: url.clone(),
            description: description.clone(),
            kinds: kinds.split_whitespace().map(kind).collect::<Result<_, _>>()?,
            state: EndpointState::from_name(state).ok_or(()).map_err(corrupt(WHAT))?,
            reason: reason.clone(),
            secret_version: count(*version)?,
            previous_until: instant_or_none(previous.as_deref())?,
            failures: count(*failures)?,
            open_until: instant_or_none(open.as_deref())?,
            last_status: status.map(status_of).transpose()?,
            last_sent_at: instant_or_none(sent.as_deref())?,
            last_delivered_at: instant_or_none(delivered.as_deref())?,
            created_at: instant(created)?,
        })
    }
}

pub(super) fn status_of(status: i64) -> Result<u16, ControlError> {
    u16::try_from(status).map_err(corrupt(WHAT))
}

pub(super) fn count(number: i64) -> Result<u64, ControlError> {
    u64::try_from(number).map_err(corrupt(WHAT))
}

pub(super) fn instant(text: &str) -> Result<DateTime<Utc>, ControlError> {
    parse_timestamp(text).ok_or(()).map_err(corrupt(WHAT))
}

pub(super) fn instant_or_none(text: Option<&str>) -> Result<Option<DateTime<Utc>>, ControlError> {
    text.map(instant).transpose()
}
