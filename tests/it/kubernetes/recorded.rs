//! What the real API server answers, as it was recorded (`tests/golden/kubernetes`; `scripts/kubernetes.sh record` does it): the
//! real one still does, the stand-in does, and feastr understands it.

use std::{collections::BTreeMap, path::PathBuf, sync::LazyLock};

use regex::Regex;
use serde_json::{Value as Json, json};

use super::{await_status, guarded, read, reviews};
use crate::{
    golden::{read_json, registry_rows::committed_root},
    serve::server::{FeatureServer, PATIENCE},
    servers::kubernetes::{ADMIN, ApiServer, NAMESPACE, Recorded},
};

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
const TOKEN_REVIEWS: &str = "/apis/authentication.k8s.io/v1/tokenreviews";
const ACCESS_REVIEWS: &str = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
const AUDIENCE: &str = "features.kubeflow.org";

/// A question and its answer. What belongs to the run has a word in its place: tokens, times, unique names, versions.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
struct Exchange {
    what: String,
    method: String,
    path: String,
    #[serde(default, skip_serializing_if = "Json::is_null")]
    body: Json,
    status: u16,
    /// An object, or what a watch tells.
    answer: Json,
}

/// Exchanges by the file that they are in.
type Recordings = BTreeMap<&'static str, Vec<Exchange>>;

fn folder() -> PathBuf {
    committed_root().join("kubernetes")
}

fn recorded(file: &str) -> Vec<Exchange> {
    serde_json::from_value(read_json(&folder().join(file))).unwrap()
}

/// The recorded answer to a question.
fn answer(file: &str, what: &str) -> Exchange {
    let all = recorded(file);
    all.into_iter().find(|exchange| exchange.what == what).unwrap_or_else(|| panic!("{file} has no {what}"))
}

/// Somebody who asks, and notes it.
struct Conversation<'a> {
    api: &'a ApiServer,
    recordings: Recordings,
}

