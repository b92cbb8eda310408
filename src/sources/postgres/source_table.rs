use super::server::SourceServer;
use crate::{
    config::{ClientCertificate, ServerUrl},
    model::{DataSource, PostgresSource},
    problem::{Kind, Problem},
    sources::Whereabouts,
};

/// The table of a source, for those who add rows to it.
#[derive(Debug, Clone)]
pub struct SourceTable {
    /// The database.
    pub url: ServerUrl,
    /// Who we are, for a server that asks for a certificate.
    pub certificate: Option<ClientCertificate>,
    /// Where tables are that are named without a schema; `None` leaves it to the user's.
    pub search_path: Option<String>,
    /// As it stands behind `FROM`.
    pub name: String,
}

impl SourceTable {
    /// That of a source.
    ///
    /// # Errors
    /// When it is a query, or nothing says on which server it is.
    pub fn of(source: &DataSource, postgres: &PostgresSource, whereabouts: &Whereabouts) -> Result<Self, Problem> {
        if postgres.table.is_empty() {
            let message = format!("data source `{}` is a query, to which no rows can be added", source.name);
            let help = "push to the online store only, or declare its `table`".to_owned();
            return Err(Problem::new(Kind::Unsupported, message, help));
        }
        let (url, certificate, search_path) = SourceServer::of(source, whereabouts)?.into_parts();
        Ok(Self { url, certificate, search_path, name: postgres.table.clone() })
    }
}
