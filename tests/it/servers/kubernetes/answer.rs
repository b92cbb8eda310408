//! Requests and answers.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::State as Extracted,
    http::{HeaderMap, Method, StatusCode, Uri, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value as Json, json};

use super::{
    OWN_AUDIENCE, State,
    cluster::Token,
    rbac::{Attempt, reason},
};

/// Answers a request to any path.
pub async fn answer(
    Extracted(state): Extracted<Arc<State>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let query: HashMap<String, String> =
        url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let token = headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let known = token.and_then(|token| state.cluster().known(token).cloned());
    let Some(asker) = known.filter(|token| token.audiences.iter().any(|audience| audience == OWN_AUDIENCE)) else {
        return failure(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized");
    };
    let Some(place) = Place::of(uri.path()) else {
        return failure(StatusCode::NOT_FOUND, "NotFound", "the server could not find the requested resource");
    };
    let verb = match (&method, place.name, query.contains_key("watch")) {
        (&Method::POST, ..) => "create",
        (&Method::DELETE, ..) => "delete",
        (&Method::GET, Some(_), _) => "get",
        (&Method::GET, None, true) => "watch",
        (&Method::GET, None, false) => "list",
        _ => {
            return failure(
                StatusCode::METHOD_NOT_ALLOWED,
                "MethodNotAllowed",
                "the server does not allow this method",
            );
        }
    };
    if let Some(refused) = forbidden(&state, &asker, verb, &place) {
        return refused;
    }
    let what = if verb == "create" { place.resource.to_owned() } else { format!("{verb} {}", place.resource) };
    state.cluster().note(what);
    match verb {
        "create" => {
            let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
            let object = match kind {
                "application/json" => serde_json::from_slice(&body).map_err(|error| error.to_string()),
                "application/yaml" => serde_yaml::from_slice(&body).map_err(|error| error.to_string()),
                other => {
                    let message = format!("the body of the request was in an unknown format: {other}");
                    return failure(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", &message);
                }
            };
            match object {
                Ok(object) => create(&state, &place, object),
                Err(message) => failure(StatusCode::BAD_REQUEST, "BadRequest", &message),
            }
        }
        "delete" => {
            let name = place.name.unwrap_or_default();
            match state.change(|cluster| cluster.remove(place.resource, place.namespace.unwrap_or_default(), name)) {
                true => (StatusCode::OK, json_of(&json!({ "kind": "Status", "status": "Success" }))).into_response(),
                false => {
                    failure(StatusCode::NOT_FOUND, "NotFound", &format!("{} \"{name}\" not found", place.resource))
                }
            }
        }
        "list" => list(&state, &place, &query),
        "watch" => watch(state, &place, &query),
        _ => failure(StatusCode::NOT_FOUND, "NotFound", "it is not there"),
    }
}

/// What a path is about.
struct Place<'u> {
    group: &'u str,
    namespace: Option<&'u str>,
    resource: &'u str,
    name: Option<&'u str>,
    part: Option<&'u str>,
}

impl<'u> Place<'u> {
    fn of(path: &'u str) -> Option<Self> {
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
        Some(Self { group, namespace, resource: words.next()?, name: words.next(), part: words.next() })
    }
}

fn forbidden(state: &State, asker: &Token, verb: &str, place: &Place<'_>) -> Option<Response> {
    let groups: Vec<&str> = asker.groups.iter().map(String::as_str).collect();
    let attempt = Attempt {
        user: &asker.name,
        groups: &groups,
        verb,
        group: place.group,
        resource: place.resource,
        namespace: place.namespace.unwrap_or_default(),
        name: place.name.unwrap_or_default(),
    };
    if reason(&state.cluster(), attempt).is_some() {
        return None;
    }
    let message = format!(
        "{}.{} is forbidden: User \"{}\" cannot {verb} resource \"{0}\" in API group \"{1}\" at the cluster scope",
        place.resource, place.group, asker.name
    );
    Some(failure(StatusCode::FORBIDDEN, "Forbidden", &message))
}

fn create(state: &State, place: &Place<'_>, mut object: Json) -> Response {
    let expected = match place.resource {
        "tokenreviews" => Some(("TokenReview", "authentication.k8s.io/v1")),
        "subjectaccessreviews" => Some(("SubjectAccessReview", "authorization.k8s.io/v1")),
        _ => None,
    };
    if let Some((kind, version)) = expected
        && (object["kind"] != kind || object["apiVersion"] != version)
    {
        return failure(StatusCode::BAD_REQUEST, "BadRequest", "the object is of another kind than its URL says");
    }
    match (place.resource, place.part) {
        ("tokenreviews", None) => match review(state, &object["spec"]) {
            Ok(status) => object["status"] = status,
            Err(message) => return failure(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message),
        },
        ("subjectaccessreviews", None) => match access(state, &object["spec"]) {
            Ok(status) => object["status"] = status,
            Err(message) => return failure(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message),
        },
        ("serviceaccounts", Some("token")) => {
            let (namespace, name) = (place.namespace.unwrap_or_default(), place.name.unwrap_or_default());
            let mut cluster = state.cluster();
            if !cluster.has("serviceaccounts", namespace, name) {
                let message = format!("serviceaccounts \"{name}\" not found");
                return failure(StatusCode::NOT_FOUND, "NotFound", &message);
            }
            let audiences = match object["spec"]["audiences"].as_array() {
                Some(named) => named.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
                None => vec![OWN_AUDIENCE.to_owned()],
            };
            let seconds = object["spec"]["expirationSeconds"].as_u64().unwrap_or(3600);
            object["status"] = json!({ "token": cluster.service_token(namespace, name, audiences, seconds) });
        }
        (collection, None) => {
            let namespace = place.namespace.unwrap_or_default();
            let Some(name) = object["metadata"]["name"].as_str() else {
                return failure(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", "name or generateName is required");
            };
            if state.cluster().has(collection, namespace, name) {
                let message = format!("{collection} \"{name}\" already exists");
                return failure(StatusCode::CONFLICT, "AlreadyExists", &message);
            }
            object = state.change(|cluster| cluster.put(collection, namespace, object.take()));
        }
        _ => return failure(StatusCode::NOT_FOUND, "NotFound", "the server could not find the requested resource"),
    }
    (StatusCode::CREATED, json_of(&object)).into_response()
}

/// What is said of a token.
fn review(state: &State, spec: &Json) -> Result<Json, &'static str> {
    let token = spec["token"].as_str().filter(|token| !token.is_empty()).ok_or("spec.token: Required value")?;
    let own = [OWN_AUDIENCE];
    let named: Vec<&str> = spec["audiences"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    let wanted = if named.is_empty() { own.as_slice() } else { named.as_slice() };
    let cluster = state.cluster();
    let Some(known) = cluster.known(token) else {
        return Ok(json!({ "user": {}, "error": "[invalid bearer token, the token is not known]" }));
    };
    let audiences: Vec<&str> =
        known.audiences.iter().map(String::as_str).filter(|audience| wanted.contains(audience)).collect();
    if audiences.is_empty() {
        let message = format!("token audiences {:?} is invalid for the target audiences {wanted:?}", known.audiences);
        return Ok(json!({ "user": {}, "error": format!("[invalid bearer token, {message}]") }));
    }
    let user = json!({ "username": known.name, "uid": "1", "groups": known.groups });
    Ok(json!({ "authenticated": true, "user": user, "audiences": audiences }))
}

/// What is said of an attempt.
fn access(state: &State, spec: &Json) -> Result<Json, &'static str> {
    let attributes =
        spec.get("resourceAttributes").ok_or("exactly one of nonResourceAttributes or resourceAttributes")?;
    let user = spec["user"].as_str().unwrap_or_default();
    let groups: Vec<&str> = spec["groups"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    if user.is_empty() && groups.is_empty() {
        return Err("spec.user: Invalid value: at least one of user or group must be specified");
    }
    let text = |key: &str| attributes[key].as_str().unwrap_or_default();
    let attempt = Attempt {
        user,
        groups: &groups,
        verb: text("verb"),
        group: text("group"),
        resource: text("resource"),
        namespace: text("namespace"),
        name: text("name"),
    };
    Ok(match reason(&state.cluster(), attempt) {
        Some(reason) => json!({ "allowed": true, "reason": reason }),
        None => json!({ "allowed": false }),
    })
}

fn list(state: &State, place: &Place<'_>, query: &HashMap<String, String>) -> Response {
    let cluster = state.cluster();
    let begin: usize = query.get("continue").map_or(0, |token| token.parse().unwrap());
    let limit = query.get("limit").map_or(usize::MAX, |limit| limit.parse().unwrap());
    let all: Vec<&Json> = cluster.list(place.resource, place.namespace).collect();
    let end = begin.saturating_add(limit).min(all.len());
    let mut metadata = json!({ "resourceVersion": cluster.version().to_string() });
    if end < all.len() {
        metadata["continue"] = json!(end.to_string());
    }
    (StatusCode::OK, json_of(&json!({ "kind": "List", "metadata": metadata, "items": &all[begin.min(end)..end] })))
        .into_response()
}

/// Tells of changes from a version on, a line each, until its time is over.
fn watch(state: Arc<State>, place: &Place<'_>, query: &HashMap<String, String>) -> Response {
    let number = |key: &str| query.get(key).and_then(|text| text.parse::<u64>().ok());
    let (Some(version), Some(seconds)) = (number("resourceVersion"), number("timeoutSeconds")) else {
        return failure(
            StatusCode::BAD_REQUEST,
            "BadRequest",
            "a watch of this stand-in begins with a version, and ends",
        );
    };
    let (collection, namespace) = (place.resource.to_owned(), place.namespace.map(str::to_owned));
    let (cuts, end) = (state.cluster().cuts, tokio::time::Instant::now() + Duration::from_secs(seconds));
    let changed = state.changed.subscribe();
    let stream = futures_util::stream::unfold((version, changed, false), move |(version, mut changed, is_over)| {
        let (state, collection, namespace) = (Arc::clone(&state), collection.clone(), namespace.clone());
        async move {
            if is_over {
                return None;
            }
            loop {
                changed.borrow_and_update();
                let told = {
                    let cluster = state.cluster();
                    if cluster.cuts != cuts {
                        return None;
                    }
                    cluster.since(version, &collection, namespace.as_deref())
                };
                let Some(told) = told else {
                    let status = json!({ "kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version" });
                    return Some((line("ERROR", &status), (version, changed, true)));
                };
                if let Some(last) = told.last() {
                    let lines: String = told.iter().map(|change| text(change.kind, &change.object)).collect();
                    return Some((Ok(Bytes::from(lines)), (last.version, changed, false)));
                }
                match tokio::time::timeout_at(end, changed.changed()).await {
                    Ok(Ok(())) => {}
                    _ => return None,
                }
            }
        }
    });
    (StatusCode::OK, [(CONTENT_TYPE, "application/json")], Body::from_stream(stream)).into_response()
}

fn text(kind: &str, object: &Json) -> String {
    format!("{}\n", json!({ "type": kind, "object": object }))
}

fn line(kind: &str, object: &Json) -> Result<Bytes, std::convert::Infallible> {
    Ok(Bytes::from(text(kind, object)))
}

fn failure(code: StatusCode, reason: &str, message: &str) -> Response {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason,
        "code": code.as_u16(),
    });
    (code, json_of(&status)).into_response()
}

fn json_of(value: &Json) -> ([(axum::http::HeaderName, &'static str); 1], String) {
    ([(CONTENT_TYPE, "application/json")], value.to_string())
}
