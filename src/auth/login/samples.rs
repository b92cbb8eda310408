//! Settings for tests.

use std::time::Duration;

use url::Url;

use crate::config::{Credentials, OidcConfig, TokenChecks};

/// The settings of client `store` at a provider, which gets tokens in some way.
pub(super) fn oidc(credentials: Credentials) -> OidcConfig {
    let seconds = Duration::from_secs;
    OidcConfig {
        discovery_url: Some(Url::parse("http://idp.example.com/.well-known/openid-configuration").unwrap()),
        client_id: Some("store".to_owned()),
        verify_ssl: true,
        authorities: None,
        request_timeout: seconds(10),
        checks: TokenChecks {
            audience: None,
            issuer: None,
            check_audience: true,
            check_issuer: true,
            roles_claim: None,
            groups_claim: None,
            keys_lifespan: seconds(300),
        },
        credentials,
        token_file: None,
        refresh_margin: seconds(30),
    }
}
