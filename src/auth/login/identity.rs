//! Who somebody is to servers, for those who want to see it.

use std::collections::BTreeSet;

use super::{token::Token, way::Way};
use crate::{config::OidcConfig, model::Timestamp};

/// Who somebody is to servers, as the token says that is sent to them. Servers may see less in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// The name; `None` if the token is made for its issuer alone, or is the secret that servers share.
    pub user: Option<String>,
    /// The roles of the user, where the settings look for them.
    pub roles: BTreeSet<String>,
    /// The groups that the user is in.
    pub groups: BTreeSet<String>,
    /// Who has issued the token.
    pub issuer: Option<String>,
    /// Whom it is for.
    pub audience: Vec<String>,
    /// When it ends, if anybody said so.
    pub expires: Option<Timestamp>,
    /// Where it comes from, as it reads after "the token of".
    pub place: String,
}

impl Identity {
    /// What a token says, which came in some way, to servers with these settings; without any it is one of Kubernetes.
    pub(super) fn of(token: &Token, way: &Way, oidc: Option<&OidcConfig>) -> Self {
        let known = Self { expires: token.expires(), place: way.place(), ..Self::default() };
        // What stands in the place of a name is secret there.
        let Some(claims) = token.claims().filter(|_| !matches!(way, Way::Server(_))) else { return known };
        let user = match oidc {
            Some(oidc) => claims.user(oidc),
            None => claims.account(),
        };
        let (user, roles, groups) =
            user.map_or_else(Default::default, |user| (Some(user.name), user.roles, user.groups));
        let issuer = claims.issuer().map(str::to_owned);
        let audience = claims.audience().into_iter().map(str::to_owned).collect();
        Self { user, roles, groups, issuer, audience, ..known }
    }
}
