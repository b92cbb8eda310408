//! Whether the API server lets somebody do something with an object, which is a resource of an API group in a namespace for it
//! (`SubjectAccessReview` of `authorization.k8s.io/v1`).

use std::{collections::BTreeSet, fmt, sync::OnceLock, time::Duration};

use serde::Deserialize;
use serde_json::json;

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

/// Asks the API server who may do what. Threads can share it.
pub struct AccessReviews {
    config: KubernetesConfig,
    api_group: String,
    api: OnceLock<ApiServer>,
    kept: Kept<Question, bool>,
}

/// What is asked: whether an account may do something with one resource, or with all of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Question {
    user: String,
    groups: BTreeSet<String>,
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
struct Status {
    #[serde(default)]
    allowed: bool,
    #[serde(default)]
    denied: bool,
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

    /// Whether it is known without asking that a user may do something.
    pub fn known(&self, user: &User, attempt: Attempt<'_>) -> Option<bool> {
        let whole = self.kept.at_hand(&Question::of(user, attempt, None));
        match whole {
            Some(true) => whole,
            _ => self.kept.at_hand(&Question::of(user, attempt, Some(attempt.name))),
        }
    }

    /// Whether a user may do something with all resources of a kind, or with the one that has the name.
    ///
    /// # Errors
    /// When the API server cannot be asked.
    pub async fn allow(&self, user: &User, attempt: Attempt<'_>) -> Result<bool, Problem> {
        // One answer for a role serves all names.
        Ok(self.allow_all(user, attempt).await? || self.ask(Question::of(user, attempt, Some(attempt.name))).await?)
    }

    /// Whether a user may do something with all resources of a kind, whatever their name.
    ///
    /// # Errors
    /// As [`Self::allow`].
    pub async fn allow_all(&self, user: &User, attempt: Attempt<'_>) -> Result<bool, Problem> {
        self.ask(Question::of(user, attempt, None)).await
    }

    async fn ask(&self, question: Question) -> Result<bool, Problem> {
        let review = question.clone();
        self.kept
            .get(question, async {
                let lifespan = self.config.lifespan;
                let allowed = review.put(self.api()?, &self.api_group).await?;
                Ok((allowed, if allowed { lifespan } else { lifespan.min(DENIED) }))
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
            groups: user.groups.clone(),
            verb: attempt.verb.to_owned(),
            resource: attempt.resource.to_owned(),
            namespace: attempt.namespace.to_owned(),
            name: name.map(str::to_owned),
        }
    }

    async fn put(&self, api: &ApiServer, api_group: &str) -> Result<bool, Problem> {
        let mut attributes = json!({
            "group": api_group, "resource": self.resource, "verb": self.verb, "namespace": self.namespace,
        });
        if let Some(name) = &self.name {
            attributes["name"] = json!(name);
        }
        let spec = json!({ "user": self.user, "groups": self.groups, "resourceAttributes": attributes });
        let review = json!({ "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec });
        let Review { status } = api.create(PATH, &review).await?;
        Ok(status.allowed && !status.denied)
    }
}
