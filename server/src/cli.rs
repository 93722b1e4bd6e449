//! The command line. It acts as the operator: whoever can read the data folder already holds everything.

use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use clap::{Args, Parser, Subcommand};
use control::{ControlSettings, Reach};

use crate::app::App;
use crate::error::{Failure, Result};
use crate::http::{Allowance, Surroundings};
use crate::oidc::{OidcSettings, Provider};
use crate::openlineage::OpenLineage;
use crate::telemetry;
use crate::tls::TlsSettings;

mod admin;
mod anchors;
mod audit;
mod canon;
mod database;
mod doctor;
mod engineer;
mod export;
mod ingest;
mod keys;
mod mail;
mod mapping;
mod marts;
mod model;
mod progress;
mod quality;
mod quarantine;
mod rules;
pub(crate) mod say;
mod serve;
mod signature;
mod simulate;
mod sql;

pub(crate) use progress::Bars;

/// Clinical-trial data in, trusted answers out.
#[derive(Debug, Parser)]
#[command(
    name = "cairn",
    version,
    about = "Clinical-trial data in, trusted answers out.",
    max_term_width = 100,
    after_help = "\
Begin with `cairn demo`, which makes two tenants with studies and serves them. With data of your own:

  cairn admin tenant create acme --name 'Acme Research'
  cairn admin account create acme --email you@acme.example --role data_engineer
  cairn ingest --tenant acme --study TRIAL01 path/to/datasets
  cairn serve"
)]
struct Cli {
    /// The data folder.
    #[arg(long, global = true, env = "CAIRN_DATA", default_value = "data", value_name = "DIR")]
    data: PathBuf,
    #[command(flatten)]
    anchors: anchors::AnchorArgs,
    /// What is logged to standard error, such as `info` or `warn,warehouse=debug`.
    #[arg(long, global = true, env = "CAIRN_LOG", default_value = "warn", value_name = "FILTER")]
    log: String,
    /// Where builds of marts are told as OpenLineage events: a file, or an `http://` address that takes them by POST.
    #[arg(long, global = true, env = "CAIRN_OPENLINEAGE", value_name = "TARGET")]
    openlineage: Option<String>,
    /// The namespace of jobs and tables in OpenLineage events.
    #[arg(
        long,
        global = true,
        env = "CAIRN_OPENLINEAGE_NAMESPACE",
        default_value = "cairn",
        value_name = "NAME"
    )]
    openlineage_namespace: String,
    /// For tests: let webhooks go to this machine, also without TLS. Every other address that is not public stays refused.
    #[arg(long, global = true, env = "CAIRN_WEBHOOK_ALLOW_LOOPBACK")]
    webhook_allow_loopback: bool,
    #[command(flatten)]
    database: database::DatabaseArgs,
    #[command(flatten)]
    keys: keys::KeyArgs,
    #[command(flatten)]
    mail: mail::MailArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make two tenants with studies, build everything and serve it.
    Demo(crate::demo::DemoArgs),
    /// Serve dashboards, REST and Arrow Flight.
    Serve(Doors),
    /// Take a delivery of files into a study and publish a snapshot.
    Ingest(ingest::IngestArgs),
    /// Look at the conformed records of a study, as they are or as they were known at an instant.
    #[command(subcommand)]
    Canon(canon::CanonCommand),
    /// Write a DuckDB database of views over the current snapshot.
    Export(export::ExportArgs),
    /// Answer one SQL query from a study's published tables.
    Sql(sql::SqlArgs),
    /// Show what would become of files, list mappings, begin one.
    #[command(subcommand)]
    Mapping(mapping::MappingCommand),
    /// Show the unified model that every delivery becomes.
    Model(model::ModelArgs),
    /// Import the conformance rules of a standard, and run them over the datasets as they were delivered.
    #[command(subcommand)]
    Rules(rules::RulesCommand),
    /// Build the derived tables of a study, or look at them.
    #[command(subcommand)]
    Marts(marts::MartsCommand),
    /// Look at the checks of a study's data.
    #[command(subcommand)]
    Quality(quality::QualityCommand),
    /// Look at rows that did not fit, and read their files again.
    #[command(subcommand)]
    Quarantine(quarantine::QuarantineCommand),
    /// Look at the ledger.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Look at electronic signatures, hand them out, and verify them anywhere.
    #[command(subcommand)]
    Signature(signature::SignatureCommand),
    /// Make a study with known anomalies, as an EDC and CTMS extract.
    Simulate(simulate::SimulateArgs),
    /// Make and list tenants and accounts.
    #[command(subcommand)]
    Admin(admin::AdminCommand),
    /// Check the data folder: control database, ledger, and every published file against its hash. Or list the
    /// controls.
    Doctor(doctor::DoctorArgs),
}

