//! Encrypted connections to PostgreSQL with the meaning libpq gives to `sslmode`.

use std::sync::Arc;

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
};

use super::problem::{PostgresProblem, Role};
use crate::{
    clients::authorities::{authorities, certificates, unreadable},
    config::{ClientCertificate, TlsConfig, TlsMode},
    problem::Kind,
};

/// The settings of a TLS client.
///
/// # Errors
/// When there are no certificates of authorities to trust, or the client's own cannot be read.
pub(crate) fn client(
    tls: &TlsConfig,
    certificate: Option<&ClientCertificate>,
    role: &Role,
) -> Result<ClientConfig, PostgresProblem> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let failed = |error: &dyn std::fmt::Display| {
        PostgresProblem::new(
            Kind::Unavailable,
            format!("TLS cannot be set up for the {}: {error}", role.name),
            format!("check the ssl settings {}", role.settings),
        )
    };
    let authority = if tls.mode.verifies() {
        let advice = || format!("name a file with those to trust (sslrootcert) {}", role.settings);
        let roots = Arc::new(authorities(tls.root_certificates.as_deref(), advice)?);
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider)).build();
        Some(verifier.map_err(|error| failed(&error))?)
    } else {
        None
    };
    let verifier = Verifier { mode: tls.mode, authority, provider: Arc::clone(&provider) };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    match certificate {
        None => Ok(config.with_no_client_auth()),
        Some(files) => {
            let key =
                PrivateKeyDer::from_pem_file(&files.key).map_err(|error| unreadable("key", &files.key, &error))?;
            config.with_client_auth_cert(certificates(&files.certificate)?, key).map_err(|error| failed(&error))
        }
    }
}

/// Looks at the server's certificate as far as the mode asks for.
#[derive(Debug)]
struct Verifier {
    mode: TlsMode,
    authority: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(authority) = &self.authority else { return Ok(ServerCertVerified::assertion()) };
        match authority.verify_server_cert(end_entity, intermediates, name, ocsp, now) {
            // Looked at last, when everything else is right.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.mode == TlsMode::VerifyCa => Ok(ServerCertVerified::assertion()),
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
