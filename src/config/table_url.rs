//! URLs of tables: that of a database, and the name of a table behind a `#`.

use std::fmt;

use super::database_url::{ServerUrl, decoded};
use crate::problem::{Kind, Problem};

/// A table of PostgreSQL, from a URL such as `postgresql://user:secret@host:5432/database#schema.table`.
///
/// Shown without the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableUrl {
    /// The database.
    pub server: ServerUrl,
    /// `None` leaves it to the search path of the user.
    pub schema: Option<String>,
    /// The name of the table, as it is: no quotes, large letters stay large.
    pub table: String,
}

impl TableUrl {
    /// Reads a text that begins as URLs of PostgreSQL do; `None` for all others.
    ///
    /// # Errors
    /// When it is no URL of a table. No password is repeated.
    pub fn parse(text: &str) -> Result<Option<Self>, Problem> {
        let Some((scheme, rest)) = text.split_once("://") else { return Ok(None) };
        // Drivers of Python have their names in the scheme.
        if !matches!(scheme.split('+').next(), Some("postgresql" | "postgres")) {
            return Ok(None);
        }
        // A password may hold a `#` that is not encoded.
        let Some((database, name)) = rest.rsplit_once('#').filter(|(_, name)| !name.is_empty() && !name.contains('@'))
        else {
            return Err(Problem::new(
                Kind::Invalid,
                "the URL names no table",
                "end it with the table: postgresql://user@host/database#schema.table".to_owned(),
            ));
        };
        let (schema, table) = match name.split_once('.') {
            Some((schema, table)) => (Some(decoded(schema)?), decoded(table)?),
            None => (None, decoded(name)?),
        };
        let (server, _) = ServerUrl::parse("postgresql", database)?;
        Ok(Some(Self { server, schema, table }))
    }
}

impl fmt::Display for TableUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = self.schema.as_ref().map_or_else(String::new, |schema| format!("{schema}."));
        write!(f, "{}#{schema}{}", self.server, self.table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Option<TableUrl>, String> {
        TableUrl::parse(text).map_err(|problem| problem.message)
    }

    #[test]
    fn tables_are_named_behind_the_database() {
        let table = parse("postgresql+psycopg://joe:a#b%40@db:5433/sales#mart.Training%20set").unwrap().unwrap();
        assert_eq!((table.schema.as_deref(), table.table.as_str()), (Some("mart"), "Training set"));
        assert_eq!(table.to_string(), "postgresql://joe@db:5433/sales#mart.Training set");
        assert_eq!(table.server.password.unwrap().0, "a#b@");
        let table = parse("postgres:///sales#t").unwrap().unwrap();
        assert_eq!((table.schema, table.table.as_str()), (None, "t"));
        for other in ["rows.parquet", "folder/", "s3://bucket/x", "mysql://db/x#t"] {
            assert_eq!(parse(other), Ok(None), "{other}");
        }
    }

    #[test]
    fn what_names_no_table_is_refused_without_the_password() {
        for wrong in ["postgresql://joe:secret@db/sales", "postgresql://joe:sec#ret@db/sales", "postgresql://db/sales#"]
        {
            assert_eq!(parse(wrong), Err("the URL names no table".to_owned()), "{wrong}");
        }
        let problem = parse("postgresql://joe:secret@db#t").unwrap_err();
        assert!(problem.contains("names no database") && !problem.contains("secret"), "{problem}");
    }
}
