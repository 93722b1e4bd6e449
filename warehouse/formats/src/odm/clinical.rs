//! The data of subjects: events, forms, item groups and data points, and what is noted beside them.

use super::audit::Audit;
use super::ledger::{Effect, Standing, Total};
use super::place::{Instance, Level, hash};
use super::query::Told;
use super::rows;
use super::table::{Row, Table};
use super::time::{Span, Time};
use super::walk::{Purpose, Walk};
use crate::Result;
use crate::xml::{Element, Vocabulary};

/// An element of the data that has not closed yet.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) level: Level,
    /// Its attributes.
    pub(super) element: Element,
    /// The item group that encloses it, where groups nest.
    outer: Option<Instance>,
    /// Its key in the ledger; 0 without one.
    key: u128,
    pub(super) row: u64,
    /// Its own transaction, else that of what encloses it.
    pub(super) transaction: Option<String>,
    pub(super) effect: Effect,
    pub(super) notes: Notes,
}

/// What was noted in an element so far.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) span: Span,
    pub(super) audits: u32,
    pub(super) audit: Option<Audit>,
    pub(super) signed: Option<Time>,
    pub(super) status: Option<String>,
    pub(super) sdv: Option<String>,
    pub(super) frozen: Option<String>,
    pub(super) locked: Option<String>,
    pub(super) investigator: Option<String>,
    /// Data points in it that hold a value.
    pub(super) filled: bool,
    queries: usize,
}

impl Walk {
    pub(super) fn open_subject(&mut self, element: Element) -> Result<()> {
        let key = self.demand(&element, "SubjectKey")?;
        let name = ["SubjectName", "StudySubjectID"].iter().find_map(|name| element.extension(name));
        self.place.subject_name = Some(name.unwrap_or(&key).to_owned());
        self.place.subject = Some(key);
        self.place.site = self.sites.get(&hash(&self.place.subject_key())).cloned();
        self.push(Level::Subject, element)
    }

