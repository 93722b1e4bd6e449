//! One metadata version: what is planned to be collected. It is held as a whole, for its parts refer to one
//! another in both directions.

use std::collections::{BTreeSet, HashMap};

use super::table::{Row, Table};
use super::time::duration_days;
use crate::xml::Element;

/// Definitions and references of one metadata version. Real ones have some ten thousand.
pub(super) const MAX_PARTS: usize = 2_000_000;
/// Item groups within item groups.
const MAX_NESTED_GROUPS: usize = 20;

/// A metadata version being read.
#[derive(Debug, Default)]
pub(super) struct Version {
    study: String,
    oid: String,
    event_refs: Vec<Reference>,
    events: Vec<Definition>,
    forms: Vec<Definition>,
    groups: Vec<Definition>,
    items: Vec<Definition>,
    constraints: Vec<Constraint>,
    transitions: HashMap<String, (String, String)>,
    parts: usize,
}

/// What a definition says, and what it refers to.
#[derive(Debug, Default)]
struct Definition {
    oid: String,
    name: Option<String>,
    kind: Option<String>,
    repeating: Option<String>,
    category: Option<String>,
    question: Option<String>,
    data_type: Option<String>,
    length: Option<String>,
    digits: Option<String>,
    codelist: Option<String>,
    groups: Vec<Reference>,
    items: Vec<Reference>,
}

/// A reference to a definition, and what it says of it there.
#[derive(Debug, Clone, Default)]
struct Reference {
    oid: String,
    mandatory: Option<String>,
    order: Option<String>,
    key_sequence: Option<String>,
}

/// When one event is due after another.
#[derive(Debug)]
struct Constraint {
    from: Option<String>,
    to: Option<String>,
    transition: Option<String>,
    kind: Option<String>,
    target: Option<String>,
    before: Option<String>,
    after: Option<String>,
}

/// What clinical rows take from their metadata version.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    /// Name and visit number of each event.
    pub(super) events: HashMap<String, (Option<String>, Option<String>)>,
    /// Whether an item must be filled in its group.
    mandatory: HashMap<String, HashMap<String, bool>>,
    /// The data type of each item.
    pub(super) types: HashMap<String, String>,
}

impl Catalog {
    pub(super) fn is_mandatory(&self, group: &str, item: &str) -> Option<bool> {
        self.mandatory.get(group)?.get(item).copied()
    }
}

impl Version {
    pub(super) fn new(study: String, oid: String) -> Self {
        Self { study, oid, ..Self::default() }
    }

    pub(super) fn oid(&self) -> &str {
        &self.oid
    }

    /// The rows of a code list of this version.
    pub(super) fn code_list_rows(&self, list: &Element) -> Vec<Row> {
        code_list_rows(&self.study, &self.oid, list)
    }

    /// Takes in one child of a `MetaDataVersion`. `false` when it has too many parts.
    pub(super) fn add(&mut self, element: &Element) -> bool {
        self.parts += 1 + element.children.len();
        match element.name.as_str() {
            "Protocol" => self.add_protocol(element),
            "StudyEventGroupDef" => {
                self.event_refs.extend(references(element, "StudyEventRef", "StudyEventOID"));
            }
            "WorkflowDef" => self.add_transitions(element),
            "StudyEventDef" => self.events.push(Definition::read(element)),
            "FormDef" => self.forms.push(Definition::read(element)),
            "ItemGroupDef" if element.get("Type") == Some("Form") => {
                self.forms.push(Definition::read(element));
            }
            "ItemGroupDef" => self.groups.push(Definition::read(element)),
            "ItemDef" => self.items.push(Definition::read(element)),
            _ => {}
        }
        self.parts <= MAX_PARTS
    }

    fn add_protocol(&mut self, element: &Element) {
        self.parts += element.children.iter().map(|child| child.children.len()).sum::<usize>();
        self.event_refs.extend(references(element, "StudyEventRef", "StudyEventOID"));
        let timings = element.all("StudyTimings").flat_map(|timings| timings.all("StudyTiming"));
        for constraint in timings.flat_map(|timing| &timing.children) {
            let any = |names: &[&str]| names.iter().find_map(|name| constraint.get(name)).map(str::to_owned);
            self.constraints.push(Constraint {
                from: any(&["PredecessorOID", "PredecessorStudyEventOID"]),
                to: any(&["SuccessorOID", "SuccessorStudyEventOID"]),
                transition: any(&["TransitionOID"]),
                kind: any(&["Type"]),
                target: any(&["TimepointRelativeTarget", "TimepointTarget"]),
                before: any(&["TimepointPreWindow"]),
                after: any(&["TimepointPostWindow"]),
            });
        }
    }

