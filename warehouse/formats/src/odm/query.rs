//! Queries: those of ODM 2.0, and what vendors of ODM 1.3 put in their place.

use std::collections::HashMap;

use super::audit::Audit;
use super::place::{Place, hash};
use super::time::Time;
use crate::xml::{Element, Vocabulary};

/// The model's states of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Candidate,
    Open,
    Answered,
    Closed,
    Cancelled,
}

impl State {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Candidate => "CANDIDATE",
            Self::Open => "OPEN",
            Self::Answered => "ANSWERED",
            Self::Closed => "CLOSED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// The state that a word of ODM 2.0 or of a vendor means.
    pub(super) fn named(word: &str) -> Option<Self> {
        let word: String = word.chars().filter(char::is_ascii_alphabetic).collect();
        Some(match word.to_ascii_lowercase().as_str() {
            "candidate" => Self::Candidate,
            "open" | "opened" | "new" | "updated" | "reissued" | "reopened" | "openpendingreview" => {
                Self::Open
            }
            "answered" | "responded" | "resolutionproposed" => Self::Answered,
            "closed" | "resolved" => Self::Closed,
            "cancelled" | "canceled" | "deleted" | "notapplicable" => Self::Cancelled,
            _ => return None,
        })
    }
}

fn is_reissue(word: &str) -> bool {
    ["reissued", "reopened", "re-issued", "re-opened"].iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// One element that tells of a query, with the changes that it tells.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    /// Unique in its study.
    pub(super) id: String,
    source_id: Option<String>,
    source: Option<String>,
    target: Option<String>,
    kind: Option<String>,
    text: Option<String>,
    response: Option<String>,
    pub(super) changes: Vec<Change>,
}

/// A query that became something.
#[derive(Debug, Clone, Default)]
pub(super) struct Change {
    pub(super) word: Option<String>,
    pub(super) state: Option<State>,
    pub(super) time: Option<Time>,
    pub(super) user: Option<String>,
    pub(super) text: Option<String>,
}

impl Told {
    /// Reads a query that stands at the place of `key`. `ordinal` is its number there, for one without an id;
    /// `around` is the audit record beside it, which tells the time where the query does not.
    pub(super) fn read(element: &Element, key: &str, ordinal: usize, around: Option<&Audit>) -> Self {
        let any = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| element.get(name).or_else(|| element.extension(name)))
                .map(str::to_owned)
        };
        let own_id = any(&["OID", "ID", "QueryID", "QueryOID", "GUID"]);
        let repeat = any(&["QueryRepeatKey", "RepeatKey", "Number"]);
        let text = text_of(element).or_else(|| any(&["Value", "Text", "QueryText"]));
        let mut told = Self {
            id: match (&own_id, &repeat) {
                (Some(id), _) => id.clone(),
                (None, Some(repeat)) => format!("{key}#{repeat}"),
                (None, None) => format!("{key}#{ordinal}"),
            },
            source_id: own_id.or(repeat),
            source: any(&["Source", "Recipient", "MarkingGroup", "QuerySource"]),
            target: any(&["Target"]),
            kind: any(&["Type", "QueryType"]),
            text: text.clone(),
            response: any(&["Answer", "Reply"]),
            changes: Vec::new(),
        };
        let word = any(&["State", "Status", "QueryState", "QueryStatus"]);
        let time =
            any(&["LastUpdateDatetime", "LastUpdateDateTime", "DateTimeStamp", "DateTime", "DateUpdated"]);
        let time = time.as_deref().and_then(Time::parse);
        told.changes = if element.vocabulary == Vocabulary::Odm {
            changes_of_records(element, word.as_deref(), time)
        } else {
            changes_of_notes(element)
        };
        if told.changes.is_empty() {
            told.changes.push(Change {
                state: word.as_deref().and_then(State::named),
                word,
                time: time.or_else(|| around.and_then(|audit| audit.time)),
                user: around.and_then(|audit| audit.user.clone()),
                text,
            });
        }
        told
    }
}

