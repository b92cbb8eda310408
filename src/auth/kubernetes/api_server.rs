//! The API server of Kubernetes, and who we are there.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use reqwest::{RequestBuilder, StatusCode, header::ACCEPT};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value as Json;

use crate::{
    clients::http::{Certificates, Connecting, HttpClient, HttpStream},
    config::{ApiServerPlace, Kubeconfig, KubernetesAccount, KubernetesConfig, Password},
    model::printable,
    problem::{Kind, Problem},
};

/// Where it is set.
const SETTING: &str = "`kubeconfig` under `feastr: {auth: {kubernetes: …}}`";
/// How long it may take to answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The API server. Threads can share it.
#[derive(Debug)]
pub(super) struct ApiServer {
    client: HttpClient,
    url: String,
    own: OwnToken,
    /// The namespace that we are in.
    pub(super) namespace: String,
}

/// What we prove with who we are.
#[derive(Debug)]
enum OwnToken {
    /// A certificate does.
    None,
    Given(Password),
    /// Read for each request, because Kubernetes writes new ones.
    File(PathBuf),
}

/// What the API server says of a request that it refuses.
#[derive(Debug, Default, Deserialize)]
struct Status {
    #[serde(default)]
    message: String,
}

impl ApiServer {
    /// The API server of the settings. Nothing is asked yet.
    ///
    /// # Errors
    /// When the settings name none, files about it cannot be read, or encryption cannot be set up.
    pub(super) fn open(config: &KubernetesConfig) -> Result<Self, Problem> {
        let reached = match &config.api_server {
            Some(ApiServerPlace::Kubeconfig(path)) => Kubeconfig::read(path)?,
            Some(ApiServerPlace::Cluster(url)) => in_cluster(url, &config.account)?,
            None => {
                let message =
                    "nobody knows where the API server of Kubernetes is: this is no pod, and no setting says it";
                return Err(Problem::new(Kind::Invalid, message, format!("set {SETTING}")));
            }
        };
        let (own, client) = match reached.account {
            KubernetesAccount::Token(token) => (OwnToken::Given(token), None),
            KubernetesAccount::TokenFile(path) => (OwnToken::File(path), None),
            KubernetesAccount::Certificate { certificate, key } => (OwnToken::None, Some((certificate, key))),
        };
        let connecting = Connecting {
            name: format!("the API server at {}", reached.server),
            setting: SETTING,
            authorities_setting: "`certificate-authority` in the kubeconfig",
            authorities: None,
            is_encrypted: reached.server.starts_with("https://"),
            is_verified: reached.is_verified,
            pool_size: 8,
            idle_timeout: Some(Duration::from_secs(60)),
            retries: 0,
        };
        let certificates = Certificates { authorities: reached.authorities, client };
        let namespace = config.namespace.clone().or(reached.namespace).unwrap_or_else(|| "default".to_owned());
        Ok(Self {
            client: HttpClient::with_certificates(connecting, &certificates)?,
            url: reached.server,
            own,
            namespace,
        })
    }

    /// Where it is.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Has it make something of an object, as reviews are asked for.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] or [`Kind::Deadline`] when it does not.
    pub(super) async fn create<T: DeserializeOwned>(&self, path: &str, object: &Json) -> Result<T, Problem> {
        let url = format!("{}{path}", self.url);
        self.read(self.client.post_json(&url, object.to_string().into_bytes())).await
    }

    /// Asks for objects.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Problem> {
        self.read(self.client.get(&format!("{}{path}", self.url))).await
    }

    /// Has it tell what becomes of objects; the answer may be that it has forgotten what it is to begin with (410).
    ///
    /// # Errors
    /// As [`Self::create`].
    pub(super) async fn watch(&self, path: &str) -> Result<Option<HttpStream>, Problem> {
        let request = self.signed(self.client.get(&format!("{}{path}", self.url)))?;
        let late = || Problem::new(Kind::Deadline, format!("{} did not answer in time", self.client.name()), None);
        let mut stream = tokio::time::timeout(TIMEOUT, self.client.stream(request)).await.map_err(|_| late())??;
        match stream.status() {
            StatusCode::OK => Ok(Some(stream)),
            StatusCode::GONE => Ok(None),
            status => {
                let said = tokio::time::timeout(TIMEOUT, stream.line()).await.map_err(|_| late())??;
                Err(self.refused(status, &said.unwrap_or_default()))
            }
        }
    }

    async fn read<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Problem> {
        let answer = self.client.send(self.signed(request)?, Instant::now().checked_add(TIMEOUT)).await?;
        if !answer.status.is_success() {
            return Err(self.refused(answer.status, &answer.body));
        }
        serde_json::from_slice(&answer.body).map_err(|error| self.nonsense(&error))
    }

    /// The problem of an answer that says nothing.
    pub(super) fn nonsense(&self, error: &dyn std::fmt::Display) -> Problem {
        let message = format!("{} answers what no API server of Kubernetes does: {error}", self.client.name());
        Problem::new(Kind::Unavailable, message, format!("check {SETTING}"))
    }

    fn signed(&self, request: RequestBuilder) -> Result<RequestBuilder, Problem> {
        let request = request.header(ACCEPT, "application/json");
        Ok(match &self.own {
            OwnToken::None => request,
            OwnToken::Given(token) => request.bearer_auth(&token.0),
            OwnToken::File(path) => request.bearer_auth(text_of(path, "the token of this program")?),
        })
    }

    fn refused(&self, status: StatusCode, body: &[u8]) -> Problem {
        let Status { message } = serde_json::from_slice(body).unwrap_or_default();
        let (name, said) = (self.client.name(), printable(&message));
        let (message, help) = match status {
            StatusCode::UNAUTHORIZED => (
                format!("{name} does not know who this program is: {said}"),
                "look whether the token of its account is one of this cluster and has not ended",
            ),
            StatusCode::FORBIDDEN => (
                format!("{name} does not let this program ask: {said}"),
                "bind a cluster role to its account that may create tokenreviews and subjectaccessreviews, and list and watch \
                 rolebindings, clusterrolebindings and clusterroles",
            ),
            status => (format!("{name} answers {status}: {said}"), "look at the API server"),
        };
        Problem::new(Kind::Unavailable, message, help.to_owned())
    }
}

/// How a pod reaches the API server of its cluster.
fn in_cluster(url: &str, account: &Path) -> Result<Kubeconfig, Problem> {
    let authorities = account.join("ca.crt");
    let authorities = fs::read(&authorities).map_err(|error| unreadable(&authorities, "the authority", &error))?;
    let token = account.join("token");
    text_of(&token, "the token of this program")?;
    Ok(Kubeconfig {
        server: url.to_owned(),
        authorities: Some(authorities),
        is_verified: true,
        account: KubernetesAccount::TokenFile(token),
        namespace: text_of(&account.join("namespace"), "the namespace").ok(),
    })
}

fn text_of(path: &Path, what: &str) -> Result<String, Problem> {
    let text = fs::read_to_string(path).map_err(|error| unreadable(path, what, &error))?;
    Ok(text.trim().to_owned())
}

fn unreadable(path: &Path, what: &str, error: &std::io::Error) -> Problem {
    let message = format!("{what} in {} cannot be read: {error}", path.display());
    let help = "let Kubernetes mount the account of the pod (`automountServiceAccountToken`)".to_owned();
    Problem::new(Kind::Unavailable, message, help)
}
