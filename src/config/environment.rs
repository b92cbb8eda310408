//! Environment variables: those that feastr reads itself, and how settings name theirs.

use crate::{
    diagnostics::Diagnostics,
    yaml::{Content, Node, Scalar},
};

/// Declares the environment variables: a constant for each, and the list of all with their doc comments.
macro_rules! declare_variables {
    ($( $(#[doc = $doc:literal])+ $constant:ident = $name:literal; )+) => {
        /// Every environment variable feastr reads, apart from those named in settings.
        pub mod variables {
            $( $(#[doc = $doc])+ pub const $constant: &str = $name; )+

            /// All of them, each with what it does.
            pub const ALL: &[(&str, &str)] = &[$( ($name, concat!($($doc),+)), )+];
        }
    };
}

declare_variables! {
    /// Folder of the feature repo; `--chdir` wins.
    CHDIR = "FEATURE_REPO_DIR_ENV_VAR";
    /// The settings file; `--feature-store-yaml` wins.
    FEATURE_STORE_YAML = "FEAST_FS_YAML_FILE_PATH";
    /// How much memory queries may use; `--memory-limit` wins.
    MEMORY_LIMIT = "FEASTR_MEMORY_LIMIT";
    /// How many materializations a server of features carries out at a time; `--materialize-jobs` wins.
    MATERIALIZE_MAX_WORKERS = "FEAST_MATERIALIZE_MAX_WORKERS";
    /// What those who tell of events send to the server of the entity index as a bearer token; `--token-file` wins.
    ENTITY_INDEX_TOKEN = "FEASTR_ENTITY_INDEX_TOKEN";
    /// No colours, whatever its value (<https://no-color.org>); `--color` wins.
    NO_COLOR = "NO_COLOR";
    /// File that GitHub Actions shows as the summary of a step.
    GITHUB_STEP_SUMMARY = "GITHUB_STEP_SUMMARY";
    /// The checkout in GitHub Actions, at which the paths of marks start.
    GITHUB_WORKSPACE = "GITHUB_WORKSPACE";
    /// A secret that servers of one store share. Who sends it as a name in an unsigned token is one of them, and may do
    /// everything; no other unsigned token counts.
    INTRA_COMMUNICATION = "INTRA_COMMUNICATION_BASE64";
    /// A token for servers, where `auth` says nothing of how to get one.
    OIDC_TOKEN = "FEAST_OIDC_TOKEN";
    /// The folder with the account of a pod: `token`, `ca.crt` and `namespace`; else where Kubernetes puts it,
    /// `/var/run/secrets/kubernetes.io/serviceaccount`.
    KUBERNETES_ACCOUNT = "FEASTR_KUBERNETES_ACCOUNT";
    /// Where the API server of the cluster is, as Kubernetes tells each pod.
    KUBERNETES_HOST = "KUBERNETES_SERVICE_HOST";
    /// Its port; else 443.
    KUBERNETES_PORT = "KUBERNETES_SERVICE_PORT";
    /// A token for servers with `auth: {type: kubernetes}`, outside of a pod.
    KUBERNETES_TOKEN = "LOCAL_K8S_TOKEN";
    /// File with the authorities that may sign the certificate of a registry server, where `SSL_CERT_FILE` names none.
    REQUESTS_CA_BUNDLE = "REQUESTS_CA_BUNDLE";
    /// The same, where `REQUESTS_CA_BUNDLE` is not set.
    FEAST_CA_CERT_FILE_PATH = "FEAST_CA_CERT_FILE_PATH";
    /// The folder of the user's settings, where logins are kept, in `feastr/logins`; else `~/.config`.
    XDG_CONFIG_HOME = "XDG_CONFIG_HOME";
    /// The same on Windows.
    APPDATA = "APPDATA";
    /// The user's own folder.
    HOME = "HOME";
    /// Who runs the program, for those who wait for its lock.
    USER = "USER";
    /// The same on Windows.
    USERNAME = "USERNAME";
    /// Who we are for S3: the id of a key, its secret, and the token of one that ends. Else a profile, a web identity, the
    /// container or the machine says it.
    AWS_ACCESS_KEY_ID = "AWS_ACCESS_KEY_ID";
    /// The secret of the key for S3.
    AWS_SECRET_ACCESS_KEY = "AWS_SECRET_ACCESS_KEY";
    /// The token of a key for S3 that ends.
    AWS_SESSION_TOKEN = "AWS_SESSION_TOKEN";
    /// The profile with the key and the region; else `default`.
    AWS_PROFILE = "AWS_PROFILE";
    /// The file with keys of profiles; else `~/.aws/credentials`.
    AWS_SHARED_CREDENTIALS_FILE = "AWS_SHARED_CREDENTIALS_FILE";
    /// The file with regions and addresses of profiles; else `~/.aws/config`.
    AWS_CONFIG_FILE = "AWS_CONFIG_FILE";
    /// The region of buckets in S3; else that of the profile, or `us-east-1`.
    AWS_REGION = "AWS_REGION";
    /// The same, where `AWS_REGION` is not set.
    AWS_DEFAULT_REGION = "AWS_DEFAULT_REGION";
    /// The address of S3, where `AWS_ENDPOINT_URL_S3` is not set; `s3_endpoint_override` of a source wins.
    AWS_ENDPOINT_URL = "AWS_ENDPOINT_URL";
    /// The address of S3, such as `http://localhost:9000`; `s3_endpoint_override` of a source wins.
    AWS_ENDPOINT_URL_S3 = "AWS_ENDPOINT_URL_S3";
    /// The address of S3 for a registry in a bucket; else as for all others.
    FEAST_S3_ENDPOINT_URL = "FEAST_S3_ENDPOINT_URL";
    /// How S3 encrypts what is written: `AES256`, `aws:kms`.
    AWS_SERVER_SIDE_ENCRYPTION = "AWS_SERVER_SIDE_ENCRYPTION";
    /// With which key of Amazon's service for keys.
    AWS_SSE_KMS_KEY_ID = "AWS_SSE_KMS_KEY_ID";
    /// `true` asks S3 for `bucket.host/key`; else for `host/bucket/key`, where an address is given.
    AWS_VIRTUAL_HOSTED_STYLE_REQUEST = "AWS_VIRTUAL_HOSTED_STYLE_REQUEST";
    /// `true` says that we pay for requests to buckets of others.
    AWS_REQUEST_PAYER = "AWS_REQUEST_PAYER";
    /// `true` asks S3 as nobody, for buckets that everybody may read.
    AWS_SKIP_SIGNATURE = "AWS_SKIP_SIGNATURE";
    /// File with the authorities that may sign the certificate of S3.
    AWS_CA_BUNDLE = "AWS_CA_BUNDLE";
    /// The role to take with a web identity.
    AWS_ROLE_ARN = "AWS_ROLE_ARN";
    /// What the session of the role is called.
    AWS_ROLE_SESSION_NAME = "AWS_ROLE_SESSION_NAME";
    /// The file with the token of a web identity, as Kubernetes mounts it.
    AWS_WEB_IDENTITY_TOKEN_FILE = "AWS_WEB_IDENTITY_TOKEN_FILE";
    /// Where roles are taken, if not at Amazon.
    AWS_ENDPOINT_URL_STS = "AWS_ENDPOINT_URL_STS";
    /// Where a container asks for its key.
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
    /// The same, whole.
    AWS_CONTAINER_CREDENTIALS_FULL_URI = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    /// The file with the token for that.
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
    /// Where the machine says its key, if not at the usual place.
    AWS_METADATA_ENDPOINT = "AWS_METADATA_ENDPOINT";
    /// `true`: the machine is not asked for a key.
    AWS_EC2_METADATA_DISABLED = "AWS_EC2_METADATA_DISABLED";
    /// File with the account or login for Google Cloud Storage; else that of `gcloud`, or the machine says it.
    GOOGLE_APPLICATION_CREDENTIALS = "GOOGLE_APPLICATION_CREDENTIALS";
    /// File with a service account of Google.
    GOOGLE_SERVICE_ACCOUNT = "GOOGLE_SERVICE_ACCOUNT";
    /// A service account of Google itself, as JSON.
    GOOGLE_SERVICE_ACCOUNT_KEY = "GOOGLE_SERVICE_ACCOUNT_KEY";
    /// `true` asks Google Cloud Storage as nobody.
    GOOGLE_SKIP_SIGNATURE = "GOOGLE_SKIP_SIGNATURE";
    /// The address of a server that stands in for Google Cloud Storage, which is asked as nobody.
    STORAGE_EMULATOR_HOST = "STORAGE_EMULATOR_HOST";
    /// The account of Azure that has the containers.
    AZURE_STORAGE_ACCOUNT_NAME = "AZURE_STORAGE_ACCOUNT_NAME";
    /// The key of the account.
    AZURE_STORAGE_ACCOUNT_KEY = "AZURE_STORAGE_ACCOUNT_KEY";
    /// The key of the account that has a registry; else as for all others.
    REGISTRY_BLOB_KEY = "REGISTRY_BLOB_KEY";
    /// A shared access signature for the account or container.
    AZURE_STORAGE_SAS_TOKEN = "AZURE_STORAGE_SAS_TOKEN";
    /// Account, key and address of Azure Blob Storage in one text, `AccountName=…;AccountKey=…;BlobEndpoint=…`.
    AZURE_STORAGE_CONNECTION_STRING = "AZURE_STORAGE_CONNECTION_STRING";
    /// The address of Azure Blob Storage, if not the usual one.
    AZURE_STORAGE_ENDPOINT = "AZURE_STORAGE_ENDPOINT";
    /// The application that we are for Azure.
    AZURE_CLIENT_ID = "AZURE_CLIENT_ID";
    /// Its secret.
    AZURE_CLIENT_SECRET = "AZURE_CLIENT_SECRET";
    /// Its tenant.
    AZURE_TENANT_ID = "AZURE_TENANT_ID";
    /// The file with its token, as Kubernetes mounts it.
    AZURE_FEDERATED_TOKEN_FILE = "AZURE_FEDERATED_TOKEN_FILE";
    /// Where the Spark Connect server is, `sc://host:15002`, where `spark_conf` names none as `spark.remote`.
    SPARK_REMOTE = "SPARK_REMOTE";
    /// The token for it, where its address has none. Alone it turns no encryption on.
    SPARK_TOKEN = "SPARK_CONNECT_AUTHENTICATE_TOKEN";
    /// Of `serve`: the collector that traces and metrics are sent to by OTLP, such as `http://localhost:4318`. Without it,
    /// or an address for one of both, nothing is sent.
    OTEL_EXPORTER_OTLP_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT";
    /// The address for traces alone, whole.
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    /// The address for metrics alone, whole.
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";
    /// `http/protobuf` is the only protocol; `grpc` and `http/json` are errors.
    OTEL_EXPORTER_OTLP_PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL";
    /// What is sent along, such as a token: `name=value,name=value`.
    OTEL_EXPORTER_OTLP_HEADERS = "OTEL_EXPORTER_OTLP_HEADERS";
    /// How long the collector may take, in milliseconds; else 10000.
    OTEL_EXPORTER_OTLP_TIMEOUT = "OTEL_EXPORTER_OTLP_TIMEOUT";
    /// A file with the authorities that may sign the collector's certificate.
    OTEL_EXPORTER_OTLP_CERTIFICATE = "OTEL_EXPORTER_OTLP_CERTIFICATE";
    /// How often metrics are sent, in milliseconds; else 60000.
    OTEL_METRIC_EXPORT_INTERVAL = "OTEL_METRIC_EXPORT_INTERVAL";
    /// `none` sends no traces.
    OTEL_TRACES_EXPORTER = "OTEL_TRACES_EXPORTER";
    /// `none` sends no metrics.
    OTEL_METRICS_EXPORTER = "OTEL_METRICS_EXPORTER";
    /// The name of the service in traces and metrics; else `feastr`. `OTEL_RESOURCE_ATTRIBUTES` says more about it,
    /// `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` which traces are sampled, and `OTEL_BSP_…` how many wait to be sent.
    OTEL_SERVICE_NAME = "OTEL_SERVICE_NAME";
    /// `true` sends nothing.
    OTEL_SDK_DISABLED = "OTEL_SDK_DISABLED";
}

/// The variables that say how object stores are reached.
pub(super) fn bucket_variables() -> impl Iterator<Item = &'static str> {
    const BEGINNINGS: [&str; 5] = ["AWS_", "AZURE_", "GOOGLE_", "STORAGE_", "FEAST_S3_"];
    let names = variables::ALL.iter().map(|(name, _)| *name);
    let own = [variables::HOME].into_iter();
    names.filter(|name| BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))).chain(own)
}

/// Looks up an environment variable: handed in, so that the core reads no environment itself.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The keys of secrets.
const SECRETS: [&str; 4] = ["password", "client_secret", "token", "user_token"];

/// Replaces `$NAME`, `${NAME}` and `${NAME:-default}` in every unquoted or quoted value.
///
/// As in Feast an unknown `$NAME` stays as it is, because passwords may contain a dollar sign; an
/// unknown `${NAME}` without default is an error. An unquoted value is typed again afterwards, so
/// that `port: ${PORT}` is a number; a secret stays a text, whatever it looks like. Positions stay
/// those of the file, whose text never contains what was filled in.
pub(crate) fn expand(node: &mut Node, environment: Environment<'_>, diagnostics: &mut Diagnostics) {
    expand_typed(node, true, environment, diagnostics);
}

fn expand_typed(node: &mut Node, typed: bool, environment: Environment<'_>, diagnostics: &mut Diagnostics) {
    match &mut node.content {
        Content::List(items) => items.iter_mut().for_each(|item| expand(item, environment, diagnostics)),
        Content::Mapping(entries) => {
            for (key, value) in entries {
                let is_secret = key.as_text().is_some_and(|key| SECRETS.contains(&key));
                expand_typed(value, !is_secret, environment, diagnostics);
            }
        }
        Content::Scalar(scalar) => {
            if let Scalar::Text(text) = scalar
                && text.contains('$')
            {
                match expand_text(text, environment) {
                    Ok(expanded) => {
                        let quoted = node.span.text().starts_with(['"', '\'']);
                        *scalar = if quoted || !typed { Scalar::Text(expanded) } else { retype(expanded) };
                    }
                    Err(name) => diagnostics.error_with_help(
                        &node.span,
                        format!("environment variable `{name}` is not set"),
                        format!("set it, or give a default: ${{{name}:-…}}"),
                    ),
                }
            }
        }
    }
}

/// The text with its variables filled in, or the name of the one that is missing.
fn expand_text(text: &str, environment: Environment<'_>) -> Result<String, String> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        expanded.push_str(&rest[..dollar]);
        let after = &rest[dollar + 1..];
        let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        if let Some((inside, tail)) = braced {
            let (name, default) = match inside.split_once(":-") {
                Some((name, default)) => (name, Some(default)),
                None => (inside, None),
            };
            let value = environment(name).filter(|value| default.is_none() || !value.is_empty());
            match (value, default) {
                (Some(value), _) => expanded.push_str(&value),
                (None, Some(default)) => expanded.push_str(default),
                (None, None) => return Err(name.to_owned()),
            }
            rest = tail;
        } else {
            let end = after.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(after.len());
            let (name, tail) = after.split_at(end);
            match environment(name).filter(|_| !name.is_empty()) {
                Some(value) => expanded.push_str(&value),
                None => {
                    expanded.push('$');
                    expanded.push_str(name);
                }
            }
            rest = tail;
        }
    }
    expanded.push_str(rest);
    Ok(expanded)
}

