//! Encrypted connections to PostgreSQL with the meaning libpq gives to `sslmode`.

use std::sync::Arc;

use rustls::{
    ClientConfig,
    client::WebPkiServerVerifier,
    pki_types::{PrivateKeyDer, pem::PemObject},
};

use super::problem::{PostgresProblem, Role};
use crate::{
    clients::{
        authorities::{authorities, certificates, unreadable},
        verifier::Verifier,
    },
    config::{ClientCertificate, TlsConfig},
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
