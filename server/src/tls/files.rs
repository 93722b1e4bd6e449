//! The files of TLS, and what is wrong with them: each refusal names the file and what to do.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::sign::CertifiedKey;
use webpki::{EndEntityCert, KeyUsage};

use super::TlsSettings;
use super::revocation::{self, Lists};
use crate::error::{Failure, Result};

/// Nobody has so many certificates.
const MAX_BYTES: u64 = 4 << 20;

/// The bytes of the files.
#[derive(PartialEq, Eq)]
pub(super) struct Files {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
    client_crl: Vec<(PathBuf, Vec<u8>)>,
}

impl Files {
    pub(super) fn read(settings: &TlsSettings) -> Result<Self> {
        require_private(&settings.key)?;
        Ok(Self {
            certificate: read(&settings.certificate)?,
            key: read(&settings.key)?,
            client_ca: settings.client_ca.as_deref().map(read).transpose()?,
            client_crl: revocation::read_all(&settings.client_crl)?,
        })
    }

    /// The server's certificate with its key: they fit together, and the certificate holds now.
    pub(super) fn certified(
        &self,
        settings: &TlsSettings,
        provider: &CryptoProvider,
        now: DateTime<Utc>,
    ) -> Result<Arc<CertifiedKey>> {
        let chain = certificates(&settings.certificate, &self.certificate)?;
        let place = &settings.key;
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|_| unfit(place, "it holds no private key in PEM without a passphrase"))?;
        require_in_time(&settings.certificate, &chain[0], now)?;
        let fitting = CertifiedKey::from_der(chain, key, provider).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                let certificate = settings.certificate.display();
                unfit(
                    place,
                    &format!("it is not the key of the certificate in `{certificate}`: give the pair"),
                )
            }
            error => {
                unfit(place, &format!("its key cannot be used ({error}): use ECDSA P-256, RSA or Ed25519"))
            }
        })?;
        Ok(Arc::new(fitting))
    }

    /// The authorities that vouch for machines.
    pub(super) fn authorities(&self, settings: &TlsSettings) -> Result<Option<Arc<RootCertStore>>> {
        let (Some(place), Some(text)) = (&settings.client_ca, &self.client_ca) else { return Ok(None) };
        let mut roots = RootCertStore::empty();
        for certificate in certificates(place, text)? {
            let refused =
                |error| unfit(place, &format!("one of its certificates is no authority's ({error})"));
            roots.add(certificate).map_err(refused)?;
        }
        Ok(Some(Arc::new(roots)))
    }

    /// The lists of machines' certificates that count no more; none when no place of lists is named.
    pub(super) fn revoked(
        &self,
        settings: &TlsSettings,
        roots: &RootCertStore,
        now: DateTime<Utc>,
    ) -> Result<Option<Lists>> {
        let Some(place) = settings.client_ca.as_deref().filter(|_| !settings.client_crl.is_empty()) else {
            return Ok(None);
        };
        revocation::lists(&self.client_crl, (place, roots), now).map(Some)
    }
}

pub(super) fn read(place: &Path) -> Result<Vec<u8>> {
    let unreadable = |error: std::io::Error| unfit(place, &format!("it cannot be read ({error})"));
    let metadata = fs::metadata(place).map_err(unreadable)?;
    if !metadata.is_file() || metadata.len() > MAX_BYTES {
        return Err(unfit(place, "it is no file in PEM"));
    }
    fs::read(place).map_err(|error| unfit(place, &format!("it cannot be read ({error})")))
}

/// That only its owner can read the key.
fn require_private(place: &Path) -> Result<()> {
    let metadata =
        fs::metadata(place).map_err(|error| unfit(place, &format!("it cannot be read ({error})")))?;
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0 {
        return Err(unfit(
            place,
            "it can be read by others than its owner: `chmod 600` it, and replace the key if they may have",
        ));
    }
    Ok(())
}

/// The certificates of a file; at least one.
fn certificates(place: &Path, text: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) if PrivateKeyDer::from_pem_slice(text).is_ok() => {
            Err(unfit(place, "it holds a private key where certificates belong: were the two files swapped?"))
        }
        Ok(_) => Err(unfit(place, "it holds no certificate in PEM (`-----BEGIN CERTIFICATE-----`)")),
        Err(error) => Err(unfit(place, &format!("its PEM is broken ({error})"))),
    }
}

/// That a certificate holds now.
fn require_in_time(place: &Path, certificate: &CertificateDer<'_>, now: DateTime<Utc>) -> Result<()> {
    let broken = |error| unfit(place, &format!("its first certificate is broken ({error})"));
    let end_entity = EndEntityCert::try_from(certificate).map_err(broken)?;
    let at =
        UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(now.timestamp()).unwrap_or_default()));
    // The dates are looked at before who has signed it, which clients judge and not we.
    match end_entity.verify_for_usage(&[], &[], &[], at, KeyUsage::server_auth(), None, None) {
        Err(webpki::Error::CertExpired { .. }) => {
            Err(unfit(place, "its first certificate has expired: put a new one there"))
        }
        Err(webpki::Error::CertNotValidYet { .. }) => Err(unfit(
            place,
            "its first certificate does not hold yet: look at its dates and at this machine's clock",
        )),
        _ => Ok(()),
    }
}

pub(super) fn unfit(place: &Path, what: &str) -> Failure {
    Failure::Usage(format!("`{}` cannot be used for TLS: {what}", place.display()))
}