    fn add_transitions(&mut self, element: &Element) {
        for transition in element.all("Transition") {
            if let (Some(oid), Some(from), Some(to)) =
                (transition.get("OID"), transition.get("SourceOID"), transition.get("TargetOID"))
            {
                self.transitions.insert(oid.to_owned(), (from.to_owned(), to.to_owned()));
            }
        }
    }

    /// The version is whole: a group that an event asks for is a form, whether or not it says so.
    pub(super) fn settle(&mut self) {
        let asked: BTreeSet<String> =
            self.events.iter().flat_map(|event| &event.groups).map(|form| form.oid.clone()).collect();
        let groups = std::mem::take(&mut self.groups);
        let (forms, groups) = groups.into_iter().partition(|group| asked.contains(&group.oid));
        self.groups = groups;
        self.forms.extend::<Vec<Definition>>(forms);
    }

    /// What clinical rows need.
    pub(super) fn catalog(&self) -> Catalog {
        let numbers = self.visit_numbers();
        let event = |event: &Definition| {
            (event.oid.clone(), (event.name.clone(), numbers.get(event.oid.as_str()).cloned()))
        };
        let typed = |item: &Definition| Some((item.oid.clone(), item.data_type.clone()?));
        let mut catalog = Catalog {
            events: self.events.iter().map(event).collect(),
            mandatory: HashMap::new(),
            types: self.items.iter().filter_map(typed).collect(),
        };
        for group in self.groups.iter().chain(&self.forms) {
            let items = group.items.iter().filter_map(|item| {
                Some((item.oid.clone(), item.mandatory.as_deref()?.eq_ignore_ascii_case("yes")))
            });
            catalog.mandatory.insert(group.oid.clone(), items.collect());
        }
        catalog
    }

    /// The number of each planned event: the `OrderNumber` of its reference where all have one of their own,
    /// else the place of the reference, else, without any reference, the place of the definition. What is
    /// unscheduled or common to all visits has a number only if the protocol refers to it.
    fn visit_numbers(&self) -> HashMap<&str, String> {
        let orders: Vec<&str> = self.event_refs.iter().filter_map(|event| event.order.as_deref()).collect();
        let distinct: BTreeSet<&str> = orders.iter().copied().collect();
        let ordered = orders.len() == self.event_refs.len() && distinct.len() == orders.len();
        if self.event_refs.is_empty() {
            let planned = self.events.iter().filter(|event| {
                event.kind.as_deref().is_none_or(|kind| kind.eq_ignore_ascii_case("scheduled"))
            });
            return planned.zip(1..).map(|(event, place)| (event.oid.as_str(), place.to_string())).collect();
        }
        let mut numbers = HashMap::new();
        for (event, place) in self.event_refs.iter().zip(1..) {
            let number = event.order.clone().filter(|_| ordered).unwrap_or_else(|| place.to_string());
            numbers.entry(event.oid.as_str()).or_insert(number);
        }
        numbers
    }

    /// One row for each event.
    pub(super) fn event_rows(&self) -> Vec<Row> {
        let numbers = self.visit_numbers();
        let row = |event: &Definition| {
            let reference = self.event_refs.iter().find(|reference| reference.oid == event.oid);
            let forms: Vec<&str> = event.groups.iter().map(|form| form.oid.as_str()).collect();
            let timing = self.timing(&event.oid);
            let days = |text: Option<&String>| text.and_then(|text| duration_days(text));
            let mut row = self.row(Table::EventDef);
            row.set_all(&[
                ("EVENT_OID", Some(&event.oid)),
                ("EVENT_NAME", event.name.as_deref()),
                ("EVENT_TYPE", event.kind.as_deref()),
                ("CATEGORY", event.category.as_deref()),
                ("REPEATING", event.repeating.as_deref()),
                ("MANDATORY", reference.and_then(|reference| reference.mandatory.as_deref())),
                ("VISIT_NUM", numbers.get(event.oid.as_str()).map(String::as_str)),
                ("IS_PLANNED", Some(if numbers.contains_key(event.oid.as_str()) { "true" } else { "false" })),
                ("FORMS", Some(&forms.join(" "))),
            ]);
            if let Some((constraint, from)) = timing {
                let before = days(constraint.before.as_ref()).map(|days| (-days).to_string());
                row.set("TIMING_FROM", from)
                    .set("TIMING_TARGET_DAYS", days(constraint.target.as_ref()).map(|days| days.to_string()))
                    .set("WINDOW_LOWER_DAYS", before)
                    .set("WINDOW_UPPER_DAYS", days(constraint.after.as_ref()).map(|days| days.to_string()))
                    .set("TIMING_TYPE", constraint.kind.clone())
                    .set("ANCHOR", from.map(|_| "PREVIOUS_VISIT"));
            }
            row
        };
        self.events.iter().map(row).collect()
    }

