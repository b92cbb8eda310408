//! Who asks, by the token that they send.

use std::{fmt, sync::Arc};

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde_json::{Map, Value as Json};

use super::{
    super::Provider,
    bearer::bearer,
    claims::{Claims, Expected},
    header::Header,
    provider_keys::ProviderKeys,
    refusal::Refusal,
    remembered::{Remembered, digest},
    shared_secret::SharedSecret,
};
use crate::{
    config::{OidcConfig, Password, TokenChecks},
    model::Timestamp,
    permissions::User,
    problem::{Kind, Problem},
};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// Somebody whom the identity provider, or Kubernetes, knows.
    User(Arc<User>),
    /// Another server of the same store.
    Internal,
}

/// Finds out who asks. Threads can share it.
pub struct Verifier {
    keys: Arc<ProviderKeys>,
    checks: TokenChecks,
    client: Option<String>,
    secret: Option<SharedSecret>,
    remembered: Remembered,
    clock: fn() -> Timestamp,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("checks", &self.checks).finish_non_exhaustive()
    }
}

impl Verifier {
    /// What checks tokens as the settings say. `secret` is what servers of the store share, if they do. The provider is asked
    /// when the first token comes, or by [`Self::prepare`].
    ///
    /// # Errors
    /// When the settings do not say whose tokens count, or encryption cannot be set up.
    pub fn new(config: &OidcConfig, secret: Option<&Password>, clock: fn() -> Timestamp) -> Result<Self, Problem> {
        let checks = config.checks.clone();
        if checks.audience.is_none() && checks.check_audience && config.client_id.is_none() {
            let message = "nobody knows for whom tokens have to be: `auth` has neither `client_id` nor `audience`";
            let help = "set one of them; `feastr: {auth: {check_audience: false}}` takes tokens for anybody".to_owned();
            return Err(Problem::new(Kind::Invalid, message, help));
        }
        Ok(Self {
            keys: Arc::new(ProviderKeys::new(Provider::of(config)?, checks.keys_lifespan)),
            checks,
            client: config.client_id.clone(),
            secret: secret.and_then(SharedSecret::of),
            remembered: Remembered::default(),
            clock,
        })
    }

    /// Asks the provider for its keys, so that the first token need not wait.
    ///
    /// # Errors
    /// When they were never read and cannot be.
    pub async fn prepare(&self) -> Result<(), Problem> {
        self.keys.known().await.map(drop)
    }

    /// Who asks with these `authorization` headers.
    ///
    /// # Errors
    /// [`Kind::Unauthenticated`] when there is no token or it does not count; [`Kind::Unavailable`] or [`Kind::Deadline`] when
    /// the keys of the identity provider were never read and cannot be.
    pub async fn identify<'a>(&self, headers: impl IntoIterator<Item = &'a [u8]>) -> Result<Identity, Problem> {
        let token = bearer(headers)?;
        if self.secret.as_ref().is_some_and(|secret| secret.is_sent(token)) {
            return Ok(Identity::Internal);
        }
        let (digest, mut known) = (digest(token), self.keys.known().await?);
        if let Some(user) = self.remembered.get(&digest, known.generation, (self.clock)()) {
            return Ok(Identity::User(user));
        }
        let header = Header::of(token)?;
        let (algorithm, id) = header.signature()?;
        if known.keys.find(id, algorithm).is_none() {
            known = self.keys.beyond(known).await;
        }
        let key = known.keys.find(id, algorithm).ok_or(Refusal::UnknownKey)?;
        let claims = signed(token, algorithm, key)?;
        let (claims, now) = (Claims(&claims), (self.clock)());
        let expected = Expected { checks: &self.checks, client: self.client.as_deref(), issuer: &known.issuer };
        let end = claims.end(now)?;
        claims.check(expected)?;
        let user = Arc::new(claims.user(expected)?);
        self.remembered.put(digest, &user, end, known.generation, now);
        Ok(Identity::User(user))
    }
}

/// The claims of a token whose signature is right. What they mean is checked by us: with reasons, and by our clock.
fn signed(token: &str, algorithm: Algorithm, key: &DecodingKey) -> Result<Map<String, Json>, Refusal> {
    let mut validation = Validation::new(algorithm);
    (validation.validate_exp, validation.validate_nbf, validation.validate_aud) = (false, false, false);
    validation.required_spec_claims.clear();
    decode::<Map<String, Json>>(token, key, &validation).map(|token| token.claims).map_err(|_| Refusal::Signature)
}