/// Where the program listens.
#[derive(Debug, Clone, Args)]
pub struct Doors {
    /// Dashboards and REST.
    #[arg(long, env = "CAIRN_HTTP", default_value = "127.0.0.1:8480", value_name = "ADDRESS")]
    pub http: SocketAddr,
    /// Arrow Flight.
    #[arg(long, env = "CAIRN_FLIGHT", default_value = "127.0.0.1:8481", value_name = "ADDRESS")]
    pub flight: SocketAddr,
    /// Answer over TLS at both addresses: the file with the server's certificate and those above it, in PEM
    /// (docs/tls.md).
    #[arg(long, env = "CAIRN_TLS_CERTIFICATE", value_name = "FILE", requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,
    /// The file with its private key, in PEM, readable by its owner alone.
    #[arg(long, env = "CAIRN_TLS_KEY", value_name = "FILE", requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,
    /// The file with the authorities of machines' certificates, in PEM. A machine may show one; people need none.
    #[arg(long, env = "CAIRN_TLS_CLIENT_CA", value_name = "FILE", requires = "tls_certificate")]
    pub tls_client_ca: Option<PathBuf>,
    /// A list of machines' certificates that were revoked, in PEM or DER, or a folder of such files; may be given more than
    /// once. With it, every authority needs a list that holds (docs/tls.md).
    #[arg(
        long,
        env = "CAIRN_TLS_CLIENT_CRL",
        value_name = "PLACE",
        value_delimiter = ',',
        requires = "tls_client_ca"
    )]
    pub tls_client_crl: Vec<PathBuf>,
    /// Requests a second that each tenant may send in the long run; beyond it, 429 with `Retry-After`.
    #[arg(long, env = "CAIRN_TENANT_REQUESTS_PER_SECOND", default_value = "200", value_name = "NUMBER")]
    pub tenant_requests_per_second: NonZeroU32,
    /// Requests of all tenants that are worked on at a time; beyond it, 503 with `Retry-After`.
    #[arg(long, env = "CAIRN_REQUESTS_AT_A_TIME", default_value = "256", value_name = "NUMBER")]
    pub requests_at_a_time: NonZeroUsize,
    /// A reverse proxy in front of the server, by its address. What it says in `X-Forwarded-For` is believed; can be
    /// given several times.
    #[arg(long, env = "CAIRN_BEHIND_PROXY", value_name = "ADDRESS", value_delimiter = ',')]
    pub behind_proxy: Vec<IpAddr>,
    /// An identity provider (OpenID Connect) that people may sign in through: its address, as it calls itself.
    #[arg(long, env = "CAIRN_OIDC_ISSUER", value_name = "ADDRESS", requires = "oidc_client_id")]
    pub oidc_issuer: Option<String>,
    /// This deployment's name at the provider.
    #[arg(long, env = "CAIRN_OIDC_CLIENT_ID", value_name = "NAME")]
    pub oidc_client_id: Option<String>,
    /// The file with its secret there.
    #[arg(long, env = "CAIRN_OIDC_CLIENT_SECRET_FILE", value_name = "FILE")]
    pub oidc_client_secret_file: Option<PathBuf>,
    /// What the button on the login page calls the provider.
    #[arg(long, env = "CAIRN_OIDC_NAME", value_name = "NAME", default_value = "your organisation")]
    pub oidc_name: String,
    /// Where browsers reach this server, such as `https://cairn.example`; the provider sends them back there,
    /// and letters link there.
    #[arg(long, env = "CAIRN_PUBLIC_URL", value_name = "ADDRESS")]
    pub public_url: Option<String>,
    /// Seconds that the requests under way have to end when the program is asked to stop.
    #[arg(long, env = "CAIRN_DRAIN_SECONDS", default_value = "25", value_name = "SECONDS")]
    pub drain_seconds: u64,
    /// Jobs that this server does at a time; with 0 it leaves them to others.
    #[arg(long, env = "CAIRN_WORKERS", default_value = "2", value_name = "NUMBER")]
    pub workers: usize,
    /// Jobs of one tenant that are done at a time, by all servers together.
    #[arg(long, env = "CAIRN_TENANT_JOBS_AT_A_TIME", default_value = "2", value_name = "NUMBER")]
    pub tenant_jobs_at_a_time: u32,
    /// Seconds after which a job whose worker gives no sign of life is another's.
    #[arg(long, env = "CAIRN_JOB_LEASE_SECONDS", default_value = "60", value_name = "SECONDS")]
    pub job_lease_seconds: u32,
}