    /// The first constraint on when an event is due, and the event that it counts from.
    fn timing(&self, event: &str) -> Option<(&Constraint, Option<&str>)> {
        self.constraints.iter().find_map(|constraint| {
            let transition = constraint.transition.as_ref().and_then(|oid| self.transitions.get(oid));
            let ends = transition.map(|(from, to)| (Some(from.as_str()), to.as_str()));
            let ends = ends.or_else(|| Some((constraint.from.as_deref(), constraint.to.as_deref()?)));
            let (from, to) = ends?;
            (to == event).then_some((constraint, from))
        })
    }

    /// One row for each form at each event that asks for it; a form that none asks for stands alone.
    pub(super) fn form_rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for form in &self.forms {
            let asked = self.events.iter().flat_map(|event| {
                event.groups.iter().filter(|asked| asked.oid == form.oid).map(move |asked| (event, asked))
            });
            let mut places: Vec<_> =
                asked.map(|(event, asked)| (Some(event.oid.as_str()), Some(asked))).collect();
            if places.is_empty() {
                places.push((None, None));
            }
            for (event, asked) in places {
                let mut row = self.row(Table::FormDef);
                row.set_all(&[
                    ("EVENT_OID", event),
                    ("FORM_OID", Some(&form.oid)),
                    ("FORM_NAME", form.name.as_deref()),
                    ("REPEATING", form.repeating.as_deref()),
                    ("MANDATORY", asked.and_then(|asked| asked.mandatory.as_deref())),
                    ("ORDER", asked.and_then(|asked| asked.order.as_deref())),
                ]);
                rows.push(row);
            }
        }
        rows
    }

    /// One row for each item in each group of each form. A group that no form holds stands alone. `None` when
    /// the references multiply to more rows than a real study has.
    pub(super) fn item_rows(&self) -> Option<Vec<Row>> {
        let groups: HashMap<&str, &Definition> =
            self.groups.iter().map(|group| (group.oid.as_str(), group)).collect();
        let items: HashMap<&str, &Definition> =
            self.items.iter().map(|item| (item.oid.as_str(), item)).collect();
        let mut rows = Vec::new();
        let mut held: BTreeSet<&str> = BTreeSet::new();
        for form in &self.forms {
            for group in within(form, &groups)? {
                held.insert(&group.oid);
                self.rows_of_group(Some(form), group, &items, &mut rows)?;
            }
        }
        for group in self.groups.iter().filter(|group| !held.contains(group.oid.as_str())) {
            self.rows_of_group(None, group, &items, &mut rows)?;
        }
        Some(rows)
    }

    fn rows_of_group(
        &self,
        form: Option<&Definition>,
        group: &Definition,
        items: &HashMap<&str, &Definition>,
        rows: &mut Vec<Row>,
    ) -> Option<()> {
        for reference in &group.items {
            let item = items.get(reference.oid.as_str()).copied();
            let mut row = self.row(Table::ItemDef);
            row.set_all(&[
                ("FORM_OID", form.map(|form| form.oid.as_str())),
                ("ITEM_GROUP_OID", Some(&group.oid)),
                ("ITEM_GROUP_NAME", group.name.as_deref()),
                ("ITEM_GROUP_REPEATING", group.repeating.as_deref()),
                ("ITEM_OID", Some(&reference.oid)),
                ("ITEM_NAME", item.and_then(|item| item.name.as_deref())),
                ("QUESTION", item.and_then(|item| item.question.as_deref())),
                ("DATA_TYPE", item.and_then(|item| item.data_type.as_deref())),
                ("LENGTH", item.and_then(|item| item.length.as_deref())),
                ("SIGNIFICANT_DIGITS", item.and_then(|item| item.digits.as_deref())),
                ("CODELIST", item.and_then(|item| item.codelist.as_deref())),
                ("MANDATORY", reference.mandatory.as_deref()),
                ("ORDER", reference.order.as_deref()),
                ("KEY_SEQUENCE", reference.key_sequence.as_deref()),
            ]);
            rows.push(row);
        }
        (rows.len() <= MAX_PARTS).then_some(())
    }

    fn row(&self, table: Table) -> Row {
        let mut row = Row::new(table);
        row.set("STUDY", Some(self.study.as_str())).set("METADATA_VERSION", Some(self.oid.as_str()));
        row
    }
}

