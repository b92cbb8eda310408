use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    config::{ClientCertificate, Password, ServerUrl, TlsConfig, TlsMode, resolve, store_kind::unsupported_flag},
    diagnostics::Diagnostics,
    yaml::{Node, Read, Scalar, Spanned, record},
};

const DEFAULT_PORT: u16 = 5432;
const DEFAULT_SCHEMA: &str = "public";

/// Feast's online store in PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresConfig {
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

record! {
    /// The `online_store` mapping of a PostgreSQL store as written.
    struct RawPostgres, "the settings of the PostgreSQL online store";
    required {
        host: Spanned<String>,
        database: Spanned<String>,
        user: Spanned<String>,
    }
    optional {
        r#type: Node,
        /// Left out where the server asks for none.
        password: Node,
        port: Spanned<i64>,
        db_schema: Spanned<String>,
        sslmode: Spanned<String>,
        sslkey_path: Spanned<String>,
        sslcert_path: Spanned<String>,
        sslrootcert_path: Spanned<String>,
        keepalives_idle: Spanned<i64>,
        enable_openai_compatible_store: bool,
        vector_enabled: Spanned<bool>,
        // Of Feast's pool of connections, vectors and batched reads, which feastr does without.
        conn_type: Node,
        min_conn: Node,
        max_conn: Node,
        similarity: Node,
        max_batched_result_rows: Node,
    }
}

/// The store of a mapping with `type: postgres`.
pub fn read(node: &Node, folder: &Path, diagnostics: &mut Diagnostics) -> Option<PostgresConfig> {
    let raw = RawPostgres::read(node, diagnostics)?;
    unsupported_flag(raw.vector_enabled.as_ref(), "vector_enabled", diagnostics);
    let password = raw.password.as_ref().map_or(Some(None), |node| password(node, diagnostics));
    let port = raw.port.as_ref().map_or(Some(DEFAULT_PORT), |port| port_number(port, diagnostics));
    let keepalives_idle = raw.keepalives_idle.as_ref().map_or(Some(None), |time| seconds(time, diagnostics));
    // As in Feast, an empty one is that of the user.
    let schema = match &raw.db_schema {
        Some(schema) if schema.value.trim().is_empty() => raw.user.clone(),
        Some(schema) => schema.clone(),
        None => Spanned { value: DEFAULT_SCHEMA.to_owned(), span: raw.span.clone() },
    };
    let schema = schema_name(&schema, diagnostics);
    let file = |path: &Spanned<String>| resolve(folder, &path.value);
    let tls = tls_config(raw.sslmode.as_ref(), raw.sslrootcert_path.as_ref().map(file), diagnostics);
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
        password: password?,
        host: raw.host.value,
        port: Some(port?),
        database: raw.database.value,
        tls: tls?,
    };
    let numbers = raw.enable_openai_compatible_store.unwrap_or(false);
    Some(PostgresConfig { server, schema: schema?, client, keepalives_idle: keepalives_idle?, numbers })
}

/// The password; one of digits alone is a number to YAML, which may have lost some of them.
fn password(node: &Node, diagnostics: &mut Diagnostics) -> Option<Option<Password>> {
    match node.scalar() {
        Some(Scalar::Null) => Some(None),
        Some(Scalar::Text(text)) => Some(Some(text.clone()).filter(|text| !text.is_empty()).map(Password)),
        Some(Scalar::Integer(number)) if node.span.text() == number.to_string() => {
            Some(Some(Password(number.to_string())))
        }
        _ => {
            diagnostics.error_with_help(
                &node.span,
                "the password is no text",
                "write it in quotes, or take it from the environment: password: ${FEAST_DB_PASSWORD}".to_owned(),
            );
            None
        }
    }
}

fn port_number(port: &Spanned<i64>, diagnostics: &mut Diagnostics) -> Option<u16> {
    let number = u16::try_from(port.value).ok().filter(|number| *number > 0);
    if number.is_none() {
        diagnostics.error(&port.span, format!("{} is no port: ports are from 1 to 65535", port.value));
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
    mode: Option<&Spanned<String>>,
    root_certificates: Option<PathBuf>,
    diagnostics: &mut Diagnostics,
) -> Option<TlsConfig> {
    let mode = match mode.map(|word| (TlsMode::from_word(&word.value), &word.span)) {
        None => TlsMode::Require,
        Some((Ok(mode), _)) => mode,
        Some((Err(problem), span)) => {
            diagnostics.problem(span, problem);
            return None;
        }
    };
    Some(TlsConfig::new(mode, root_certificates))
}
