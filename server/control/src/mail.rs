//! E-mail: one relay that the operator has named, and the letters that it is handed. Headers are built by types that
//! encode what does not belong into them, so that no subject, name or address begins a header of its own.
//! When a letter is sent, and what comes of it, is the outbox's (`webhooks::claim`, `webhooks::ending`).
pub(crate) mod choice;

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, Message, SmtpTransport, Transport};

use crate::error::ControlError;
use crate::keys::read_private;
use crate::text::shortened;
use crate::webhooks::MessageOutcome;

pub use choice::{InboxMail, MailChoice};

/// How long the relay may take for a step.
const PATIENCE: Duration = Duration::from_secs(10);
/// Replies that are about us and not about the letter: it is asked for a login, or refuses ours.
// Source: RFC 4954, section 6.
const ABOUT_LOGIN: [u16; 4] = [530, 534, 535, 538];
/// A reply that nobody gave, for an address that cannot be written into an envelope.
// Source: RFC 5321, section 4.2.3: mailbox name not allowed.
const NO_SUCH_FORM: u16 = 553;

/// How the connection to the relay is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailSecurity {
    /// It begins in plain and has to change to TLS before anything is said (`STARTTLS`).
    StartTls,
    /// It is TLS from the first byte.
    Tls,
    /// It is plain: only to a relay on this machine.
    Plain,
}

/// The relay, and whom letters come from.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// The relay's name or address.
    pub host: String,
    /// Its port; 587, 465 or 25 by the security when nothing is said.
    pub port: Option<u16>,
    /// How the connection is protected.
    pub security: MailSecurity,
    /// Whom letters come from: an address, with or without a name (`Cairn <cairn@acme.example>`).
    pub sender: String,
    /// Our name at the relay; without one there is no login.
    pub user: Option<String>,
    /// The file with our password there, readable by its owner alone.
    pub password_file: Option<PathBuf>,
}

/// Settings of e-mail that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidMail {
    /// There is nobody whom letters could come from.
    #[error("`{sender}` is no sender of e-mail: write `cairn@acme.example` or `Cairn <cairn@acme.example>`")]
    Sender {
        /// What was given.
        sender: String,
    },
    /// The relay would be spoken to in plain over a network.
    #[error("the mail relay `{host}` is not on this machine: use `starttls` or `tls`")]
    PlainFar {
        /// The relay.
        host: String,
    },
    /// One half of a login.
    #[error("a mail login is a user and a file with the password: give both or neither")]
    HalfLogin,
    /// TLS cannot be used.
    #[error("TLS to the mail relay `{host}` cannot be prepared: {problem}")]
    Tls {
        /// The relay.
        host: String,
        /// Why.
        problem: String,
    },
    /// A test letter that did not arrive at the relay.
    #[error("the mail relay `{relay}` did not take the letter: {problem}")]
    NotTaken {
        /// The relay and its port.
        relay: String,
        /// What it said, or why it cannot be reached.
        problem: String,
    },
}

/// One letter, of plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Whom it goes to: an address.
    pub to: String,
    /// Their name; may be empty.
    pub to_name: String,
    /// What it is about.
    pub subject: String,
    /// What it says.
    pub text: String,
    /// What stands before the `@` of `Message-ID`; the same at each attempt.
    pub id: String,
    /// Its date.
    pub at: DateTime<Utc>,
}

/// Hands letters to the relay. Each has a connection of its own. Cloning it is cheap.
#[derive(Clone)]
pub struct Mailer {
    transport: SmtpTransport,
    from: Mailbox,
    relay: String,
}

/// Says that no person wrote it, so that no machine answers.
// Source: RFC 3834, section 5.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