impl Conversation<'_> {
    fn ask(&mut self, file: &'static str, what: &str, request: (&str, &str, Json)) -> Json {
        self.ask_as(ADMIN, file, what, request)
    }

    fn ask_as(
        &mut self,
        token: &str,
        file: &'static str,
        what: &str,
        (method, path, body): (&str, &str, Json),
    ) -> Json {
        let said = self.api.ask(token, method, path, Some(&body).filter(|body| !body.is_null()));
        let answer = match path.contains("watch=1") && said.status == 200 {
            true => said.body.lines().map(|line| serde_json::from_str::<Json>(line).unwrap()).collect(),
            false => said.json(),
        };
        let mut noted = timeless(&answer);
        if let Json::Array(told) = &mut noted {
            // How often it is told how far a watch is depends on the moment.
            told.dedup();
        }
        let exchange = Exchange {
            what: what.to_owned(),
            method: method.to_owned(),
            path: timeless_text(path),
            body: timeless(&body),
            status: said.status,
            answer: noted,
        };
        self.recordings.entry(file).or_default().push(exchange);
        answer
    }

    fn review_tokens(&mut self) {
        let (api, file) = (self.api, "token_reviews.json");
        let token = |audience| api.token("team", "reader", audience);
        let (own, ours) = (token(None), token(Some(AUDIENCE)));
        let pod = json!({ "serviceAccountName": "reader", "containers": [{ "name": "main", "image": "main" }] });
        self.api.put("pods", "team", json!({ "metadata": { "name": "notebook" }, "spec": pod }));
        let bound = json!({ "apiVersion": "v1", "kind": "Pod", "name": "notebook" });
        let of_pod = self.api.token_of("team", "reader", &json!({ "audiences": [AUDIENCE], "boundObjectRef": bound }));
        let ended = self.api.ended_token("team", "reader", AUDIENCE);
        let forged = format!("{}.c2lnbmF0dXJl", ours.rsplit_once('.').unwrap().0);
        let gone = self.api.token("team", "gone", Some(AUDIENCE));
        self.api.remove("serviceaccounts", "team", "gone");
        let mut review = |what: &str, token: &str, audiences: Json| {
            let mut spec = json!({ "token": token });
            if !audiences.is_null() {
                spec["audiences"] = audiences;
            }
            let body = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": spec });
            self.ask(file, what, ("POST", TOKEN_REVIEWS, body));
        };
        review("for us", &ours, json!([AUDIENCE]));
        review("for us, of a pod", &of_pod, json!([AUDIENCE]));
        review("for others", &ours, json!(["vault"]));
        review("for several", &ours, json!(["vault", AUDIENCE]));
        review("for the API server, and no audience is named", &own, Json::Null);
        review("for us, and no audience is named", &ours, Json::Null);
        review("ended", &ended, json!([AUDIENCE]));
        review("forged", &forged, json!([AUDIENCE]));
        review("of an account that is gone", &gone, json!([AUDIENCE]));
        review("garbage", "garbage", json!([AUDIENCE]));
        review("of a person", &api.person("ann", &["scientists"]), Json::Null);
        review("no token", "", Json::Null);
        self.ask(file, "of another kind", ("POST", TOKEN_REVIEWS, access_review("ann", &[], "get", "")));
    }

    fn review_accesses(&mut self) {
        reviews::role_for(self.api, "team", "viewer", &["featureviews"], &["get", "list"]);
        self.api.bind("team", "viewer", ("team", "reader"));
        self.api.bind("team", "gone", ("team", "other"));
        let (reader, other) = ("system:serviceaccount:team:reader", "system:serviceaccount:team:other");
        // What roles allow counts a moment after they are there.
        let began = std::time::Instant::now();
        let is_known = |user: &str, word: &str| {
            let answer = self.api.done("POST", ACCESS_REVIEWS, Some(&access_review(user, &[], "get", "")));
            answer["status"]["reason"].as_str().unwrap_or_default().contains(word)
        };
        while !is_known(reader, "allowed by") || !is_known(other, "not found") {
            assert!(began.elapsed() < PATIENCE);
        }
        let mut review = |what: &str, body: Json| {
            self.ask("access_reviews.json", what, ("POST", ACCESS_REVIEWS, body));
        };
        let groups = ["system:serviceaccounts", "system:serviceaccounts:team", "system:authenticated"];
        let mut allowed = access_review(reader, &groups, "get", "");
        allowed["spec"]["uid"] = json!("00000000-0000-4000-8000-000000000000");
        allowed["spec"]["extra"] = json!({ "authentication.kubernetes.io/pod-name": ["notebook"] });
        review("allowed", allowed);
        review("allowed by name", access_review(reader, &groups, "get", "clicks"));
        review("denied", access_review(reader, &groups, "delete", ""));
        review("a role that is not there", access_review(other, &groups, "get", ""));
        review("nobody", access_review("", &[], "get", ""));
        let empty = json!({ "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": { "user": "ann" } });
        review("nothing", empty);
    }

    fn list_and_watch(&mut self) -> (String, String) {
        let file = "role_bindings.json";
        self.api.bind(NAMESPACE, "super-reader", ("team", "reader"));
        self.api.bind(NAMESPACE, "fresh-writer", ("team", "writer"));
        let here = format!("{RBAC}/namespaces/{NAMESPACE}/rolebindings");
        let first = self.ask(file, "the first page", ("GET", &format!("{here}?limit=1"), Json::Null));
        let next = first["metadata"]["continue"].as_str().unwrap().to_owned();
        self.ask(file, "the next page", ("GET", &format!("{here}?limit=1&continue={}", escaped(&next)), Json::Null));
        let all = self.ask(file, "all", ("GET", &here, Json::Null));
        let version = all["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
        let group = json!({ "kind": "Group", "name": "scientists" });
        self.api.bind_as(NAMESPACE, "super-reader-reader", "super-reader", std::slice::from_ref(&group));
        self.api.bind_as(NAMESPACE, "new", "super-reader", &[group, json!({ "kind": "User", "name": "ann" })]);
        self.api.remove("rolebindings", NAMESPACE, "fresh-writer-writer");
        let watch = format!("{here}?watch=1&allowWatchBookmarks=true&timeoutSeconds=6&resourceVersion={version}");
        let api = self.api;
        std::thread::scope(|scope| {
            // What changes elsewhere meanwhile is no news, but how far the watch is.
            scope.spawn(|| {
                std::thread::sleep(std::time::Duration::from_secs(1));
                api.bind("elsewhere", "super-reader", ("team", "reader"));
            });
            self.ask(file, "what changes", ("GET", &watch, Json::Null));
        });
        (version, next)
    }

    fn be_refused(&mut self) {
        let file = "refusals.json";
        let body = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": { "token": "t" } });
        let list = format!("{RBAC}/rolebindings?limit=500");
        let other = self.api.token("team", "other", None);
        self.ask_as("garbage", file, "who is not known", ("POST", TOKEN_REVIEWS, body.clone()));
        self.ask_as(&other, file, "who may not review tokens", ("POST", TOKEN_REVIEWS, body));
        let access = access_review("ann", &[], "get", "");
        self.ask_as(&other, file, "who may not review accesses", ("POST", ACCESS_REVIEWS, access));
        self.ask_as(&other, file, "who may not list", ("GET", &list, Json::Null));
        let watch = format!("{RBAC}/rolebindings?watch=1&timeoutSeconds=1&resourceVersion=1");
        self.ask_as(&other, file, "who may not watch", ("GET", &watch, Json::Null));
        let none = format!("{RBAC}/namespaces/team/rolebindings/none");
        self.ask(file, "what is not there", ("GET", &none, Json::Null));
    }

    fn ask_for_what_is_forgotten(&mut self, version: &str, next: &str) {
        let (file, here) = ("refusals.json", format!("{RBAC}/namespaces/{NAMESPACE}/rolebindings"));
        let watch = format!("{here}?watch=1&allowWatchBookmarks=true&timeoutSeconds=3&resourceVersion={version}");
        self.ask(file, "changes that are forgotten", ("GET", &watch, Json::Null));
        let page = format!("{here}?limit=1&continue={}", escaped(next));
        self.ask(file, "a page that is forgotten", ("GET", &page, Json::Null));
    }
}

