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
    super::{ACCOUNT, NAMESPACE, OWN_AUDIENCE},
    State,
    cluster::{NoToken, Token, moment},
    place::Place,
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
        return failure(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized", None);
    };
    let Some(place) = Place::of(uri.path()) else {
        return failure(
            StatusCode::NOT_FOUND,
            "NotFound",
            "the server could not find the requested resource",
            Some(json!({})),
        );
    };
    let Some(verb) = place.verb(&method, query.contains_key("watch")) else {
        let message = "the server does not allow this method on the requested resource";
        return failure(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message, Some(json!({})));
    };
    if let Some(refused) = forbidden(&state, &asker, verb, &place) {
        return refused;
    }
    if asker.name == format!("system:serviceaccount:{NAMESPACE}:{ACCOUNT}") {
        let what = if verb == "create" { place.resource.to_owned() } else { format!("{verb} {}", place.resource) };
        let recorded = state.cluster().recorded(&what);
        state.cluster().note(what);
        if let Some(recorded) = recorded {
            let status = StatusCode::from_u16(recorded.status).unwrap();
            return (status, [(CONTENT_TYPE, "application/json")], recorded.body).into_response();
        }
    }
    match verb {
        "create" | "update" => match object(&headers, &body) {
            Ok(object) if verb == "create" => create(&state, &place, object),
            Ok(object) => update(&state, &place, object),
            Err(refused) => *refused,
        },
        "delete" => {
            let (name, namespace) = (place.name.unwrap_or_default(), place.namespace.unwrap_or_default());
            match state.change(|cluster| cluster.remove(place.resource, namespace, name)) {
                Some(gone) => {
                    let details = place.details(Some(name));
                    let mut status = json!({
                        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details,
                    });
                    status["details"]["uid"] = gone["metadata"]["uid"].clone();
                    (StatusCode::OK, json_of(&status)).into_response()
                }
                None => place.missing(name),
            }
        }
        "list" => list(&state, &place, &query),
        "watch" => watch(state, &place, &query),
        _ => {
            let (name, namespace) = (place.name.unwrap_or_default(), place.namespace.unwrap_or_default());
            match state.cluster().find(place.resource, namespace, name) {
                Some(object) => (StatusCode::OK, json_of(&place.typed(object))).into_response(),
                None => place.missing(name),
            }
        }
    }
}

/// What a request says.
fn object(headers: &HeaderMap, body: &[u8]) -> Result<Json, Box<Response>> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let object = match kind {
        "application/json" => serde_json::from_slice(body).map_err(|error| error.to_string()),
        "application/yaml" => serde_yaml::from_slice(body).map_err(|error| error.to_string()),
        other => {
            let message = format!("the body of the request was in an unknown format: {other}");
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Box::new(failure(status, "UnsupportedMediaType", &message, Some(json!({})))));
        }
    };
    object.map_err(|message| Box::new(failure(StatusCode::BAD_REQUEST, "BadRequest", &message, None)))
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
    if reason(&state.cluster(), attempt).is_ok() {
        return None;
    }
    let whole = place.whole(place.name);
    let scope = match place.namespace {
        None => "at the cluster scope".to_owned(),
        Some(namespace) => format!("in the namespace \"{namespace}\""),
    };
    let message = format!(
        "{whole} is forbidden: User \"{}\" cannot {verb} resource \"{}\" in API group \"{}\" {scope}",
        asker.name, place.resource, place.group
    );
    Some(failure(StatusCode::FORBIDDEN, "Forbidden", &message, Some(place.details(place.name))))
}

