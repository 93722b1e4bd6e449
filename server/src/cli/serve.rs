//! `cairn serve`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::Doors;
use crate::app::App;
use crate::cli::say::say;
use crate::error::{Failure, Result};
use crate::hooks;
use crate::http;
use crate::jobs;
use crate::ledger_timer;
use crate::listen::{Door, Remote};
use crate::tls::{self, Speaks, Tls};

/// The two listeners, bound before anything is announced.
#[derive(Debug)]
pub(crate) struct Bound {
    http: TcpListener,
    flight: TcpListener,
    tls: Option<Arc<Tls>>,
    /// Where dashboards and REST are.
    pub(crate) http_address: SocketAddr,
    /// Where Flight is.
    pub(crate) flight_address: SocketAddr,
}

pub(crate) async fn bind(doors: &Doors, now: DateTime<Utc>) -> Result<Bound> {
    let tls = doors.tls().map(|settings| Tls::open(settings, now)).transpose()?.map(Arc::new);
    let listen = |address: SocketAddr| async move {
        let failed = Failure::io(format!(
            "listen on {address}; is another server running there? Choose a free address with `--http` and `--flight`"
        ));
        TcpListener::bind(address).await.map_err(failed)
    };
    let (http, flight) = (listen(doors.http).await?, listen(doors.flight).await?);
    let address =
        |listener: &TcpListener| listener.local_addr().map_err(Failure::io("read the address of a listener"));
    let (http_address, flight_address) = (address(&http)?, address(&flight)?);
    Ok(Bound { http, flight, tls, http_address, flight_address })
}

pub(crate) async fn run(app: App, doors: &Doors) -> Result<()> {
    let bound = bind(doors, app.clock.now()).await?;
    let (http, grpc) = doors.schemes();
    say!(
        "dashboards and REST on {http}://{}\nArrow Flight on {grpc}://{}",
        bound.http_address,
        bound.flight_address
    );
    serve_until_stopped(app, bound, doors).await
}

/// Serves both doors until the program is asked to end; then both finish what they are doing, in the time that they have for it. A second
/// request to end is obeyed at once.
pub(crate) async fn serve_until_stopped(app: App, bound: Bound, doors: &Doors) -> Result<()> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        stop().await;
        // Both receivers are gone only when both doors have closed already.
        let _ = sender.send(true);
    });
    app.control.require_standing().await?;
    let workforce = jobs::workforce(doors.workers, doors.tenant_jobs_at_a_time, doors.job_lease_seconds)?;
    let public_url = doors.public_url(bound.http_address);
    let answering = answer(app.clone(), bound, doors, receiver.clone())?;
    let cut = cut_off(stopped(receiver.clone()), Duration::from_secs(doors.drain_seconds));
    let sending = hooks::dispatch(app.clone(), public_url, stopped(receiver.clone()));
    let work = jobs::work(app.clone(), workforce, stopped(receiver), stopped(cut.clone()));
    let overdue = async {
        stopped(cut).await;
        tracing::warn!("what did not end in time is cut off");
    };
    // The ledger is kept until both doors have closed: what the last requests did is signed too.
    let (closing, closed) = tokio::sync::oneshot::channel::<()>();
    let ledger = ledger_timer::keep(app, async {
        // An error means that the sender is gone, which is how it says so.
        let _ = closed.await;
    });
    let doors = async {
        let served = async {
            tokio::select! {
                served = answering => served,
                () = overdue => Ok(()),
            }
        };
        let working = async {
            tokio::join!(work, sending);
            Ok(())
        };
        // When a door breaks the jobs are left where they are: their leases end.
        let served = tokio::try_join!(served, working).map(|((), ())| ());
        drop(closing);
        served
    };
    let (served, ()) = tokio::join!(doors, ledger);
    served
}

/// Answers at both doors until `stop` is true and what is under way has ended.
fn answer(
    app: App,
    bound: Bound,
    doors: &Doors,
    stop: watch::Receiver<bool>,
) -> Result<impl Future<Output = Result<()>>> {
    let surroundings = doors.surroundings(bound.http_address)?;
    let (flight_address, schemes) = (bound.flight_address, doors.schemes());
    let announced = http::Announced { flight: flight_address, schemes, stopping: stop.clone() };
    let router = http::router(app.clone(), announced, surroundings, doors.allowance());
    let over = |speaks| bound.tls.clone().map(|tls| (tls, speaks));
    let pages = Door::new(bound.http, bound.http_address, over(Speaks::Http));
    let tables = Door::new(bound.flight, flight_address, over(Speaks::Grpc)).into_flow();
    if let Some(tls) = bound.tls {
        tokio::spawn(tls::keep(tls, Arc::clone(&app.clock), stopped(stop.clone())));
    }
    let taking_in = app.clone();
    let intake: flight::Intake = Arc::new(move |put| {
        let app = taking_in.clone();
        Box::pin(async move { crate::intake::put(&app, put).await })
    });
    Ok(async move {
        let rest = axum::serve(pages, router.into_make_service_with_connect_info::<Remote>())
            .with_graceful_shutdown(stopped(stop.clone()));
        let rest = async { rest.await.map_err(Failure::io("serve HTTP")) };
        let flight = flight::serve((app.published.clone(), intake), tables, stopped(stop));
        let flight = async { Ok(flight.await?) };
        tokio::try_join!(rest, flight).map(|((), ())| ())
    })
}

/// Completes when the receiver turns true. That its sender is gone is a stop too.
async fn stopped(mut receiver: watch::Receiver<bool>) {
    let _ = receiver.wait_for(|stopped| *stopped).await;
}

/// Turns true when what is under way has to end: some time after `stopped`, or when the program is asked again.
fn cut_off(stopped: impl Future<Output = ()> + Send + 'static, drain: Duration) -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        stopped.await;
        tokio::select! {
            () = tokio::time::sleep(drain) => {}
            () = stop() => {}
        }
        // Without receivers everything has ended already.
        let _ = sender.send(true);
    });
    receiver
}

/// Completes when the program is asked to end.
async fn stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without a handler the program ends as the system ends programs.
    let _ = tokio::signal::ctrl_c().await;
}
