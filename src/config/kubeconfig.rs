//! A kubeconfig, as far as it says where an API server is and who we are there (`kubectl config view`): that of its current
//! context. Programs that make tokens (`exec`) are not run.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Password, resolve};
use crate::{
    diagnostics::{Diagnostics, SourceText},
    problem::{Kind, Problem},
    yaml::{self, Node, Scalar},
};

/// Where an API server is, and who we are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kubeconfig {
    /// Its URL.
    pub server: String,
    /// The certificates of the authorities that may vouch for it, as PEM; `None` for those of the system.
    pub authorities: Option<Vec<u8>>,
    /// Whether it has to prove who it is.
    pub is_verified: bool,
    /// Who we are.
    pub account: KubernetesAccount,
    /// The namespace of the context.
    pub namespace: Option<String>,
}

/// Who we are for an API server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KubernetesAccount {
    /// This token says it.
    Token(Password),
    /// The token in this file says it, which may be another one the next time.
    TokenFile(PathBuf),
    /// A certificate and its key say it, as PEM.
    Certificate {
        /// The certificate.
        certificate: Vec<u8>,
        /// Its key.
        key: Password,
    },
}

/// A kubeconfig that is being read.
struct Reading<'a> {
    path: &'a Path,
    folder: &'a Path,
}

impl Kubeconfig {
    /// The one in a file, with the files that it names.
    ///
    /// # Errors
    /// When a file cannot be read, it is no kubeconfig, or it says in no way that is known here who we are.
    pub fn read(path: &Path) -> Result<Self, Problem> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let message = format!("the kubeconfig {} cannot be read: {error}", path.display());
            Problem::new(Kind::Invalid, message, advice())
        })?;
        let reading = Reading { path, folder: path.parent().unwrap_or(path) };
        let mut diagnostics = Diagnostics::default();
        let file = Arc::new(SourceText::settings(path, text));
        let Some(node) = yaml::parse(&file, &mut diagnostics) else {
            let found = diagnostics.into_sorted().into_iter().next();
            return Err(reading.wrong(&found.map_or_else(|| "it is empty".to_owned(), |found| found.message)));
        };
        reading.context(&node)
    }
}

impl Reading<'_> {
    fn context(&self, node: &Node) -> Result<Kubeconfig, Problem> {
        let name = text(node, "current-context").ok_or_else(|| self.wrong("it has no `current-context`"))?;
        let context = self.named(node, "contexts", "context", name)?;
        let of = |key: &str| text(context, key).ok_or_else(|| self.wrong(&format!("context `{name}` has no `{key}`")));
        let cluster = self.named(node, "clusters", "cluster", of("cluster")?)?;
        let user = self.named(node, "users", "user", of("user")?)?;
        let server = text(cluster, "server").ok_or_else(|| self.wrong("the cluster has no `server`"))?;
        let skips = at(cluster, "insecure-skip-tls-verify").and_then(Node::scalar) == Some(&Scalar::Bool(true));
        Ok(Kubeconfig {
            server: server.trim_end_matches('/').to_owned(),
            authorities: self.data(cluster, "certificate-authority")?,
            is_verified: !skips,
            account: self.account(user)?,
            namespace: text(context, "namespace").map(str::to_owned),
        })
    }

    fn account(&self, user: &Node) -> Result<KubernetesAccount, Problem> {
        if let Some(token) = text(user, "token") {
            return Ok(KubernetesAccount::Token(Password(token.to_owned())));
        }
        if let Some(file) = text(user, "tokenFile") {
            return Ok(KubernetesAccount::TokenFile(resolve(self.folder, file)));
        }
        match (self.data(user, "client-certificate")?, self.data(user, "client-key")?) {
            (Some(certificate), Some(key)) => {
                let key = String::from_utf8(key).map_err(|_| self.wrong("its `client-key` is not in PEM format"))?;
                Ok(KubernetesAccount::Certificate { certificate, key: Password(key) })
            }
            _ => Err(self.wrong("its user has neither a token nor a certificate with a key")),
        }
    }

    /// What is in the list of a name under one of its own.
    fn named<'n>(&self, node: &'n Node, list: &str, key: &str, name: &str) -> Result<&'n Node, Problem> {
        let items = match at(node, list).map(|list| &list.content) {
            Some(yaml::Content::List(items)) => items.as_slice(),
            _ => &[],
        };
        let found = items.iter().find(|item| text(item, "name") == Some(name)).and_then(|item| at(item, key));
        found.ok_or_else(|| self.wrong(&format!("there is no `{name}` under `{list}`")))
    }

    /// What is in a file that a key names, or stands in the kubeconfig itself.
    fn data(&self, node: &Node, key: &str) -> Result<Option<Vec<u8>>, Problem> {
        if let Some(data) = text(node, &format!("{key}-data")) {
            return match STANDARD.decode(data.trim()) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(_) => Err(self.wrong(&format!("its `{key}-data` is not in base64"))),
            };
        }
        let Some(file) = text(node, key) else { return Ok(None) };
        let file = resolve(self.folder, file);
        let unreadable = |error| self.wrong(&format!("{} cannot be read: {error}", file.display()));
        std::fs::read(&file).map(Some).map_err(unreadable)
    }

    fn wrong(&self, why: &str) -> Problem {
        let message = format!("the kubeconfig {} is of no use: {why}", self.path.display());
        Problem::new(Kind::Invalid, message, advice())
    }
}

