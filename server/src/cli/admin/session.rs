//! `cairn admin session`.

use clap::Subcommand;
use control::{Actor, Session, SessionId};
use kernel::AccountId;

use super::tenant_called;
use crate::app::App;
use crate::cli::say::say;
use crate::error::Result;

#[derive(Debug, Subcommand)]
pub(crate) enum SessionCommand {
    /// List sessions, newest first, with how and when they ended.
    List {
        /// The tenant, by its short name.
        tenant: String,
        /// Only those of this account.
        #[arg(long)]
        account: Option<AccountId>,
        /// Only those that let somebody in at present.
        #[arg(long)]
        live: bool,
    },
    /// End a session, with every token that was made from it.
    End {
        /// The tenant, by its short name.
        tenant: String,
        /// The session's id.
        session: SessionId,
    },
}

pub(super) async fn run(app: &App, command: SessionCommand) -> Result<()> {
    match command {
        SessionCommand::List { tenant, account, live } => {
            let tenant = tenant_called(app, &tenant).await?;
            let now = app.clock.now();
            for session in app.control.sessions(&Actor::Operator, tenant.id, account).await? {
                if session.is_live(now) || !live {
                    print(&session, session.is_live(now));
                }
            }
        }
        SessionCommand::End { tenant, session } => {
            let tenant = tenant_called(app, &tenant).await?;
            app.control.end_session(&Actor::Operator, tenant.id, session).await?;
            say!("session {session} has ended");
        }
    }
    Ok(())
}

fn print(session: &Session, is_live: bool) {
    let state = match &session.ended {
        _ if is_live => "live".to_owned(),
        Some((at, why)) => format!("ended {} ({why})", at.format("%Y-%m-%d %H:%M")),
        None => "timed out".to_owned(),
    };
    say!(
        "{}  account {}  {:<8}{:<24}since {}  {state}",
        session.id,
        session.account,
        if session.is_browser { "browser" } else { "client" },
        session.method,
        session.started_at.format("%Y-%m-%d %H:%M"),
    );
}
