//! Whether the API server lets somebody do something with an object, which is a resource of an API group in a namespace for it
//! (`SubjectAccessReview` of `authorization.k8s.io/v1`).

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{api_server::ApiServer, kept::Kept};
use crate::{
    config::{AuthMethod, Decisions, KubernetesConfig},
    permissions::User,
    problem::Problem,
};

const PATH: &str = "/apis/authorization.k8s.io/v1/subjectaccessreviews";

/// How long it counts that somebody may not: those who are given a role need not wait long.
const DENIED: Duration = Duration::from_secs(5);

/// Something that somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Attempt<'a> {
    /// What: `get`, `list`, `create`, `update`, `delete`.
    pub verb: &'a str,
    /// With a resource of which kind, such as `featureviews`.
    pub resource: &'a str,
    /// In which namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
}

/// What the API server says of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it lets the user.
    pub allowed: bool,
    /// Why, in its own words; it need not say.
    pub reason: String,
}

/// Asks the API server who may do what. Threads can share it.
pub struct AccessReviews {
    config: KubernetesConfig,
    api_group: String,
    api: OnceLock<ApiServer>,
    kept: Kept<Question, Arc<Verdict>>,
}

/// What is asked: whether an account may do something with one resource, or with all of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Question {
    user: String,
    uid: String,
    groups: BTreeSet<String>,
    extra: BTreeMap<String, Vec<String>>,
    verb: String,
    resource: String,
    namespace: String,
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Review {
    status: Status,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    #[serde(default)]
    allowed: bool,
    #[serde(default)]
    denied: bool,
    #[serde(default)]
    reason: String,
    /// What went wrong on the way to the decision, which counts all the same.
    #[serde(default)]
    evaluation_error: String,
}

impl fmt::Debug for AccessReviews {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessReviews").field("api_group", &self.api_group).finish_non_exhaustive()
    }
}

impl AccessReviews {
    /// What asks as the settings say; `None` where the API server does not decide. Nothing is asked yet.
    pub fn of(method: &AuthMethod) -> Option<Self> {
        let AuthMethod::Kubernetes(config) = method else { return None };
        let Decisions::AccessReviews { api_group } = &config.decisions else { return None };
        let config = config.as_ref().clone();
        Some(Self { api_group: api_group.clone(), config, api: OnceLock::new(), kept: Kept::default() })
    }

    /// The API group whose resources objects are.
    pub fn api_group(&self) -> &str {
        &self.api_group
    }

    /// What [`Self::review`] says, if that is known without asking.
    pub fn known(&self, user: &User, attempt: Attempt<'_>) -> Option<Arc<Verdict>> {
        match self.kept.at_hand(&Question::of(user, attempt, None)) {
            Some(whole) if whole.allowed => Some(whole),
            _ => self.kept.at_hand(&Question::of(user, attempt, Some(attempt.name))),
        }
    }

    /// Whether a user may do something with all resources of a kind, or with the one that has the name.
    ///
    /// # Errors
    /// When the API server cannot be asked.
    pub async fn review(&self, user: &User, attempt: Attempt<'_>) -> Result<Arc<Verdict>, Problem> {
        // One answer for a role serves all names.
        let whole = self.review_all(user, attempt).await?;
        match whole.allowed {
            true => Ok(whole),
            false => self.ask(Question::of(user, attempt, Some(attempt.name))).await,
        }
    }

    /// Whether a user may do something with all resources of a kind, whatever their name.
    ///
    /// # Errors
    /// As [`Self::review`].
    pub async fn review_all(&self, user: &User, attempt: Attempt<'_>) -> Result<Arc<Verdict>, Problem> {
        self.ask(Question::of(user, attempt, None)).await
    }

    async fn ask(&self, question: Question) -> Result<Arc<Verdict>, Problem> {
        let review = question.clone();
        self.kept
            .get(question, async {
                let lifespan = self.config.lifespan;
                let verdict = review.put(self.api()?, &self.api_group).await?;
                let counts = if verdict.allowed { lifespan } else { lifespan.min(DENIED) };
                Ok((Arc::new(verdict), counts))
            })
            .await
    }

