//! `cairn admin key`.

use clap::Subcommand;
use control::Actor;

use crate::app::App;
use crate::cli::say::say;
use crate::error::Result;

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// List the keys that have signed tokens, oldest first.
    List,
    /// Bring another key into use, in every running server within seconds. Tokens of earlier keys are accepted until
    /// they end.
    Rotate {
        /// Somebody else may have the key: accept nothing that earlier ones have signed, from now on.
        #[arg(long)]
        compromised: bool,
    },
}

pub(super) async fn run(app: &App, command: KeyCommand) -> Result<()> {
    match command {
        KeyCommand::List => {
            let now = app.clock.now();
            for key in app.control.token_keys().await? {
                let until =
                    key.accepted_until.map(|until| until.format("until %Y-%m-%d %H:%M:%S UTC").to_string());
                say!(
                    "{}  {:<10}since {}  {}",
                    key.kid,
                    key.state(now).name(),
                    key.created_at.format("%Y-%m-%d %H:%M"),
                    until.unwrap_or_default()
                );
            }
        }
        KeyCommand::Rotate { compromised } => {
            let key = app.control.rotate_token_key(&Actor::Operator, compromised).await?;
            say!("key {} signs from now on", key.kid);
        }
    }
    Ok(())
}
