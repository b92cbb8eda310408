//! How a PostgreSQL server is reached: the keys that the online and the offline store have in common.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Value, json};

use super::{ClientCertificate, Password, ServerUrl, TlsConfig, TlsMode, resolve};
use crate::{
    diagnostics::Diagnostics,
    yaml::{Node, Read, Scalar, Schemas, Spanned, record},
};

const DEFAULT_PORT: u16 = 5432;
const DEFAULT_SCHEMA: &str = "public";

/// A database on a PostgreSQL server, and a schema in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresConnection {
    /// Where the server is, and who connects.
    pub server: ServerUrl,
    /// Where tables are that are named without a schema.
    pub schema: String,
    /// Who we are, for a server that asks for a certificate.
    pub client: Option<ClientCertificate>,
    /// After how long without traffic the server is asked whether it is still there.
    pub keepalives_idle: Option<Duration>,
}

impl PostgresConnection {
    /// The search path of Feast, which decides where tables are.
    pub fn search_path(&self) -> String {
        let public = if self.schema == DEFAULT_SCHEMA { "" } else { ",public" };
        format!("{}{public}", self.schema)
    }

    /// The settings as they are understood, with `***` for the password.
    pub(super) fn settings(&self) -> Value {
        let server = &self.server;
        let mut settings = json!({
            "type": "postgres",
            "host": server.host,
            "port": server.port,
            "database": server.database,
            "db_schema": self.schema,
            "user": server.user,
            "sslmode": server.tls.mode.word(),
        });
        if server.password.is_some() {
            settings["password"] = "***".into();
        }
        if let Some(path) = &server.tls.root_certificates {
            settings["sslrootcert_path"] = json!(path);
        }
        if let Some(client) = &self.client {
            settings["sslcert_path"] = json!(client.certificate);
            settings["sslkey_path"] = json!(client.key);
        }
        if let Some(idle) = self.keepalives_idle {
            settings["keepalives_idle"] = idle.as_secs().into();
        }
        settings
    }
}

record! {
    /// Where a PostgreSQL server is, and who connects.
    pub(crate) struct RawPostgresConnection, "the settings of a PostgreSQL server";
    required {
        /// The server, or the folder of its socket.
        host: Spanned<String>,
        /// The database with the tables.
        database: Spanned<String>,
        /// Who connects.
        user: Spanned<String>,
    }
    optional {
        /// Left out where the server asks for none.
        password: Password,
        /// A file with the key of `sslcert_path`.
        sslkey_path: Spanned<String>,
        /// A file with the certificate to show, for a server that asks for one.
        sslcert_path: Spanned<String>,
        /// A file with the certificates to trust; those of the system if it is left out.
        sslrootcert_path: Spanned<String>,
        // Of Feast's pool of connections, which feastr does without.
        /// Feast's kind of connections. Without effect.
        conn_type: Node,
        /// The least connections of Feast's pool. Without effect.
        min_conn: Node,
        /// The most connections of Feast's pool. Without effect.
        max_conn: Node,
    }
    placed {
        /// From 1 to 65535.
        port: i64 = DEFAULT_PORT,
        /// The schema of the tables; an empty text is the one named like the user.
        db_schema: String = DEFAULT_SCHEMA,
        /// How connections are encrypted: `disable`, `prefer`, `require`, `verify-ca` or `verify-full`.
        sslmode: String = TlsMode::Require.word(),
        /// Seconds without traffic after which the server is asked whether it is still there; 0 leaves it to the
        /// system.
        keepalives_idle: i64 = 0,
    }
}

impl RawPostgresConnection {
    /// The connection that is meant; relative paths start at `folder`.
    pub(super) fn lower(self, folder: &Path, diagnostics: &mut Diagnostics) -> Option<PostgresConnection> {
        let port = port_number(&self.port, diagnostics);
        let keepalives_idle = seconds(&self.keepalives_idle, diagnostics);
        // As in Feast, an empty one is that of the user.
        let schema = if self.db_schema.value.trim().is_empty() { &self.user } else { &self.db_schema };
        let schema = schema_name(schema, diagnostics);
        let file = |path: &Spanned<String>| resolve(folder, &path.value);
        let tls = tls_config(&self.sslmode, self.sslrootcert_path.as_ref().map(file), diagnostics);
        let client = match (self.sslcert_path.as_ref(), self.sslkey_path.as_ref()) {
            (Some(certificate), Some(key)) => {
                Some(ClientCertificate { certificate: file(certificate), key: file(key) })
            }
            (None, None) => None,
            (Some(one), None) | (None, Some(one)) => {
                diagnostics.error_with_help(
                    &one.span,
                    "a certificate is of use with its key only",
                    "write both `sslcert_path` and `sslkey_path`".to_owned(),
                );
                return None;
            }
        };
        let server = ServerUrl {
            scheme: "postgresql",
            user: Some(self.user.value),
            password: self.password.filter(|password| !password.0.is_empty()),
            host: self.host.value,
            port: Some(port?),
            database: self.database.value,
            tls: tls?,
        };
        Some(PostgresConnection { server, schema: schema?, client, keepalives_idle: keepalives_idle? })
    }
}

/// The password; one of digits alone is a number to YAML, which may have lost some of them.
impl Read for Password {
    const EXPECTED: &'static str = String::EXPECTED;

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        match node.scalar() {
            Some(Scalar::Text(text)) => Some(Self(text.clone())),
            Some(Scalar::Integer(number)) if node.span.text() == number.to_string() => Some(Self(number.to_string())),
            _ => {
                diagnostics.error_with_help(
                    &node.span,
                    "the password is not a text",
                    "write it in quotes, or take it from the environment: password: ${FEAST_DB_PASSWORD}".to_owned(),
                );
                None
            }
        }
    }

    fn schema(_: &mut Schemas) -> Value {
        json!({ "type": ["string", "integer"] })
    }
}

fn port_number(port: &Spanned<i64>, diagnostics: &mut Diagnostics) -> Option<u16> {
    let number = u16::try_from(port.value).ok().filter(|number| *number > 0);
    if number.is_none() {
        diagnostics.error(&port.span, format!("{} is not a port: ports are from 1 to 65535", port.value));
    }
    number
}

fn seconds(time: &Spanned<i64>, diagnostics: &mut Diagnostics) -> Option<Option<Duration>> {
    let Ok(seconds) = u64::try_from(time.value) else {
        diagnostics.error(&time.span, "`keepalives_idle` is a number of seconds; 0 leaves it to the system");
        return None;
    };
    Some((seconds > 0).then(|| Duration::from_secs(seconds)))
}

/// A schema's name as it can stand in a search path, which is where Feast writes it.
fn schema_name(schema: &Spanned<String>, diagnostics: &mut Diagnostics) -> Option<String> {
    let name = schema.value.trim();
    let plain = |c: char| c.is_alphanumeric() || "_$-".contains(c);
    if name.chars().all(plain) {
        return Some(name.to_owned());
    }
    diagnostics.error_with_help(
        &schema.span,
        format!("`{}` cannot be the schema of tables", name.escape_debug()),
        "use one whose name has letters, digits and underscores only".to_owned(),
    );
    None
}

/// How connections are encrypted; Feast insists on it unless told otherwise.
fn tls_config(
    mode: &Spanned<String>,
    root_certificates: Option<PathBuf>,
    diagnostics: &mut Diagnostics,
) -> Option<TlsConfig> {
    match TlsMode::from_word(&mode.value) {
        Ok(mode) => Some(TlsConfig::new(mode, root_certificates)),
        Err(problem) => {
            diagnostics.problem(&mode.span, problem);
            None
        }
    }
}
