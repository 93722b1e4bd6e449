//! The only place that turns a failure into an HTTP status. Answers of the API are problems of RFC 9457
//! with a stable code, the trace id and a remedy.

use std::time::Duration;

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use control::{ControlError, GovernedError, TraceId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::Failure;

/// A problem as the API answers it (RFC 9457).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// What kind of problem it is; documentation stands under this name.
    #[serde(rename = "type")]
    #[schema(example = "urn:cairn:problem:not_there")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status.
    #[schema(example = 404)]
    pub status: u16,
    /// What happened here.
    pub detail: String,
    /// The stable code of the kind.
    #[schema(example = "not_there")]
    pub code: String,
    /// What to do about it.
    pub remedy: String,
    /// What joins this answer with logs and ledger.
    pub trace_id: String,
    /// Seconds after which it is worth trying again, for the header `Retry-After`.
    #[serde(skip)]
    pub retry_after: Option<u64>,
}

/// A kind of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No valid token or session.
    Unauthenticated,
    /// Wrong e-mail or password.
    LoginRefused,
    /// The caller's organisation is disabled.
    OrganisationDisabled,
    /// Too many attempts to log in have failed.
    LoginThrottled,
    /// Not there, or not yours.
    NotThere,
    /// The request makes no sense.
    BadRequest,
    /// A request from another site.
    CrossSite,
    /// Something else was published meanwhile, or a key was used before.
    Conflict,
    /// An equal request is being answered.
    InFlight,
    /// The idempotency key was sent with another request.
    KeyReused,
    /// More was sent than was announced or is allowed.
    TooLarge,
    /// The tenant sent more requests than it may.
    TooMany,
    /// The server has more work than it takes.
    Overloaded,
    /// The answer took too long.
    TooLate,
    /// The server could not answer.
    Internal,
}

impl Kind {
    const fn parts(self) -> (StatusCode, &'static str, &'static str, &'static str) {
        match self {
            Self::Unauthenticated => (
                StatusCode::UNAUTHORIZED,
                "unauthenticated",
                "You are not signed in",
                "Sign in, or send `Authorization: Bearer <token>` with a token for HTTP from POST /api/v1/login.",
            ),
            Self::LoginRefused => (
                StatusCode::UNAUTHORIZED,
                "login_refused",
                "The address, the password or the code is not right",
                "Check them, and ask your administrator if they are right. An account with an authenticator app needs its code.",
            ),
            Self::OrganisationDisabled => (
                StatusCode::UNAUTHORIZED,
                "organisation_disabled",
                "Your organisation is disabled here",
                "Ask whoever runs this server. Nothing was deleted; your sign-in works again when it is enabled.",
            ),
            Self::NotThere => (
                StatusCode::NOT_FOUND,
                "not_there",
                "There is nothing here for your account",
                "Look at the list of studies and tables that your account may see.",
            ),
            Self::BadRequest => (
                StatusCode::BAD_REQUEST,
                "bad_request",
                "The request cannot be used",
                "Correct it as the detail says.",
            ),
            Self::CrossSite => (
                StatusCode::FORBIDDEN,
                "cross_site",
                "The request came from another site",
                "Use the forms of this site, or a bearer token.",
            ),
            Self::Conflict => (
                StatusCode::CONFLICT,
                "conflict",
                "Something else came in between",
                "Read the present state and send the request again.",
            ),
            Self::InFlight => (
                StatusCode::CONFLICT,
                "in_flight",
                "An equal request is being answered",
                "Send it again after what `Retry-After` says; if it stays so, look whether it was done.",
            ),
            Self::KeyReused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "The key belongs to another request",
                "Send this request under a new key.",
            ),
            _ => self.parts_of_load(),
        }
    }

    /// The parts of a kind that is about how much there is to do.
    const fn parts_of_load(self) -> (StatusCode, &'static str, &'static str, &'static str) {
        match self {
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                "More was sent than is taken",
                "Send smaller parts, or announce the file with its real length.",
            ),
            Self::LoginThrottled => (
                StatusCode::TOO_MANY_REQUESTS,
                "login_throttled",
                "Too many attempts to sign in have failed",
                "Wait as `Retry-After` says. Somebody else's attempts from elsewhere do not count for you.",
            ),
            Self::TooMany => (
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_requests",
                "Your organisation sends more requests than it may",
                "Wait as `Retry-After` says, and send fewer at a time; whole tables leave in one request.",
            ),
            Self::Overloaded => (
                StatusCode::SERVICE_UNAVAILABLE,
                "overloaded",
                "The server has more work than it takes",
                "Try again after what `Retry-After` says; nothing of this request was done.",
            ),
            Self::TooLate => (
                StatusCode::GATEWAY_TIMEOUT,
                "too_late",
                "The answer took too long",
                "Ask for less at a time, or pull the table over Arrow Flight.",
            ),
            _ => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "The server could not answer",
                "Try again; if it stays so, tell the operator the trace id.",
            ),
        }
    }
}

impl Problem {
    /// A problem of a kind.
    pub(crate) fn new(kind: Kind, detail: impl Into<String>, trace: &TraceId) -> Self {
        Self { trace_id: trace.to_string(), ..Self::untraced(kind, detail) }
    }

