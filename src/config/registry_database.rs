//! The databases that can hold a registry, or its locks, and which one is behind a URL.

use std::path::{Path, PathBuf};

use super::{database_url::ServerUrl, resolve};
use crate::{
    diagnostics::{Diagnostics, Span, with_article},
    yaml::Spanned,
};

/// A database that can hold a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistryDatabase {
    /// An SQLite file (absolute path).
    Sqlite {
        /// The file.
        path: PathBuf,
    },
    /// PostgreSQL.
    Postgres(ServerUrl),
    /// MySQL or MariaDB.
    MySql(ServerUrl),
}

impl RegistryDatabase {
    /// The URL, with `***` for the password.
    pub fn masked_url(&self) -> String {
        match self {
            Self::Sqlite { path } => format!("sqlite:///{}", path.display()),
            Self::Postgres(url) | Self::MySql(url) => url.masked(),
        }
    }
}

/// The database of `what` behind an URL as SQLAlchemy takes it, `driver+` and all.
pub(super) fn database_at(
    url: &Spanned<String>,
    what: &str,
    folder: &Path,
    diagnostics: &mut Diagnostics,
) -> Option<RegistryDatabase> {
    let Some((scheme, rest)) = url.value.split_once("://") else {
        diagnostics.error_with_help(
            &url.span,
            format!("the {what} path is not the URL of a database"),
            "write sqlite:///data/registry.db (relative to the repo), sqlite:////srv/feast/registry.db, \
             postgresql://user:password@host/database or mysql://user:password@host/database"
                .to_owned(),
        );
        return None;
    };
    let server = |scheme, wrap: fn(ServerUrl) -> RegistryDatabase, diagnostics: &mut Diagnostics| match ServerUrl::parse(
        scheme, rest,
    ) {
        Ok((url_read, unused)) => {
            for name in unused {
                diagnostics.warning(&url.span, format!("`{name}` in the URL has no effect in feastr"), None);
            }
            Some(wrap(url_read))
        }
        Err(problem) => {
            diagnostics.problem(&url.span, problem);
            None
        }
    };
    match scheme.split('+').next().unwrap_or_default() {
        "sqlite" => sqlite_path(rest, &url.span, what, folder, diagnostics),
        "postgresql" | "postgres" => server("postgresql", RegistryDatabase::Postgres, diagnostics),
        "mysql" | "mariadb" => server("mysql", RegistryDatabase::MySql, diagnostics),
        _ => {
            // The URL itself may hold a password, so only its scheme is repeated.
            diagnostics.error_with_help(
                &url.span,
                format!("{} in `{scheme}` is not supported yet", with_article(what)),
                "use sqlite:///…, postgresql://… or mysql://…".to_owned(),
            );
            None
        }
    }
}

/// The file behind `sqlite:///relative` or `sqlite:////absolute`.
fn sqlite_path(
    rest: &str,
    span: &Span,
    what: &str,
    folder: &Path,
    diagnostics: &mut Diagnostics,
) -> Option<RegistryDatabase> {
    match rest.strip_prefix('/').filter(|path| !path.is_empty() && *path != ":memory:") {
        Some(path) => Some(RegistryDatabase::Sqlite { path: resolve(folder, path) }),
        None => {
            diagnostics.error_with_help(
                span,
                format!("the {what} path is not the URL of an SQLite file"),
                "write sqlite:///data/registry.db (relative to the repo) or sqlite:////srv/feast/registry.db"
                    .to_owned(),
            );
            None
        }
    }
}
