//! The settings of a registry behind a registry server.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::{ClientCertificate, Environment, environment::variables, resolve, store_kind::unsupported_flag};
use crate::{
    diagnostics::Diagnostics,
    problem::{Kind, Problem},
    yaml::{Node, Read as _, Spanned, record},
};

/// A registry server of Feast or of feastr, which has the registry (gRPC).
///
/// Shown as its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteRegistryConfig {
    /// `host:port`.
    address: String,
    /// Whether what goes to and fro is encrypted.
    pub is_encrypted: bool,
    /// File with the certificates of the authorities to trust; those of the system if there is none.
    pub authorities: Option<PathBuf>,
    /// How feastr proves who it is when it connects, if it does.
    pub client: Option<ClientCertificate>,
    /// The name that the server goes by, where it is not called so.
    pub authority: Option<String>,
}

/// What the URLs of such servers begin with on the command line.
const SCHEMES: [(&str, bool); 2] = [("grpc://", false), ("grpcs://", true)];

impl RemoteRegistryConfig {
    /// Whether a text is the URL of a registry server: `grpc://host:port`, or `grpcs://…` for one that encrypts.
    pub(super) fn is_one(text: &str) -> bool {
        SCHEMES.iter().any(|(scheme, _)| text.starts_with(scheme))
    }

    /// The server behind such an URL, whose authorities the environment may name.
    ///
    /// # Errors
    /// When there is more or less in it than a host and a port.
    pub(super) fn at(url: &str, environment: Environment<'_>) -> Result<Self, Problem> {
        let found = SCHEMES.iter().find_map(|(scheme, encrypts)| Some((url.strip_prefix(scheme)?, *encrypts)));
        let (address, is_encrypted) = found.unwrap_or((url, false));
        let address = address_of(address.trim_end_matches('/'))?;
        let authorities = is_encrypted.then(|| trusted(environment)).flatten();
        Ok(Self { address, is_encrypted, authorities, client: None, authority: None })
    }

    /// The URL of the server: `http://…`, or `https://…` for one that encrypts.
    pub fn url(&self) -> String {
        format!("{}://{}", if self.is_encrypted { "https" } else { "http" }, self.address)
    }

    /// The URL by which the command line names it: `grpc://…`, or `grpcs://…`.
    pub fn shown(&self) -> String {
        format!("{}://{}", if self.is_encrypted { "grpcs" } else { "grpc" }, self.address)
    }

    /// The settings of the registry as they are understood.
    pub(super) fn settings(&self) -> Value {
        let mut settings = json!({
            "registry_type": "remote",
            "path": self.address,
            "is_tls": self.is_encrypted,
            "cert": self.authorities,
        });
        if let Some(ClientCertificate { certificate, key }) = &self.client {
            settings["client_cert"] = json!(certificate);
            settings["client_key"] = json!(key);
        }
        if let Some(authority) = &self.authority {
            settings["authority"] = authority.clone().into();
        }
        settings
    }
}

impl fmt::Display for RemoteRegistryConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address)
    }
}

record! {
    /// A registry behind a registry server, Feast's or that of feastr.
    pub(super) struct RawRemoteRegistry, "the settings of the remote registry";
    required {
        /// `remote`.
        registry_type: String,
        /// The server: `host:port`.
        path: Spanned<String>,
    }
    optional {
        /// File with the certificates of the authorities that are trusted; with one the connection is encrypted.
        cert: Spanned<String>,
        /// File with the certificate by which the server knows who connects, for servers that want one.
        client_cert: Spanned<String>,
        /// File with its key.
        client_key: Spanned<String>,
        /// The name that the server goes by, where it is reached by another one.
        authority: Spanned<String>,
        /// How long Feast, and servers of feastr, keep what they have read. Commands read what is there.
        cache_ttl_seconds: Node,
        /// How that is refreshed.
        cache_mode: Node,
        /// Without effect.
        registry_store_type: Node,
        /// Without effect.
        s3_additional_kwargs: Node,
        /// Without effect.
        serve_features_while_materializing: Node,
        /// Without effect.
        mcp: Node,
    }
    placed {
        /// Whether the connection is encrypted; whom to trust say `cert`, `SSL_CERT_FILE`, `REQUESTS_CA_BUNDLE`,
        /// `FEAST_CA_CERT_FILE_PATH`, or the system.
        is_tls: bool = false,
        /// Not supported yet: `true` is an error.
        purge_feast_metadata: bool = false,
        /// Not supported yet: `true` is an error.
        enable_online_feature_view_versioning: bool = false,
    }
}