/// A form and all item groups in it, outermost first.
fn within<'a>(form: &'a Definition, groups: &HashMap<&str, &'a Definition>) -> Option<Vec<&'a Definition>> {
    let mut found = vec![form];
    let mut level = vec![form];
    for _ in 0..MAX_NESTED_GROUPS {
        let inner = level.iter().flat_map(|group| &group.groups);
        level = inner.filter_map(|reference| groups.get(reference.oid.as_str()).copied()).collect();
        found.extend(&level);
        if level.is_empty() {
            return Some(found);
        }
        if found.len() > MAX_PARTS {
            return None;
        }
    }
    None
}

impl Definition {
    fn read(element: &Element) -> Self {
        let owned = |name: &str| element.get(name).map(str::to_owned);
        let text = |child: &str| element.translated(child).map(str::to_owned);
        let mut groups = references(element, "FormRef", "FormOID");
        groups.extend(references(element, "ItemGroupRef", "ItemGroupOID"));
        Self {
            oid: owned("OID").unwrap_or_default(),
            name: owned("Name"),
            kind: owned("Type"),
            repeating: owned("Repeating"),
            category: owned("Category"),
            question: text("Question").or_else(|| text("Description")),
            data_type: owned("DataType"),
            length: owned("Length"),
            digits: owned("SignificantDigits"),
            codelist: element
                .child("CodeListRef")
                .and_then(|list| list.get("CodeListOID"))
                .map(str::to_owned),
            groups,
            items: references(element, "ItemRef", "ItemOID"),
        }
    }
}

fn references(element: &Element, name: &str, key: &str) -> Vec<Reference> {
    let reference = |reference: &Element| {
        let owned = |name: &str| reference.get(name).map(str::to_owned);
        Some(Reference {
            oid: owned(key)?,
            mandatory: owned("Mandatory"),
            order: owned("OrderNumber"),
            key_sequence: owned("KeySequence"),
        })
    };
    element.all(name).filter_map(reference).collect()
}

/// One row for each term of a code list; a list that is kept elsewhere is one row.
fn code_list_rows(study: &str, version: &str, list: &Element) -> Vec<Row> {
    let outside = list.child("ExternalCodeList");
    let head = || {
        let mut row = Row::new(Table::CodeList);
        row.set_all(&[
            ("STUDY", Some(study)),
            ("METADATA_VERSION", Some(version)),
            ("CODELIST", list.get("OID")),
            ("CODELIST_NAME", list.get("Name")),
            ("DATA_TYPE", list.get("DataType")),
            ("DICTIONARY", outside.and_then(|outside| outside.get("Dictionary"))),
            ("DICTIONARY_VERSION", outside.and_then(|outside| outside.get("Version"))),
        ]);
        row
    };
    let terms = list.children.iter().filter(|child| child.is("CodeListItem") || child.is("EnumeratedItem"));
    let row = |term: &Element| {
        let mut row = head();
        row.set_all(&[
            ("CODED_VALUE", term.get("CodedValue")),
            ("DECODE", term.translated("Decode")),
            ("RANK", term.get("Rank")),
            ("ORDER", term.get("OrderNumber")),
        ]);
        row
    };
    let rows: Vec<Row> = terms.map(row).collect();
    if rows.is_empty() && outside.is_some() { vec![head()] } else { rows }
}