fn retype(text: String) -> Scalar {
    match text.as_str() {
        "" | "~" | "null" => Scalar::Null,
        "true" => Scalar::Bool(true),
        "false" => Scalar::Bool(false),
        other => match (other.parse(), other.parse()) {
            (Ok(integer), _) => Scalar::Integer(integer),
            (_, Ok(float)) => Scalar::Float(float),
            _ => Scalar::Text(text),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Result<String, String> {
        expand_text(text, &|name| match name {
            "HOST" => Some("db".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        })
    }

    #[test]
    fn fills_in_variables() {
        assert_eq!(expanded("x://${HOST}:1/$HOST").unwrap(), "x://db:1/db");
        assert_eq!(expanded("${PORT:-5432}").unwrap(), "5432");
        assert_eq!(expanded("[${EMPTY:-x}|${EMPTY}]").unwrap(), "[x|]");
        assert_eq!(expanded("pa$$word$abc").unwrap(), "pa$$word$abc");
        assert_eq!(expanded("${PORT}"), Err("PORT".to_owned()));
        assert_eq!(expanded("a${open").unwrap(), "a${open");
    }

    #[test]
    fn types_what_was_filled_in() {
        assert_eq!(retype("5432".into()), Scalar::Integer(5432));
        assert_eq!(retype("true".into()), Scalar::Bool(true));
        assert_eq!(retype("db.example".into()), Scalar::Text("db.example".into()));
    }
}
