//! The settings of the online store in PostgreSQL.

use std::path::Path;

use serde_json::Value;

use crate::{
    config::{
        postgres::{PostgresConnection, RawPostgresConnection},
        store_kind::unsupported_flag,
    },
    diagnostics::Diagnostics,
    yaml::{Node, Read, record},
};

/// Feast's online store in PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresConfig {
    /// Where the server is, and in which schema the tables are.
    pub connection: PostgresConnection,
    /// Whether tables have numbers in a column of their own, too, for Feast's filters.
    pub numbers: bool,
}

impl PostgresConfig {
    /// The settings of the store as they are understood, with `***` for the password.
    pub(super) fn settings(&self) -> Value {
        let mut settings = self.connection.settings();
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
    }
    optional {
        // Of Feast's vectors and batched reads, which feastr does without.
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
        /// Not supported yet: `true` is an error.
        vector_enabled: bool = false,
    }
    flatten { connection: RawPostgresConnection, }
}

/// The store of a mapping with `type: postgres`.
pub(crate) fn read(node: &Node, folder: &Path, diagnostics: &mut Diagnostics) -> Option<PostgresConfig> {
    let raw = RawPostgres::read(node, diagnostics)?;
    unsupported_flag(&raw.vector_enabled, "vector_enabled", diagnostics);
    let connection = raw.connection.lower(folder, diagnostics)?;
    Some(PostgresConfig { connection, numbers: raw.enable_openai_compatible_store })
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