impl Mailer {
    /// Reads the settings. The relay is not asked yet.
    pub(crate) fn open(settings: &MailSettings) -> Result<Self, ControlError> {
        let host = settings.host.trim();
        let no_sender = || InvalidMail::Sender { sender: shortened(&settings.sender, 200) };
        let from: Mailbox = settings.sender.parse().map_err(|_| no_sender())?;
        let tls = || {
            let problem = |error: lettre::transport::smtp::Error| InvalidMail::Tls {
                host: host.to_owned(),
                problem: error.to_string(),
            };
            TlsParameters::builder(host.to_owned()).build_rustls().map_err(problem)
        };
        let (port, tls) = match settings.security {
            MailSecurity::StartTls => (587, Tls::Required(tls()?)),
            MailSecurity::Tls => (465, Tls::Wrapper(tls()?)),
            MailSecurity::Plain if is_this_machine(host) => (25, Tls::None),
            MailSecurity::Plain => return Err(InvalidMail::PlainFar { host: host.to_owned() }.into()),
        };
        let port = settings.port.unwrap_or(port);
        let mut builder = SmtpTransport::builder_dangerous(host)
            .port(port)
            .tls(tls)
            .timeout(Some(PATIENCE))
            .hello_name(ClientId::Domain(from.email.domain().to_owned()));
        match (&settings.user, &settings.password_file) {
            (Some(user), Some(file)) => {
                let password = read_private("the password of the mail relay", file)?;
                let password = String::from_utf8_lossy(&password).trim_end().to_owned();
                builder = builder.credentials(Credentials::new(user.clone(), password));
            }
            (None, None) => {}
            _ => return Err(InvalidMail::HalfLogin.into()),
        }
        Ok(Self { transport: builder.build(), from, relay: format!("{host}:{port}") })
    }

    /// Hands a letter over and waits for the answer, up to some seconds: not for a thread that serves others.
    #[must_use]
    pub fn send(&self, letter: &Letter) -> MessageOutcome {
        let message = match self.message(letter) {
            Ok(message) => message,
            Err(problem) => return MessageOutcome::Refused { status: NO_SUCH_FORM, body: problem },
        };
        match self.transport.send(&message) {
            Ok(answer) => MessageOutcome::Answered {
                status: answer.code().into(),
                retry_after: None,
                body: String::new(),
            },
            Err(error) => outcome(&error),
        }
    }

    /// Hands over a letter that somebody wants to see arrive.
    ///
    /// # Errors
    /// [`InvalidMail::NotTaken`] with what the relay said.
    pub fn send_test(&self, to: &str, at: DateTime<Utc>) -> Result<(), ControlError> {
        let id = format!("test-{}", crate::fresh::uuid(at)?);
        let text = "This is a test of Cairn. Somebody with access to the server asked for it.\n".to_owned();
        let subject = "[Cairn] Test".to_owned();
        let letter = Letter { to: to.to_owned(), to_name: String::new(), subject, text, id, at };
        let problem = match self.send(&letter) {
            MessageOutcome::Answered { status, .. } if (200..300).contains(&status) => return Ok(()),
            MessageOutcome::Answered { status, body, .. } | MessageOutcome::Refused { status, body } => {
                format!("{status} {body}")
            }
            MessageOutcome::Unreachable { problem } => problem,
        };
        Err(InvalidMail::NotTaken { relay: self.relay.clone(), problem }.into())
    }

    fn message(&self, letter: &Letter) -> Result<Message, String> {
        let address =
            Address::from_str(&letter.to).map_err(|error| format!("the address is none: {error}"))?;
        let name = Some(one_line(&letter.to_name)).filter(|name| !name.is_empty());
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(name, address))
            .subject(one_line(&letter.subject))
            .date(SystemTime::from(letter.at))
            .message_id(Some(format!("<{}@{}>", letter.id, self.from.email.domain())))
            .header(AutoSubmitted)
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text.clone())
            .map_err(|error| error.to_string())
    }
}

/// A text without line ends and other control characters, which no header has, and on which the builder of headers panics.
fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    spaced.trim().to_owned()
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer").field("relay", &self.relay).finish_non_exhaustive()
    }
}

/// A refusal for good is the letter's, unless it is about our login; everything else may be better later.
fn outcome(error: &lettre::transport::smtp::Error) -> MessageOutcome {
    let said = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    let Some(status) = error.status().map(u16::from) else {
        return MessageOutcome::Unreachable { problem: error.to_string() };
    };
    if error.is_permanent() && !ABOUT_LOGIN.contains(&status) {
        return MessageOutcome::Refused { status, body: said };
    }
    MessageOutcome::Answered { status, retry_after: None, body: said }
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