/// The registry of a mapping with `registry_type: remote`; `None` after an error.
pub(super) fn read(
    node: &Node,
    folder: &Path,
    environment: Environment<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<RemoteRegistryConfig> {
    let raw = RawRemoteRegistry::read(node, diagnostics)?;
    unsupported_flag(&raw.purge_feast_metadata, "purge_feast_metadata", diagnostics);
    unsupported_flag(&raw.enable_online_feature_view_versioning, "enable_online_feature_view_versioning", diagnostics);
    // Feast's defaults are empty texts.
    let filled = |text: Option<Spanned<String>>| text.filter(|text| !text.value.trim().is_empty());
    let [cert, client_cert, client_key, authority] =
        [raw.cert, raw.client_cert, raw.client_key, raw.authority].map(filled);
    let is_encrypted = raw.is_tls.value || cert.is_some();
    let client = match (client_cert, client_key) {
        (None, None) => None,
        (Some(certificate), Some(key)) => {
            if !is_encrypted {
                diagnostics.warning(
                    &certificate.span,
                    "`client_cert` has no effect: nothing is encrypted on the way to the server",
                    "write `is_tls: true`, or leave it out".to_owned(),
                );
            }
            let [certificate, key] = [certificate, key].map(|file| resolve(folder, &file.value));
            Some(ClientCertificate { certificate, key })
        }
        (Some(one), None) | (None, Some(one)) => {
            diagnostics.error(&one.span, "`client_cert` and `client_key` go together: a certificate and its key");
            return None;
        }
    };
    let address = match address_of(raw.path.value.trim()) {
        Ok(address) => address,
        Err(problem) => {
            diagnostics.problem(&raw.path.span, problem);
            return None;
        }
    };
    let authorities = match cert {
        Some(file) => Some(resolve(folder, &file.value)),
        None if is_encrypted => trusted(environment),
        None => None,
    };
    Some(RemoteRegistryConfig {
        address,
        is_encrypted,
        authorities,
        client,
        authority: authority.map(|name| name.value.trim().to_owned()),
    })
}

/// The file with authorities that the environment names. `SSL_CERT_FILE` is among those of the system.
fn trusted(environment: Environment<'_>) -> Option<PathBuf> {
    let named = [variables::REQUESTS_CA_BUNDLE, variables::FEAST_CA_CERT_FILE_PATH];
    let set = |name: &str| environment(name).filter(|file| !file.is_empty());
    if set("SSL_CERT_FILE").is_some() {
        return None;
    }
    named.into_iter().find_map(set).map(PathBuf::from)
}

/// A host with a port. No message repeats it, because somebody may have put a password there.
fn address_of(text: &str) -> Result<String, Problem> {
    let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
    let is_bracketed = host.starts_with('[') && host.ends_with(']');
    let is_host =
        !host.is_empty() && !host.contains(['/', '@', ' ', '?', '#']) && (is_bracketed || !host.contains(':'));
    let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
    if is_host && is_port {
        return Ok(text.to_owned());
    }
    let (message, help) =
        ("a registry server is named by its host and port", "write it like registry.example.com:6570");
    Err(Problem::new(Kind::Invalid, message, help.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        config::{RegistryConfig, load, registry_at},
        diagnostics::SourceText,
    };

    fn bundle(name: &str) -> Option<String> {
        (name == "REQUESTS_CA_BUNDLE").then(|| "/etc/bundle.pem".to_owned())
    }

    /// The settings of a repo with such a registry, or what is wrong with it.
    fn settings(registry: &str) -> Result<Value, String> {
        let text = format!("project: p\nregistry: {{registry_type: remote, {registry}}}\n");
        let file = Arc::new(SourceText::settings("/repo/feature_store.yaml", text));
        let mut diagnostics = Diagnostics::default();
        let config = load(&file, ["/repo", "/repo/feature_store.yaml"].map(Path::new), &bundle, &mut diagnostics);
        config.map(|config| config.settings()["registry"].clone()).ok_or_else(|| {
            diagnostics.into_sorted().into_iter().map(|found| format!("{} {:?}", found.message, found.advice)).collect()
        })
    }

    #[test]
    fn a_registry_server_is_read_and_shown() {
        let shown = settings("path: 'registry:6570'").unwrap();
        assert_eq!(
            (&shown["path"], &shown["is_tls"], &shown["cert"]),
            (&"registry:6570".into(), &false.into(), &Value::Null)
        );
        let shown = settings("path: '[::1]:6570', cert: ca.pem, cache_ttl_seconds: 5").unwrap();
        assert_eq!((&shown["is_tls"], &shown["cert"]), (&true.into(), &"/repo/ca.pem".into()));
        let shown = settings("path: 'r:443', is_tls: true, client_cert: c.pem, client_key: k.pem, authority: reg");
        let shown = shown.unwrap();
        assert_eq!((&shown["cert"], &shown["authority"]), (&"/etc/bundle.pem".into(), &"reg".into()));
        assert_eq!((&shown["client_cert"], &shown["client_key"]), (&"/repo/c.pem".into(), &"/repo/k.pem".into()));
    }

    #[test]
    fn what_is_no_server_is_not_repeated() {
        for (wrong, part) in [
            ("cert: ca.pem", "`path` is missing"),
            ("path: registry", "by its host and port"),
            ("path: 'registry:0'", "by its host and port"),
            ("path: 'http://joe:s3cret@registry:6570'", "by its host and port"),
            ("path: '::1:6570'", "by its host and port"),
            ("path: 'r:1', client_cert: c.pem", "go together"),
            ("path: 'r:1', read_path: x", "read_path"),
            ("path: 'r:1', is_tls: 5", "expected true or false"),
        ] {
            let error = settings(wrong).unwrap_err();
            assert!(error.contains(part) && !error.contains("s3cret"), "{wrong}: {error}");
        }
    }

    #[test]
    fn the_command_line_names_servers_by_urls() {
        let at = |url: &str| registry_at(url, Path::new("/"), &bundle);
        let Ok(RegistryConfig::Remote(plain)) = at("grpc://localhost:6570") else { panic!("no server") };
        assert_eq!((plain.url().as_str(), &plain.authorities), ("http://localhost:6570", &None));
        let Ok(RegistryConfig::Remote(encrypted)) = at("grpcs://registry:443/") else { panic!("no server") };
        assert_eq!(
            (encrypted.url().as_str(), encrypted.to_string().as_str()),
            ("https://registry:443", "registry:443")
        );
        assert_eq!(encrypted.authorities, Some("/etc/bundle.pem".into()));
        let wrong = at("grpc://joe:s3cret@registry").unwrap_err();
        assert!(wrong.message.contains("host and port") && !wrong.message.contains("s3cret"));
    }
}
