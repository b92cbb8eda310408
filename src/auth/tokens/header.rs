//! The header of a token: which algorithm and which key its signature is of.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde_json::Value as Json;

use super::refusal::Refusal;

/// The algorithms that count. None of shared secrets is among them, so that a public key is never taken for one.
const ALGORITHMS: [(&str, Algorithm); 9] = [
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];

/// The header of a token (JOSE), as far as it matters.
#[derive(Debug, Deserialize)]
pub(super) struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Json>,
    b64: Option<Json>,
}

/// The algorithm of a name, if it counts.
pub(super) fn algorithm(name: &str) -> Option<Algorithm> {
    ALGORITHMS.iter().find(|(known, _)| *known == name).map(|(_, algorithm)| *algorithm)
}

impl Header {
    /// The header of a token of three parts.
    pub(super) fn of(token: &str) -> Result<Self, Refusal> {
        let mut parts = token.split('.');
        let (Some(header), Some(_), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(Refusal::NoToken);
        };
        let bytes = URL_SAFE_NO_PAD.decode(header).map_err(|_| Refusal::NoToken)?;
        serde_json::from_slice(&bytes).map_err(|_| Refusal::NoToken)
    }

    /// Whether it says that nothing is signed.
    pub(super) fn is_unsigned(&self) -> bool {
        self.alg == "none"
    }

    /// The algorithm of its signature, and the key.
    pub(super) fn signature(&self) -> Result<(Algorithm, Option<&str>), Refusal> {
        if self.crit.is_some() || self.b64.is_some() {
            return Err(Refusal::Critical);
        }
        Ok((algorithm(&self.alg).ok_or(Refusal::Algorithm)?, self.kid.as_deref()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::shared_secret::SharedSecret, *};
    use crate::config::Password;

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[!-~]{0,60}", header in ".{0,40}", payload in ".{0,40}") {
            let secret = SharedSecret::of(&Password("secret".to_owned())).unwrap();
            let made = format!("{}.{}.", URL_SAFE_NO_PAD.encode(&header), URL_SAFE_NO_PAD.encode(&payload));
            for token in [text, made] {
                if let Ok(header) = Header::of(&token) {
                    let _ = header.signature();
                }
                prop_assert!(!secret.is_sent(&token));
            }
        }
    }

    #[test]
    fn names_of_algorithms_are_taken_exactly() {
        let header = |text: &str| Header::of(&format!("{}.e30.c2ln", URL_SAFE_NO_PAD.encode(text)));
        let algorithm = |text: &str| header(text).unwrap().signature().map(|(algorithm, _)| algorithm);
        assert_eq!(algorithm(r#"{"alg": "RS256", "typ": "at+jwt"}"#), Ok(Algorithm::RS256));
        for other in ["rs256", "HS256", "HS512", "none", "", "ES512", "RS256 "] {
            assert_eq!(algorithm(&format!(r#"{{"alg": "{other}"}}"#)), Err(Refusal::Algorithm), "{other}");
        }
        // What is said twice is not said.
        assert!(header(r#"{"alg": "none", "alg": "RS256"}"#).is_err());
    }
}
