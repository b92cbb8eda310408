//! What the API server knows: objects with their versions, changes of them, and tokens.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value as Json, json};

use super::super::{ADMIN, OWN_AUDIENCE, PEOPLE, opaque_token};

/// Everything.
pub struct Cluster {
    version: u64,
    objects: BTreeMap<Key, Json>,
    changes: Vec<Change>,
    forgotten: u64,
    tokens: HashMap<String, Token>,
    asked: HashMap<String, usize>,
    recorded: HashMap<String, VecDeque<Recorded>>,
    /// Watches that began before this number are over.
    pub cuts: u64,
    next: u64,
}

/// The collection, the namespace and the name of an object.
type Key = (String, String, String);

fn key(collection: &str, namespace: &str, name: &str) -> Key {
    (collection.to_owned(), namespace.to_owned(), name.to_owned())
}

/// What became of an object.
#[derive(Clone)]
pub struct Change {
    pub version: u64,
    pub collection: String,
    pub namespace: String,
    pub kind: &'static str,
    pub object: Json,
}

/// Whose a token is.
#[derive(Clone)]
pub struct Token {
    pub name: String,
    pub uid: String,
    pub groups: Vec<String>,
    pub extra: BTreeMap<String, Vec<String>>,
    pub audiences: Vec<String>,
    ends: u64,
    /// The objects that it ends with, and their unique names.
    bound: Vec<(Key, String)>,
}

/// An answer of the real API server.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// To what: `tokenreviews`, `list rolebindings`, …
    pub to: String,
    pub status: u16,
    pub body: String,
}

