//! What a path is about, and what is said of it.

use axum::{
    http::{Method, StatusCode},
    response::Response,
};
use serde_json::{Value as Json, json};

use super::answer::failure;

/// What a path is about.
#[derive(Debug, Clone, Copy)]
pub struct Place<'u> {
    pub group: &'u str,
    pub namespace: Option<&'u str>,
    pub resource: &'u str,
    pub name: Option<&'u str>,
    pub part: Option<&'u str>,
}

impl<'u> Place<'u> {
    pub fn of(path: &'u str) -> Option<Self> {
        let mut words: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        let group = match words.as_slice() {
            ["api", "v1", ..] => {
                words.drain(..2);
                ""
            }
            [
                "apis",
                group @ ("authentication.k8s.io" | "authorization.k8s.io" | "rbac.authorization.k8s.io"),
                "v1",
                ..,
            ] => {
                let group = *group;
                words.drain(..3);
                group
            }
            _ => return None,
        };
        let namespace = match words.as_slice() {
            ["namespaces", namespace, _, ..] => {
                let namespace = *namespace;
                words.drain(..2);
                Some(namespace)
            }
            _ => None,
        };
        let mut words = words.into_iter();
        let place = Self { group, namespace, resource: words.next()?, name: words.next(), part: words.next() };
        (!place.kind().is_empty()).then_some(place)
    }

    /// What a request does there, as roles call it.
    pub fn verb(self, method: &Method, watches: bool) -> Option<&'static str> {
        Some(match (method, self.name, watches) {
            (&Method::POST, ..) => "create",
            (&Method::PUT, Some(_), _) => "update",
            (&Method::DELETE, Some(_), _) => "delete",
            (&Method::GET, Some(_), _) => "get",
            (&Method::GET, None, true) => "watch",
            (&Method::GET, None, false) => "list",
            _ => return None,
        })
    }

    /// What objects there are called; empty where there are none.
    pub fn kind(self) -> &'static str {
        match (self.group, self.resource, self.part) {
            ("", "namespaces", None) => "Namespace",
            ("", "pods", None) => "Pod",
            ("", "serviceaccounts", None) => "ServiceAccount",
            ("", "serviceaccounts", Some("token")) => "TokenRequest",
            ("authentication.k8s.io", "tokenreviews", None) => "TokenReview",
            ("authorization.k8s.io", "subjectaccessreviews", None) => "SubjectAccessReview",
            ("rbac.authorization.k8s.io", "roles", None) => "Role",
            ("rbac.authorization.k8s.io", "rolebindings", None) => "RoleBinding",
            ("rbac.authorization.k8s.io", "clusterroles", None) => "ClusterRole",
            ("rbac.authorization.k8s.io", "clusterrolebindings", None) => "ClusterRoleBinding",
            _ => "",
        }
    }

    /// The group of the kind, which is another one for requests of tokens.
    fn kind_group(self) -> &'u str {
        if self.part == Some("token") { "authentication.k8s.io" } else { self.group }
    }

    /// The version of the API.
    pub fn version(self) -> String {
        match self.kind_group() {
            "" => "v1".to_owned(),
            group => format!("{group}/v1"),
        }
    }

    /// An object that says what it is.
    pub fn typed(self, object: &Json) -> Json {
        let mut object = object.clone();
        object["kind"] = json!(self.kind());
        object["apiVersion"] = json!(self.version());
        object
    }

    /// An object as it is listed.
    pub fn bare(object: &Json) -> Json {
        let mut object = object.clone();
        let fields = object.as_object_mut().unwrap();
        fields.remove("kind");
        fields.remove("apiVersion");
        object
    }

    /// An object that says nothing but how far a watch is.
    pub fn bookmark(self) -> Json {
        let mut object = self.typed(&json!({ "metadata": {} }));
        match self.resource {
            "rolebindings" | "clusterrolebindings" => {
                object["roleRef"] = json!({ "apiGroup": "", "kind": "", "name": "" });
            }
            "roles" | "clusterroles" => object["rules"] = Json::Null,
            _ => {}
        }
        object
    }

    /// The resource, or one of them, as messages name it.
    pub fn whole(self, name: Option<&str>) -> String {
        let resource = match self.group {
            "" => self.resource.to_owned(),
            group => format!("{}.{group}", self.resource),
        };
        match name {
            None => resource,
            Some(name) => format!("{resource} \"{name}\""),
        }
    }

    /// The same for programs.
    pub fn details(self, name: Option<&str>) -> Json {
        let mut details = json!({ "kind": self.resource });
        if !self.group.is_empty() {
            details["group"] = json!(self.group);
        }
        if let Some(name) = name {
            details["name"] = json!(name);
        }
        details
    }

    /// That there is none of a name.
    pub fn missing(self, name: &str) -> Response {
        let message = format!("{} not found", self.whole(Some(name)));
        failure(StatusCode::NOT_FOUND, "NotFound", &message, Some(self.details(Some(name))))
    }

    /// That an object is not as it has to be.
    pub fn invalid(self, name: &str, cause: &str) -> Response {
        let kind = match self.kind_group() {
            "" => self.kind().to_owned(),
            group => format!("{}.{group}", self.kind()),
        };
        let message = format!("{kind} \"{name}\" is invalid: {cause}");
        let mut details = json!({ "causes": [{ "message": cause }] });
        if !name.is_empty() {
            details["kind"] = json!(self.kind());
            details["name"] = json!(name);
        }
        if !self.kind_group().is_empty() {
            details["group"] = json!(self.kind_group());
        }
        failure(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", &message, Some(details))
    }

    /// That an object says it is something else than its place does, if it does.
    pub fn refuse_other_kind(self, object: &Json) -> Option<Response> {
        let other = |key: &str, is: &str| object.get(key).is_some_and(|said| said != is);
        if !other("kind", self.kind()) && !other("apiVersion", &self.version()) {
            return None;
        }
        let message = format!(
            "the object provided is unrecognized: {}/{} is no {}/{}",
            object["apiVersion"],
            object["kind"],
            self.version(),
            self.kind()
        );
        Some(failure(StatusCode::BAD_REQUEST, "BadRequest", &message, None))
    }
}
