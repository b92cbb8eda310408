//! What the API server knows: objects with their versions, changes of them, and tokens.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value as Json, json};

use super::{ADMIN, OWN_AUDIENCE};

/// Everything.
pub struct Cluster {
    version: u64,
    /// By collection, namespace and name.
    objects: BTreeMap<(String, String, String), Json>,
    changes: Vec<Change>,
    forgotten: u64,
    tokens: HashMap<String, Token>,
    asked: HashMap<String, usize>,
    /// Watches that began before this number are over.
    pub cuts: u64,
    next: u64,
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
    pub groups: BTreeSet<String>,
    pub audiences: Vec<String>,
    ends: u64,
}

impl Default for Cluster {
    fn default() -> Self {
        let admin = Token {
            name: "admin".to_owned(),
            groups: BTreeSet::from(["system:masters".to_owned(), "system:authenticated".to_owned()]),
            audiences: vec![OWN_AUDIENCE.to_owned()],
            ends: u64::MAX,
        };
        Self {
            version: 100,
            objects: BTreeMap::new(),
            changes: Vec::new(),
            forgotten: 0,
            tokens: HashMap::from([(ADMIN.to_owned(), admin)]),
            asked: HashMap::new(),
            cuts: 0,
            next: 0,
        }
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
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

    pub fn put(&mut self, collection: &str, namespace: &str, mut object: Json) -> Json {
        self.version += 1;
        let name = object["metadata"]["name"].as_str().expect("objects have names").to_owned();
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        if !namespace.is_empty() {
            object["metadata"]["namespace"] = json!(namespace);
        }
        let key = (collection.to_owned(), namespace.to_owned(), name);
        let kind = if self.objects.insert(key, object.clone()).is_some() { "MODIFIED" } else { "ADDED" };
        self.tell(collection, namespace, kind, object.clone());
        object
    }

    pub fn remove(&mut self, collection: &str, namespace: &str, name: &str) -> bool {
        let key = (collection.to_owned(), namespace.to_owned(), name.to_owned());
        let Some(mut object) = self.objects.remove(&key) else { return false };
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.tell(collection, namespace, "DELETED", object);
        true
    }

    fn tell(&mut self, collection: &str, namespace: &str, kind: &'static str, object: Json) {
        let (collection, namespace) = (collection.to_owned(), namespace.to_owned());
        self.changes.push(Change { version: self.version, collection, namespace, kind, object });
    }

    pub fn has(&self, collection: &str, namespace: &str, name: &str) -> bool {
        self.objects.contains_key(&(collection.to_owned(), namespace.to_owned(), name.to_owned()))
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

    /// A web token that ends.
    pub fn service_token(&mut self, namespace: &str, name: &str, audiences: Vec<String>, seconds: u64) -> String {
        self.next += 1;
        let (subject, ends) = (format!("system:serviceaccount:{namespace}:{name}"), now() + seconds);
        let part = |json: Json| URL_SAFE_NO_PAD.encode(json.to_string());
        let claims = json!({
            "aud": audiences, "exp": ends, "iat": now(), "iss": OWN_AUDIENCE, "jti": self.next.to_string(),
            "kubernetes.io": { "namespace": namespace, "serviceaccount": { "name": name } }, "sub": subject,
        });
        let signature = URL_SAFE_NO_PAD.encode(format!("signature {}", self.next));
        let token = format!("{}.{}.{signature}", part(json!({ "alg": "RS256", "kid": "k" })), part(claims));
        let groups = ["system:serviceaccounts", &format!("system:serviceaccounts:{namespace}"), "system:authenticated"];
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        self.tokens.insert(token.clone(), Token { name: subject, groups, audiences, ends });
        token
    }

    pub fn opaque_token(&mut self, name: &str, groups: &[&str]) -> String {
        self.next += 1;
        let token = format!("sha256~{name}-{}", self.next);
        let groups = groups.iter().copied().chain(["system:authenticated"]).map(str::to_owned).collect();
        let audiences = vec![OWN_AUDIENCE.to_owned()];
        self.tokens.insert(token.clone(), Token { name: name.to_owned(), groups, audiences, ends: u64::MAX });
        token
    }

    pub fn revoke(&mut self, name: &str) {
        self.tokens.retain(|_, token| token.name != name);
    }

    /// Whose a token is, if it counts.
    pub fn known(&self, token: &str) -> Option<&Token> {
        self.tokens.get(token).filter(|token| token.ends > now())
    }
}
