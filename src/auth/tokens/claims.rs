//! What a token says, after its signature was found right: until when it counts, for whom it is, and who asks.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::refusal::Refusal;
use crate::{
    config::{OidcConfig, TokenChecks},
    model::Timestamp,
    permissions::User,
};

/// By how many microseconds clocks may differ.
const LEEWAY: i64 = 10_000_000;

/// Where names of users are, the first of these that has one, as in Feast: people's, then those of programs.
const NAMES: [&str; 5] = ["preferred_username", "upn", "azp", "appid", "sub"];

/// What Keycloak calls tokens that are for something else than asking servers.
const OTHER_USES: [&str; 4] = ["ID", "Refresh", "Offline", "Logout"];

/// The claims of a token.
pub(super) struct Claims<'a>(pub(super) &'a Map<String, Json>);

/// What tokens are held to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected<'a> {
    pub(super) checks: &'a TokenChecks,
    /// The client of the settings.
    pub(super) client: Option<&'a str>,
    /// Who the provider says it is.
    pub(super) issuer: &'a str,
}

/// Whom claims are about, for those who were given the token; nothing else of them is looked at.
pub(in crate::auth) fn claimed_user(claims: &Map<String, Json>, config: &OidcConfig) -> Option<User> {
    let expected = Expected { checks: &config.checks, client: config.client_id.as_deref(), issuer: "" };
    Claims(claims).user(expected).ok()
}

impl Claims<'_> {
    /// Until when the token counts, if it counts now.
    pub(super) fn end(&self, now: Timestamp) -> Result<Timestamp, Refusal> {
        let moment = |claim: &str| self.0.get(claim).map(|value| value.as_f64().and_then(moment));
        let end = moment("exp").flatten().ok_or(Refusal::Endless)?;
        let end = Timestamp::from_micros(end.saturating_add(LEEWAY));
        if now >= end {
            return Err(Refusal::Expired);
        }
        match moment("nbf") {
            Some(begin) if begin.is_none_or(|begin| begin.saturating_sub(LEEWAY) > now.micros()) => Err(Refusal::Early),
            _ => Ok(end),
        }
    }

    /// Whether it is from whom and for whom it has to be.
    pub(super) fn check(&self, expected: Expected<'_>) -> Result<(), Refusal> {
        let Expected { checks, client, issuer } = expected;
        if self.text("typ").is_some_and(|kind| OTHER_USES.contains(&kind)) {
            return Err(Refusal::OtherUse);
        }
        let issuer = checks.issuer.as_deref().or(if checks.check_issuer { Some(issuer) } else { None });
        if issuer.is_some_and(|issuer| self.text("iss") != Some(issuer)) {
            return Err(Refusal::Issuer);
        }
        let is_for = |name: &str| match self.0.get("aud") {
            Some(Json::String(audience)) => audience == name,
            Some(Json::Array(all)) => all.iter().any(|audience| audience.as_str() == Some(name)),
            _ => false,
        };
        let is_right = match (&checks.audience, checks.check_audience, client) {
            (Some(audience), ..) => is_for(audience),
            (None, false, _) => true,
            (None, true, Some(client)) => is_for(client) || self.text("azp") == Some(client),
            (None, true, None) => false,
        };
        if is_right { Ok(()) } else { Err(Refusal::Audience) }
    }

    /// Who asks.
    pub(super) fn user(&self, expected: Expected<'_>) -> Result<User, Refusal> {
        let Expected { checks, client, .. } = expected;
        let names = NAMES.iter().filter_map(|claim| self.text(claim));
        let name = names.filter(|name| !name.is_empty()).map(str::to_owned).next().ok_or(Refusal::Nameless)?;
        let mut roles = words(self.0.get("roles"));
        if let Some(client) = client {
            let access = self.0.get("resource_access").and_then(|access| access.get(client));
            roles.append(&mut words(access.and_then(|access| access.get("roles"))));
        }
        let mut groups = words(self.0.get("groups"));
        let own = |path: &Option<String>| words(path.as_deref().and_then(|path| self.at(path)));
        roles.append(&mut own(&checks.roles_claim));
        groups.append(&mut own(&checks.groups_claim));
        Ok(User { name, roles, groups, ..User::default() })
    }

    fn text(&self, claim: &str) -> Option<&str> {
        self.0.get(claim)?.as_str()
    }

    /// The claim of a name, which may have dots as URLs have, or else the one inside of others.
    fn at(&self, path: &str) -> Option<&Json> {
        if let Some(claim) = self.0.get(path) {
            return Some(claim);
        }
        let mut names = path.split('.');
        let first = self.0.get(names.next()?)?;
        names.try_fold(first, |claim, name| claim.get(name))
    }
}

/// The texts of a list, as roles and groups are.
fn words(claim: Option<&Json>) -> BTreeSet<String> {
    claim.and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect()
}

