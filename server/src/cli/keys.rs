//! Where the master key is, and renewing the keys below it.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use control::{Actor, FileKeySettings, KeySettings, Pkcs11Settings, SYSTEM_KEYS, VaultSettings};

use crate::app::App;
use crate::cli::say::say;
use crate::error::{Failure, Result};

/// Where the master key is, which wraps every other key at rest.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Master key")]
pub(crate) struct KeyArgs {
    /// A file, HashiCorp Vault's transit engine, or a token that speaks PKCS#11 (docs/cryptography.md).
    #[arg(long, global = true, env = "CAIRN_KEY_PROVIDER", value_enum, default_value_t)]
    key_provider: Provider,
    /// The file with the master key; one is made in the data folder when nothing is said.
    #[arg(long, global = true, env = "CAIRN_KEY_FILE", value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// A file with the passphrase under which that file is sealed.
    #[arg(long, global = true, env = "CAIRN_KEY_PASSPHRASE_FILE", value_name = "FILE")]
    key_passphrase_file: Option<PathBuf>,
    /// Vault's address, `https://host:8200`.
    #[arg(long, global = true, env = "CAIRN_VAULT_ADDRESS", value_name = "URL")]
    vault_address: Option<String>,
    /// Where Vault's transit engine is mounted.
    #[arg(long, global = true, env = "CAIRN_VAULT_MOUNT", default_value = "transit", value_name = "NAME")]
    vault_mount: String,
    /// The key in it, of type `aes256-gcm96`.
    #[arg(long, global = true, env = "CAIRN_VAULT_KEY", default_value = "cairn", value_name = "NAME")]
    vault_key: String,
    /// A file with a token that may encrypt and decrypt with that key.
    #[arg(long, global = true, env = "CAIRN_VAULT_TOKEN_FILE", value_name = "FILE")]
    vault_token_file: Option<PathBuf>,
    /// Certificates to trust in Vault's place; those of the system when nothing is said.
    #[arg(long, global = true, env = "CAIRN_VAULT_CA_FILE", value_name = "FILE")]
    vault_ca_file: Option<PathBuf>,
    /// The PKCS#11 library of the token's maker.
    #[arg(long, global = true, env = "CAIRN_PKCS11_MODULE", value_name = "FILE")]
    pkcs11_module: Option<PathBuf>,
    /// The token's label.
    #[arg(long, global = true, env = "CAIRN_PKCS11_TOKEN", default_value = "cairn", value_name = "LABEL")]
    pkcs11_token: String,
    /// The label of the AES-256 key in it.
    #[arg(long, global = true, env = "CAIRN_PKCS11_KEY", default_value = "cairn", value_name = "LABEL")]
    pkcs11_key: String,
    /// A file with the user's PIN.
    #[arg(long, global = true, env = "CAIRN_PKCS11_PIN_FILE", value_name = "FILE")]
    pkcs11_pin_file: Option<PathBuf>,
}

/// A holder of master keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Provider {
    /// A file that only the owner may read.
    #[default]
    File,
    /// The transit engine of HashiCorp Vault.
    Vault,
    /// A hardware or software token.
    Pkcs11,
}

/// The keys that protect what is stored.
#[derive(Debug, Subcommand)]
pub(crate) enum DataKeyCommand {
    /// List the data keys of every tenant, and what wraps them.
    List,
    /// Give a tenant a new data key, seal its accounts' keys under it, and destroy the one before.
    Rotate {
        /// The tenant, by its short name.
        tenant: String,
    },
    /// Finish a rotation that was cut off.
    Finish {
        /// The tenant, by its short name.
        tenant: String,
    },
    /// Wrap every data key by the present master key, after that was replaced or rotated in its provider.
    Rewrap,
    /// Move every data key from another provider to the configured one, and finish a move that was cut off. Stop the servers
    /// before, and start them with the new provider's settings.
    #[command(after_help = "\
The new provider is the one that the flags and the environment name. The old one stands in a file, with a line NAME=VALUE for \
each of its settings, named as in the environment:

  printf 'CAIRN_KEY_PROVIDER=file\\nCAIRN_KEY_FILE=/srv/cairn/master.key\\n' > before
  CAIRN_KEY_PROVIDER=vault CAIRN_VAULT_ADDRESS=https://vault:8200 CAIRN_VAULT_TOKEN_FILE=token \\
    cairn admin data-key move --from before

Run it again when it was cut off. Keep the old master key for as long as there are backups that need it.")]
    Move {
        /// The file with the old provider's settings.
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
    },
}

