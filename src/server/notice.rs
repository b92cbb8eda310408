//! What a server tells of itself.

use std::{fmt, net::SocketAddr, sync::Arc};

use crate::problem::Problem;

/// Something that happened.
#[derive(Debug)]
pub enum Notice {
    /// It answers requests.
    Listening {
        /// Whether with TLS.
        encrypted: bool,
        /// Where.
        address: SocketAddr,
    },
    /// The certificate is another one now.
    CertificateChanged,
    /// A new certificate does not work; the old one stays.
    CertificateRefused(Problem),
    /// It is about to end.
    Ending,
}

/// Hears of them.
pub type Notices = Arc<dyn Fn(&Notice) + Send + Sync>;

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listening { encrypted, address } => {
                write!(f, "Listening on {}://{address}", if *encrypted { "https" } else { "http" })
            }
            Self::CertificateChanged => f.write_str("The certificate was changed"),
            Self::CertificateRefused(problem) => write!(f, "The old certificate stays: {problem}"),
            Self::Ending => f.write_str("Ending: requests that are being answered are finished"),
        }
    }
}
