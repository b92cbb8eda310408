//! The authorities whose signatures under certificates of servers are trusted.

use std::path::Path;

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::problem::{Kind, Problem};

/// The certificates of authorities in a file, or those of the system; `advice` says where other ones are named.
///
/// # Errors
/// When there are none.
pub(super) fn authorities(file: Option<&Path>, advice: impl FnOnce() -> String) -> Result<RootCertStore, Problem> {
    let mut roots = RootCertStore::empty();
    let (found, place) = match file {
        Some(path) => (certificates(path)?, path.display().to_string()),
        None => (rustls_native_certs::load_native_certs().certs, "this system".to_owned()),
    };
    roots.add_parsable_certificates(found);
    if roots.is_empty() {
        let message = format!("there are no certificates of authorities in {place}");
        return Err(Problem::new(Kind::Unavailable, message, advice()));
    }
    Ok(roots)
}

/// The certificates in a file.
///
/// # Errors
/// When it cannot be read.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Problem> {
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable("certificates", path, &error))
}

/// The problem of a file in PEM format that cannot be read.
pub(super) fn unreadable(what: &str, path: &Path, error: &dyn std::fmt::Display) -> Problem {
    Problem::new(
        Kind::Unavailable,
        format!("the {what} in {} cannot be read: {error}", path.display()),
        "name a file in PEM format that you may read".to_owned(),
    )
}