/// The settings of another provider than the configured one.
pub(crate) fn settings_of_file(path: &Path, data: &Path) -> Result<KeySettings> {
    let unfit =
        |number: usize, what: &str| Failure::Usage(format!("`{}` line {number}: {what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(Failure::io(format!("read `{}`", path.display())))?;
    let mut keys = KeyArgs {
        vault_mount: "transit".into(),
        vault_key: "cairn".into(),
        pkcs11_token: "cairn".into(),
        pkcs11_key: "cairn".into(),
        ..KeyArgs::default()
    };
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let (name, value) =
            line.trim().split_once('=').ok_or_else(|| unfit(number, "it is not of the form NAME=VALUE"))?;
        let (file, value) = (Some(PathBuf::from(value)), value.to_owned());
        match name {
            "CAIRN_KEY_PROVIDER" => {
                let known = Provider::from_str(&value, false);
                keys.key_provider = known.map_err(|_| unfit(number, "name `file`, `vault` or `pkcs11`"))?;
            }
            "CAIRN_KEY_FILE" => keys.key_file = file,
            "CAIRN_KEY_PASSPHRASE_FILE" => keys.key_passphrase_file = file,
            "CAIRN_VAULT_ADDRESS" => keys.vault_address = Some(value),
            "CAIRN_VAULT_MOUNT" => keys.vault_mount = value,
            "CAIRN_VAULT_KEY" => keys.vault_key = value,
            "CAIRN_VAULT_TOKEN_FILE" => keys.vault_token_file = file,
            "CAIRN_VAULT_CA_FILE" => keys.vault_ca_file = file,
            "CAIRN_PKCS11_MODULE" => keys.pkcs11_module = file,
            "CAIRN_PKCS11_TOKEN" => keys.pkcs11_token = value,
            "CAIRN_PKCS11_KEY" => keys.pkcs11_key = value,
            "CAIRN_PKCS11_PIN_FILE" => keys.pkcs11_pin_file = file,
            _ => return Err(unfit(number, "it is no setting of a key provider (docs/cryptography.md)")),
        }
    }
    // A lost key is not made anew in the middle of a move.
    let own =
        FileKeySettings { path: data.join("control/keys/master.key"), passphrase_file: None, make: false };
    Ok(keys.settings(data)?.unwrap_or(KeySettings::File(own)))
}

impl KeyArgs {
    /// What the control plane is opened with.
    pub(crate) fn settings(&self, data: &Path) -> Result<Option<KeySettings>> {
        Ok(match self.key_provider {
            Provider::File if self.key_file.is_none() && self.key_passphrase_file.is_none() => None,
            Provider::File => {
                let own = || data.join("control/keys/master.key");
                Some(KeySettings::File(FileKeySettings {
                    path: self.key_file.clone().unwrap_or_else(own),
                    passphrase_file: self.key_passphrase_file.clone(),
                    // A file that was named is expected to be there: a missing one is a lost key, not a first start.
                    make: self.key_file.is_none(),
                }))
            }
            Provider::Vault => Some(KeySettings::Vault(VaultSettings {
                address: wanted(self.vault_address.clone(), "Vault", "its address", "CAIRN_VAULT_ADDRESS")?,
                mount: self.vault_mount.clone(),
                key: self.vault_key.clone(),
                token_file: wanted(
                    self.vault_token_file.clone(),
                    "Vault",
                    "a file with a token",
                    "CAIRN_VAULT_TOKEN_FILE",
                )?,
                ca_file: self.vault_ca_file.clone(),
            })),
            Provider::Pkcs11 => Some(KeySettings::Pkcs11(Pkcs11Settings {
                module: wanted(self.pkcs11_module.clone(), "PKCS#11", "a library", "CAIRN_PKCS11_MODULE")?,
                token: self.pkcs11_token.clone(),
                key: self.pkcs11_key.clone(),
                pin_file: wanted(
                    self.pkcs11_pin_file.clone(),
                    "PKCS#11",
                    "a file with the PIN",
                    "CAIRN_PKCS11_PIN_FILE",
                )?,
            })),
        })
    }
}

fn wanted<T>(given: Option<T>, provider: &str, what: &str, setting: &str) -> Result<T> {
    given.ok_or_else(|| {
        Failure::Usage(format!(
            "{provider} as the key provider needs {what}: set {setting} (docs/cryptography.md)"
        ))
    })
}

pub(crate) async fn run(app: &App, command: DataKeyCommand) -> Result<()> {
    let control = &app.control;
    let tenant = |slug: String| async move { control.tenant_by_slug(&Actor::Operator, &slug).await };
    let rotation = match command {
        DataKeyCommand::List => {
            let tenants = control.tenants(&Actor::Operator).await?;
            for key in control.list_data_keys(&Actor::Operator)? {
                let nobodys = if key.tenant == SYSTEM_KEYS { "(indexes)" } else { "?" };
                let slug = tenants.iter().find(|tenant| tenant.id == key.tenant);
                let slug = slug.map_or(nobodys, |tenant| &tenant.slug);
                let state = if key.is_active { "active" } else { "retiring" };
                let (id, provider, master, made) = (key.id, key.provider, key.master, key.created_at);
                say!("{slug:<24}{id}  {state:<10}{provider} `{master}`  {made}");
            }
            return Ok(());
        }
        DataKeyCommand::Rewrap | DataKeyCommand::Move { .. } => {
            let wrapped = control.rotate_master_key(&Actor::Operator).await?;
            say!("{wrapped} data keys are wrapped by the present master key");
            return Ok(());
        }
        DataKeyCommand::Rotate { tenant: slug } => {
            control.rotate_data_key(&Actor::Operator, tenant(slug).await?.id).await?
        }
        DataKeyCommand::Finish { tenant: slug } => {
            control.finish_rotation(&Actor::Operator, tenant(slug).await?.id).await?
        }
    };
    let (active, keys, destroyed) = (rotation.active, rotation.keys, rotation.destroyed.len());
    say!("{keys} accounts' keys are sealed anew under {active}; data keys destroyed: {destroyed}");
    Ok(())
}
