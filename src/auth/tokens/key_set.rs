//! The public keys of an identity provider (JSON Web Key Set, RFC 7517), of those kinds that sign tokens.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value as Json;

use super::header::algorithm;

/// A modulus of RSA of fewer bytes is too easily taken apart.
const LEAST_MODULUS: usize = 256;

/// The keys that signatures of tokens may be of.
#[derive(Debug, Default)]
pub(super) struct KeySet(Vec<Key>);

/// A key, and which algorithms it is for.
#[derive(Debug)]
struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    decoding: DecodingKey,
}

/// The document with them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Document {
    /// Read one by one, because a set may have keys that nobody here knows.
    keys: Vec<Json>,
}

#[derive(Debug, Deserialize)]
struct Jwk {
    kty: String,
    r#use: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    kid: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// The keys of a document that are for signatures.
    pub(super) fn of(document: &Document) -> Self {
        let keys = document.keys.iter().filter_map(|key| Jwk::deserialize(key).ok()?.key());
        Self(keys.collect())
    }

    /// The key that a signature of this algorithm is of. A token that names none may be of the only one.
    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<&DecodingKey> {
        let key = match id {
            Some(id) => self.0.iter().find(|key| key.id.as_deref() == Some(id) && key.algorithms.contains(&algorithm)),
            None if self.0.len() == 1 => self.0.first().filter(|key| key.algorithms.contains(&algorithm)),
            None => None,
        };
        key.map(|key| &key.decoding)
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Jwk {
    fn key(self) -> Option<Key> {
        let verifies = self.key_ops.as_ref().is_none_or(|operations| operations.iter().any(|name| name == "verify"));
        if self.r#use.as_deref().is_some_and(|word| word != "sig") || !verifies {
            return None;
        }
        let part = |part: &Option<String>| part.clone();
        let (kinds, decoding) = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => {
                let (n, e) = (part(&self.n)?, part(&self.e)?);
                if URL_SAFE_NO_PAD.decode(n.trim_end_matches('=')).ok()?.len() < LEAST_MODULUS {
                    return None;
                }
                use Algorithm::{PS256, PS384, PS512, RS256, RS384, RS512};
                (vec![RS256, RS384, RS512, PS256, PS384, PS512], DecodingKey::from_rsa_components(&n, &e))
            }
            ("EC", Some("P-256")) => {
                (vec![Algorithm::ES256], DecodingKey::from_ec_components(&part(&self.x)?, &part(&self.y)?))
            }
            ("EC", Some("P-384")) => {
                (vec![Algorithm::ES384], DecodingKey::from_ec_components(&part(&self.x)?, &part(&self.y)?))
            }
            ("OKP", Some("Ed25519")) => (vec![Algorithm::EdDSA], DecodingKey::from_ed_components(&part(&self.x)?)),
            _ => return None,
        };
        // A key that names its algorithm is for no other one.
        let algorithms: Vec<_> = match &self.alg {
            Some(name) => {
                let named = algorithm(name)?;
                kinds.into_iter().filter(|kind| *kind == named).collect()
            }
            None => kinds,
        };
        (!algorithms.is_empty()).then_some(Key { id: self.kid, algorithms, decoding: decoding.ok()? })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

    fn set(keys: Json) -> KeySet {
        KeySet::of(&serde_json::from_value(json!({ "keys": keys })).unwrap())
    }

    #[test]
    fn a_key_is_for_what_it_says() {
        let ec = json!({ "kty": "EC", "crv": "P-256", "kid": "a", "x": X, "y": Y });
        let with = |member: &str, value: Json| {
            let mut key = ec.clone();
            key[member] = value;
            set(json!([key]))
        };
        let has = |set: &KeySet, algorithm| set.find(Some("a"), algorithm).is_some();
        assert!(has(&set(json!([ec])), Algorithm::ES256) && has(&with("use", json!("sig")), Algorithm::ES256));
        for other in [Algorithm::ES384, Algorithm::RS256, Algorithm::EdDSA, Algorithm::HS256] {
            assert!(!has(&set(json!([ec])), other), "{other:?}");
        }
        for (member, value) in [
            ("use", json!("enc")),
            ("key_ops", json!(["encrypt"])),
            ("alg", json!("ES384")),
            ("alg", json!("HS256")),
            ("alg", json!("none")),
            ("crv", json!("P-521")),
            ("kty", json!("oct")),
            ("kid", json!("b")),
            ("x", json!(null)),
        ] {
            assert!(!has(&with(member, value.clone()), Algorithm::ES256), "{member} {value}");
        }
    }

    #[test]
    fn keys_that_nobody_knows_do_no_harm() {
        let ec = json!({ "kty": "EC", "crv": "P-256", "kid": "a", "x": X, "y": Y });
        let keys = set(json!([7, {}, { "kty": "new", "kid": "a" }, { "kty": "oct", "k": "c2VjcmV0", "kid": "a" }, ec]));
        assert!(keys.find(Some("a"), Algorithm::ES256).is_some());
        assert!(keys.find(Some("a"), Algorithm::HS256).is_none());
    }

    #[test]
    fn a_token_that_names_no_key_may_be_of_the_only_one() {
        let key = |id: &str| json!({ "kty": "EC", "crv": "P-256", "kid": id, "x": X, "y": Y });
        assert!(set(json!([key("a")])).find(None, Algorithm::ES256).is_some());
        assert!(set(json!([key("a"), key("b")])).find(None, Algorithm::ES256).is_none());
    }

    #[test]
    fn short_moduli_do_not_count() {
        let key = |bytes: usize| json!([{ "kty": "RSA", "kid": "a", "n": URL_SAFE_NO_PAD.encode(vec![255_u8; bytes]), "e": "AQAB" }]);
        assert!(set(key(256)).find(Some("a"), Algorithm::PS256).is_some());
        assert!(set(key(128)).find(Some("a"), Algorithm::RS256).is_none() && set(key(128)).is_empty());
    }
}
