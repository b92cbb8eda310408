//! What an access token says, read by those to whom it was given. Nothing of it is checked here, and nothing is allowed
//! because of it: that is for servers.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value as Json};

use crate::{auth::tokens::claimed_user, config::OidcConfig, model::Timestamp, permissions::User};

/// What a token says of itself and of whom it is about.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Claims(Map<String, Json>);

impl Claims {
    /// Those of a JSON web token; `None` for other tokens, which only their issuer can read.
    pub(in crate::auth) fn read(token: &str) -> Option<Self> {
        let [_, body, _] = token.split('.').collect::<Vec<_>>().try_into().ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok()?).ok().map(Self)
    }

    /// When it ends, to the second.
    pub fn expires(&self) -> Option<Timestamp> {
        let seconds = self.0.get("exp")?;
        #[expect(clippy::cast_possible_truncation, reason = "seconds of any use are in range, and others end there")]
        let seconds = seconds.as_i64().or_else(|| seconds.as_f64().map(|seconds| seconds as i64))?;
        Some(Timestamp::from_micros(seconds.saturating_mul(1_000_000)))
    }

    /// Who it is about, as servers with the same settings find it.
    pub fn user(&self, oidc: &OidcConfig) -> Option<User> {
        claimed_user(&self.0, oidc)
    }

    /// Whose token of Kubernetes it is, as the API server calls that: `system:serviceaccount:NAMESPACE:NAME`.
    pub fn account(&self) -> Option<User> {
        let name = self.0.get("sub")?.as_str()?.to_owned();
        Some(User { name, ..User::default() })
    }

    /// Who has issued it.
    pub fn issuer(&self) -> Option<&str> {
        self.0.get("iss")?.as_str()
    }

    /// Whom it is for: one, or several.
    pub fn audience(&self) -> Vec<&str> {
        let audience = self.0.get("aud");
        let one = audience.and_then(Json::as_str).into_iter();
        one.chain(audience.and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str)).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{auth::login::samples::oidc, config::Credentials};

    fn token(body: &Json) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(body.to_string()))
    }

    #[test]
    fn tokens_say_who_one_is() {
        let body = json!({
            "exp": 1_800_000_000, "iss": "http://idp", "aud": ["a", "b"], "azp": "c", "preferred_username": "ann",
            "resource_access": {"store": {"roles": ["reader"]}, "other": {"roles": ["writer"]}},
            "roles": ["top"], "groups": ["team"],
        });
        let claims = Claims::read(&token(&body)).unwrap();
        assert_eq!(claims.expires(), Some(Timestamp::from_micros(1_800_000_000_000_000)));
        assert_eq!((claims.issuer(), claims.audience()), (Some("http://idp"), vec!["a", "b"]));
        let user = claims.user(&oidc(Credentials::Elsewhere)).unwrap();
        assert_eq!((user.name.as_str(), user.roles.len()), ("ann", 2));
        assert!(user.roles.contains("reader") && user.groups.contains("team"), "{user:?}");
        let nobody = Claims::read(&token(&json!({ "aud": "a" }))).unwrap();
        assert_eq!((nobody.user(&oidc(Credentials::Elsewhere)), nobody.audience()), (None, vec!["a"]));
    }

    #[test]
    fn what_is_no_web_token_says_nothing() {
        for opaque in ["", "opaque", "a.b", "a.b.c", "e30.W10.c2ln", "e30.e30.a.b"] {
            assert_eq!(Claims::read(opaque), None, "{opaque}");
        }
    }
}