impl Doors {
    /// What is around the server, which listens at `http`.
    pub(crate) fn surroundings(&self, http: SocketAddr) -> Result<Surroundings> {
        let provider = match (&self.oidc_issuer, &self.oidc_client_id) {
            (Some(issuer), Some(client_id)) => Some(Provider::new(OidcSettings {
                issuer: issuer.clone(),
                client_id: client_id.clone(),
                client_secret_file: self.oidc_client_secret_file.clone(),
                public_url: self.public_url(http),
                name: self.oidc_name.clone(),
            })?),
            _ => None,
        };
        Ok(Surroundings { proxies: self.behind_proxy.clone().into(), provider })
    }

    /// Where browsers reach the server, which listens at `http`.
    pub(crate) fn public_url(&self, http: SocketAddr) -> String {
        let (http_scheme, _) = self.schemes();
        self.public_url.clone().unwrap_or_else(|| format!("{http_scheme}://{http}"))
    }

    /// What the addresses of the two doors begin with.
    pub(crate) const fn schemes(&self) -> (&'static str, &'static str) {
        if self.tls_certificate.is_some() { ("https", "grpc+tls") } else { ("http", "grpc") }
    }

    /// Where the files of TLS are, if the doors answer over it.
    pub(crate) fn tls(&self) -> Option<TlsSettings> {
        let (certificate, key) = (self.tls_certificate.clone()?, self.tls_key.clone()?);
        let (client_ca, client_crl) = (self.tls_client_ca.clone(), self.tls_client_crl.clone());
        Some(TlsSettings { certificate, key, client_ca, client_crl })
    }

    /// What the HTTP door allows.
    pub(crate) fn allowance(&self) -> Allowance {
        let per_second = self.tenant_requests_per_second;
        Allowance {
            at_a_time: self.requests_at_a_time.get(),
            per_second,
            burst: per_second.saturating_mul(BURST_SECONDS),
            ..Allowance::default()
        }
    }
}

/// After a rest, a tenant may send at once what it may send in so many seconds.
const BURST_SECONDS: NonZeroU32 = NonZeroU32::new(5).expect("it is not zero");

/// Reads an instant of the command line: with its zone, or a day, which begins at midnight UTC.
pub(crate) fn instant(text: &str) -> std::result::Result<DateTime<Utc>, String> {
    let day =
        || text.parse::<NaiveDate>().ok().and_then(|day| day.and_hms_opt(0, 0, 0)).map(|at| at.and_utc());
    DateTime::parse_from_rfc3339(text).map(|at| at.with_timezone(&Utc)).ok().or_else(day).ok_or_else(|| {
        "it is neither a day (2026-01-31) nor an instant with its zone (2026-01-31T18:00:00Z)".into()
    })
}