    /// Takes an element in the data of a subject. Whether it stays open.
    pub(super) fn open_data(&mut self, element: Element) -> Result<bool> {
        let Some(level) = self.open.last().map(|open| open.level) else {
            return self.xml.skip().map(|()| false);
        };
        if element.vocabulary != Vocabulary::Odm {
            self.note_whole(element)?;
            return Ok(false);
        }
        match (level, element.name.as_str()) {
            (Level::Subject, "StudyEventData") => self.open_event(element)?,
            (Level::Event, "FormData") => self.open_form(element, "FormOID", "FormRepeatKey")?,
            // ODM 2.0 has no forms of its own: the outermost item group of an event is one.
            (Level::Event, "ItemGroupData") => {
                self.open_form(element, "ItemGroupOID", "ItemGroupRepeatKey")?;
            }
            (Level::Form | Level::ItemGroup, "ItemGroupData") => self.open_group(element)?,
            (Level::Form | Level::ItemGroup, name) if name.starts_with("ItemData") => {
                let element = self.xml.whole(element)?;
                self.item(element)?;
                return Ok(false);
            }
            (Level::Subject, "SiteRef") => {
                let site = self.demand(&element, "LocationOID")?;
                self.site(site);
                self.xml.skip()?;
                return Ok(false);
            }
            _ => {
                self.note_whole(element)?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn site(&mut self, site: String) {
        if let Some(row) = self.admin.unlisted_site(&self.place.study, &site) {
            self.hand_out(Table::Site, &[row]);
        }
        if self.header.is_transactional {
            self.sites.insert(hash(&self.place.subject_key()), site.clone());
        }
        self.place.site = Some(site);
    }

    fn open_event(&mut self, element: Element) -> Result<()> {
        let oid = self.demand(&element, "StudyEventOID")?;
        let event = Instance::below(&self.place.subject_key(), &oid, element.get("StudyEventRepeatKey"));
        let number = self.catalog().and_then(|catalog| catalog.events.get(&oid)?.1.clone());
        self.place.visit_num = number;
        self.place.event = Some(event);
        self.push(Level::Event, element)
    }

    fn open_form(&mut self, element: Element, oid: &str, repeat: &str) -> Result<()> {
        let oid = self.demand(&element, oid)?;
        self.place.form = Some(Instance::below(&self.place.key(), &oid, element.get(repeat)));
        self.push(Level::Form, element)
    }

    fn open_group(&mut self, element: Element) -> Result<()> {
        let oid = self.demand(&element, "ItemGroupOID")?;
        let group = Instance::below(&self.place.key(), &oid, element.get("ItemGroupRepeatKey"));
        let outer = self.place.group.replace(group);
        self.push(Level::ItemGroup, element)?;
        if let Some(open) = self.open.last_mut() {
            open.outer = outer;
        }
        Ok(())
    }

    /// Makes an element the innermost open one.
    fn push(&mut self, level: Level, element: Element) -> Result<()> {
        self.row += 1;
        let own = element.get("TransactionType");
        // Source: ODM 2.0, Transactions: a child without a TransactionType has that of its parent.
        let above = self.open.last().and_then(|open| open.transaction.as_deref());
        let transaction = own.or(above).map(str::to_owned);
        let effect = match transaction.as_deref() {
            None | Some("Insert" | "Update" | "Upsert") => Effect::Write,
            Some("Remove") => Effect::Remove,
            Some("Context") => Effect::Context,
            Some(other) => {
                return Err(self.xml.damaged(format!(
                    "its TransactionType is `{other}`; Insert, Update, Upsert, Remove and Context are known"
                )));
            }
        };
        let (row, notes) = (self.row, Notes::default());
        let key = if self.known.ledger.is_some() { hash(&self.place.key()) } else { 0 };
        self.open.push(Open { level, element, outer: None, key, row, transaction, effect, notes });
        Ok(())
    }

    fn item(&mut self, element: Element) -> Result<()> {
        let oid = self.demand(&element, "ItemOID")?;
        self.place.item = Some(Instance::below(&self.place.key(), &oid, None));
        let point = Point::read(&element);
        self.push(Level::Item, element)?;
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        // What says nothing of the value leaves it as it is: a query or a comment was sent.
        if self.header.is_transactional && !point.is_said && open.effect == Effect::Write {
            open.effect = Effect::Context;
        }
        let element = std::mem::replace(&mut open.element, Element::empty());
        self.note_item(&element, &point);
        let Some(open) = self.open.pop() else { return Ok(()) };
        self.account(&open)?;
        self.count(Table::Item, 1);
        if self.makes(Table::Item) {
            let row = rows::item(self, &open, &element, &point, self.at_the_end(&open));
            self.out.push(&row);
        }
        if let Some(parent) = self.open.last_mut() {
            parent.notes.span.join(open.notes.span);
            parent.notes.filled |= point.value.is_some();
        }
        self.place.item = None;
        Ok(())
    }

    fn note_item(&mut self, element: &Element, point: &Point) {
        if let Some(id) = element.get("AuditRecordID") {
            self.has_references = true;
            let audit = self.known.records.get(id).cloned();
            let audit = audit.unwrap_or_else(|| Audit { source_id: Some(id.to_owned()), ..Audit::default() });
            self.note_audit(audit, Some(point), false);
        }
        let has_query =
            element.children.iter().any(|child| is_query(child) || child.name == "DiscrepancyNotes");
        for child in &element.children {
            if child.is("AuditRecord") {
                self.note_audit(Audit::of_record(child), Some(point), has_query && !point.is_said);
            } else if child.name != "Value" {
                self.note(child);
            }
        }
        if self.makes(Table::Audit) && self.header.is_transactional && point.is_said {
            let key = hash(&self.place.key());
            self.values.insert(key, point.value.clone().unwrap_or_default());
        }
    }

    fn note_whole(&mut self, element: Element) -> Result<()> {
        let element = self.xml.whole(element)?;
        self.note(&element);
        Ok(())
    }

    /// Takes in what stands beside the data of the innermost element.
    fn note(&mut self, element: &Element) {
        match element.name.as_str() {
            "AuditRecord" => self.note_audit(Audit::of_record(element), None, false),
            "AuditLog" => self.note_audit(Audit::of_log(element), None, false),
            "AuditLogs" | "DiscrepancyNotes" | "Queries" => {
                element.children.iter().for_each(|child| self.note(child));
            }
            "Signature" => self.note_signature(element),
            "Annotation" => self.note_flags(element),
            "InvestigatorRef" => {
                if let Some(open) = self.open.last_mut() {
                    open.notes.investigator = element.get("UserOID").map(str::to_owned);
                }
            }
            _ if is_query(element) => self.note_query(element),
            _ => {}
        }
    }

    /// What ODM 2.0 may hang on the clinical data as a whole.
    pub(super) fn note_outside(&mut self, element: &Element) {
        if is_query(element) {
            self.note_query(element);
        } else {
            self.note_audit(Audit::of_record(element), None, false);
        }
    }

    fn note_audit(&mut self, audit: Audit, point: Option<&Point>, is_query: bool) {
        self.count(Table::Audit, 1);
        if self.makes(Table::Audit) {
            let number = self.audit_number(&audit);
            let before = point
                .filter(|point| point.is_said)
                .and_then(|_| self.values.get(&hash(&self.place.key())).cloned());
            let value = point.filter(|point| point.is_said).and_then(|point| point.value.clone());
            let row = rows::audit(self, &audit, number, (before, value), is_query);
            self.out.push(&row);
        }
        if let Some(open) = self.open.last_mut() {
            open.notes.audits += 1;
            open.notes.span.add(audit.time);
            open.notes.audit = Some(audit);
        }
    }

    /// How many audit records of this thing had this time before.
    fn audit_number(&mut self, audit: &Audit) -> u32 {
        let time = audit.time.map(Time::text).unwrap_or_default();
        let number = self.audit_numbers.entry(hash(&format!("{}@{time}", self.place.key()))).or_default();
        *number += 1;
        *number
    }

    fn note_signature(&mut self, element: &Element) {
        let audit = Audit::of_record(element);
        if let Some(open) = self.open.last_mut() {
            open.notes.signed = open.notes.signed.max(audit.time);
        }
        self.count(Table::Signature, 1);
        if self.makes(Table::Signature) {
            let row = rows::signature(self, element, &audit);
            self.out.push(&row);
        }
    }

    fn note_flags(&mut self, element: &Element) {
        let Some(open) = self.open.last_mut() else { return };
        for flag in element.all("Flag") {
            let kind = flag.text_of("FlagType").unwrap_or_default().to_ascii_uppercase();
            let value = flag.text_of("FlagValue").map(str::to_owned);
            let slot = if kind.contains("SDV") || kind.contains("VERIF") {
                &mut open.notes.sdv
            } else if kind.contains("FREEZE") || kind.contains("FROZEN") {
                &mut open.notes.frozen
            } else if kind.contains("LOCK") {
                &mut open.notes.locked
            } else if kind.contains("STATUS") {
                &mut open.notes.status
            } else {
                continue;
            };
            *slot = value;
        }
    }

    fn note_query(&mut self, element: &Element) {
        let key = self.place.key();
        let (ordinal, around) = match self.open.last_mut() {
            Some(open) => {
                open.notes.queries += 1;
                (open.notes.queries, open.notes.audit.clone())
            }
            None => (self.queries.standing.len() + 1, None),
        };
        let told = Told::read(element, &key, ordinal, around.as_ref());
        let events = self.queries.tell(told, &self.place);
        self.count(Table::QueryEvent, events.len() as u64);
        if self.makes(Table::QueryEvent) {
            let rows: Vec<Row> = events.iter().map(|event| rows::query_event(self, event)).collect();
            rows.iter().for_each(|row| self.out.push(row));
        }
        if element.vocabulary == Vocabulary::Odm {
            for record in element.all("AuditRecord") {
                self.count(Table::Audit, 1);
                if self.makes(Table::Audit) {
                    let audit = Audit::of_record(record);
                    let number = self.audit_number(&audit);
                    let row = rows::audit(self, &audit, number, (None, None), true);
                    self.out.push(&row);
                }
            }
        }
    }

    /// The innermost element of the data closes.
    pub(super) fn close_data(&mut self) -> Result<()> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        self.account(&open)?;
        let table = match open.level {
            Level::Subject => Some(Table::Subject),
            Level::Event => Some(Table::Event),
            Level::Form => Some(Table::Form),
            Level::Study | Level::ItemGroup | Level::Item => None,
        };
        if let Some(table) = table {
            self.count(table, 1);
            if self.makes(table) {
                let repeat = self.repeat_number();
                let row = rows::level(self, table, &open, self.at_the_end(&open), repeat);
                self.out.push(&row);
            }
        }
        match open.level {
            Level::Subject => self.close_subject(),
            Level::Event => (self.place.event, self.place.visit_num) = (None, None),
            Level::Form => self.place.form = None,
            Level::ItemGroup => self.place.group = open.outer,
            Level::Study | Level::Item => {}
        }
        if let Some(parent) = self.open.last_mut() {
            parent.notes.span.join(open.notes.span);
            parent.notes.filled |= open.notes.filled;
        }
        Ok(())
    }

    fn close_subject(&mut self) {
        self.place.subject = None;
        self.place.subject_name = None;
        self.place.site = None;
        if !self.header.is_transactional {
            self.audit_numbers.clear();
            self.repeats.clear();
        }
    }

    /// The place of the event among those of its definition in its subject, from 0.
    fn repeat_number(&mut self) -> u32 {
        let Some(event) = self.place.event.as_ref().filter(|_| self.makes(Table::Event)) else { return 0 };
        let own = hash(&event.key);
        if let Some(number) = self.repeats.get(&own) {
            return *number;
        }
        let all = hash(&format!("{}#{}", self.place.subject_key(), event.oid));
        let next = self.repeats.entry(all).or_default();
        let number = *next;
        *next += 1;
        self.repeats.insert(own, number);
        number
    }

    /// Puts a transaction into the ledger while one is being made.
    fn account(&mut self, open: &Open) -> Result<()> {
        if self.purpose == Purpose::Ledger
            && let Some(ledger) = self.known.ledger.as_mut()
            && !ledger.see(open.key, open.row, open.effect, open.notes.span)
        {
            return Err(self.xml.damaged(
                "it tells more data points apart than are held in memory; send it in parts, by site or by time",
            ));
        }
        Ok(())
    }

    /// What the whole file says of a thing, and how this row of it stands to that.
    fn at_the_end(&self, open: &Open) -> (Total, Standing) {
        let Some(ledger) = self.known.ledger.as_ref() else {
            let is_removed = open.effect == Effect::Remove;
            return (Total::default(), if is_removed { Standing::Removed } else { Standing::Current });
        };
        let above: Vec<u128> = self.open.iter().map(|above| above.key).collect();
        (ledger.total(open.key), ledger.standing(&above, open.key, open.row, open.effect))
    }
}

/// The value of a data point, as its element tells it.
#[derive(Debug)]
pub(super) struct Point {
    pub(super) value: Option<String>,
    /// Whether the element says what the value is, be it nothing.
    pub(super) is_said: bool,
}

impl Point {
    fn read(element: &Element) -> Self {
        let is_null = element.get("IsNull").is_some_and(|answer| answer.eq_ignore_ascii_case("yes"));
        let values: Vec<&str> = element.all("Value").map(|value| value.text.trim()).collect();
        // ODM 1.3: `ItemDataString` and its like have the value as their text.
        let typed = (element.name != "ItemData").then(|| element.text.trim());
        let value = match (element.get("Value"), typed) {
            (Some(value), _) => Some(value.to_owned()),
            (None, Some(text)) => Some(text.to_owned()),
            (None, None) => Some(values.join("; ")),
        };
        Self {
            value: value.filter(|value| !value.is_empty() && !is_null),
            is_said: is_null || element.has("Value") || typed.is_some() || !values.is_empty(),
        }
    }
}

/// Whether an element tells of a query: that of ODM 2.0, or a vendor's of that name. A discrepancy note may
/// also be an annotation or a reason.
fn is_query(element: &Element) -> bool {
    match element.name.as_str() {
        "Query" => true,
        "DiscrepancyNote" => element.get("NoteType").is_none_or(|kind| {
            kind.eq_ignore_ascii_case("query") || kind.eq_ignore_ascii_case("failed validation check")
        }),
        _ => false,
    }
}
