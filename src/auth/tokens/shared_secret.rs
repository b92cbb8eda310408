//! The secret that servers of one store share, which comes in a token without a signature.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::header::Header;
use crate::config::Password;

/// The secret, as its hash: that of what is sent is compared with it, without telling how far they are the same.
pub(in crate::auth) struct SharedSecret([u8; 32]);

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What another server says of itself: the secret as the name of a user, or of an account of Kubernetes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Claims {
    User { preferred_username: String },
    Account { sub: String },
}

impl Claims {
    fn secret(&self) -> Option<&str> {
        match self {
            Self::User { preferred_username } => Some(preferred_username),
            // Feast puts it where the name of an account has the last of four parts.
            Self::Account { sub } => sub.strip_prefix(":::"),
        }
    }
}

impl SharedSecret {
    /// A secret, unless it is empty.
    pub(in crate::auth) fn of(secret: &Password) -> Option<Self> {
        (!secret.0.is_empty()).then(|| Self(Sha256::digest(secret.0.as_bytes()).into()))
    }

    /// Whether a token is that of another server: unsigned, with the secret as a name.
    pub(in crate::auth) fn is_sent(&self, token: &str) -> bool {
        if !Header::of(token).is_ok_and(|header| header.is_unsigned()) {
            return false;
        }
        let mut parts = token.split('.').skip(1);
        let (Some(payload), Some("")) = (parts.next(), parts.next()) else { return false };
        let claims =
            URL_SAFE_NO_PAD.decode(payload).ok().and_then(|bytes| serde_json::from_slice::<Claims>(&bytes).ok());
        claims.as_ref().and_then(Claims::secret).is_some_and(|secret| {
            let sent: [u8; 32] = Sha256::digest(secret.as_bytes()).into();
            self.0.iter().zip(sent).fold(0, |different, (own, sent)| different | (own ^ sent)) == 0
        })
    }
}
