//! Who somebody is to servers, for those who want to see it.

use std::{collections::BTreeSet, sync::Arc};

use super::{token::Token, way::Way};
use crate::model::Timestamp;

/// Who somebody is to servers, as the token says that is sent to them. Servers may see less in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// The name; `None` if the token is made for its issuer alone, or is the secret that servers share.
    pub user: Option<String>,
    /// The roles of the user at the client of the settings.
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
    /// What a token says, which came in some way for some client.
    pub(super) fn of(token: &Arc<Token>, way: &Way, client: Option<&str>) -> Self {
        let known = Self { expires: token.expires(), place: way.place(), ..Self::default() };
        // What stands in the place of a name is secret there.
        let Some(claims) = token.claims().filter(|_| !matches!(way, Way::Server(_))) else { return known };
        let owned = |words: BTreeSet<&str>| words.into_iter().map(str::to_owned).collect();
        Self {
            user: claims.user().map(str::to_owned),
            roles: owned(claims.roles(client)),
            groups: owned(claims.groups()),
            issuer: claims.issuer().map(str::to_owned),
            audience: claims.audience().into_iter().map(str::to_owned).collect(),
            ..known
        }
    }
}