fn access_review(user: &str, groups: &[&str], verb: &str, name: &str) -> Json {
    let mut attributes = json!({ "group": AUDIENCE, "resource": "featureviews", "verb": verb, "namespace": "team" });
    if !name.is_empty() {
        attributes["name"] = json!(name);
    }
    let spec = json!({ "user": user, "groups": groups, "resourceAttributes": attributes });
    json!({ "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec })
}

fn escaped(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// All that is asked of an API server.
fn conversation() -> Recordings {
    let mut api = ApiServer::start();
    let mut conversation = Conversation { api: &api, recordings: Recordings::new() };
    conversation.review_tokens();
    conversation.review_accesses();
    let (version, next) = conversation.list_and_watch();
    conversation.be_refused();
    let recordings = conversation.recordings;
    api.forget();
    let mut conversation = Conversation { api: &api, recordings };
    conversation.ask_for_what_is_forgotten(&version, &next);
    conversation.recordings
}

/// A text without what belongs to the run.
fn timeless_text(text: &str) -> String {
    static WORDS: LazyLock<[(Regex, &str); 6]> = LazyLock::new(|| {
        [
            (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "00000000-0000-4000-8000-000000000000"),
            (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "2026-01-01T00:00:00Z"),
            (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? [^ ]+ UTC( m=[+-][0-9.]+)?", "2026-01-01 00:00:00 +0000 UTC"),
            (r"too old resource version: \d+ \(\d+\)", "too old resource version: 1 (1000)"),
            (r"resourceVersion=\d+", "resourceVersion=1000"),
            (r"continue=[^&]+", "continue=CONTINUE"),
        ]
        .map(|(pattern, word)| (Regex::new(pattern).unwrap(), word))
    });
    WORDS.iter().fold(text.to_owned(), |text, (pattern, word)| pattern.replace_all(&text, *word).into_owned())
}

/// The same of a value.
fn timeless(value: &Json) -> Json {
    match value {
        Json::String(text) => json!(timeless_text(text)),
        Json::Array(all) => all.iter().map(timeless).collect(),
        Json::Object(fields) => {
            let timeless = |(key, value): (&String, &Json)| {
                let value = match (key.as_str(), value) {
                    ("token", Json::String(text)) if !text.is_empty() => json!("TOKEN"),
                    ("continue", Json::String(text)) if !text.is_empty() => json!("CONTINUE"),
                    ("resourceVersion", Json::String(_)) => json!("1000"),
                    _ => timeless(value),
                };
                (key.clone(), value)
            };
            fields.iter().map(timeless).collect::<serde_json::Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

/// An answer as far as the stand-in has to give it: what people read is in words of its own, and who manages which field is not
/// its business.
fn modelled(value: &Json) -> Json {
    match value {
        Json::Array(all) => all.iter().map(modelled).collect(),
        Json::Object(fields) => {
            let is_modelled =
                |key: &str| !["managedFields", "message", "error", "causes", "annotations"].contains(&key);
            let fields = fields.iter().filter(|(key, value)| is_modelled(key) && !value.is_null());
            fields.map(|(key, value)| (key.clone(), modelled(value))).collect::<serde_json::Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

#[test]
fn answers_are_those_that_were_recorded() {
    let asked = conversation();
    if std::env::var_os("FEASTR_WRITE_RECORDINGS").is_some() {
        assert!(ApiServer::is_real(), "the real server is recorded: run scripts/kubernetes.sh record");
        std::fs::create_dir_all(folder()).unwrap();
        for (file, exchanges) in &asked {
            let text = serde_json::to_string_pretty(exchanges).unwrap() + "\n";
            std::fs::write(folder().join(file), text).unwrap();
        }
    }
    for (file, exchanges) in asked {
        let recorded = recorded(file);
        assert_eq!(exchanges.len(), recorded.len(), "{file}");
        for (exchange, recorded) in exchanges.iter().zip(&recorded) {
            if ApiServer::is_real() {
                assert_eq!(exchange, recorded, "{file}: {}", recorded.what);
                continue;
            }
            let asked = |exchange: &Exchange| (exchange.what.clone(), exchange.path.clone(), exchange.body.clone());
            assert_eq!(asked(exchange), asked(recorded), "{file}");
            assert_eq!(
                (exchange.status, modelled(&exchange.answer)),
                (recorded.status, modelled(&recorded.answer)),
                "{file}: {}",
                recorded.what
            );
        }
    }
}

/// Has the next request of the server of features be answered as it was recorded.
fn replay(api: &ApiServer, to: &str, exchange: &Exchange) {
    let body = match &exchange.answer {
        Json::Array(told) => told.iter().map(|event| format!("{event}\n")).collect(),
        object => object.to_string(),
    };
    api.replay(Recorded { to: to.to_owned(), status: exchange.status, body });
}

#[test]
fn recorded_reviews_of_tokens_are_understood() {
    let api = ApiServer::stand_in();
    let project = guarded(&api, &format!("kubernetes: {{audience: {AUDIENCE}}}"));
    api.bind(NAMESPACE, "super-reader", ("team", "reader"));
    let server = FeatureServer::start(&project, &[]);
    let status = |what: &str| {
        replay(&api, "tokenreviews", &answer("token_reviews.json", what));
        // Each time another token, so that it is asked about.
        read(&server, &what.replace([' ', ','], "-")).status
    };
    assert_eq!([status("for us"), status("for us, of a pod"), status("for several")], [200, 200, 200]);
    for what in ["for others", "ended", "forged", "of an account that is gone", "garbage"] {
        assert_eq!(status(what), 401, "{what}");
    }
    // Right for somebody else.
    for what in ["for the API server, and no audience is named", "of a person"] {
        assert_eq!(status(what), 401, "{what}");
    }
    for what in ["no token", "of another kind"] {
        assert_eq!(status(what), 503, "{what}");
    }
    let refused = ["who is not known", "who may not review tokens"];
    for (what, why) in refused.into_iter().zip(["does not know who this program is", "does not let this program ask"]) {
        let server = FeatureServer::start(&project, &[]);
        replay(&api, "tokenreviews", &answer("refusals.json", what));
        assert_eq!(read(&server, "unknown").status, 503, "{what}");
        let began = std::time::Instant::now();
        while !server.said().contains(why) {
            assert!(began.elapsed() < PATIENCE, "{}", server.said());
        }
    }
}

#[test]
fn recorded_reviews_of_accesses_are_understood() {
    let api = ApiServer::stand_in();
    let project = guarded(&api, &format!("kubernetes: {{mode: subject_access_review, audience: {AUDIENCE}}}"));
    let server = FeatureServer::start(&project, &[]);
    let status = |file: &str, whole: &str, named: &str| {
        let token = api.token("team", "reader", Some(AUDIENCE));
        replay(&api, "subjectaccessreviews", &answer(file, whole));
        if !named.is_empty() {
            replay(&api, "subjectaccessreviews", &answer(file, named));
        }
        read(&server, &token).status
    };
    assert_eq!(status("access_reviews.json", "allowed", ""), 200);
    assert_eq!(status("access_reviews.json", "denied", "allowed by name"), 200);
    assert_eq!(status("access_reviews.json", "denied", "a role that is not there"), 403);
    assert_eq!(status("refusals.json", "who may not review accesses", ""), 503);
}

#[test]
fn recorded_lists_and_watches_are_understood() {
    let api = ApiServer::stand_in();
    let project = guarded(&api, "");
    let bindings = |what: &str| answer("role_bindings.json", what);
    replay(&api, "list rolebindings", &bindings("the first page"));
    replay(&api, "list rolebindings", &bindings("the next page"));
    replay(&api, "watch rolebindings", &bindings("what changes"));
    let server = FeatureServer::start(&project, &[]);
    let ann = api.person("ann", &[]);
    // One of the group that is bound in the place of the account, and of those who are bound anew.
    await_status(&server, &ann, 200);
    assert_eq!(read(&server, &api.person("ann", &["scientists"])).status, 200);
    assert_eq!(read(&server, &api.token("team", "reader", None)).status, 403);
    assert_eq!(api.asked("list rolebindings"), 2);
    // What was forgotten is listed anew, whichever way it is told.
    replay(&api, "watch rolebindings", &answer("refusals.json", "changes that are forgotten"));
    replay(&api, "list rolebindings", &answer("refusals.json", "a page that is forgotten"));
    replay(&api, "list rolebindings", &bindings("all"));
    let mut api = api;
    api.cut_watches();
    await_status(&server, &api.token("team", "reader", None), 200);
    assert_eq!(api.asked("list rolebindings"), 4);
}
