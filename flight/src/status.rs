//! The only place that turns a failure into a Flight status.

use tonic::Status;

use crate::published::PublishedError;

/// The one answer to a caller who proved nothing, whatever was wrong.
#[must_use]
pub fn unauthenticated() -> Status {
    Status::unauthenticated("log in and send `authorization: Bearer <token>` with a token for Flight")
}

/// The answer to a caller whose proof is good and whose organisation is disabled.
#[must_use]
pub fn organisation_disabled() -> Status {
    Status::unauthenticated(control::GovernedError::TenantDisabled.to_string())
}

/// The one answer for what is not yours and what is not there.
#[must_use]
pub fn not_there() -> Status {
    Status::not_found("there is no such table for this account; list what there is with ListFlights")
}

/// A descriptor or ticket that is not of the form this server gives out.
#[must_use]
pub fn malformed(what: &str) -> Status {
    Status::invalid_argument(what.to_owned())
}

/// A failure that the caller cannot mend. The cause goes to the log, not to the caller.
#[must_use]
pub fn internal(error: &(dyn std::error::Error + 'static)) -> Status {
    let mut causes = Vec::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        causes.push(error.to_string());
        cause = error.source();
    }
    tracing::error!(error = causes.join(": "), "a Flight call failed");
    Status::internal("the server could not answer; try again, and tell the operator if it stays so")
}

/// A failure of looking at what is published.
#[must_use]
pub fn of_published(error: &PublishedError) -> Status {
    internal(error)
}