    /// A problem of a request that has no trace.
    pub(crate) fn untraced(kind: Kind, detail: impl Into<String>) -> Self {
        let (status, code, title, remedy) = kind.parts();
        Self {
            kind: format!("urn:cairn:problem:{code}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            code: code.to_owned(),
            remedy: remedy.to_owned(),
            trace_id: String::new(),
            retry_after: None,
        }
    }

    /// The problem of a status that came with a plain text in its body.
    pub(crate) fn said(status: StatusCode, text: &str, trace: &TraceId) -> Self {
        let detail = match text.trim() {
            "" => status.canonical_reason().unwrap_or("The request was refused.").to_owned(),
            text => text.to_owned(),
        };
        let kind = if status == StatusCode::PAYLOAD_TOO_LARGE { Kind::TooLarge } else { Kind::BadRequest };
        Self { status: status.as_u16(), ..Self::new(kind, detail, trace) }
    }

    /// Says when it is worth trying again.
    pub(crate) fn retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait.as_secs() + u64::from(wait.subsec_nanos() > 0)), ..self }
    }

    /// The problem that a failure is to the caller. What the caller cannot mend goes to the log alone.
    pub(crate) fn of(failure: &Failure, trace: &TraceId) -> Self {
        let kind = kind_of(failure);
        if kind == Kind::Internal {
            tracing::error!(trace_id = %trace, error = failure.chain(), "a request failed");
            return Self::new(kind, "The cause stands in the server's log under the trace id.", trace);
        }
        if let Failure::Control(ControlError::LoginThrottled { seconds }) = failure {
            let wait = Duration::from_secs(u64::try_from(*seconds).unwrap_or(60));
            return Self::new(kind, failure.chain(), trace).retry_after(wait);
        }
        if kind == Kind::Overloaded {
            return Self::new(kind, failure.chain(), trace).retry_after(Duration::from_secs(5));
        }
        let detail =
            if kind == Kind::NotThere { "No such thing for this account.".into() } else { failure.chain() };
        Self::new(kind, detail, trace)
    }

    pub(crate) fn is(&self, kind: Kind) -> bool {
        self.code == kind.parts().1
    }

    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

fn kind_of(failure: &Failure) -> Kind {
    match failure {
        Failure::Control(ControlError::LoginRefused) => Kind::LoginRefused,
        Failure::Control(ControlError::Governed(GovernedError::TenantDisabled)) => Kind::OrganisationDisabled,
        Failure::Control(ControlError::LoginThrottled { .. }) => Kind::LoginThrottled,
        Failure::Control(ControlError::LoginsOverloaded) => Kind::Overloaded,
        Failure::Control(ControlError::KeyTaken) => Kind::InFlight,
        Failure::Control(ControlError::TooManyJobs { .. }) => Kind::TooMany,
        Failure::Control(
            ControlError::ScheduleKind { .. }
            | ControlError::Timetable(_)
            | ControlError::TooManySchedules { .. }
            | ControlError::InvalidWebhook(_)
            | ControlError::TooManyWebhooks { .. }
            | ControlError::NoReason { .. }
            | ControlError::StudyNotRegistered { .. },
        ) => Kind::BadRequest,
        Failure::Control(ControlError::Governed(error)) if error.is_conflict() => Kind::Conflict,
        Failure::Control(ControlError::Governed(_)) => Kind::BadRequest,
        Failure::Control(ControlError::Denied) | Failure::NotThere(_) => Kind::NotThere,
        Failure::Control(
            ControlError::Superseded { .. }
            | ControlError::BatchExists { .. }
            | ControlError::IdempotencyConflict { .. }
            | ControlError::DeliveryKeyReused { .. }
            | ControlError::JobState { .. }
            | ControlError::LimitActedUpon { .. }
            | ControlError::WebhookState { .. }
            | ControlError::EmailTaken
            | ControlError::IdentityTaken
            | ControlError::LastAdministrator
            | ControlError::AccountErased
            | ControlError::ReviewChanged,
        )
        | Failure::Warehouse(warehouse::Error::KeyReused { .. } | warehouse::Error::PartOutOfPlace { .. }) => {
            Kind::Conflict
        }
        Failure::Control(
            ControlError::InvalidText { .. }
            | ControlError::InvalidTokenLifetime { .. }
            | ControlError::InvalidEmail
            | ControlError::InvalidSpan
            | ControlError::InvalidPassword { .. }
            | ControlError::WrongCode,
        ) => Kind::BadRequest,
        Failure::Warehouse(warehouse::Error::PartTooLarge { .. }) => Kind::TooLarge,
        Failure::Warehouse(warehouse::Error::NoTable { .. }) => Kind::NotThere,
        Failure::Published(flight::published::PublishedError::Warehouse(warehouse::Error::NoTable {
            ..
        })) => Kind::NotThere,
        failure if failure.is_refusal() => Kind::BadRequest,
        _ => Kind::Internal,
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, retry_after) = (self.status(), self.retry_after);
        let mut response = (status, Json(self)).into_response();
        let problem = header::HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, problem);
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            let bearer = header::HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, bearer);
        }
        response
    }
}