/// Why there is no token.
pub enum NoToken {
    NotFound(&'static str, String),
    Invalid(String),
}

impl Default for Cluster {
    fn default() -> Self {
        let mut tokens = HashMap::new();
        let mut known = |token: String, name: &str, uid: usize, groups: &[&str]| {
            let groups = groups.iter().copied().chain(["system:authenticated"]).map(str::to_owned).collect();
            let (audiences, extra, bound) = (vec![OWN_AUDIENCE.to_owned()], BTreeMap::new(), Vec::new());
            let (name, uid) = (name.to_owned(), uid.to_string());
            tokens.insert(token, Token { name, uid, groups, extra, audiences, ends: u64::MAX, bound });
        };
        known(ADMIN.to_owned(), "admin", 1, &["system:masters"]);
        for (number, (name, groups)) in PEOPLE.into_iter().enumerate() {
            known(opaque_token(name, groups), name, number + 2, groups);
        }
        let mut cluster = Self {
            version: 100,
            objects: BTreeMap::new(),
            changes: Vec::new(),
            forgotten: 0,
            tokens,
            asked: HashMap::new(),
            recorded: HashMap::new(),
            cuts: 0,
            next: 0,
        };
        // Every cluster has these.
        let rules = json!([{ "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] }]);
        cluster.put("clusterroles", "", json!({ "metadata": { "name": "cluster-admin" }, "rules": rules }));
        let role = json!({ "kind": "ClusterRole", "name": "cluster-admin" });
        let masters = json!([{ "kind": "Group", "name": "system:masters" }]);
        let binding = json!({ "metadata": { "name": "cluster-admin" }, "roleRef": role, "subjects": masters });
        cluster.put("clusterrolebindings", "", binding);
        cluster
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A web token; here it is known, and not checked.
pub fn web_token(claims: &Json) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let header = json!({ "alg": "RS256", "kid": "k" }).to_string();
    format!("{}.{}.{}", part(&header), part(&claims.to_string()), part("signed by the cluster"))
}

/// A moment in seconds as objects have it.
pub fn moment(seconds: u64) -> String {
    let time = chrono::DateTime::from_timestamp(seconds.try_into().unwrap(), 0).unwrap();
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl Cluster {
    pub fn version(&self) -> u64 {
        self.version
    }

    pub fn note(&mut self, what: String) {
        *self.asked.entry(what).or_default() += 1;
    }

    pub fn asked(&self, what: &str) -> usize {
        self.asked.get(what).copied().unwrap_or_default()
    }

    pub fn replay(&mut self, recorded: Recorded) {
        self.recorded.entry(recorded.to.clone()).or_default().push_back(recorded);
    }

    /// The next recorded answer.
    pub fn recorded(&mut self, to: &str) -> Option<Recorded> {
        self.recorded.get_mut(to)?.pop_front()
    }

    /// A name that nothing else has.
    fn unique(&mut self) -> String {
        self.next += 1;
        format!("{:08x}-0000-4000-8000-{:012x}", self.next, self.next)
    }

    /// Creates or replaces an object.
    pub fn put(&mut self, collection: &str, namespace: &str, mut object: Json) -> Json {
        self.version += 1;
        let name = object["metadata"]["name"].as_str().expect("objects have names").to_owned();
        let key = key(collection, namespace, &name);
        let (uid, created) = match self.objects.get(&key) {
            Some(known) => (known["metadata"]["uid"].clone(), known["metadata"]["creationTimestamp"].clone()),
            None => (json!(self.unique()), json!(moment(now()))),
        };
        let metadata = &mut object["metadata"];
        metadata["resourceVersion"] = json!(self.version.to_string());
        metadata["uid"] = uid;
        metadata["creationTimestamp"] = created;
        if !namespace.is_empty() {
            metadata["namespace"] = json!(namespace);
        }
        // Who leaves out where a subject or a role is from means the only place that there is.
        let group = json!("rbac.authorization.k8s.io");
        for subject in object["subjects"].as_array_mut().into_iter().flatten() {
            if subject["kind"] != "ServiceAccount" && subject["apiGroup"].is_null() {
                subject["apiGroup"] = group.clone();
            }
        }
        if object["roleRef"].is_object() && object["roleRef"]["apiGroup"].is_null() {
            object["roleRef"]["apiGroup"] = group;
        }
        let kind = if self.objects.insert(key, object.clone()).is_some() { "MODIFIED" } else { "ADDED" };
        self.tell(collection, namespace, kind, object.clone());
        object
    }

    /// Removes an object, and gives what it was.
    pub fn remove(&mut self, collection: &str, namespace: &str, name: &str) -> Option<Json> {
        let mut object = self.objects.remove(&key(collection, namespace, name))?;
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.tell(collection, namespace, "DELETED", object.clone());
        Some(object)
    }

    fn tell(&mut self, collection: &str, namespace: &str, kind: &'static str, object: Json) {
        let (collection, namespace) = (collection.to_owned(), namespace.to_owned());
        self.changes.push(Change { version: self.version, collection, namespace, kind, object });
    }

    pub fn find(&self, collection: &str, namespace: &str, name: &str) -> Option<&Json> {
        self.objects.get(&key(collection, namespace, name))
    }

    /// The objects of a collection, of one namespace or all.
    pub fn list(&self, collection: &str, namespace: Option<&str>) -> impl Iterator<Item = &Json> {
        self.objects
            .iter()
            .filter(move |((of, at, _), _)| of == collection && namespace.is_none_or(|namespace| namespace == at))
            .map(|(_, object)| object)
    }

    /// The changes of a collection since a version; `None` if they were forgotten.
    pub fn since(&self, version: u64, collection: &str, namespace: Option<&str>) -> Option<Vec<Change>> {
        if version < self.forgotten {
            return None;
        }
        let is_asked = |change: &&Change| {
            change.version > version
                && change.collection == collection
                && namespace.is_none_or(|namespace| namespace == change.namespace)
        };
        Some(self.changes.iter().filter(is_asked).cloned().collect())
    }

    pub fn forget(&mut self) {
        self.version += 1;
        self.forgotten = self.version;
        self.changes.clear();
        self.cut();
    }

    pub fn cut(&mut self) {
        self.cuts += 1;
    }

    /// A web token that ends, also with its account and with what it is bound to.
    pub fn service_token(&mut self, namespace: &str, name: &str, spec: &Json) -> Result<(String, u64), NoToken> {
        let missing = |what, name: &str| NoToken::NotFound(what, name.to_owned());
        let account = self.find("serviceaccounts", namespace, name).ok_or_else(|| missing("serviceaccounts", name))?;
        let account_uid = account["metadata"]["uid"].as_str().unwrap().to_owned();
        let seconds = spec["expirationSeconds"].as_u64().unwrap_or(3600);
        if seconds < 600 {
            let message = format!(
                "spec.expirationSeconds: Invalid value: {seconds}: may not specify a duration less than 10 minutes"
            );
            return Err(NoToken::Invalid(message));
        }
        let audiences: Vec<String> = match spec["audiences"].as_array().map(Vec::as_slice) {
            None | Some([]) => vec![OWN_AUDIENCE.to_owned()],
            Some(named) => named.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        };
        let mut bound = vec![(key("serviceaccounts", namespace, name), account_uid.clone())];
        let mut own = json!({ "namespace": namespace, "serviceaccount": { "name": name, "uid": account_uid } });
        let mut extra = BTreeMap::new();
        if let Some(pod) = spec["boundObjectRef"]["name"].as_str() {
            let found = self.find("pods", namespace, pod).ok_or_else(|| missing("pods", pod))?;
            let uid = found["metadata"]["uid"].as_str().unwrap().to_owned();
            own["pod"] = json!({ "name": pod, "uid": uid });
            extra.insert("authentication.kubernetes.io/pod-name".to_owned(), vec![pod.to_owned()]);
            extra.insert("authentication.kubernetes.io/pod-uid".to_owned(), vec![uid.clone()]);
            bound.push((key("pods", namespace, pod), uid));
        }
        let (id, begins) = (self.unique(), now());
        let (subject, ends) = (format!("system:serviceaccount:{namespace}:{name}"), begins + seconds);
        let claims = json!({
            "aud": audiences, "exp": ends, "iat": begins, "iss": OWN_AUDIENCE, "jti": id, "kubernetes.io": own,
            "nbf": begins, "sub": subject,
        });
        let token = web_token(&claims);
        let groups = ["system:serviceaccounts", &format!("system:serviceaccounts:{namespace}"), "system:authenticated"];
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        extra.insert("authentication.kubernetes.io/credential-id".to_owned(), vec![format!("JTI={id}")]);
        let known = Token { name: subject, uid: account_uid, groups, extra, audiences, ends, bound };
        self.tokens.insert(token.clone(), known);
        Ok((token, ends))
    }

    /// Whose a token is, if it counts.
    pub fn known(&self, token: &str) -> Option<&Token> {
        let is_there =
            |(key, uid): &(Key, String)| self.objects.get(key).is_some_and(|object| object["metadata"]["uid"] == **uid);
        self.tokens.get(token).filter(|token| token.ends > now() && token.bound.iter().all(is_there))
    }
}
