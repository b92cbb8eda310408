//! The server's certificate: read from files, and again when they change.

use std::{
    fs,
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum_server::tls_rustls::RustlsConfig;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio::time::sleep;

use super::settings::CertificateFiles;
use crate::{
    clients::runtime::blocking,
    problem::{Kind, Problem},
};

/// How often the files are looked at.
const PAUSE: Duration = Duration::from_secs(1);

/// What tells that a file is another one.
type Mark = [Option<(SystemTime, u64)>; 2];

/// A certificate that is read again when its files change.
pub(crate) struct Certificate {
    files: CertificateFiles,
    protocol: &'static [u8],
    mark: Mark,
    config: RustlsConfig,
}

impl Certificate {
    /// Reads the files, for connections in a protocol by its name in ALPN.
    ///
    /// # Errors
    /// When they cannot be read or do not belong together.
    pub(crate) fn read(files: CertificateFiles, protocol: &'static [u8]) -> Result<Self, Problem> {
        let mark = mark(&files);
        let config = RustlsConfig::from_config(config(&files, protocol)?);
        Ok(Self { files, protocol, mark, config })
    }

    /// What connections are encrypted with.
    pub(crate) fn config(&self) -> RustlsConfig {
        self.config.clone()
    }

    /// Looks at the files until the server ends. A new pair that does not work is told, and the old one stays.
    pub(crate) async fn watch(self) {
        let Self { files, protocol, mut mark, config: current } = self;
        loop {
            sleep(PAUSE).await;
            let (looked_at, known) = (files.clone(), mark);
            let read = blocking(move || {
                let now = self::mark(&looked_at);
                Ok::<_, Problem>((now != known).then(|| (now, config(&looked_at, protocol))))
            });
            // Without a thread it is looked at later.
            let Ok(Some((now, read))) = read.await else { continue };
            mark = now;
            match read {
                Ok(config) => {
                    current.reload_from_config(config);
                    tracing::info!("The certificate was changed");
                }
                Err(problem) => tracing::warn!("The old certificate stays: {problem}"),
            }
        }
    }
}

fn mark(files: &CertificateFiles) -> Mark {
    [&files.certificate, &files.key].map(|path| {
        let found = fs::metadata(path).ok()?;
        Some((found.modified().ok()?, found.len()))
    })
}

fn config(files: &CertificateFiles, protocol: &[u8]) -> Result<Arc<ServerConfig>, Problem> {
    let unreadable = |what: &str, path: &std::path::Path, error: &dyn std::fmt::Display| {
        Problem::new(
            Kind::Invalid,
            format!("the {what} in {} cannot be read: {error}", path.display()),
            "name a file in PEM format that you may read".to_owned(),
        )
    };
    let certificates = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable("certificate", &files.certificate, &error))?;
    if certificates.is_empty() {
        return Err(unreadable("certificate", &files.certificate, &"there is none"));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| unreadable("key", &files.key, &error))?;
    let failed = |error: rustls::Error| {
        let (certificate, key) = (files.certificate.display(), files.key.display());
        Problem::new(Kind::Invalid, format!("{certificate} and {key} make no TLS: {error}"), None)
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(failed)?;
    config.alpn_protocols = vec![protocol.to_vec()];
    Ok(Arc::new(config))
}
