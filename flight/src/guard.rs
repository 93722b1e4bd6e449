//! Who may call what. Every command proves its caller here, and every refusal is in the ledger.

use control::{Audience, AuthError, Control, Denial, DeniedWho, PeerNames, Principal, TraceId};
use kernel::{Build, Read, StudyId, StudyScope};
use tonic::{Request, Status, metadata::MetadataMap};

use crate::status;

/// A Flight command and who may call it.
#[derive(Debug, Clone, Copy)]
pub struct Command {
    /// Its name in the protocol.
    pub name: &'static str,
    /// What the caller must prove.
    pub access: Access,
    /// The ledger events it writes, besides `access.denied`.
    pub events: &'static [&'static str],
}

/// What a caller must prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// A token for Flight.
    Token,
    /// A token for Flight and a grant to read the study.
    ReadStudy,
    /// A token for Flight and a grant to build in the study.
    BuildStudy,
    /// The command is answered with `unimplemented` to everybody.
    NotOffered,
}

/// Every command of the protocol. A test holds that none is left out.
pub const COMMANDS: &[Command] = &[
    Command { name: "Handshake", access: Access::Token, events: &[] },
    Command { name: "ListFlights", access: Access::Token, events: &[] },
    Command { name: "GetFlightInfo", access: Access::ReadStudy, events: &[] },
    Command { name: "GetSchema", access: Access::ReadStudy, events: &[] },
    Command {
        name: "DoGet",
        access: Access::ReadStudy,
        events: &["data.read.started", "data.read.finished"],
    },
    Command { name: "PollFlightInfo", access: Access::NotOffered, events: &[] },
    Command {
        name: "DoPut",
        access: Access::BuildStudy,
        events: &["ingest.delivery.announced", "ingest.delivery.staged", "ingest.batch.committed"],
    },
    Command { name: "DoExchange", access: Access::NotOffered, events: &[] },
    Command { name: "DoAction", access: Access::NotOffered, events: &[] },
    Command { name: "ListActions", access: Access::NotOffered, events: &[] },
];

/// The guard of one server.
#[derive(Debug, Clone)]
pub struct Guard {
    control: Control,
}

/// A caller who was let in, and the id that joins the events of the call.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// Who calls.
    pub principal: Principal,
    /// The call.
    pub trace: TraceId,
}

impl Guard {
    /// Over one control plane.
    #[must_use]
    pub const fn new(control: Control) -> Self {
        Self { control }
    }

    /// Proves the bearer of the token in the header `authorization`, over a connection with a certificate or without.
    ///
    /// # Errors
    /// `unauthenticated`, one text for every reason but that the caller's organisation is disabled; the reason stands in
    /// the ledger.
    pub async fn admit<T>(&self, request: &Request<T>, command: &str) -> Result<Admitted, Status> {
        let metadata = request.metadata();
        let peer = request.extensions().get::<PeerNames>().cloned().unwrap_or_default();
        let trace = trace_of(metadata).map_err(|error| status::internal(&error))?;
        let header = metadata.get("authorization").and_then(|value| value.to_str().ok());
        let token = header.and_then(bearer).unwrap_or_default();
        match self.control.authenticate_peer(token, Audience::Flight, &peer).await {
            Ok(principal) => Ok(Admitted { principal, trace }),
            Err(error @ AuthError::Unavailable { .. }) => Err(status::internal(&error)),
            Err(error) => {
                let denial = Denial {
                    who: DeniedWho::from(&error),
                    door: "flight".into(),
                    resource: command.into(),
                    reason: if token.is_empty() { "no_token".into() } else { error.reason().into() },
                    trace,
                };
                self.record(denial).await?;
                Err(match error {
                    AuthError::TenantDisabled { .. } => status::organisation_disabled(),
                    _ => status::unauthenticated(),
                })
            }
        }
    }

    /// The scope of a study for an admitted caller.
    ///
    /// # Errors
    /// `not_found`, as for a study that does not exist.
    pub async fn scope(
        &self,
        caller: &Admitted,
        study: &StudyId,
        command: &str,
    ) -> Result<StudyScope<Read>, Status> {
        match caller.principal.grants().scope::<Read>(study) {
            Ok(scope) => Ok(scope),
            Err(_) => Err(self.refuse(caller, command, "no_grant").await),
        }
    }

    /// The scope to build in a study.
    ///
    /// # Errors
    /// As [`Guard::scope`].
    pub async fn build_scope(
        &self,
        caller: &Admitted,
        study: &str,
        command: &str,
    ) -> Result<StudyScope<Build>, Status> {
        let scope = study.parse::<StudyId>().ok();
        match scope.and_then(|study| caller.principal.grants().scope::<Build>(&study).ok()) {
            Some(scope) => Ok(scope),
            None => Err(self.refuse(caller, command, "no_grant").await),
        }
    }

    /// Records a refusal and gives the one answer for "not yours" and "not there".
    pub async fn refuse(&self, caller: &Admitted, command: &str, reason: &str) -> Status {
        let denial = Denial {
            who: DeniedWho::from(&caller.principal),
            door: "flight".into(),
            resource: command.into(),
            reason: reason.into(),
            trace: caller.trace.clone(),
        };
        match self.record(denial).await {
            Ok(()) => status::not_there(),
            Err(status) => status,
        }
    }

    /// Records a request that is not of the form this server gives out, and says what it should be.
    pub async fn malformed(&self, caller: &Admitted, command: &str, what: &str) -> Status {
        let status = self.refuse(caller, command, "malformed").await;
        // A refusal that could not be recorded stays the failure that it is.
        if status.code() == tonic::Code::NotFound { status::malformed(what) } else { status }
    }

    async fn record(&self, denial: Denial) -> Result<(), Status> {
        // A refusal that cannot be recorded is still a refusal, but not a silent one.
        self.control.record_denial(denial).await.map_err(|error| status::internal(&error))
    }
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The caller's trace id from the header `traceparent`, else a new one.
fn trace_of(metadata: &MetadataMap) -> Result<TraceId, control::ControlError> {
    let sent = metadata.get("traceparent").and_then(|value| value.to_str().ok());
    let sent = sent.and_then(|value| value.split('-').nth(1)).and_then(|id| id.parse().ok());
    sent.map_or_else(TraceId::random, Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_token_is_found_whatever_the_case_of_its_scheme() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer abc"), Some("abc"));
        assert_eq!(bearer("Basic abc"), None);
        assert_eq!(bearer("abc"), None);
    }

    #[test]
    fn every_command_of_the_protocol_states_who_may_call_it() {
        // The commands of FlightService in Flight.proto.
        let protocol = [
            "DoAction",
            "DoExchange",
            "DoGet",
            "DoPut",
            "GetFlightInfo",
            "GetSchema",
            "Handshake",
            "ListActions",
            "ListFlights",
            "PollFlightInfo",
        ];
        let mut stated: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
        stated.sort_unstable();
        assert_eq!(stated, protocol);
    }
}
