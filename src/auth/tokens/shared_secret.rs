//! The secret that servers of one store share, which comes in a token without a signature.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::header::Header;
use crate::config::Password;

/// The secret, as its hash: that of what is sent is compared with it, without telling how far they are the same.
pub(super) struct SharedSecret([u8; 32]);

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What another server says of itself.
#[derive(Deserialize)]
struct Claims {
    preferred_username: String,
}

impl SharedSecret {
    /// A secret, unless it is empty.
    pub(super) fn of(secret: &Password) -> Option<Self> {
        (!secret.0.is_empty()).then(|| Self(Sha256::digest(secret.0.as_bytes()).into()))
    }

    /// Whether a token is that of another server: unsigned, with the secret as the name of a user.
    pub(super) fn is_in(&self, token: &str, header: &Header) -> bool {
        if !header.is_unsigned() {
            return false;
        }
        let mut parts = token.split('.').skip(1);
        let (Some(payload), Some("")) = (parts.next(), parts.next()) else { return false };
        let claims =
            URL_SAFE_NO_PAD.decode(payload).ok().and_then(|bytes| serde_json::from_slice::<Claims>(&bytes).ok());
        claims.is_some_and(|claims| {
            let sent: [u8; 32] = Sha256::digest(claims.preferred_username.as_bytes()).into();
            self.0.iter().zip(sent).fold(0, |different, (own, sent)| different | (own ^ sent)) == 0
        })
    }
}
