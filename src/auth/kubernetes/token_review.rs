//! Whose a token is, as the API server says (`TokenReview` of `authentication.k8s.io/v1`).

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::json;

use super::api_server::ApiServer;
use crate::{permissions::User, problem::Problem};

const PATH: &str = "/apis/authentication.k8s.io/v1/tokenreviews";

/// How accounts of services are called, before their namespace and name.
const SERVICE_ACCOUNT: &str = "system:serviceaccount:";

/// Whose a token is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Account {
    /// What the API server calls it.
    pub(super) name: String,
    /// The groups that it is in.
    pub(super) groups: BTreeSet<String>,
    /// What it is told by, also from a later one of the same name.
    pub(super) uid: String,
    /// What the API server says of it besides.
    pub(super) extra: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Review {
    status: Status,
}

#[derive(Debug, Deserialize)]
struct Status {
    #[serde(default)]
    authenticated: bool,
    user: Option<UserInfo>,
    audiences: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct UserInfo {
    #[serde(default)]
    username: String,
    #[serde(default)]
    uid: String,
    groups: Option<Vec<String>>,
    extra: Option<BTreeMap<String, Vec<String>>>,
}

impl Account {
    /// Whose a token is; `None` if the API server does not accept it, or not for the audience.
    ///
    /// # Errors
    /// When the API server cannot be asked.
    pub(super) async fn of(api: &ApiServer, token: &str, audience: Option<&str>) -> Result<Option<Self>, Problem> {
        let mut spec = json!({ "token": token });
        if let Some(audience) = audience {
            spec["audiences"] = json!([audience]);
        }
        let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": spec });
        let Review { status } = api.create(PATH, &review).await?;
        Ok(status.account(audience))
    }

    /// The namespace and the name, if it is the account of a service.
    pub(super) fn service(&self) -> Option<(&str, &str)> {
        self.name.strip_prefix(SERVICE_ACCOUNT)?.split_once(':')
    }

    /// The user by whom the API server is asked what it lets this account do: all that it has said of it.
    pub(super) fn as_reviewed(&self) -> User {
        let Self { name, groups, uid, extra } = self.clone();
        User { name, groups, uid, extra, ..User::default() }
    }
}

/// The user that the API server makes of whoever proves to have a name: with the groups that it puts all of them into, and
/// accounts of services.
pub fn reviewed_user(name: &str, groups: &BTreeSet<String>) -> User {
    let mut account = Account { name: name.to_owned(), groups: groups.clone(), ..Account::default() };
    let namespace = account.service().map(|(namespace, _)| namespace.to_owned());
    account.groups.insert("system:authenticated".to_owned());
    if let Some(namespace) = namespace {
        account.groups.extend(["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")]);
    }
    account.as_reviewed()
}

impl Status {
    /// A server that knows nothing of audiences names none: then the token is for the API server.
    fn account(self, audience: Option<&str>) -> Option<Account> {
        let audiences = self.audiences.unwrap_or_default();
        let is_for_us = audience.is_none_or(|audience| audiences.iter().any(|named| named == audience));
        let user = self.user.filter(|user| self.authenticated && is_for_us && !user.username.is_empty())?;
        let UserInfo { username: name, uid, groups, extra } = user;
        Some(Account { name, groups: groups.into_iter().flatten().collect(), uid, extra: extra.unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(status: serde_json::Value, audience: Option<&str>) -> Option<String> {
        let status: Status = serde_json::from_value(status).unwrap();
        status.account(audience).map(|account| account.name)
    }

    #[test]
    fn only_what_was_found_right_for_the_audience_counts() {
        let user = json!({ "username": "system:serviceaccount:team:reader", "groups": ["system:authenticated"] });
        let right = json!({ "authenticated": true, "user": user, "audiences": ["features"] });
        assert_eq!(account(right.clone(), Some("features")).unwrap(), "system:serviceaccount:team:reader");
        assert_eq!(account(right.clone(), None).unwrap(), "system:serviceaccount:team:reader");
        assert_eq!(account(right, Some("others")), None);
        assert_eq!(account(json!({ "authenticated": true, "user": user }), Some("features")), None);
        assert_eq!(account(json!({ "user": user, "audiences": ["features"] }), Some("features")), None);
        assert_eq!(account(json!({ "authenticated": false, "user": user }), None), None);
        assert_eq!(account(json!({ "authenticated": true }), None), None);
        assert_eq!(account(json!({ "authenticated": true, "user": { "username": "" } }), None), None);
    }

    #[test]
    fn accounts_of_services_have_a_namespace() {
        let service = |name: &str| {
            let account = Account { name: name.to_owned(), ..Account::default() };
            account.service().map(|(namespace, name)| (namespace.to_owned(), name.to_owned()))
        };
        assert_eq!(service("system:serviceaccount:team:reader"), Some(("team".to_owned(), "reader".to_owned())));
        assert_eq!(
            [service("ann"), service("system:serviceaccount:team"), service("x:team:reader")],
            [None, None, None]
        );
    }
}
