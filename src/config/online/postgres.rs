//! The settings of the online store in PostgreSQL.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    config::{ClientCertificate, Password, ServerUrl, TlsConfig, TlsMode, resolve, store_kind::unsupported_flag},
    diagnostics::Diagnostics,
    yaml::{Node, Read, Scalar, Schemas, Spanned, record},
};

const DEFAULT_PORT: u16 = 5432;
const DEFAULT_SCHEMA: &str = "public";

/// Feast's online store in PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresConfig {
    /// Where the server is, and who connects.
    pub server: ServerUrl,
    /// Where the tables are.
    pub schema: String,
    /// Who we are, for a server that asks for a certificate.
    pub client: Option<ClientCertificate>,
    /// After how long without traffic the server is asked whether it is still there.
    pub keepalives_idle: Option<Duration>,
    /// Whether tables have numbers in a column of their own, too, for Feast's filters.
    pub numbers: bool,
}

impl PostgresConfig {
    /// The settings of the store as they are understood, with `***` for the password.
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
        if self.numbers {
            settings["enable_openai_compatible_store"] = true.into();
        }
        settings
    }
}

record! {
    /// An online store in PostgreSQL: a table per view.
    pub(crate) struct RawPostgres, "the settings of the PostgreSQL online store";
    required {
        /// `postgres`.
        r#type: String,
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
        // Of Feast's pool of connections, vectors and batched reads, which feastr does without.
        /// Feast's kind of connections. Without effect.
        conn_type: Node,
        /// The least connections of Feast's pool. Without effect.
        min_conn: Node,
        /// The most connections of Feast's pool. Without effect.
        max_conn: Node,
        /// Feast's measure for vectors. Without effect.
        similarity: Node,
        /// How much Feast reads at a time. Without effect.
        max_batched_result_rows: Node,
    }
    defaulted {
        /// Whether tables have numbers in a column of their own, too, for Feast's filters.
        enable_openai_compatible_store: bool = false,
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
        /// Not supported yet: `true` is an error.
        vector_enabled: bool = false,
    }
}

/// The store of a mapping with `type: postgres`.
pub(crate) fn read(node: &Node, folder: &Path, diagnostics: &mut Diagnostics) -> Option<PostgresConfig> {
    let raw = RawPostgres::read(node, diagnostics)?;
    unsupported_flag(&raw.vector_enabled, "vector_enabled", diagnostics);
    let port = port_number(&raw.port, diagnostics);
    let keepalives_idle = seconds(&raw.keepalives_idle, diagnostics);
    // As in Feast, an empty one is that of the user.
    let schema = if raw.db_schema.value.trim().is_empty() { &raw.user } else { &raw.db_schema };
    let schema = schema_name(schema, diagnostics);
    let file = |path: &Spanned<String>| resolve(folder, &path.value);
    let tls = tls_config(&raw.sslmode, raw.sslrootcert_path.as_ref().map(file), diagnostics);
    let client = match (raw.sslcert_path.as_ref(), raw.sslkey_path.as_ref()) {
        (Some(certificate), Some(key)) => Some(ClientCertificate { certificate: file(certificate), key: file(key) }),
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
        user: Some(raw.user.value),
        password: raw.password.filter(|password| !password.0.is_empty()),
        host: raw.host.value,
        port: Some(port?),
        database: raw.database.value,
        tls: tls?,
    };
    Some(PostgresConfig {
        server,
        schema: schema?,
        client,
        keepalives_idle: keepalives_idle?,
        numbers: raw.enable_openai_compatible_store,
    })
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
        format!("`{}` cannot be the schema of online tables", name.escape_debug()),
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

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc};

    use super::*;
    use crate::{
        config::{StoreConfig, load},
        diagnostics::SourceText,
    };

    /// The settings of a repo with such an online store; or what is wrong, with the file as it is shown.
    fn read(online: &str, password: &str) -> Result<StoreConfig, String> {
        let text = format!("project: my-project\nregistry: data/registry.db\nonline_store:{online}");
        let file = Arc::new(SourceText::settings("/repo/feature_store.yaml", text));
        let paths = [Path::new("/repo"), Path::new("/repo/feature_store.yaml")];
        let variable = |name: &str| (name == "FEAST_PASSWORD").then(|| password.to_owned());
        let mut diagnostics = Diagnostics::default();
        load(&file, paths, &variable, &mut diagnostics).ok_or_else(|| {
            let found = diagnostics.into_sorted().into_iter();
            found.map(|found| format!("{}\n{:?}\n", found.message, found.advice)).collect::<String>() + &file.shown()
        })
    }

    #[test]
    fn settings_are_read_and_shown_without_the_password() {
        let online = "\n  type: postgres\n  host: db\n  database: features\n  user: feast\n  password: ${FEAST_PASSWORD}\n  \
             port: ${PORT:-6432}\n  sslrootcert_path: certs/ca.pem\n  sslcert_path: certs/me.pem\n  sslkey_path: \
             certs/me.key\n  keepalives_idle: 30\n  conn_type: pool\n  min_conn: 2\n  max_conn: 5\n  \
             max_batched_result_rows: 10\n  vector_enabled: false\n  similarity: cosine\n  \
             enable_openai_compatible_store: true\n";
        for password in ["s3cret", "0123", "1e5", "true"] {
            let settings = read(online, password).unwrap().settings();
            let online = &settings["online_store"];
            assert_eq!(online["password"], "***");
            assert_eq!(
                (&online["port"], &online["sslmode"], &online["db_schema"], &online["keepalives_idle"]),
                (&6432.into(), &"verify-ca".into(), &"public".into(), &30.into())
            );
            assert_eq!(online["sslkey_path"], "/repo/certs/me.key");
            assert!(password == "true" || !settings.to_string().contains(password), "{settings}");
        }
    }

    #[test]
    fn wrong_settings_are_pointed_at() {
        let whole = "host: db\n  database: features\n  user: feast\n";
        for (wrong, part) in [
            ("database: features\n  user: feast\n".to_owned(), "`host` is missing"),
            (format!("{whole}  port: 70000\n"), "70000 is not a port"),
            (format!("{whole}  sslmode: maybe\n"), "`maybe` is not an sslmode"),
            (format!("{whole}  db_schema: \"a,b\"\n"), "`a,b` cannot be the schema"),
            (format!("{whole}  sslcert_path: me.pem\n"), "of use with its key only"),
            (format!("{whole}  vector_enabled: true\n"), "`vector_enabled` is not supported yet"),
            (format!("{whole}  keepalives_idle: -1\n"), "number of seconds"),
            (format!("{whole}  pasword: s3cret\n"), "pasword"),
            (format!("{whole}  password: [s3cret]\n"), "the password is not a text"),
            (format!("{whole}  password: 0123\n"), "the password is not a text"),
        ] {
            let found = read(&format!("\n  type: postgres\n  {wrong}"), "").unwrap_err();
            assert!(found.contains(part), "{found}");
            assert!(!found.contains("s3cret") || wrong.contains("pasword"), "{found}");
        }
        let found = read(" {type: postgres, host: h, user: u, password: s3cret}\n", "").unwrap_err();
        assert!(found.contains("`database` is missing") && !found.contains("s3cret"), "{found}");
    }
}
