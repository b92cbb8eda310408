//! What an error of a connection came from.

use std::{error::Error, io};

/// Whether a server could not prove who it is.
pub(super) fn is_about_certificates(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|cause| matches!(tls_error(cause), Some(rustls::Error::InvalidCertificate(_))))
}

/// Whether a server that was asked with encryption answered without.
pub(super) fn is_without_encryption(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|cause| matches!(tls_error(cause), Some(rustls::Error::InvalidMessage(_))))
}

/// What it came from, at the end.
pub(super) fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map_or_else(|| error.to_string(), ToString::to_string)
}

/// The error of TLS that one of reading or writing may be made of, which does not count it among its sources.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    match error.downcast_ref::<io::Error>() {
        Some(error) => error.get_ref().and_then(|inner| tls_error(inner)),
        None => error.downcast_ref(),
    }
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause| (*cause).source())
}