    fn api(&self) -> Result<&ApiServer, Problem> {
        if let Some(api) = self.api.get() {
            return Ok(api);
        }
        let api = ApiServer::open(&self.config)?;
        Ok(self.api.get_or_init(|| api))
    }
}

impl Question {
    fn of(user: &User, attempt: Attempt<'_>, name: Option<&str>) -> Self {
        Self {
            user: user.name.clone(),
            uid: user.uid.clone(),
            groups: user.groups.clone(),
            extra: user.extra.clone(),
            verb: attempt.verb.to_owned(),
            resource: attempt.resource.to_owned(),
            namespace: attempt.namespace.to_owned(),
            name: name.map(str::to_owned),
        }
    }

    async fn put(&self, api: &ApiServer, api_group: &str) -> Result<Verdict, Problem> {
        let Review { status } = api.create(PATH, &self.written(api_group)).await?;
        Ok(status.verdict())
    }

    /// The review that is asked for. Whoever decides there is told all that the review of the token has said.
    fn written(&self, api_group: &str) -> Json {
        let mut attributes = json!({
            "group": api_group, "resource": self.resource, "verb": self.verb, "namespace": self.namespace,
        });
        if let Some(name) = &self.name {
            attributes["name"] = json!(name);
        }
        let mut spec = json!({ "user": self.user, "groups": self.groups, "resourceAttributes": attributes });
        if !self.uid.is_empty() {
            spec["uid"] = json!(self.uid);
        }
        if !self.extra.is_empty() {
            spec["extra"] = json!(self.extra);
        }
        json!({ "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec })
    }
}

impl Status {
    fn verdict(self) -> Verdict {
        let said = [self.reason, self.evaluation_error];
        let said: Vec<&str> = said.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
        Verdict { allowed: self.allowed && !self.denied, reason: said.join("; ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_known_of_the_user_is_told() {
        let extra = BTreeMap::from([("scopes".to_owned(), vec!["b".to_owned(), "a".to_owned()])]);
        let groups = BTreeSet::from(["team".to_owned()]);
        let user = User { name: "ann".to_owned(), groups, uid: "7".to_owned(), extra, ..User::default() };
        let attempt = Attempt { verb: "get", resource: "featureviews", namespace: "shop", name: "clicks" };
        let spec = |user: &User, name| Question::of(user, attempt, name).written("features.example.com")["spec"].take();
        let mut attributes = json!({
            "group": "features.example.com", "resource": "featureviews", "verb": "get", "namespace": "shop",
        });
        assert_eq!(
            spec(&user, None),
            json!({
                "user": "ann", "uid": "7", "groups": ["team"], "extra": { "scopes": ["b", "a"] },
                "resourceAttributes": attributes,
            })
        );
        attributes["name"] = json!("clicks");
        let nobody = User { name: "bob".to_owned(), ..User::default() };
        assert_eq!(
            spec(&nobody, Some("clicks")),
            json!({ "user": "bob", "groups": [], "resourceAttributes": attributes })
        );
    }

    #[test]
    fn only_a_clear_yes_allows() {
        let verdict = |status: Json| serde_json::from_value::<Status>(status).unwrap().verdict();
        let said = |allowed, reason: &str| Verdict { allowed, reason: reason.to_owned() };
        assert_eq!(verdict(json!({ "allowed": true, "reason": "RBAC" })), said(true, "RBAC"));
        assert_eq!(verdict(json!({ "allowed": true, "denied": true })), said(false, ""));
        let missing = json!({ "allowed": false, "reason": "no", "evaluationError": "there is no role" });
        assert_eq!(verdict(missing), said(false, "no; there is no role"));
        assert_eq!(verdict(json!({})), said(false, ""));
    }
}