/// Runs the program, and ends it.
pub fn main() -> ! {
    let cli = Cli::parse();
    let filter = match (&cli.command, cli.log.as_str()) {
        (Command::Serve(_), "warn") => "info",
        (_, filter) => filter,
    };
    telemetry::start_logs(filter);
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::io("start the program's threads"))
        .and_then(|runtime| {
            let outcome = runtime.block_on(run(cli));
            runtime.shutdown_background();
            outcome
        });
    let code = match outcome {
        Ok(()) => 0,
        Err(failure) => {
            eprintln!("cairn: {}", failure.chain());
            failure.exit_code()
        }
    };
    // What is still in the buffer has nowhere else to go when standard output is closed.
    drop(std::io::stdout().flush());
    // A job that went back to the line may still compute on a thread of its own. Nobody waits for what it would find,
    // and DuckDB's destructors, which an ordinary exit calls, must not run under it.
    signal_hook::low_level::exit(code.into())
}

async fn run(cli: Cli) -> Result<()> {
    if let Command::Simulate(args) = &cli.command {
        return simulate::run(args);
    }
    // These need no data folder, and must not make one.
    match cli.command {
        Command::Mapping(command) => return mapping::run(command),
        Command::Model(args) => return model::run(&args),
        Command::Demo(args) => return crate::demo::run(&cli.data, args).await,
        _ => {}
    }
    match &cli.command {
        Command::Signature(signature::SignatureCommand::Verify(args)) => return signature::verify(args),
        Command::Quality(quality::QualityCommand::Page) => return quality::page(),
        Command::Doctor(args) if args.controls => return doctor::controls::run(args.results.as_deref()),
        _ => {}
    }
    let command = match cli.command {
        Command::Audit(command) => match audit::run_offline(command).await? {
            Some(command) => Command::Audit(command),
            None => return Ok(()),
        },
        Command::Marts(command) => match marts::run_offline(command)? {
            Some(command) => Command::Marts(command),
            None => return Ok(()),
        },
        command => command,
    };
    // A copy is put in place before anything is made there.
    if let Command::Admin(admin::AdminCommand::Restore { from }) = &command {
        crate::backup::put_in_place(&cli.data, from)?;
    }
    let (database, keys) = (cli.database.settings()?, cli.keys.settings(&cli.data)?);
    let keys_before = match &command {
        Command::Admin(admin::AdminCommand::DataKey(keys::DataKeyCommand::Move { from })) => {
            Some(keys::settings_of_file(from, &cli.data)?)
        }
        _ => None,
    };
    let webhooks = if cli.webhook_allow_loopback { Reach::PublicAndLoopback } else { Reach::Public };
    let mail = cli.mail.settings()?;
    let settings =
        ControlSettings { database, keys, keys_before, webhooks, mail, ..ControlSettings::default() };
    let settings = cli.anchors.put_into(settings)?;
    let target = cli.openlineage.as_deref();
    let openlineage = target.map(|target| OpenLineage::to(target, cli.openlineage_namespace)).transpose()?;
    let app = App { openlineage: openlineage.map(Arc::new), ..App::open_at(&cli.data, &settings).await? };
    match command {
        Command::Serve(doors) => serve::run(app, &doors).await,
        Command::Ingest(args) => ingest::run(&app, args).await,
        Command::Rules(command) => rules::run(&app, command).await,
        Command::Canon(command) => canon::run(&app, command).await,
        Command::Export(args) => export::run(&app, args).await,
        Command::Sql(args) => sql::run(&app, args).await,
        Command::Marts(command) => marts::run(&app, &cli.data, command).await,
        Command::Quality(command) => quality::run(&app, command).await,
        Command::Quarantine(command) => quarantine::run(&app, command).await,
        Command::Audit(command) => audit::run(&app, command).await,
        Command::Signature(command) => signature::run(&app, command).await,
        Command::Admin(command) => admin::run(&app, &cli.data, command).await,
        Command::Doctor(_) => doctor::run(&app).await,
        Command::Demo(_) | Command::Simulate(_) | Command::Mapping(_) | Command::Model(_) => Ok(()),
    }
}

pub(crate) use serve::{bind, serve_until_stopped};
