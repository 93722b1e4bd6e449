//! The rows of clinical tables.

use super::audit::Audit;
use super::clinical::{Open, Point};
use super::ledger::{Standing, Total};
use super::place::Level;
use super::query::{self, Event};
use super::table::{Row, Table};
use super::time::Time;
use super::walk::Walk;
use crate::xml::Element;

/// What is known of a thing at the end of the file, and how the row stands to that.
type AtTheEnd = (Total, Standing);

/// A row of `ODM.SUBJECT`, `ODM.EVENT` or `ODM.FORM`.
pub(super) fn level(walk: &Walk, table: Table, open: &Open, end: AtTheEnd, repeat: u32) -> Row {
    let mut row = placed(walk, table);
    match open.level {
        Level::Subject => subject(&mut row, open),
        Level::Event => event(walk, &mut row, open, (end.1, repeat)),
        _ => form(walk, &mut row, open),
    }
    transaction(&mut row, open, end);
    row
}

fn placed(walk: &Walk, table: Table) -> Row {
    let mut row = Row::new(table);
    walk.place.tell(&mut row);
    row
}

fn transaction(row: &mut Row, open: &Open, (total, standing): AtTheEnd) {
    let mut span = total.span;
    span.join(open.notes.span);
    row.set("ROW", Some(open.row.to_string()))
        .set("TRANSACTION", open.transaction.clone())
        .set("STATE", Some(standing.name()))
        .set("FIRST_TIME", span.first.map(Time::text))
        .set("LAST_TIME", span.last.map(Time::text))
        .set("TIME_PRECISION", Some(span.first.map_or("S", Time::precision)));
}

fn subject(row: &mut Row, open: &Open) {
    let element = &open.element;
    row.set_all(&[
        ("INVESTIGATOR", open.notes.investigator.as_deref()),
        ("STATUS", element.extension("Status").or(open.notes.status.as_deref())),
        ("SEX", element.extension("Sex")),
        ("BIRTH_DATE", element.extension("DateOfBirth").or_else(|| element.extension("YearOfBirth"))),
        ("SECONDARY_ID", element.extension("SecondaryID")),
    ]);
}

fn event(walk: &Walk, row: &mut Row, open: &Open, (standing, repeat): (Standing, u32)) {
    let element = &open.element;
    let visit_state = if walk.place.visit_num.is_some() { standing.name() } else { "UNPLANNED" };
    row.set_all(&[
        ("EVENT_NAME", event_name(walk, element)),
        ("EVENT_REPEAT_NUMBER", Some(&repeat.to_string())),
        ("START_DATE", day(element.extension("StartDate"))),
        ("END_DATE", day(element.extension("EndDate"))),
        ("STATUS", element.extension("Status").or(open.notes.status.as_deref())),
        ("VISIT_STATE", Some(visit_state)),
    ]);
}

/// The name that the vendor gave the event, else that of its definition.
fn event_name<'a>(walk: &'a Walk, element: &'a Element) -> Option<&'a str> {
    element.extension("InstanceName").or_else(|| {
        let oid = &walk.place.event.as_ref()?.oid;
        walk.catalog()?.events.get(oid)?.0.as_deref()
    })
}

/// A vendor's date, which may have a time behind it.
fn day(text: Option<&str>) -> Option<&str> {
    text.map(|text| text.split(['T', ' ']).next().unwrap_or(text))
}

fn form(walk: &Walk, row: &mut Row, open: &Open) {
    let (element, notes) = (&open.element, &open.notes);
    let event = walk.open.last().filter(|event| event.level == Level::Event).map(|event| &event.element);
    let any = |names: &[&str]| names.iter().find_map(|name| element.extension(name));
    row.set_all(&[
        ("EVENT_NAME", event.and_then(|event| event_name(walk, event))),
        ("EVENT_DATE", day(event.and_then(|event| event.extension("StartDate")))),
        ("STATUS", any(&["Status", "FormStatus"]).or(notes.status.as_deref())),
        ("CONTENT", Some(if notes.filled { "DATA" } else { "EMPTY" })),
        ("SDV", any(&["SDVStatus", "SdvStatus", "SDV", "Verify", "Verified"]).or(notes.sdv.as_deref())),
        ("FROZEN", any(&["Frozen", "Freeze"]).or(notes.frozen.as_deref())),
        ("LOCKED", any(&["Locked", "Lock"]).or(notes.locked.as_deref())),
        ("SIGNED_TIME", notes.signed.map(Time::text).as_deref()),
    ]);
}

/// A row of `ODM.ITEM`.
pub(super) fn item(walk: &Walk, open: &Open, element: &Element, point: &Point, end: AtTheEnd) -> Row {
    let mut row = placed(walk, Table::Item);
    let group = walk.place.group.as_ref().or(walk.place.form.as_ref());
    let oid = element.get("ItemOID").unwrap_or_default();
    let catalog = walk.catalog();
    let typed = element.name.strip_prefix("ItemData").filter(|kind| !kind.is_empty());
    let typed = typed.map(str::to_ascii_lowercase);
    let defined = catalog.and_then(|catalog| catalog.types.get(oid)).map(String::as_str);
    let mandatory = catalog.zip(group).and_then(|(catalog, group)| catalog.is_mandatory(&group.oid, oid));
    // The first entry is no change.
    let told = if walk.known.ledger.is_some() { end.0.writes } else { open.notes.audits };
    let unit = element.child("MeasurementUnitRef").and_then(|unit| unit.get("MeasurementUnitOID"));
    row.set_all(&[
        ("LOG_LINE", log_line(walk).as_deref()),
        ("VALUE", point.value.as_deref()),
        ("IS_NULL", Some(if point.value.is_none() { "true" } else { "false" })),
        ("DATA_TYPE", typed.as_deref().or(defined)),
        ("MANDATORY", mandatory.map(|mandatory| if mandatory { "true" } else { "false" })),
        ("UNIT", unit.or_else(|| element.get("MeasurementUnitOID"))),
        ("CHANGES", Some(&told.saturating_sub(1).to_string())),
    ]);
    transaction(&mut row, open, end);
    row
}

