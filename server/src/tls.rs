//! TLS of the two doors: which certificate the server shows, who vouches for the certificates of machines, and when
//! their files are read again. Read [`files`] for what a file has to be, [`peer`] for what a machine's certificate has to
//! say, [`revocation`] for which count no more, and `listen` for where connections come in.
mod files;
mod peer;
mod revocation;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use kernel::Clock;
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::{ServerConfig, WebPkiClientVerifier};
use rustls::sign::SingleCertAndKey;
use rustls::version::TLS13;
use tracing::{error, info};

use crate::error::{Failure, Result};
use crate::work::blocking;
use files::Files;
use peer::RequireName;
pub(crate) use peer::names_of;

/// How often it is looked whether the files have changed.
const LOOK: Duration = Duration::from_secs(10);

/// Where the files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TlsSettings {
    /// The server's certificate and whatever stands between it and its authority, in PEM.
    pub(crate) certificate: PathBuf,
    /// Its private key, in PEM, readable by its owner alone.
    pub(crate) key: PathBuf,
    /// The authorities that vouch for machines, in PEM; without them nobody is asked for a certificate.
    pub(crate) client_ca: Option<PathBuf>,
    /// Lists of machines' certificates that count no more, in PEM or DER: files, or folders of them.
    pub(crate) client_crl: Vec<PathBuf>,
}

/// Which protocol a door speaks inside TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    /// Pages and REST.
    Http,
    /// Arrow Flight.
    Grpc,
}

/// What the doors show and ask for, at this moment.
pub(crate) struct Tls {
    settings: TlsSettings,
    held: RwLock<Held>,
}

struct Held {
    /// What the configurations were made from.
    files: Files,
    http: Arc<ServerConfig>,
    grpc: Arc<ServerConfig>,
    /// When the first list of revoked certificates ends.
    lists_hold_until: Option<DateTime<Utc>>,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`Failure::Usage`], with the file and what to do, when one of them cannot be used.
    pub(crate) fn open(settings: TlsSettings, now: DateTime<Utc>) -> Result<Self> {
        let files = Files::read(&settings)?;
        let held = Held::new(files, &settings, now)?;
        Ok(Self { settings, held: RwLock::new(held) })
    }

    /// The configuration for a connection that comes now.
    pub(crate) fn config(&self, speaks: Speaks) -> Arc<ServerConfig> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        match speaks {
            Speaks::Http => Arc::clone(&held.http),
            Speaks::Grpc => Arc::clone(&held.grpc),
        }
    }

    /// Says until when the lists of revoked certificates hold: let it alert a day before.
    fn measure(&self) {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = held.lists_hold_until {
            #[expect(
                clippy::cast_precision_loss,
                reason = "seconds stay below 2^52 for a hundred million years"
            )]
            metrics::gauge!("tls_client_crl_holds_until_timestamp").set(until.timestamp() as f64);
        }
    }

    /// Takes the files as they are now; whether they are others than before. When one cannot be used, everything stays as
    /// it was.
    fn reload(&self, now: DateTime<Utc>) -> Result<bool> {
        let files = Files::read(&self.settings)?;
        if self.held.read().unwrap_or_else(PoisonError::into_inner).files == files {
            return Ok(false);
        }
        let held = Held::new(files, &self.settings, now)?;
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = held;
        Ok(true)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Held {
    fn new(files: Files, settings: &TlsSettings, now: DateTime<Utc>) -> Result<Self> {
        let provider = Arc::new(ring::default_provider());
        let shown = files.certified(settings, &provider, now)?;
        let authorities = match files.authorities(settings)? {
            None => None,
            Some(roots) => {
                let revoked = files.revoked(settings, &roots, now)?;
                Some((roots, revoked))
            }
        };
        let lists_hold_until =
            authorities.as_ref().and_then(|(_, revoked)| Some(revoked.as_ref()?.hold_until));
        let config = |protocols: &[&[u8]]| -> Result<Arc<ServerConfig>> {
            let impossible = |error: rustls::Error| Failure::Lost(error.to_string());
            let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
                .with_protocol_versions(&[&TLS13])
                .map_err(impossible)?;
            let builder = match &authorities {
                None => builder.with_no_client_auth(),
                Some((roots, revoked)) => {
                    let chain = WebPkiClientVerifier::builder_with_provider(
                        Arc::clone(roots),
                        Arc::<CryptoProvider>::clone(&provider),
                    );
                    // With lists, a certificate that none of them is about is refused, and so is one after its list
                    // has ended: that is what the builder does unless told otherwise, and what it is told.
                    let chain = match revoked {
                        None => chain,
                        Some(revoked) => {
                            chain.with_crls(revoked.lists.clone()).enforce_revocation_expiration()
                        }
                    };
                    let chain = chain
                        .allow_unauthenticated()
                        .build()
                        .map_err(|error| Failure::Lost(error.to_string()))?;
                    builder.with_client_cert_verifier(Arc::new(RequireName::over(chain)))
                }
            };
            let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(&shown))));
            config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
            Ok(Arc::new(config))
        };
        let (http, grpc) = (config(&[b"h2", b"http/1.1"])?, config(&[b"h2"])?);
        Ok(Self { files, http, grpc, lists_hold_until })
    }
}

/// Takes files that have changed, now and then and when the program gets the signal `HUP`, until `stop`. What cannot be
/// used is logged once, and the former files stay in use.
pub(crate) async fn keep(tls: Arc<Tls>, clock: Arc<dyn Clock>, stop: impl Future<Output = ()>) {
    tokio::pin!(stop);
    tls.measure();
    let mut asked = Asked::new();
    let mut told = None;
    loop {
        let is_asked = tokio::select! {
            () = &mut stop => return,
            () = asked.wait() => true,
            () = tokio::time::sleep(LOOK) => false,
        };
        let (at_work, now) = (Arc::clone(&tls), clock.now());
        match blocking(move || at_work.reload(now)).await {
            Ok(true) => {
                told = None;
                tls.measure();
                info!("the certificates were read again; connections that come now get the new ones");
            }
            Ok(false) => {
                told = None;
                if is_asked {
                    info!("the certificates were read again and are the same");
                }
            }
            Err(failure) => {
                let problem = failure.chain();
                metrics::counter!("tls_reloads_failed_total").increment(1);
                if is_asked || told.as_ref() != Some(&problem) {
                    error!(error = problem, "the certificates stay as they were");
                }
                told = Some(problem);
            }
        }
    }
}

/// The signal that asks for the files to be read again.
struct Asked {
    #[cfg(unix)]
    signal: Option<tokio::signal::unix::Signal>,
}

impl Asked {
    fn new() -> Self {
        Self {
            // Without a handler the files are read now and then.
            #[cfg(unix)]
            signal: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok(),
        }
    }

    async fn wait(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.signal
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}
