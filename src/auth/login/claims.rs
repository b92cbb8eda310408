//! What an access token says, read by those to whom it was given. Nothing of it is checked here, and nothing is allowed
//! because of it: that is for servers.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value as Json;

use crate::model::Timestamp;

/// What a token says of itself and of whom it is about.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Claims {
    /// When it ends.
    pub expires: Option<Timestamp>,
    body: Json,
}

impl Claims {
    /// Those of a JSON web token; `None` for other tokens, which only their issuer can read.
    pub(super) fn read(token: &str) -> Option<Self> {
        let [_, body, _] = token.split('.').collect::<Vec<_>>().try_into().ok()?;
        let body: Json = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok()?).ok()?;
        body.as_object()?;
        let expires = body["exp"].as_f64().map(|seconds| Timestamp::from_micros((seconds * 1e6) as i64));
        Some(Self { expires, body })
    }

    /// Who it is about, found as Feast's servers do.
    pub fn user(&self) -> Option<&str> {
        let claims = ["preferred_username", "upn", "azp", "appid", "sub"];
        claims.into_iter().find_map(|claim| self.body[claim].as_str())
    }

    /// Who has issued it.
    pub fn issuer(&self) -> Option<&str> {
        self.body["iss"].as_str()
    }

    /// Whom it is for.
    pub fn audience(&self) -> Vec<&str> {
        words(&self.body["aud"]).collect()
    }

    /// The roles of the user at a client, and those that the token has beside.
    pub fn roles(&self, client: Option<&str>) -> BTreeSet<&str> {
        let of_client = client.map(|client| &self.body["resource_access"][client]["roles"]);
        of_client.into_iter().chain([&self.body["roles"]]).flat_map(words).collect()
    }

    /// The groups that the user is in.
    pub fn groups(&self) -> BTreeSet<&str> {
        words(&self.body["groups"]).collect()
    }
}

/// A word, or a list of them.
fn words(claim: &Json) -> impl Iterator<Item = &str> {
    let one = claim.as_str().into_iter();
    one.chain(claim.as_array().into_iter().flatten().filter_map(Json::as_str))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn token(body: &Json) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(body.to_string()))
    }

    #[test]
    fn tokens_say_who_one_is() {
        let body = json!({
            "exp": 1_800_000_000, "iss": "http://idp", "aud": ["a", "b"], "azp": "c", "preferred_username": "ann",
            "resource_access": {"store": {"roles": ["reader"]}, "other": {"roles": ["writer"]}},
            "roles": ["top"], "groups": "team",
        });
        let claims = Claims::read(&token(&body)).unwrap();
        assert_eq!(claims.expires, Some(Timestamp::from_micros(1_800_000_000_000_000)));
        assert_eq!((claims.user(), claims.issuer()), (Some("ann"), Some("http://idp")));
        assert_eq!(claims.audience(), ["a", "b"]);
        assert_eq!(claims.roles(Some("store")).into_iter().collect::<Vec<_>>(), ["reader", "top"]);
        assert_eq!(claims.roles(None).into_iter().collect::<Vec<_>>(), ["top"]);
        assert_eq!(claims.groups().into_iter().collect::<Vec<_>>(), ["team"]);
        assert_eq!(Claims::read(&token(&json!({"sub": "7"}))).unwrap().user(), Some("7"));
    }

    #[test]
    fn what_is_no_web_token_says_nothing() {
        for opaque in ["", "opaque", "a.b", "a.b.c", "e30.W10.c2ln", "e30.e30.a.b"] {
            assert_eq!(Claims::read(opaque), None, "{opaque}");
        }
    }
}
