//! `cairn admin account`.

use clap::Subcommand;
use control::{AccountSummary, Actor, Erasure, Identity, NewAccount, Order, TraceId, Unblinding};
use kernel::{AccountId, StudyId};

use super::{GrantArgs, secret_line, tenant_called};
use crate::app::App;
use crate::cli::say::say;
use crate::error::Result;

#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// List the accounts of a tenant with their roles.
    List {
        /// The tenant, by its short name.
        tenant: String,
    },
    /// Make an account. The password is read from the first line of standard input.
    Create {
        /// The tenant, by its short name.
        tenant: String,
        /// The address to log in with.
        #[arg(long)]
        email: String,
        /// The name that pages show.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        grant: GrantArgs,
        /// No password: for a machine, and for somebody who signs in through the identity provider alone.
        #[arg(long)]
        no_password: bool,
    },
    /// Let somebody whom the identity provider vouches for sign in to an account.
    Link {
        /// The tenant, by its short name.
        tenant: String,
        /// The account's id.
        account: AccountId,
        #[command(flatten)]
        identity: IdentityArgs,
        #[command(flatten)]
        why: WhyArgs,
    },
    /// Take an identity from an account. Its sessions end.
    Unlink {
        /// The tenant, by its short name.
        tenant: String,
        /// The account's id.
        account: AccountId,
        #[command(flatten)]
        identity: IdentityArgs,
        #[command(flatten)]
        why: WhyArgs,
    },
    /// Give an account a role. Its sessions end, so that it signs in anew.
    Grant {
        /// The tenant, by its short name.
        tenant: String,
        /// The account's id.
        account: AccountId,
        #[command(flatten)]
        grant: GrantArgs,
        #[command(flatten)]
        why: WhyArgs,
    },
    /// Let an account see who gets which treatment: the role `unblinded`, which is given in no other way. Its sessions end.
    Unblind {
        /// The tenant, by its short name.
        tenant: String,
        /// The account's id.
        account: AccountId,
        /// Only this study; all of the tenant's when it is not given.
        #[arg(long)]
        study: Option<StudyId>,
        /// Why; the ledger keeps a commitment to it, and the text beside it under the account's own key.
        #[arg(long)]
        reason: String,
    },
    /// Take a role from an account. Its sessions end.
    Revoke {
        /// The tenant, by its short name.
        tenant: String,
        /// The account's id.
        account: AccountId,
        #[command(flatten)]
        grant: GrantArgs,
        #[command(flatten)]
        why: WhyArgs,
    },
    /// The authenticator app of an account.
    #[command(subcommand)]
    Totp(TotpCommand),
    /// Disable an account: its sessions and tokens stop working at once.
    Disable {
        #[command(flatten)]
        whose: WhoseArgs,
        #[command(flatten)]
        why: WhyArgs,
    },
    /// Let a disabled account sign in again.
    Enable {
        #[command(flatten)]
        whose: WhoseArgs,
        #[command(flatten)]
        why: WhyArgs,
    },
    /// Erase what is known of a person: e-mail, name, and what lies encrypted beside the ledger's events.
    /// The ledger keeps that it was done, why, and who agreed. It cannot be taken back.
    Erase {
        /// The tenant, by its short name.
        tenant: String,
        /// The account's id.
        account: AccountId,
        /// Why, without naming the person; it is recorded for ever.
        #[arg(long)]
        reason: String,
        /// The second person who agreed: the id of another account of the tenant that is in use.
        #[arg(long, value_name = "ACCOUNT")]
        approved_by: AccountId,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TotpCommand {
    /// Begin one: prints the secret for the app, this once.
    Enrol(WhoseArgs),
    /// Take it into use, with the code that it shows on the first line of standard input; prints the recovery codes, this
    /// once.
    Confirm(WhoseArgs),
    /// Remove it, for an owner who has lost it and the recovery codes.
    Disable(WhoseArgs),
}

/// An account of a tenant.
#[derive(Debug, clap::Args)]
pub(crate) struct WhoseArgs {
    /// The tenant, by its short name.
    tenant: String,
    /// The account's id.
    account: AccountId,
}

/// Why something is done to somebody's access.
#[derive(Debug, clap::Args)]
pub(crate) struct WhyArgs {
    /// Why, without naming a person; it is recorded for ever.
    #[arg(long)]
    reason: Option<String>,
}

impl WhyArgs {
    fn order(&self) -> Order<'_> {
        Order { actor: &Actor::Operator, reason: self.reason.as_deref(), trace: None }
    }
}

/// Somebody, as an identity provider knows them.
#[derive(Debug, clap::Args)]
pub(crate) struct IdentityArgs {
    /// The provider's address, letter by letter as it calls itself.
    #[arg(long, value_name = "ADDRESS")]
    issuer: String,
    /// Its own name for the person (`sub`), which is no e-mail address.
    #[arg(long, value_name = "SUB")]
    subject: String,
}