fn text_of(element: &Element) -> Option<String> {
    let values: Vec<&str> = element.all("Value").filter_map(Element::own_text).collect();
    let text = if values.is_empty() { element.own_text().map(str::to_owned) } else { Some(values.join(" ")) };
    text.or_else(|| element.text_of("Description").map(str::to_owned))
}

/// ODM 2.0: the audit records of a query are its changes, but only the query says a state, its present one. A
/// record whose reason is the word of a state says it too. The last record brought the present state, unless
/// the query was updated after it. What is between is taken to have changed nothing.
fn changes_of_records(element: &Element, word: Option<&str>, updated: Option<Time>) -> Vec<Change> {
    let records: Vec<Audit> = element.all("AuditRecord").map(Audit::of_record).collect();
    let present = word.and_then(State::named);
    let mut state = if present == Some(State::Candidate) { State::Candidate } else { State::Open };
    let mut changes = Vec::new();
    let last = records.len().saturating_sub(1);
    let ends_here = records.last().is_some_and(|record| updated.is_none() || record.time >= updated);
    for (position, record) in records.into_iter().enumerate() {
        let is_present = position == last && ends_here;
        let said = record.reason.as_deref().and_then(State::named);
        state = if is_present { present.or(said) } else { said }.unwrap_or(state);
        let word = if is_present { word } else { record.reason.as_deref().filter(|_| said.is_some()) };
        changes.push(Change {
            word: word.map(str::to_owned).or_else(|| Some(state.name().to_owned())),
            state: Some(state),
            time: record.time,
            user: record.user,
            text: record.reason,
        });
    }
    if !changes.is_empty() && !ends_here {
        changes.push(Change {
            word: word.map(str::to_owned),
            state: present,
            time: updated,
            ..Change::default()
        });
    }
    changes
}

/// Vendors that keep the history of a query as notes below it, oldest first or last: the times decide.
fn changes_of_notes(element: &Element) -> Vec<Change> {
    let note = |note: &Element| {
        let any = |names: &[&str]| names.iter().find_map(|name| note.get(name)).map(str::to_owned);
        let word = any(&["Status", "State"]);
        Change {
            state: word.as_deref().and_then(State::named),
            word,
            time: any(&["DateCreated", "DateTimeStamp", "DateTime"]).as_deref().and_then(Time::parse),
            user: any(&["UserName", "UserOID", "UserID"]),
            text: note.text_of("DetailedNote").or_else(|| note.text_of("Description")).map(str::to_owned),
        }
    };
    let notes = element.children.iter();
    let mut changes: Vec<Change> = notes
        .filter(|child| {
            matches!(child.name.as_str(), "ChildNote" | "QueryState" | "QueryEvent" | "StateChange")
        })
        .map(note)
        .collect();
    changes.sort_by_key(|change| change.time);
    changes
}

/// A query as it stands after all that was told of it.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) place: Place,
    pub(super) told: Told,
    pub(super) state: Option<State>,
    pub(super) word: Option<String>,
    pub(super) opened: Option<Time>,
    pub(super) answered: Option<Time>,
    pub(super) closed: Option<Time>,
    pub(super) updated: Option<Time>,
    pub(super) reopened: u32,
    pub(super) events: u32,
}

/// Every query of the file, in the order of first mention.
#[derive(Debug, Default)]
pub(super) struct Queries {
    positions: HashMap<u128, usize>,
    pub(super) standing: Vec<Standing>,
}

/// A change that made a difference: which query, the state before, the change.
pub(super) struct Event {
    pub(super) query: usize,
    pub(super) number: u32,
    pub(super) from: Option<State>,
    pub(super) change: Change,
}

