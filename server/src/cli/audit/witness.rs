//! `cairn audit witness`.

use std::io::Read as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use clap::Subcommand;
use control::{Actor, MAX_REQUEST_BYTES, VerifierKey, Witness, WitnessRefusal};
use kernel::{Clock, SystemClock};

use super::tenant_of;
use crate::app::App;
use crate::cli::say::say;
use crate::error::{Failure, Result};

/// Both sides of witnessing.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
A witness is somebody else, a sponsor or another site, on their own machine. They keep the last checkpoint of \
your log and sign the next one only with a proof that the log has merely grown.

The witness, once:
  cairn audit witness init --state DIR --name witness.example/w1    prints their key, for you
  cairn audit witness trust --state DIR KEY                         your line of `cairn audit keys`
  cairn audit witness serve --state DIR --listen 0.0.0.0:8490       or `sign`, with files

You, as often as you like (`--old` is what the witness signed last; it says so when it is wrong):
  cairn audit witness request --old 0 > request
  curl --data-binary @request http://witness.example:8490/add-checkpoint > answer
  cairn audit witness keep --key WITNESS-KEY < answer")]
pub(crate) enum WitnessCommand {
    /// Make a witness's folder and key, and print the key's line.
    Init {
        /// The witness's folder.
        #[arg(long, value_name = "DIR")]
        state: PathBuf,
        /// The witness's name, such as `witness.example/w1`: no spaces, no `+`.
        #[arg(long)]
        name: String,
    },
    /// Sign for a log from now on.
    Trust {
        /// The witness's folder.
        #[arg(long, value_name = "DIR")]
        state: PathBuf,
        /// The log's verifier key, as its operator has published it.
        key: VerifierKey,
    },
    /// Read a request from standard input and print the signature, or the size to begin from.
    Sign {
        /// The witness's folder.
        #[arg(long, value_name = "DIR")]
        state: PathBuf,
    },
    /// Answer requests over HTTP, at `/add-checkpoint`.
    Serve {
        /// The witness's folder.
        #[arg(long, value_name = "DIR")]
        state: PathBuf,
        /// The address to listen on.
        #[arg(long, default_value = "127.0.0.1:8490", value_name = "ADDRESS")]
        listen: SocketAddr,
    },
    /// Print the request for a witness: the newest checkpoint and the proof that leads to it.
    Request {
        /// The tenant's short name; the system's log, which commits to all others, when it is not given.
        #[arg(long)]
        tenant: Option<String>,
        /// How many events the witness has signed last; 0 when it has not signed this log.
        #[arg(long, default_value_t = 0)]
        old: u64,
    },
    /// Read a witness's answer from standard input and keep it below the newest checkpoint.
    Keep {
        /// The tenant's short name; the system's log when it is not given.
        #[arg(long)]
        tenant: Option<String>,
        /// The witness's verifier key, as it printed it at `init`.
        #[arg(long)]
        key: VerifierKey,
    },
}

/// The witness's side needs no data folder; the log's side is given back.
pub(crate) async fn run_offline(command: WitnessCommand) -> Result<Option<WitnessCommand>> {
    match command {
        WitnessCommand::Init { state, name } => {
            say!("{}", Witness::open(&state, Some(&name))?.verifier_key());
        }
        WitnessCommand::Trust { state, key } => {
            Witness::open(&state, None)?.trust(&key)?;
            say!("signs for {} from now on", key.name());
        }
        WitnessCommand::Sign { state } => {
            let witness = Witness::open(&state, None)?;
            match witness.add_checkpoint(&standard_input()?, SystemClock.now()) {
                Ok(line) => say!("{}", line.trim_end()),
                Err(refusal) => return Err(Failure::Verdict { code: 1, text: refusal.to_string() }),
            }
        }
        WitnessCommand::Serve { state, listen } => serve(Witness::open(&state, None)?, listen).await?,
        command => return Ok(Some(command)),
    }
    Ok(None)
}

pub(crate) async fn run(app: &App, command: WitnessCommand) -> Result<()> {
    match command {
        WitnessCommand::Request { tenant, old } => {
            let tenant = tenant_of(&app.control, tenant.as_deref()).await?;
            say!("{}", app.control.witness_request(tenant, old).await?.trim_end_matches('\n'));
        }
        WitnessCommand::Keep { tenant, key } => {
            let tenant = tenant_of(&app.control, tenant.as_deref()).await?;
            let answer = String::from_utf8_lossy(&standard_input()?).into_owned();
            let size = app.control.add_cosignature(&Actor::Operator, tenant, (&key, &answer)).await?;
            say!("{} has signed the log of {size} events", key.name());
        }
        command => drop(run_offline(command).await?),
    }
    Ok(())
}

fn standard_input() -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = MAX_REQUEST_BYTES as u64 + 1;
    let read = std::io::stdin().lock().take(limit).read_to_end(&mut bytes);
    read.map_err(Failure::io("read standard input"))?;
    Ok(bytes)
}

async fn serve(witness: Witness, listen: SocketAddr) -> Result<()> {
    let failed = Failure::io(format!("listen on {listen}"));
    let listener = tokio::net::TcpListener::bind(listen).await.map_err(failed)?;
    say!("{} signs at http://{listen}/add-checkpoint", witness.verifier_key());
    let router = Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .layer(DefaultBodyLimit::max(MAX_REQUEST_BYTES))
        .with_state(Arc::new(witness));
    axum::serve(listener, router.into_make_service()).await.map_err(Failure::io("serve the witness"))
}

// Source: C2SP tlog-witness, `add-checkpoint`.
async fn add_checkpoint(State(witness): State<Arc<Witness>>, request: Bytes) -> Response {
    let answered =
        crate::work::blocking(move || Ok(witness.add_checkpoint(&request, SystemClock.now()))).await;
    match answered {
        Ok(Ok(line)) => (StatusCode::OK, line).into_response(),
        Ok(Err(WitnessRefusal::Conflict { size } | WitnessRefusal::Forked { size })) => {
            (StatusCode::CONFLICT, [(header::CONTENT_TYPE, "text/x.tlog.size")], format!("{size}\n"))
                .into_response()
        }
        Ok(Err(refusal)) => {
            let status = StatusCode::from_u16(refusal.http_status());
            (status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), format!("{refusal}\n")).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
