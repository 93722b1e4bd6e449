//! `cairn admin token`.

use chrono::TimeDelta;
use clap::{Subcommand, ValueEnum};
use control::{AccessToken, AccessTokenId, Actor, Audience, NewAccessToken, PeerName, TokenKind};
use kernel::{AccountId, Grant, StudyId};

use super::{RoleName, tenant_called};
use crate::app::App;
use crate::cli::say::say;
use crate::error::Result;

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token that a person or a machine keeps. It is printed this once.
    Create {
        /// The tenant, by its short name.
        tenant: String,
        /// The account's id.
        account: AccountId,
        /// What it is for.
        #[arg(long)]
        label: String,
        /// How many days it lasts: up to 90 for a person, up to 365 for a machine.
        #[arg(long, default_value = "30")]
        days: u32,
        /// For a machine: the one door that it opens.
        #[arg(long, value_name = "DOOR")]
        service: Option<DoorName>,
        /// For a machine: a name in the certificate that its connections have to show, as a URI
        /// (`spiffe://cairn/service/etl`) or a DNS name (docs/tls.md).
        #[arg(long, value_name = "NAME", requires = "service")]
        peer: Option<String>,
        /// As what it acts; whatever the account is when it is not given.
        #[arg(long)]
        role: Option<RoleName>,
        /// Only this study, with `--role`; it can be given several times.
        #[arg(long, requires = "role")]
        study: Vec<StudyId>,
    },
    /// List tokens, newest first.
    List {
        /// The tenant, by its short name.
        tenant: String,
        /// Only those of this account.
        #[arg(long)]
        account: Option<AccountId>,
    },
    /// Revoke a token: it opens nothing from now on.
    Revoke {
        /// The tenant, by its short name.
        tenant: String,
        /// The token's id.
        token: AccessTokenId,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum DoorName {
    /// REST.
    Http,
    /// Arrow Flight.
    Flight,
}

impl From<DoorName> for Audience {
    fn from(name: DoorName) -> Self {
        match name {
            DoorName::Http => Self::Http,
            DoorName::Flight => Self::Flight,
        }
    }
}

pub(super) async fn run(app: &App, command: TokenCommand) -> Result<()> {
    let control = &app.control;
    match command {
        TokenCommand::Create { tenant, account, label, days, service, peer, role, study } => {
            let tenant = tenant_called(app, &tenant).await?;
            let kind = service.map_or(TokenKind::Personal, |door| TokenKind::Service(door.into()));
            let lifetime = TimeDelta::days(i64::from(days));
            let peer = peer.as_deref().map(PeerName::parse).transpose()?;
            let new = NewAccessToken { kind, label, grants: grants(role, study), lifetime, peer };
            let issued = control.create_access_token(&Actor::Operator, tenant.id, account, new).await?;
            eprintln!("token {} ends {}; it is printed this once:", issued.token.id, issued.token.ends_at);
            say!("{}", issued.secret);
        }
        TokenCommand::List { tenant, account } => {
            let tenant = tenant_called(app, &tenant).await?;
            for token in control.access_tokens(&Actor::Operator, tenant.id, account).await? {
                print(&token);
            }
        }
        TokenCommand::Revoke { tenant, token } => {
            let tenant = tenant_called(app, &tenant).await?;
            control.revoke_access_token(&Actor::Operator, tenant.id, token).await?;
            say!("token {token} is revoked");
        }
    }
    Ok(())
}

fn grants(role: Option<RoleName>, studies: Vec<StudyId>) -> Vec<Grant> {
    let Some(role) = role else { return Vec::new() };
    if studies.is_empty() {
        return vec![Grant { role: role.into(), study: None }];
    }
    studies.into_iter().map(|study| Grant { role: role.into(), study: Some(study) }).collect()
}

fn print(token: &AccessToken) {
    let day = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%d %H:%M").to_string();
    say!(
        "{}  account {}  {:<10}{:<14}ends {}  last used {}  {}{}{}",
        token.id,
        token.account,
        token.kind.name(),
        token.kind.audience().map_or("every door", Audience::name),
        day(token.ends_at),
        token.last_used_at.map_or_else(|| "never".to_owned(), day),
        token.label,
        token.peer.as_ref().map(|peer| format!("  (only {peer})")).unwrap_or_default(),
        token.revoked_at.map(|at| format!("  (revoked {})", day(at))).unwrap_or_default(),
    );
}