impl Queries {
    /// Takes in what one element tells, and gives the changes that are new.
    pub(super) fn tell(&mut self, mut told: Told, place: &Place) -> Vec<Event> {
        let changes = std::mem::take(&mut told.changes);
        let next = self.standing.len();
        // An id is unique in its study only.
        let key = hash(&format!("{}/{}", place.study, told.id));
        let position = *self.positions.entry(key).or_insert(next);
        if position == next {
            self.standing.push(Standing::new(told, place.clone()));
        } else {
            self.standing[position].learn(told);
        }
        let standing = &mut self.standing[position];
        let new = changes.into_iter().filter_map(|change| {
            let from = standing.state;
            standing.apply(&change).then_some(Event {
                query: position,
                number: standing.events,
                from,
                change,
            })
        });
        new.collect()
    }
}

impl Standing {
    const fn new(told: Told, place: Place) -> Self {
        Self {
            place,
            told,
            state: None,
            word: None,
            opened: None,
            answered: None,
            closed: None,
            updated: None,
            reopened: 0,
            events: 0,
        }
    }

    fn learn(&mut self, told: Told) {
        let known = &mut self.told;
        known.source = known.source.take().or(told.source);
        known.target = known.target.take().or(told.target);
        known.kind = known.kind.take().or(told.kind);
        known.text = known.text.take().or(told.text);
        known.response = told.response.or_else(|| known.response.take());
    }

    /// Whether the change says anything that was not known.
    fn apply(&mut self, change: &Change) -> bool {
        if self.events > 0 && change.state == self.state && change.time == self.updated {
            return false;
        }
        let ended = matches!(self.state, Some(State::Answered | State::Closed | State::Cancelled));
        let reissued = change.word.as_deref().is_some_and(is_reissue);
        if change.state == Some(State::Open) && (ended || reissued) {
            self.reopened += 1;
            (self.answered, self.closed) = (None, None);
        }
        match change.state {
            Some(State::Answered) => self.answered = change.time,
            Some(State::Closed | State::Cancelled) => self.closed = change.time,
            _ => {}
        }
        self.opened = self.opened.or(change.time);
        self.state = change.state;
        self.word.clone_from(&change.word);
        self.updated = change.time;
        self.events += 1;
        true
    }

    pub(super) fn source_id(&self) -> Option<&str> {
        self.told.source_id.as_deref()
    }

    pub(super) fn source_text(&self) -> Option<&str> {
        self.told.source.as_deref()
    }

    pub(super) fn target(&self) -> Option<&str> {
        self.told.target.as_deref()
    }

    pub(super) fn text(&self) -> Option<&str> {
        self.told.text.as_deref()
    }

    pub(super) fn response(&self) -> Option<&str> {
        self.told.response.as_deref()
    }

    /// The model's word for who asks, where the sender's can be understood.
    pub(super) fn source(&self) -> Option<&'static str> {
        let words = self.source_text()?.to_ascii_lowercase();
        // `Site from Dictionary`: what stands before `from` is who shall answer.
        let asker = words.rsplit(" from ").next().unwrap_or_default().trim();
        let has = |parts: &[&str]| parts.iter().any(|part| asker.contains(part));
        Some(match () {
            () if has(&["coding", "coder", "dictionary"]) => "CODING",
            () if has(&["safety", "vigilance"]) => "SAFETY",
            () if asker == "cra" || has(&["monitor"]) => "SITE_MONITOR",
            () if asker == "dm" || has(&["data manage", "data_manage", "datamanage"]) => "DATA_MANAGEMENT",
            () if has(&["system"]) => "SYSTEM",
            () => return None,
        })
    }

    /// `MANUAL` or `SYSTEM`.
    pub(super) fn kind(&self) -> &'static str {
        match self.told.kind.as_deref() {
            Some(kind) if kind.eq_ignore_ascii_case("system") => "SYSTEM",
            Some(_) => "MANUAL",
            None if self.source() == Some("SYSTEM") => "SYSTEM",
            None => "MANUAL",
        }
    }

    /// Days from opening to the end, or to the cut-off while it is open.
    pub(super) fn age_days(&self, cutoff: Option<Time>) -> Option<i64> {
        let end = self.closed.or(self.answered).or(cutoff)?;
        Some((end.at.date_naive() - self.opened?.at.date_naive()).num_days())
    }
}
