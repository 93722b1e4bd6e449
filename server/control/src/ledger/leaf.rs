//! One entry of a log, and its bytes.

use std::collections::BTreeMap;

use kernel::CODE_VERSION;

use crate::ledger::canonical::{Canon, object};
use crate::ledger::event::{Event, LeafActor, Resource};
use crate::ledger::log::Log;

/// The largest leaf. Transparency-log tools take up to 65,535 bytes; half of it leaves room for proofs.
pub(crate) const MAX_LEAF_BYTES: usize = 32 * 1024;

const VERSION: i64 = 1;

/// An event in its place. Everything that matters is in here, so that everything that matters is hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) log: String,
    pub(crate) tenant_id: Option<String>,
    pub(crate) seq: i64,
    pub(crate) prev_hash: String,
    pub(crate) event_id: String,
    pub(crate) at: String,
    pub(crate) action: String,
    pub(crate) outcome: String,
    pub(crate) actor: LeafActor,
    pub(crate) resource: Resource,
    pub(crate) data: BTreeMap<String, Canon>,
    pub(crate) trace_id: Option<String>,
    pub(crate) build: String,
}

/// Where an event goes.
pub(crate) struct Place {
    pub(crate) log: Log,
    pub(crate) seq: i64,
    pub(crate) prev_hash: String,
    pub(crate) event_id: String,
    pub(crate) at: String,
}

impl Leaf {
    /// The leaf of an event at its place.
    pub(crate) fn new(place: Place, event: Event) -> Self {
        Self {
            log: place.log.origin(),
            tenant_id: place.log.tenant().map(|tenant| tenant.to_string()),
            seq: place.seq,
            prev_hash: place.prev_hash,
            event_id: place.event_id,
            at: place.at,
            action: event.action.name().to_owned(),
            outcome: event.outcome.name().to_owned(),
            actor: event.actor,
            resource: event.resource,
            data: event.data,
            trace_id: event.trace.map(|trace| trace.to_string()),
            build: CODE_VERSION.to_owned(),
        }
    }

    /// The leaf's bytes.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let named = |kind: &str, id: &str| object([("id", id.into()), ("type", kind.into())]);
        object([
            ("action", self.action.as_str().into()),
            ("actor", named(&self.actor.kind, &self.actor.id)),
            ("at", self.at.as_str().into()),
            ("build", self.build.as_str().into()),
            ("data", Canon::Object(self.data.clone())),
            ("event_id", self.event_id.as_str().into()),
            ("log", self.log.as_str().into()),
            ("outcome", self.outcome.as_str().into()),
            ("prev_hash", self.prev_hash.as_str().into()),
            ("resource", named(&self.resource.kind, &self.resource.id)),
            ("seq", Canon::Integer(self.seq)),
            ("tenant_id", self.tenant_id.as_deref().into()),
            ("trace_id", self.trace_id.as_deref().into()),
            ("v", Canon::Integer(VERSION)),
        ])
        .to_bytes()
    }

    /// The leaf of some bytes; `None` unless they are canonical and hold a leaf's fields and no others.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let Canon::Object(mut fields) = Canon::parse(bytes)? else { return None };
        let (actor_kind, actor_id) = take_named(&mut fields, "actor")?;
        let (resource_kind, resource_id) = take_named(&mut fields, "resource")?;
        let Canon::Object(data) = fields.remove("data")? else { return None };
        let Canon::Integer(seq) = fields.remove("seq")? else { return None };
        let leaf = Self {
            log: take_text(&mut fields, "log")?,
            tenant_id: take_optional_text(&mut fields, "tenant_id")?,
            seq,
            prev_hash: take_text(&mut fields, "prev_hash")?,
            event_id: take_text(&mut fields, "event_id")?,
            at: take_text(&mut fields, "at")?,
            action: take_text(&mut fields, "action")?,
            outcome: take_text(&mut fields, "outcome")?,
            actor: LeafActor { kind: actor_kind, id: actor_id },
            resource: Resource { kind: resource_kind, id: resource_id },
            data,
            trace_id: take_optional_text(&mut fields, "trace_id")?,
            build: take_text(&mut fields, "build")?,
        };
        let whole = fields.remove("v")? == Canon::Integer(VERSION) && fields.is_empty();
        whole.then_some(leaf)
    }
}

fn take_text(fields: &mut BTreeMap<String, Canon>, name: &str) -> Option<String> {
    match fields.remove(name)? {
        Canon::Text(text) => Some(text),
        _ => None,
    }
}

fn take_optional_text(fields: &mut BTreeMap<String, Canon>, name: &str) -> Option<Option<String>> {
    match fields.remove(name)? {
        Canon::Text(text) => Some(Some(text)),
        Canon::Null => Some(None),
        _ => None,
    }
}

fn take_named(fields: &mut BTreeMap<String, Canon>, name: &str) -> Option<(String, String)> {
    let Canon::Object(mut named) = fields.remove(name)? else { return None };
    let (kind, id) = (take_text(&mut named, "type")?, take_text(&mut named, "id")?);
    named.is_empty().then_some((kind, id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::event::AuditAction;
    use crate::ledger::hash::NO_HASH;

    fn leaf() -> Leaf {
        let place = Place {
            log: Log::System,
            seq: 0,
            prev_hash: NO_HASH.to_owned(),
            event_id: "01890a5d-ac96-774b-bcce-b302099a8057".to_owned(),
            at: "2026-11-21T09:00:00.000000Z".to_owned(),
        };
        let resource = Resource::new("tenant", "t");
        let event =
            Event::success(AuditAction::TenantCreated, LeafActor::anonymous(), resource).with("rows", 3_u64);
        Leaf::new(place, event)
    }

    #[test]
    fn a_leaf_has_these_bytes_and_reads_back() {
        let expected = concat!(
            r#"{"action":"tenant.created","actor":{"id":"unknown","type":"anonymous"},"#,
            r#""at":"2026-11-21T09:00:00.000000Z","build":"BUILD","data":{"rows":3},"#,
            r#""event_id":"01890a5d-ac96-774b-bcce-b302099a8057","log":"cairn/audit/system","#,
            r#""outcome":"success","prev_hash":"#,
            r#""0000000000000000000000000000000000000000000000000000000000000000","#,
            r#""resource":{"id":"t","type":"tenant"},"seq":0,"tenant_id":null,"trace_id":null,"v":1}"#,
        );
        let bytes = leaf().to_bytes();
        assert_eq!(String::from_utf8_lossy(&bytes), expected.replace("BUILD", CODE_VERSION));
        assert_eq!(Leaf::parse(&bytes), Some(leaf()));
    }

    #[test]
    fn a_leaf_with_a_field_too_many_or_too_few_is_none() {
        let text = String::from_utf8(leaf().to_bytes()).expect("JSON is text");
        for changed in [
            text.replace(r#""v":1}"#, r#""v":1,"w":1}"#),
            text.replace(r#","v":1}"#, "}"),
            text.replace(r#""v":1}"#, r#""v":2}"#),
            text.replace(r#""seq":0"#, r#""seq":"0""#),
        ] {
            assert_ne!(changed, text);
            assert_eq!(Leaf::parse(changed.as_bytes()), None, "{changed}");
        }
    }
}
