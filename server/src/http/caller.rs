//! Who calls: the bearer token of an API client or the session cookie of a browser. Neither opens what is for the
//! other, and a refusal is in the ledger before it is answered.

use axum::extract::{ConnectInfo, FromRequestParts, OriginalUri};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use control::{Audience, AuthError, Denial, DeniedWho, GovernedError, Principal, TraceId};
use flight::published::Visible;
use kernel::{Action, Build, Read, Sign, SnapshotId, StudyId, StudyScope};

use super::State;
use super::edge::Whose;
use super::problem::{Kind, Problem};
use super::request::Traced;
use crate::error::Failure;
use crate::listen::Remote;
use crate::work::Engineer;

/// The name of the session cookie. Browsers take a cookie of this beginning only over TLS or from their own machine,
/// for this host alone and for all of its paths.
pub(crate) const SESSION: &str = "__Host-cairn-session";

/// A caller of the API who was proved.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) principal: Principal,
    pub(crate) trace: TraceId,
    pub(crate) door: String,
}

/// A reader of the pages who was proved; anybody else is sent to the login page.
#[derive(Debug, Clone)]
pub(crate) struct Reader(pub(crate) Caller);

impl FromRequestParts<State> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        admit(parts, state).await.map_err(|refused| refused.problem)
    }
}

impl FromRequestParts<State> for Reader {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Response> {
        let wanted = parts
            .extensions
            .get::<OriginalUri>()
            .map_or_else(|| parts.uri.to_string(), |uri| uri.0.to_string());
        match admit(parts, state).await {
            Ok(caller) => Ok(Self(caller)),
            Err(refused) if refused.problem.status() == StatusCode::UNAUTHORIZED => {
                let next = frontend::query::address::encode_segment(&wanted);
                let why = match (refused.problem.is(Kind::OrganisationDisabled), refused.had_session) {
                    (true, _) => "&disabled=1",
                    (false, true) => "&expired=1",
                    (false, false) => "",
                };
                Err(Redirect::to(&format!("/login?next={next}{why}")).into_response())
            }
            Err(refused) => Err(refused.problem.into_response()),
        }
    }
}

struct Refused {
    problem: Problem,
    had_session: bool,
}

async fn admit(parts: &Parts, state: &State) -> Result<Caller, Refused> {
    let door = parts
        .extensions
        .get::<axum::extract::MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| format!("{} {}", parts.method, path.as_str()));
    let refused = |problem, had_session| Refused { problem, had_session };
    let trace = match parts.extensions.get::<Traced>() {
        Some(Traced(trace)) => trace.clone(),
        None => return Err(refused(no_trace(), false)),
    };
    let control = &state.app.control;
    let (bearer, session) = (bearer(&parts.headers), cookie(&parts.headers, SESSION));
    let had_session = session.is_some() && bearer.is_none();
    let peer = parts.extensions.get::<ConnectInfo<Remote>>().map(|info| info.0.names.clone());
    let proved = match (bearer, session) {
        (Some(token), _) => {
            let peer = peer.unwrap_or_default();
            Some(control.authenticate_peer(&token, Audience::Http, &peer).await)
        }
        (None, Some(session)) => Some(control.authenticate_session(&session).await),
        (None, None) => None,
    };
    let Some(proved) = proved else {
        let problem = Problem::new(Kind::Unauthenticated, "There is no token.", &trace);
        // A person's first visit claims nothing: it is sent to the login page. A program that comes without a
        // token is refused, and that is written down.
        if !parts.uri.path().starts_with("/api/") {
            return Err(refused(problem, false));
        }
        let who = (DeniedWho::Unknown, "no_token");
        let recorded = record(state, who, door, &trace).await;
        return Err(refused(recorded.map_or_else(|error| error, |()| problem), false));
    };
    match proved {
        Ok(principal) => {
            let counted = state.edge.count(principal.tenant(), &trace);
            let known = counted.map_err(|problem| refused(problem, had_session))?;
            if let Some(Whose(whose)) = parts.extensions.get::<Whose>() {
                // The first answer stands: one request has one caller.
                let _ = whose.set(known);
            }
            Ok(Caller { principal, trace, door })
        }
        Err(AuthError::Unavailable { source }) => {
            Err(refused(Problem::of(&Failure::from(source), &trace), had_session))
        }
        Err(error) => {
            let who = (DeniedWho::from(&error), error.reason());
            let problem = match error {
                // Who holds a good proof belongs to it, and may know.
                AuthError::TenantDisabled { .. } => Problem::new(
                    Kind::OrganisationDisabled,
                    GovernedError::TenantDisabled.to_string(),
                    &trace,
                ),
                _ => Problem::new(Kind::Unauthenticated, "The token is not valid for this server.", &trace),
            };
            let recorded = record(state, who, door, &trace).await;
            Err(refused(recorded.map_or_else(|error| error, |()| problem), had_session))
        }
    }
}

/// Writes a refusal into the ledger; the problem that it is when it cannot be written.
async fn record(
    state: &State,
    (who, reason): (DeniedWho, &str),
    door: String,
    trace: &TraceId,
) -> Result<(), Problem> {
    let denial =
        Denial { who, door: "http".into(), resource: door, reason: reason.into(), trace: trace.clone() };
    let recorded = state.app.control.record_denial(denial).await;
    recorded.map_err(|error| Problem::of(&Failure::from(error), trace))
}