fn create(state: &State, place: &Place<'_>, mut object: Json) -> Response {
    if let Some(refused) = place.refuse_other_kind(&object) {
        return refused;
    }
    if object["metadata"].is_null() {
        object["metadata"] = json!({});
    }
    match (place.resource, place.part) {
        ("tokenreviews", None) => match review(state, &object["spec"]) {
            Ok(status) => object["status"] = status,
            Err(message) => return failure(StatusCode::BAD_REQUEST, "BadRequest", message, None),
        },
        ("subjectaccessreviews", None) => match access(state, &object["spec"]) {
            Ok(status) => object["status"] = status,
            Err(message) => return place.invalid("", message),
        },
        ("serviceaccounts", Some("token")) => {
            let (namespace, name) = (place.namespace.unwrap_or_default(), place.name.unwrap_or_default());
            let token = state.cluster().service_token(namespace, name, &object["spec"]);
            match token {
                Ok((token, ends)) => {
                    object["status"] = json!({ "token": token, "expirationTimestamp": moment(ends) });
                }
                Err(NoToken::NotFound(resource, name)) => return Place { resource, ..*place }.missing(&name),
                Err(NoToken::Invalid(message)) => return place.invalid(name, &message),
            }
        }
        (collection, None) => {
            let namespace = place.namespace.unwrap_or_default();
            let Some(name) = object["metadata"]["name"].as_str() else {
                return place.invalid("", "metadata.name: Required value: name or generateName is required");
            };
            if !namespace.is_empty() && state.cluster().find("namespaces", "", namespace).is_none() {
                return Place { group: "", resource: "namespaces", ..*place }.missing(namespace);
            }
            if state.cluster().find(collection, namespace, name).is_some() {
                let message = format!("{} already exists", place.whole(Some(name)));
                let details = Some(place.details(Some(name)));
                return failure(StatusCode::CONFLICT, "AlreadyExists", &message, details);
            }
            object = state.change(|cluster| cluster.put(collection, namespace, object.take()));
        }
        _ => return place.missing(place.part.unwrap_or_default()),
    }
    (StatusCode::CREATED, json_of(&place.typed(&object))).into_response()
}

fn update(state: &State, place: &Place<'_>, mut object: Json) -> Response {
    let (namespace, name) = (place.namespace.unwrap_or_default(), place.name.unwrap_or_default());
    if let Some(refused) = place.refuse_other_kind(&object) {
        return refused;
    }
    let known = state.cluster().find(place.resource, namespace, name).cloned();
    let Some(known) = known else { return place.missing(name) };
    if known["roleRef"]["name"] != object["roleRef"]["name"] || known["roleRef"]["kind"] != object["roleRef"]["kind"] {
        return place.invalid(name, "roleRef: Invalid value: cannot change roleRef");
    }
    object = state.change(|cluster| cluster.put(place.resource, namespace, object.take()));
    (StatusCode::OK, json_of(&place.typed(&object))).into_response()
}

/// What is said of a token.
fn review(state: &State, spec: &Json) -> Result<Json, &'static str> {
    let token = spec["token"].as_str().filter(|token| !token.is_empty());
    let token = token.ok_or("token is required for TokenReview in authentication")?;
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
    let mut user = json!({ "username": known.name, "uid": known.uid, "groups": known.groups });
    if !known.extra.is_empty() {
        user["extra"] = json!(known.extra);
    }
    Ok(json!({ "authenticated": true, "user": user, "audiences": audiences }))
}

/// What is said of an attempt.
fn access(state: &State, spec: &Json) -> Result<Json, &'static str> {
    let attributes = spec.get("resourceAttributes").ok_or(
        "spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be \
         specified",
    )?;
    let user = spec["user"].as_str().unwrap_or_default();
    let groups: Vec<&str> = spec["groups"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    if user.is_empty() && groups.is_empty() {
        return Err("spec.user: Invalid value: \"\": at least one of user or group must be specified");
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
        Ok(reason) => json!({ "allowed": true, "reason": reason }),
        Err(None) => json!({ "allowed": false }),
        Err(Some(reason)) => json!({ "allowed": false, "reason": reason }),
    })
}

