//! Certificates that somebody has in hand, where no file is named.

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use crate::{
    config::Password,
    problem::{Kind, Problem},
};

/// Certificates in hand, as PEM.
#[derive(Debug, Clone, Default)]
pub struct Certificates {
    /// Those of the authorities to trust; `None` for those that are named or of the system.
    pub authorities: Option<Vec<u8>>,
    /// Our own with its key, if it says who we are.
    pub client: Option<(Vec<u8>, Password)>,
}

/// Our own certificate and its key.
pub(super) type OwnCertificate = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

impl Certificates {
    /// The authorities, if they are in hand.
    pub(super) fn roots(&self, server: &str) -> Result<Option<RootCertStore>, Problem> {
        let Some(pem) = &self.authorities else { return Ok(None) };
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(parsed(pem, server)?);
        match roots.is_empty() {
            false => Ok(Some(roots)),
            true => Err(wrong(server, "there are no certificates of authorities")),
        }
    }

    /// What says who we are.
    pub(super) fn own(&self, server: &str) -> Result<Option<OwnCertificate>, Problem> {
        let Some((certificate, key)) = &self.client else { return Ok(None) };
        let key = PrivateKeyDer::from_pem_slice(key.0.as_bytes())
            .map_err(|_| wrong(server, "the key of our certificate is not in PEM format"))?;
        Ok(Some((parsed(certificate, server)?, key)))
    }
}

fn parsed(pem: &[u8], server: &str) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>();
    certificates.map_err(|error| wrong(server, &format!("certificates cannot be read: {error}")))
}

fn wrong(server: &str, why: &str) -> Problem {
    let message = format!("a connection to {server} cannot be set up: {why}");
    Problem::new(Kind::Invalid, message, "correct the file that says how it is reached".to_owned())
}