impl From<IdentityArgs> for Identity {
    fn from(args: IdentityArgs) -> Self {
        Self { issuer: args.issuer, subject: args.subject }
    }
}

pub(super) async fn run(app: &App, command: AccountCommand) -> Result<()> {
    let control = &app.control;
    match command {
        AccountCommand::Create { tenant, email, name, grant, no_password } => {
            let tenant = tenant_called(app, &tenant).await?;
            let account = NewAccount {
                display_name: name.unwrap_or_else(|| email.clone()),
                password: if no_password { None } else { Some(secret_line("password")?) },
                grants: vec![grant.into()],
                email,
            };
            let id = control.create_account(&Actor::Operator, tenant.id, account).await?;
            say!("account {id}");
        }
        AccountCommand::Link { tenant, account, identity, why } => {
            let tenant = tenant_called(app, &tenant).await?;
            control.link_identity(why.order(), tenant.id, account, &identity.into()).await?;
            say!("account {account} can be signed in to by that identity");
        }
        AccountCommand::Unlink { tenant, account, identity, why } => {
            let tenant = tenant_called(app, &tenant).await?;
            control.unlink_identity(why.order(), tenant.id, account, &identity.into()).await?;
            say!("account {account} is not that identity's; its sessions have ended");
        }
        AccountCommand::Grant { tenant, account, grant, why } => {
            let tenant = tenant_called(app, &tenant).await?;
            control.grant(why.order(), tenant.id, account, grant.into()).await?;
            say!("account {account} has the role; its sessions have ended");
        }
        AccountCommand::Unblind { tenant, account, study, reason } => {
            let tenant = tenant_called(app, &tenant).await?;
            let unblinding = Unblinding { account, study, reason };
            control.unblind(&Actor::Operator, tenant.id, &unblinding, &TraceId::random()?).await?;
            say!("account {account} is unblinded; its sessions have ended");
        }
        AccountCommand::Revoke { tenant, account, grant, why } => {
            let tenant = tenant_called(app, &tenant).await?;
            control.revoke_grant(why.order(), tenant.id, account, grant.into()).await?;
            say!("account {account} does not have the role; its sessions have ended");
        }
        AccountCommand::Totp(command) => totp(app, command).await?,
        AccountCommand::Erase { tenant, account, reason, approved_by } => {
            let tenant = tenant_called(app, &tenant).await?;
            let erasure = Erasure { account, reason, approved_by };
            control.erase_account(&Actor::Operator, tenant.id, erasure).await?;
            say!("erased; copies made before, such as backups, still hold the e-mail and the name");
        }
        AccountCommand::List { tenant } => {
            let tenant = tenant_called(app, &tenant).await?;
            for account in control.accounts(&Actor::Operator, tenant.id).await? {
                print(&account);
            }
        }
        AccountCommand::Disable { whose: WhoseArgs { tenant, account }, why } => {
            let tenant = tenant_called(app, &tenant).await?;
            control.disable_account(why.order(), tenant.id, account).await?;
            say!("account {account} is disabled");
        }
        AccountCommand::Enable { whose: WhoseArgs { tenant, account }, why } => {
            let tenant = tenant_called(app, &tenant).await?;
            control.enable_account(why.order(), tenant.id, account).await?;
            say!("account {account} is enabled");
        }
    }
    Ok(())
}

fn print(account: &AccountSummary) {
    let grants = account.grants.iter().map(|held| {
        format!(
            "{}@{}",
            held.grant.role.name(),
            held.grant.study.as_ref().map_or("*", |study| study.as_str())
        )
    });
    say!(
        "{}  {:<36}{:<10}{}",
        account.id,
        account.email,
        if account.is_enabled { "enabled" } else { "disabled" },
        grants.collect::<Vec<_>>().join(" ")
    );
}

async fn totp(app: &App, command: TotpCommand) -> Result<()> {
    let control = &app.control;
    match command {
        TotpCommand::Enrol(WhoseArgs { tenant, account }) => {
            let tenant = tenant_called(app, &tenant).await?;
            let told = control.enrol_second_factor(&Actor::Operator, tenant.id, account).await?;
            say!("secret {}\n{}", told.secret, told.uri);
        }
        TotpCommand::Confirm(WhoseArgs { tenant, account }) => {
            let tenant = tenant_called(app, &tenant).await?;
            let code = secret_line("code")?;
            let codes = control.confirm_second_factor(&Actor::Operator, tenant.id, account, &code).await?;
            say!("{}", codes.join("\n"));
        }
        TotpCommand::Disable(WhoseArgs { tenant, account }) => {
            let tenant = tenant_called(app, &tenant).await?;
            control.disable_second_factor(&Actor::Operator, tenant.id, account, None).await?;
            say!("account {account} has no authenticator app");
        }
    }
    Ok(())
}
