//! Why a token does not count.

use crate::problem::{Kind, Problem};

/// Why a token does not count. It never repeats the token or what is in it, apart from names that its signer vouches for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::auth) enum Refusal {
    #[error("there is no access token")]
    Missing,
    #[error("there are several `authorization` headers")]
    Several,
    #[error("the `authorization` header is not `Bearer` and a token")]
    NoBearer,
    #[error("the access token is too long")]
    TooLong,
    #[error("the access token is no JSON Web Token")]
    NoToken,
    #[error("the access token has no signature of a kind that counts")]
    Algorithm,
    #[error("the access token demands what is not known")]
    Critical,
    #[error("no key of the identity provider has signed the access token")]
    UnknownKey,
    #[error("the signature of the access token is wrong")]
    Signature,
    #[error("the access token does not say when it ends")]
    Endless,
    #[error("the access token has expired")]
    Expired,
    #[error("the access token is not valid yet")]
    Early,
    #[error("the access token was issued by somebody else")]
    Issuer,
    #[error("the access token is for somebody else")]
    Audience,
    #[error("the token is none for access")]
    OtherUse,
    #[error("the access token does not say who asks")]
    Nameless,
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let help = match refusal {
            Refusal::Missing | Refusal::Several | Refusal::NoBearer => "send `Authorization: Bearer TOKEN`, once",
            Refusal::Expired => "get a new one",
            Refusal::Early => "compare the clocks of the identity provider and of the server",
            Refusal::Issuer => "get one from the identity provider of the server, under the URL that the server knows",
            Refusal::Audience => {
                "get one for the client of the server, or have the identity provider name that client as audience"
            }
            _ => "get one from the identity provider of the server",
        };
        Self::new(Kind::Unauthenticated, refusal.to_string(), help.to_owned())
    }
}
