//! Who may tell of events: those who know a token.

use std::borrow::Cow;

use axum::http::{HeaderMap, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::{
    config::Password,
    problem::{Kind, Problem},
};

/// Tokens, one of which has to be sent; as digests, which are all of one length.
#[derive(Clone, Default)]
pub struct Tokens(Vec<[u8; 32]>);

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Tokens {
    /// Nobody is asked for a token.
    pub fn none() -> Self {
        Self::default()
    }

    /// One of these is wanted.
    ///
    /// # Errors
    /// When there is none, or one has letters that no header has.
    pub fn of(tokens: &[Password]) -> Result<Self, Problem> {
        let is_sendable = |token: &Password| !token.0.is_empty() && token.0.bytes().all(|byte| byte.is_ascii_graphic());
        if tokens.is_empty() || !tokens.iter().all(is_sendable) {
            let message = "a token is empty, or has letters that no header has";
            return Err(Problem::new(Kind::Invalid, message, "use visible ASCII letters without blanks".to_owned()));
        }
        Ok(Self(tokens.iter().map(|token| digest(token.0.as_bytes())).collect()))
    }

    /// Whether somebody with these headers may tell of events.
    ///
    /// # Errors
    /// [`Kind::Unauthenticated`] without a token, [`Kind::Denied`] with a wrong one.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        if self.0.is_empty() {
            return Ok(());
        }
        let Some(sent) = headers.get(header::AUTHORIZATION).map(|value| bare(value.as_bytes())) else {
            return Err(Problem::new(Kind::Unauthenticated, "the request has no bearer token", None));
        };
        let sent = digest(&sent);
        // All are compared, so that the time says nothing.
        let found = self.0.iter().fold(subtle::Choice::from(0), |found, token| found | token.ct_eq(&sent));
        if bool::from(found) { Ok(()) } else { Err(Problem::new(Kind::Denied, "the bearer token is wrong", None)) }
    }
}

/// The token of a header; some gateways write it without `Bearer`, and topics of SNS have it as the password of their URL.
fn bare(value: &[u8]) -> Cow<'_, [u8]> {
    if let Some((scheme, token)) = value.split_at_checked(7)
        && scheme.eq_ignore_ascii_case(b"bearer ")
    {
        return token.trim_ascii().into();
    }
    if let Some((scheme, login)) = value.split_at_checked(6)
        && scheme.eq_ignore_ascii_case(b"basic ")
    {
        let login = STANDARD.decode(login.trim_ascii()).unwrap_or_default();
        let password = login.iter().position(|byte| *byte == b':').map(|colon| login[colon + 1..].to_vec());
        return password.unwrap_or_default().into();
    }
    value.trim_ascii().into()
}

fn digest(token: &[u8]) -> [u8; 32] {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password(text.to_owned())
    }

    #[test]
    fn one_of_the_tokens_is_enough() {
        let tokens = Tokens::of(&[password("old"), password("new")]).unwrap();
        let check = |sent: Option<&str>| {
            let headers = sent.map(|sent| (header::AUTHORIZATION, sent.parse().unwrap()));
            tokens.check(&headers.into_iter().collect()).map_err(|problem| problem.kind)
        };
        // The last ones are passwords of URLs: `events:old`, `:new`.
        for right in ["Bearer old", "bearer new", "Bearer  new ", "old", "Basic ZXZlbnRzOm9sZA==", "basic Om5ldw=="] {
            assert_eq!(check(Some(right)), Ok(()), "{right}");
        }
        assert_eq!(check(None), Err(Kind::Unauthenticated));
        for wrong in ["Bearer ol", "Bearer older", "Bearer ", "", "Basic old", "Basic b2xk", "Bearer old new"] {
            assert_eq!(check(Some(wrong)), Err(Kind::Denied), "{wrong}");
        }
        assert!(Tokens::none().check(&HeaderMap::new()).is_ok());
    }

    #[test]
    fn tokens_can_be_sent_and_are_not_shown() {
        for wrong in [&[][..], &[password("")], &[password("a b")], &[password("ä")]] {
            assert!(Tokens::of(wrong).is_err());
        }
        assert_eq!(format!("{:?}", Tokens::of(&[password("s3cret")]).unwrap()), "***");
    }
}
