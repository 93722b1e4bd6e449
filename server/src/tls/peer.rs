//! Certificates of machines: signed by an authority that the operator has named, and with a name in the subject's
//! alternative names. The common name is not looked at.
// Source: RFC 6125, section 6.4.4; the SPIFFE X.509-SVID standard, section 2.

use std::sync::Arc;

use control::PeerNames;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use webpki::EndEntityCert;

/// The names in a certificate that was verified.
pub(crate) fn names_of(certificate: &CertificateDer<'_>) -> PeerNames {
    match EndEntityCert::try_from(certificate) {
        Ok(certificate) => PeerNames::new(certificate.valid_uri_names(), certificate.valid_dns_names()),
        Err(_) => PeerNames::none(),
    }
}

/// Refuses, besides what the chain refuses, a certificate without a name.
#[derive(Debug)]
pub(super) struct RequireName {
    chain: Arc<dyn ClientCertVerifier>,
}

impl RequireName {
    pub(super) fn over(chain: Arc<dyn ClientCertVerifier>) -> Self {
        Self { chain }
    }
}

impl ClientCertVerifier for RequireName {
    fn offer_client_auth(&self) -> bool {
        self.chain.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.chain.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.chain.verify_client_cert(end_entity, intermediates, now)?;
        if names_of(end_entity).is_empty() {
            return Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure));
        }
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}
