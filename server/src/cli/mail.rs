//! The mail relay, and a test of it.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use control::{MailSecurity, MailSettings};

use crate::app::App;
use crate::cli::say::say;
use crate::error::{Failure, Result};
use crate::work::blocking;

/// The relay that messages of inboxes leave by (docs/webhooks.md).
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "E-mail")]
pub(crate) struct MailArgs {
    /// The mail relay's name. Without one nothing is sent by e-mail.
    #[arg(long, global = true, env = "CAIRN_MAIL_HOST", value_name = "HOST")]
    mail_host: Option<String>,
    /// Its port; 587, 465 or 25 by the security when nothing is said.
    #[arg(long, global = true, env = "CAIRN_MAIL_PORT", value_name = "PORT")]
    mail_port: Option<u16>,
    /// How the connection to it is protected.
    #[arg(long, global = true, env = "CAIRN_MAIL_SECURITY", value_enum, default_value_t = Security::Starttls)]
    mail_security: Security,
    /// Whom letters come from, such as `Cairn <cairn@acme.example>`.
    #[arg(long, global = true, env = "CAIRN_MAIL_SENDER", value_name = "ADDRESS")]
    mail_sender: Option<String>,
    /// This server's name at the relay; without one there is no login.
    #[arg(long, global = true, env = "CAIRN_MAIL_USER", value_name = "NAME")]
    mail_user: Option<String>,
    /// The file with its password there, readable by its owner alone.
    #[arg(long, global = true, env = "CAIRN_MAIL_PASSWORD_FILE", value_name = "FILE")]
    mail_password_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Security {
    /// TLS after a greeting in plain; a relay without it is refused.
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// None: only to a relay on this machine.
    None,
}

impl MailArgs {
    /// The settings; none when no relay is named.
    pub(crate) fn settings(&self) -> Result<Option<MailSettings>> {
        let Some(host) = self.mail_host.clone() else { return Ok(None) };
        let no_sender = || {
            Failure::Usage(
                "a mail relay is named but no sender: give `--mail-sender` (CAIRN_MAIL_SENDER)".into(),
            )
        };
        let security = match self.mail_security {
            Security::Starttls => MailSecurity::StartTls,
            Security::Tls => MailSecurity::Tls,
            Security::None => MailSecurity::Plain,
        };
        Ok(Some(MailSettings {
            host,
            port: self.mail_port,
            security,
            sender: self.mail_sender.clone().ok_or_else(no_sender)?,
            user: self.mail_user.clone(),
            password_file: self.mail_password_file.clone(),
        }))
    }
}

/// What to do with the mail relay.
#[derive(Debug, Subcommand)]
pub(crate) enum MailCommand {
    /// Hand the relay a test letter, now, and say what it answered.
    #[command(after_help = "\
  cairn admin mail test --mail-host mail.acme.example --mail-sender cairn@acme.example --to you@acme.example")]
    Test {
        /// Whom it goes to.
        #[arg(long, value_name = "ADDRESS")]
        to: String,
    },
}

pub(crate) async fn run(app: &App, command: MailCommand) -> Result<()> {
    let MailCommand::Test { to } = command;
    let Some(mailer) = app.control.mailer().cloned() else {
        let remedy = "no mail relay is configured: name it with `--mail-host` (CAIRN_MAIL_HOST)";
        return Err(Failure::Usage(remedy.into()));
    };
    let (at, address) = (app.clock.now(), to.clone());
    blocking(move || Ok(mailer.send_test(&address, at)?)).await?;
    say!("the relay took a test letter to {to}");
    Ok(())
}