fn no_trace() -> Problem {
    Problem::untraced(Kind::Internal, "The request has no trace.")
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let header = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// The value of a cookie.
pub(crate) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

impl Caller {
    /// The scope to read a study.
    ///
    /// # Errors
    /// The one problem for "not yours" and "not there"; the refusal is in the ledger.
    pub(crate) async fn read(&self, state: &State, study: &str) -> Result<StudyScope<Read>, Problem> {
        let scope = study
            .parse::<StudyId>()
            .ok()
            .and_then(|study| self.principal.grants().scope::<Read>(&study).ok());
        let Some(scope) = scope else { return Err(self.refuse(state, "no_grant").await) };
        if self.principal.is_emergency(scope.study()) {
            let control = &state.app.control;
            let recorded =
                control.record_emergency(&self.principal, scope.study(), &self.door, &self.trace).await;
            recorded.map_err(|error| self.problem(error))?;
        }
        Ok(scope)
    }

    /// That something of the study is published: what a study that is not there has is not there either.
    ///
    /// # Errors
    /// As [`Caller::read`].
    pub(crate) async fn require_published(
        &self,
        state: &State,
        scope: &StudyScope<Read>,
    ) -> Result<(), Problem> {
        match state.app.control.current_snapshot(scope).await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(self.refuse(state, "no_snapshot").await),
            Err(error) => Err(self.problem(error)),
        }
    }

    /// A published snapshot of the study; the current one when none is named.
    ///
    /// # Errors
    /// As [`Caller::read`]; what has no snapshot is not there.
    pub(crate) async fn visible(
        &self,
        state: &State,
        scope: &StudyScope<Read>,
        snapshot: Option<SnapshotId>,
    ) -> Result<Visible, Problem> {
        let published = &state.app.published;
        let visible = match snapshot {
            None => published.current(scope).await,
            Some(id) => published.snapshot(scope, id).await,
        };
        match visible.map_err(|failure| self.problem(failure))? {
            Some(visible) => Ok(visible),
            None => Err(self.refuse(state, "no_snapshot").await),
        }
    }

    /// The caller at work in a study.
    ///
    /// # Errors
    /// As [`Caller::read`].
    pub(crate) async fn engineer(&self, state: &State, study: &str) -> Result<Engineer, Problem> {
        let scope = self.build(state, study).await?;
        Ok(Engineer { actor: self.principal.actor(), scope, trace: self.trace.clone(), fence: None })
    }

    /// The scope to sign records of a study.
    ///
    /// # Errors
    /// As [`Caller::read`].
    pub(crate) async fn sign(&self, state: &State, study: &str) -> Result<StudyScope<Sign>, Problem> {
        let scope = study
            .parse::<StudyId>()
            .ok()
            .and_then(|study| self.principal.grants().scope::<Sign>(&study).ok());
        match scope {
            Some(scope) => Ok(scope),
            None => Err(self.refuse(state, "no_grant").await),
        }
    }

    /// The scope to build in a study.
    ///
    /// # Errors
    /// As [`Caller::read`].
    pub(crate) async fn build(&self, state: &State, study: &str) -> Result<StudyScope<Build>, Problem> {
        let scope = study
            .parse::<StudyId>()
            .ok()
            .and_then(|study| self.principal.grants().scope::<Build>(&study).ok());
        match scope {
            Some(scope) => Ok(scope),
            None => Err(self.refuse(state, "no_grant").await),
        }
    }

    /// That the caller may do `A` in the tenant as a whole.
    ///
    /// # Errors
    /// As [`Caller::read`].
    pub(crate) async fn everywhere<A: Action>(&self, state: &State) -> Result<(), Problem> {
        if self.principal.grants().allow_everywhere::<A>() {
            return Ok(());
        }
        Err(self.refuse(state, "no_grant").await)
    }

    /// That the caller may build in some study.
    ///
    /// # Errors
    /// As [`Caller::read`].
    pub(crate) async fn build_somewhere(&self, state: &State) -> Result<(), Problem> {
        if self.principal.grants().allow_anywhere::<Build>() {
            return Ok(());
        }
        Err(self.refuse(state, "no_grant").await)
    }

    /// Records a refusal and gives the one problem for "not yours" and "not there".
    pub(crate) async fn refuse(&self, state: &State, reason: &str) -> Problem {
        let who = (DeniedWho::from(&self.principal), reason);
        let recorded = record(state, who, self.door.clone(), &self.trace).await;
        let refused = |()| Problem::new(Kind::NotThere, "No such thing for this account.", &self.trace);
        recorded.map_or_else(|error| error, refused)
    }

    /// The problem that a failure is to this caller.
    pub(crate) fn problem(&self, failure: impl Into<Failure>) -> Problem {
        Problem::of(&failure.into(), &self.trace)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("a=1; __Host-cairn-session=tok; b=2"));
        assert_eq!(cookie(&headers, SESSION).as_deref(), Some("tok"));
        assert_eq!(cookie(&headers, "cairn-session"), None);
    }
}