fn advice() -> String {
    "correct it, or name another one with `kubeconfig` under `feastr: {auth: {kubernetes: …}}`".to_owned()
}

fn at<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    node.entries()?.iter().find(|(name, _)| name.as_text() == Some(key)).map(|(_, value)| value)
}

fn text<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    at(node, key)?.as_text().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(user: &str, cluster: &str) -> Result<Kubeconfig, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), "authority").unwrap();
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: here\npreferences: {{}}\n\
             contexts: [{{name: other, context: {{}}}}, {{name: here, context: {{cluster: c, user: u, namespace: n}}}}]\n\
             clusters: [{{name: c, cluster: {{server: 'https://api:6443/', {cluster}}}}}]\n\
             users: [{{name: u, user: {{{user}}}}}]\n"
        );
        let path = folder.path().join("config");
        std::fs::write(&path, text).unwrap();
        Kubeconfig::read(&path).map_err(|problem| problem.message.replace(&path.display().to_string(), "FILE"))
    }

    #[test]
    fn the_current_context_counts() {
        let config = read("token: abc", "certificate-authority: ca.pem").unwrap();
        assert_eq!((config.server.as_str(), config.namespace.as_deref()), ("https://api:6443", Some("n")));
        assert_eq!(config.account, KubernetesAccount::Token(Password("abc".to_owned())));
        assert_eq!((config.authorities.as_deref(), config.is_verified), (Some("authority".as_bytes()), true));
        let config = read("client-certificate-data: YQ==, client-key-data: Yg==", "insecure-skip-tls-verify: true");
        let config = config.unwrap();
        let certificate = KubernetesAccount::Certificate { certificate: b"a".to_vec(), key: Password("b".to_owned()) };
        assert_eq!((config.account, config.is_verified), (certificate, false));
        assert!(!format!("{:?}", read("token: hush", "").unwrap()).contains("hush"));
    }

    #[test]
    fn what_is_missing_is_told() {
        let nobody = "the kubeconfig FILE is of no use: its user has neither a token nor a certificate with a key";
        assert_eq!(read("exec: {command: aws}", "").unwrap_err(), nobody);
        let missing = read("token: t", "certificate-authority: none.pem").unwrap_err();
        assert!(missing.contains("none.pem cannot be read"), "{missing}");
        let unreadable = Kubeconfig::read(Path::new("/nowhere/config")).unwrap_err().message;
        assert!(unreadable.starts_with("the kubeconfig /nowhere/config cannot be read"), "{unreadable}");
    }
}