/// Seconds, which may have parts, in microseconds.
fn moment(seconds: f64) -> Option<i64> {
    // Until the year 10000; what is beyond is no moment that somebody means.
    const LAST: f64 = 253_402_300_800.0;
    #[expect(clippy::cast_possible_truncation, reason = "it is in range, and parts of microseconds do not matter")]
    (0.0..LAST).contains(&seconds).then_some((seconds * 1e6) as i64)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000_000_000);

    fn checks() -> TokenChecks {
        TokenChecks {
            audience: None,
            issuer: None,
            check_audience: true,
            check_issuer: true,
            roles_claim: None,
            groups_claim: None,
            keys_lifespan: Duration::from_secs(300),
        }
    }

    fn ends(claims: Json) -> Result<i64, Refusal> {
        Claims(claims.as_object().unwrap()).end(NOW).map(|end| end.micros() / 1_000_000)
    }

    fn checked(claims: Json, checks: &TokenChecks, client: Option<&str>) -> Result<(), Refusal> {
        Claims(claims.as_object().unwrap()).check(Expected { checks, client, issuer: "idp" })
    }

    fn user(claims: Json, checks: &TokenChecks) -> Result<User, Refusal> {
        Claims(claims.as_object().unwrap()).user(Expected { checks, client: Some("store"), issuer: "idp" })
    }

    #[test]
    fn a_token_counts_from_its_beginning_to_its_end_with_leeway() {
        assert_eq!(ends(json!({ "exp": 1_000_001 })), Ok(1_000_011));
        assert_eq!(ends(json!({ "exp": 999_991.5, "nbf": 1_000_009 })), Ok(1_000_001));
        assert_eq!(ends(json!({ "exp": 999_990 })), Err(Refusal::Expired));
        assert_eq!(ends(json!({ "exp": 1_000_001, "nbf": 1_000_011 })), Err(Refusal::Early));
        assert_eq!(ends(json!({ "exp": 1_000_001, "nbf": "soon" })), Err(Refusal::Early));
        for endless in [
            json!({}),
            json!({ "exp": "never" }),
            json!({ "exp": null }),
            json!({ "exp": 1e300 }),
            json!({ "exp": -1 }),
        ] {
            assert_eq!(ends(endless.clone()), Err(Refusal::Endless), "{endless}");
        }
    }

    #[test]
    fn a_token_is_for_the_client_unless_something_else_is_set() {
        let strict = checks();
        for aud in [json!("store"), json!(["account", "store"])] {
            assert_eq!(checked(json!({ "iss": "idp", "aud": aud }), &strict, Some("store")), Ok(()));
        }
        assert_eq!(checked(json!({ "iss": "idp", "aud": "account", "azp": "store" }), &strict, Some("store")), Ok(()));
        for other in [json!({ "iss": "idp" }), json!({ "iss": "idp", "aud": "stores", "azp": "store2" })] {
            assert_eq!(checked(other.clone(), &strict, Some("store")), Err(Refusal::Audience), "{other}");
        }
        let set = TokenChecks { audience: Some("api".to_owned()), check_audience: false, ..checks() };
        assert_eq!(checked(json!({ "iss": "idp", "aud": "api" }), &set, Some("store")), Ok(()));
        assert_eq!(checked(json!({ "iss": "idp", "aud": "store" }), &set, Some("store")), Err(Refusal::Audience));
        let lenient = TokenChecks { check_audience: false, ..checks() };
        assert_eq!(checked(json!({ "iss": "idp" }), &lenient, None), Ok(()));
        assert_eq!(checked(json!({ "iss": "idp", "aud": "x" }), &strict, None), Err(Refusal::Audience));
    }

    #[test]
    fn a_token_is_of_the_provider_unless_something_else_is_set() {
        let lenient = TokenChecks { check_audience: false, ..checks() };
        for other in [json!({ "iss": "idp/" }), json!({ "iss": ["idp"] }), json!({})] {
            assert_eq!(checked(other.clone(), &lenient, None), Err(Refusal::Issuer), "{other}");
        }
        let set = TokenChecks { issuer: Some("sts".to_owned()), check_issuer: false, ..lenient.clone() };
        assert_eq!(checked(json!({ "iss": "sts" }), &set, None), Ok(()));
        assert_eq!(checked(json!({ "iss": "idp" }), &set, None), Err(Refusal::Issuer));
        let anybody = TokenChecks { check_issuer: false, ..lenient };
        assert_eq!(checked(json!({ "iss": "other" }), &anybody, None), Ok(()));
        for kind in OTHER_USES {
            assert_eq!(checked(json!({ "typ": kind }), &anybody, None), Err(Refusal::OtherUse));
        }
        assert_eq!(checked(json!({ "typ": "Bearer" }), &anybody, None), Ok(()));
    }

    #[test]
    fn roles_and_groups_are_where_feast_looks_and_where_the_settings_say() {
        let claims = json!({
            "preferred_username": "ann", "azp": "app", "roles": ["top", 7], "groups": ["/g"],
            "resource_access": { "store": { "roles": ["reader"] }, "other": { "roles": ["admin"] } },
            "realm_access": { "roles": ["realm"] }, "https://x.example/teams": ["t"]
        });
        let set = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
        let found = user(claims.clone(), &checks()).unwrap();
        assert_eq!((found.name.as_str(), found.roles, found.groups), ("ann", set(&["reader", "top"]), set(&["/g"])));
        let own = TokenChecks {
            roles_claim: Some("realm_access.roles".to_owned()),
            groups_claim: Some("https://x.example/teams".to_owned()),
            ..checks()
        };
        let found = user(claims, &own).unwrap();
        assert_eq!((found.roles, found.groups), (set(&["reader", "realm", "top"]), set(&["/g", "t"])));
    }

    #[test]
    fn the_name_is_the_first_text_of_feasts_claims() {
        let name = |claims: Json| user(claims, &checks()).map(|user| user.name);
        assert_eq!(name(json!({ "preferred_username": null, "upn": 7, "azp": "app", "sub": "s" })).unwrap(), "app");
        assert_eq!(name(json!({ "preferred_username": "", "sub": "s" })).unwrap(), "s");
        assert_eq!(name(json!({ "name": "ann" })), Err(Refusal::Nameless));
    }
}