fn list(state: &State, place: &Place<'_>, query: &HashMap<String, String>) -> Response {
    let cluster = state.cluster();
    // Pages after the first one are of the moment of that one.
    let (version, begin): (u64, usize) =
        match query.get("continue").map(|token| token.split_once('-').expect("a token of ours")) {
            Some((version, begin)) => (version.parse().unwrap(), begin.parse().unwrap()),
            None => (cluster.version(), 0),
        };
    let Some(changed) = cluster.since(version, place.resource, place.namespace) else {
        let message = "The provided continue parameter is too old to display a consistent list result";
        let mut status = status(StatusCode::GONE, "Expired", message, None);
        // The rest may be had as it is now.
        status["metadata"]["continue"] = json!(format!("{}-{begin}", cluster.version()));
        return (StatusCode::GONE, json_of(&status)).into_response();
    };
    assert!(changed.is_empty(), "this stand-in keeps no older state of what is listed in pages");
    let limit = query.get("limit").map_or(usize::MAX, |limit| limit.parse().unwrap());
    let all: Vec<Json> = cluster.list(place.resource, place.namespace).map(Place::bare).collect();
    let end = begin.saturating_add(limit).min(all.len());
    let mut metadata = json!({ "resourceVersion": version.to_string() });
    if end < all.len() {
        metadata["continue"] = json!(format!("{version}-{end}"));
        metadata["remainingItemCount"] = json!(all.len() - end);
    }
    let list = json!({
        "kind": format!("{}List", place.kind()), "apiVersion": place.version(), "metadata": metadata,
        "items": &all[begin.min(end)..end],
    });
    (StatusCode::OK, json_of(&list)).into_response()
}

/// Tells of changes from a version on, a line each, until its time is over. The last line is how far it was, where more has changed than it told of.
fn watch(state: Arc<State>, place: &Place<'_>, query: &HashMap<String, String>) -> Response {
    let number = |key: &str| query.get(key).and_then(|text| text.parse::<u64>().ok());
    let (Some(version), Some(seconds)) = (number("resourceVersion"), number("timeoutSeconds")) else {
        let message = "a watch of this stand-in begins with a version, and ends";
        return failure(StatusCode::BAD_REQUEST, "BadRequest", message, None);
    };
    let (collection, namespace) = (place.resource.to_owned(), place.namespace.map(str::to_owned));
    let wants_bookmarks = query.get("allowWatchBookmarks").is_some_and(|wanted| wanted == "1" || wanted == "true");
    let bookmark = place.bookmark();
    let (cuts, end) = (state.cluster().cuts, tokio::time::Instant::now() + Duration::from_secs(seconds));
    let changed = state.changed.subscribe();
    let stream = futures_util::stream::unfold((version, changed, false), move |(version, mut changed, is_over)| {
        let (state, collection, namespace) = (Arc::clone(&state), collection.clone(), namespace.clone());
        let mut bookmark = bookmark.clone();
        let (kind, version_of_api) = (bookmark["kind"].clone(), bookmark["apiVersion"].clone());
        let typed = move |object: &Json| {
            let mut object = object.clone();
            object["kind"] = kind.clone();
            object["apiVersion"] = version_of_api.clone();
            object
        };
        async move {
            if is_over {
                return None;
            }
            loop {
                changed.borrow_and_update();
                let (told, now) = {
                    let cluster = state.cluster();
                    if cluster.cuts != cuts {
                        return None;
                    }
                    (cluster.since(version, &collection, namespace.as_deref()), cluster.version())
                };
                let Some(told) = told else {
                    let message = format!("too old resource version: {version} ({now})");
                    let status = status(StatusCode::GONE, "Expired", &message, None);
                    return Some((line("ERROR", &status), (version, changed, true)));
                };
                if let Some(last) = told.last() {
                    let lines: String = told.iter().map(|change| text(change.kind, &typed(&change.object))).collect();
                    return Some((Ok(Bytes::from(lines)), (last.version, changed, false)));
                }
                match tokio::time::timeout_at(end, changed.changed()).await {
                    Ok(Ok(())) => {}
                    _ if wants_bookmarks && now > version => {
                        bookmark["metadata"]["resourceVersion"] = json!(now.to_string());
                        return Some((line("BOOKMARK", &bookmark), (now, changed, true)));
                    }
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

fn status(code: StatusCode, reason: &str, message: &str, details: Option<Json>) -> Json {
    let mut status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason,
        "code": code.as_u16(),
    });
    if let Some(details) = details {
        status["details"] = details;
    }
    status
}

/// What is refused, and why.
pub fn failure(code: StatusCode, reason: &str, message: &str, details: Option<Json>) -> Response {
    (code, json_of(&status(code, reason, message, details))).into_response()
}

fn json_of(value: &Json) -> ([(axum::http::HeaderName, &'static str); 1], String) {
    ([(CONTENT_TYPE, "application/json")], value.to_string())
}
