//! Audit records: of ODM, and the audit logs that some vendors put beside the data.

use super::time::Time;
use crate::xml::Element;

/// One change, as its record tells it.
#[derive(Debug, Clone, Default)]
pub(super) struct Audit {
    pub(super) source_id: Option<String>,
    pub(super) user: Option<String>,
    pub(super) location: Option<String>,
    pub(super) time: Option<Time>,
    pub(super) reason: Option<String>,
    pub(super) edit_point: Option<String>,
    /// What the vendor calls the kind of the change.
    pub(super) kind: Option<String>,
    pub(super) old_value: Option<String>,
    pub(super) new_value: Option<String>,
}

impl Audit {
    /// An `AuditRecord` of ODM.
    pub(super) fn of_record(element: &Element) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let reference = |child: &str, attribute: &str| {
            element.child(child).and_then(|child| child.get(attribute)).map(str::to_owned)
        };
        Self {
            source_id: owned(element.text_of("SourceID").or_else(|| element.get("ID"))),
            user: reference("UserRef", "UserOID"),
            location: reference("LocationRef", "LocationOID"),
            time: element.text_of("DateTimeStamp").and_then(Time::parse),
            reason: owned(element.text_of("ReasonForChange")),
            edit_point: owned(element.get("EditPoint")),
            ..Self::default()
        }
    }

    /// An entry of a vendor's `AuditLog`, all of it in attributes.
    pub(super) fn of_log(element: &Element) -> Self {
        let owned = |name: &str| element.get(name).or_else(|| element.extension(name)).map(str::to_owned);
        Self {
            source_id: owned("ID"),
            user: owned("UserID").or_else(|| owned("UserName")),
            time: owned("DateTimeStamp").as_deref().and_then(Time::parse),
            reason: owned("ReasonForChange"),
            kind: owned("AuditType"),
            old_value: owned("OldValue"),
            new_value: owned("NewValue"),
            ..Self::default()
        }
    }

    /// The model's word for what was done: the vendor's kind where it is known, else the transaction; a record
    /// without either is a change if it has a reason, else the first entry.
    pub(super) fn action(&self, kind: Option<&str>, transaction: Option<&str>) -> String {
        let known = self.kind.as_deref().or(kind).and_then(known_action);
        let written = || transaction.map(str::to_ascii_uppercase);
        known
            .map(str::to_owned)
            .or_else(written)
            .unwrap_or_else(|| if self.reason.is_some() { "UPDATE" } else { "INSERT" }.to_owned())
    }
}

/// Actions by the words of vendors' kinds. What is undone (`Unlock`) has no word in the model.
const ACTIONS: [(&str, &str); 9] = [
    ("query", "QUERY"),
    ("sign", "SIGN"),
    ("verif", "SDV"),
    ("sdv", "SDV"),
    ("lock", "LOCK"),
    ("freeze", "FREEZE"),
    ("frozen", "FREEZE"),
    ("submit", "SUBMIT"),
    ("entered", "ENTER"),
];

fn known_action(kind: &str) -> Option<&'static str> {
    let kind = kind.to_ascii_lowercase();
    if ["unlock", "unfreeze", "unsign", "unverif", "un-"].iter().any(|undone| kind.contains(undone)) {
        return None;
    }
    ACTIONS.iter().find(|(word, _)| kind.contains(word)).map(|(_, action)| *action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_action(kind: Option<&str>, transaction: Option<&str>, reason: Option<&str>, action: &str) {
        let audit = Audit { reason: reason.map(str::to_owned), ..Audit::default() };
        assert_eq!(audit.action(kind, transaction), action);
    }

    #[test]
    fn an_action_is_the_vendors_kind_else_the_transaction() {
        check_action(Some("QueryOpen"), Some("Upsert"), None, "QUERY");
        check_action(Some("EnteredWithChangeCode"), Some("Upsert"), None, "ENTER");
        check_action(Some("Unlock"), Some("Update"), None, "UPDATE");
        check_action(Some("InstanceOverdue"), Some("Upsert"), None, "UPSERT");
        check_action(None, None, Some("typing error"), "UPDATE");
        check_action(None, None, None, "INSERT");
    }
}
