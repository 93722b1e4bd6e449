//! The parts of a Define-XML document, one element each.

use std::collections::HashMap;

use super::{CodeList, Comment, Condition, Dictionary, Method, Origin, Term, Variable};
use crate::xml::Element;

/// Comments by OID.
pub(super) struct Notes<'a>(HashMap<&'a str, &'a str>);

impl<'a> Notes<'a> {
    pub(super) fn of(comments: &'a [Comment]) -> Self {
        Self(comments.iter().map(|comment| (comment.oid.as_str(), comment.text.as_str())).collect())
    }

    /// The note that an element refers to, or that stands in it, as in Define-XML 1.0.
    pub(super) fn of_element(&self, element: &Element) -> Option<String> {
        let referred = element.extension("CommentOID").and_then(|oid| self.0.get(oid).copied());
        let note = referred.or_else(|| element.get("Comment"))?.trim();
        (!note.is_empty()).then(|| note.to_owned())
    }
}

/// What an element is in words: `Description`, or the `Label` of Define-XML 1.0.
pub(super) fn words(element: &Element) -> String {
    element
        .extension("Label")
        .or_else(|| element.translated("Description"))
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// A variable, from the reference to it and its definition. One that is only referred to has no more than an OID.
pub(super) fn variable(reference: &Element, item: Option<&Element>, notes: &Notes<'_>) -> Variable {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let number = |text: Option<&str>| text.and_then(|text| text.trim().parse().ok());
    let of = |name: &str| item.and_then(|item| item.get(name));
    let extension = |name: &str| item.and_then(|item| item.extension(name));
    let referred =
        |child: &str, name: &str| item.and_then(|item| item.child(child)).and_then(|child| child.get(name));
    Variable {
        oid: reference.get("ItemOID").unwrap_or_default().to_owned(),
        name: of("Name").unwrap_or_default().to_owned(),
        label: item.map(words).unwrap_or_default(),
        data_type: of("DataType").unwrap_or_default().to_owned(),
        length: number(of("Length")),
        significant_digits: number(of("SignificantDigits")),
        display_format: owned(extension("DisplayFormat")),
        origins: item.map(origins).unwrap_or_default(),
        codelist: owned(referred("CodeListRef", "CodeListOID")),
        value_list: owned(referred("ValueListRef", "ValueListOID")),
        is_mandatory: reference.get("Mandatory") == Some("Yes"),
        order: number(reference.get("OrderNumber")),
        key_sequence: number(reference.get("KeySequence")),
        role: owned(reference.get("Role")),
        method: owned(reference.get("MethodOID").or_else(|| extension("ComputationMethodOID"))),
        comment: item.and_then(|item| notes.of_element(item)),
        has_no_data: reference.extension("HasNoData") == Some("Yes"),
    }
}

fn origins(item: &Element) -> Vec<Origin> {
    if let Some(text) = item.get("Origin") {
        return vec![Origin { kind: text.trim().to_owned(), source: None, pages: None }];
    }
    let origin = |origin: &Element| {
        let pages = origin.all("DocumentRef").flat_map(|document| document.all("PDFPageRef"));
        let pages: Vec<String> = pages.filter_map(pages_of).collect();
        Origin {
            kind: origin.get("Type").unwrap_or_default().to_owned(),
            source: origin.get("Source").map(str::to_owned),
            pages: (!pages.is_empty()).then(|| pages.join(" ")),
        }
    };
    item.all("Origin").map(origin).collect()
}

fn pages_of(reference: &Element) -> Option<String> {
    let range = || Some(format!("{}-{}", reference.get("FirstPage")?, reference.get("LastPage")?));
    reference.get("PageRefs").map(str::to_owned).or_else(range)
}

/// The conditions of a `WhereClauseDef`.
pub(super) fn conditions(clause: &Element) -> Vec<Condition> {
    let condition = |check: &Element| Condition {
        variable: check.extension("ItemOID").unwrap_or_default().to_owned(),
        comparator: check.get("Comparator").unwrap_or_default().to_owned(),
        values: check.all("CheckValue").map(|value| value.text.trim().to_owned()).collect(),
    };
    clause.all("RangeCheck").map(condition).collect()
}

pub(super) fn codelist(list: &Element) -> CodeList {
    let outside = list.child("ExternalCodeList").map(|outside| Dictionary {
        name: outside.get("Dictionary").unwrap_or_default().to_owned(),
        version: outside.get("Version").map(str::to_owned),
    });
    let terms = list.children.iter().filter(|term| term.is("CodeListItem") || term.is("EnumeratedItem"));
    CodeList {
        oid: list.get("OID").unwrap_or_default().to_owned(),
        name: list.get("Name").unwrap_or_default().to_owned(),
        data_type: list.get("DataType").unwrap_or_default().to_owned(),
        nci_code: nci_code(list),
        standard: list.extension("StandardOID").map(str::to_owned),
        terms: terms.map(term).collect(),
        external: outside,
    }
}

fn term(term: &Element) -> Term {
    let rank = term.get("Rank").or_else(|| term.extension("Rank"));
    Term {
        value: term.get("CodedValue").unwrap_or_default().to_owned(),
        decode: term.translated("Decode").map(str::to_owned),
        nci_code: nci_code(term),
        order: term.get("OrderNumber").and_then(|order| order.parse().ok()),
        rank: rank.map(str::to_owned),
        is_extended: term.extension("ExtendedValue") == Some("Yes"),
    }
}

/// The code that CDISC's terminology has at the National Cancer Institute.
fn nci_code(element: &Element) -> Option<String> {
    let mut aliases = element.all("Alias").filter(|alias| alias.get("Context") == Some("nci:ExtCodeID"));
    aliases.next()?.get("Name").map(str::to_owned)
}

pub(super) fn method(method: &Element) -> Method {
    Method {
        oid: method.get("OID").unwrap_or_default().to_owned(),
        name: method.get("Name").map(str::to_owned),
        kind: method.get("Type").map(str::to_owned),
        text: method.translated("Description").or_else(|| method.own_text()).unwrap_or_default().to_owned(),
    }
}

pub(super) fn comment(comment: &Element) -> Comment {
    Comment {
        oid: comment.get("OID").unwrap_or_default().to_owned(),
        text: comment.translated("Description").unwrap_or_default().to_owned(),
    }
}