/// The number of the line on a form with lines, where the file numbers them.
fn log_line(walk: &Walk) -> Option<String> {
    let group = walk.open.iter().rev().find(|open| matches!(open.level, Level::ItemGroup | Level::Form))?;
    let repeat = walk.place.group.as_ref().and_then(|group| group.repeat.as_deref());
    let number = group.element.get("ItemGroupDataSeq").or(repeat)?.trim_start_matches('@');
    number.parse::<i32>().ok().map(|number| number.to_string())
}

/// A row of `ODM.AUDIT`. `values` are the value before and after.
pub(super) fn audit(
    walk: &Walk,
    audit: &Audit,
    number: u32,
    values: (Option<String>, Option<String>),
    is_query: bool,
) -> Row {
    let mut row = placed(walk, Table::Audit);
    let open = walk.open.last();
    let transaction = open.and_then(|open| open.transaction.as_deref());
    let time = audit.time.map(Time::text);
    let id = format!("{}@{}#{number}", walk.place.key(), time.as_deref().unwrap_or("?"));
    let kind = if is_query { Some("Query") } else { walk.subcategory.as_deref() };
    row.set("AUDIT_ID", Some(id))
        .set("SOURCE_ID", audit.source_id.clone())
        .set("LEVEL", Some(walk.place.level().name()))
        .set("TRANSACTION", transaction)
        .set("ACTION", Some(audit.action(kind, transaction)))
        .set("SUBCATEGORY", audit.kind.clone().or_else(|| walk.subcategory.clone()))
        .set("OLD_VALUE", audit.old_value.clone().or(values.0))
        .set("NEW_VALUE", audit.new_value.clone().or(values.1))
        .set("REASON", audit.reason.clone())
        .set("USER", audit.user.clone())
        .set("USER_ROLE", walk.admin.role(audit.user.as_deref()))
        .set("LOCATION", audit.location.clone())
        .set("TIME", time)
        .set("EDIT_POINT", audit.edit_point.clone())
        .set("ROW", open.map(|open| open.row.to_string()));
    row
}

/// A row of `ODM.SIGNATURE`.
pub(super) fn signature(walk: &Walk, element: &Element, signed: &Audit) -> Row {
    let mut row = placed(walk, Table::Signature);
    let definition = element.child("SignatureRef").and_then(|reference| reference.get("SignatureOID"));
    let (meaning, reason) = walk.admin.meaning(definition);
    row.set("SIGNATURE_ID", element.get("ID"))
        .set("LEVEL", Some(walk.place.level().name()))
        .set("USER", signed.user.clone())
        .set("USER_ROLE", walk.admin.role(signed.user.as_deref()))
        .set("LOCATION", signed.location.clone())
        .set("SIGNATURE_DEF", definition)
        .set("MEANING", meaning)
        .set("LEGAL_REASON", reason)
        .set("TIME", signed.time.map(Time::text));
    row
}

/// A row of `ODM.QUERY`.
pub(super) fn query(query: &query::Standing, cutoff: Option<Time>) -> Row {
    let mut row = Row::new(Table::Query);
    query.place.tell(&mut row);
    row.set("QUERY_ID", Some(query.told.id.as_str()))
        .set("SOURCE_ID", query.source_id())
        .set("LEVEL", Some(query.place.level().name()))
        .set("SOURCE", query.source())
        .set("SOURCE_TEXT", query.source_text())
        .set("TARGET", query.target())
        .set("TYPE", Some(query.kind()))
        .set("STATE", query.state.map(query::State::name))
        .set("STATE_TEXT", query.word.as_deref())
        .set("TEXT", query.text())
        .set("RESPONSE", query.response())
        .set("OPENED", query.opened.map(Time::text))
        .set("ANSWERED", query.answered.map(Time::text))
        .set("CLOSED", query.closed.map(Time::text))
        .set("UPDATED", query.updated.map(Time::text))
        .set("REOPENED", Some(query.reopened.to_string()))
        .set("EVENTS", Some(query.events.to_string()))
        .set("AGE_DAYS", query.age_days(cutoff).map(|days| days.to_string()))
        .set("TIME_PRECISION", Some(query.opened.map_or("S", Time::precision)));
    row
}

/// A row of `ODM.QUERYEVENT`.
pub(super) fn query_event(walk: &Walk, event: &Event) -> Row {
    let standing = &walk.queries.standing[event.query];
    let change = &event.change;
    let mut row = Row::new(Table::QueryEvent);
    standing.place.tell(&mut row);
    row.set("QUERY_ID", Some(standing.told.id.as_str()))
        .set("EVENT_NO", Some(event.number.to_string()))
        .set("FROM_STATE", event.from.map(query::State::name))
        .set("TO_STATE", change.state.map(query::State::name))
        .set("STATE_TEXT", change.word.as_deref())
        .set("TEXT", change.text.as_deref())
        .set("USER", change.user.as_deref())
        .set("USER_ROLE", walk.admin.role(change.user.as_deref()))
        .set("TIME", change.time.map(Time::text));
    row
}
