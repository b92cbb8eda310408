//! Which tables there are, and making those that are missing.

use std::sync::{Arc, PoisonError};

use super::{
    SqlRegistry,
    dialect::Columns,
    schema::{CHANGES, RUNS},
    session::{Session, SqlFailure},
};
use crate::{
    config::SchemaMode,
    problem::{Kind, Problem},
    registry::Registry,
};

impl SqlRegistry {
    /// The tables there are. Asked once where the registry's tables are complete, unless the database may become
    /// another one.
    pub(super) fn columns(&self, session: &mut dyn Session) -> Result<Arc<Columns>, SqlFailure> {
        let known = self.here.lock().unwrap_or_else(PoisonError::into_inner).clone();
        known.map_or_else(|| self.look_and_remember(session), Ok)
    }

    /// The same, where the table of runs must be among them if there is one.
    pub(super) fn columns_and_runs(&self, session: &mut dyn Session) -> Result<Arc<Columns>, SqlFailure> {
        let known = self.columns(session)?;
        if known.has_table(RUNS.name) { Ok(known) } else { self.look_and_remember(session) }
    }

    fn look_and_remember(&self, session: &mut dyn Session) -> Result<Arc<Columns>, SqlFailure> {
        let here = self.look(session)?;
        let is_complete =
            here.missing_tables().is_empty() && (here.has_table(CHANGES.name) || self.schema_mode != SchemaMode::Auto);
        if self.database.stays() && is_complete {
            *self.here.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&here));
        }
        Ok(here)
    }

    fn look(&self, session: &mut dyn Session) -> Result<Arc<Columns>, SqlFailure> {
        let pairs = session.run(self.database.dialect().columns, &[])?;
        let here = Columns::new(pairs.into_iter().filter_map(|row| {
            let [table, column] = <[_; 2]>::try_from(row).ok()?;
            Some((table.text(), column.text()))
        }));
        let missing = here.missing_columns();
        if !missing.is_empty() {
            return Err(SqlFailure::Final(Problem::new(
                Kind::Unavailable,
                format!("the registry {} has no column {}", self.location(), missing.join(", ")),
                "an older or a newer Feast made these tables; add the columns, or use another database".to_owned(),
            )));
        }
        Ok(Arc::new(here))
    }

    /// The tables, after those that are missing were created if that is wanted.
    pub(super) fn complete(&self, session: &mut dyn Session) -> Result<Arc<Columns>, SqlFailure> {
        let dialect = self.database.dialect();
        let here = self.columns(session)?;
        let missing = here.missing_tables();
        match self.schema_mode {
            SchemaMode::Auto if !missing.is_empty() || !here.has_table(CHANGES.name) => {
                for statement in missing.iter().flat_map(|table| dialect.create(table)) {
                    session.run(&statement, &[])?;
                }
                // Who may not create it does without.
                let _ = dialect.create(&CHANGES).iter().try_for_each(|statement| session.run(statement, &[]).map(drop));
                // Not remembered, because they are gone when the transaction is not committed.
                self.look(session)
            }
            SchemaMode::Verify if !missing.is_empty() => {
                let names: Vec<&str> = missing.iter().map(|table| table.name).collect();
                Err(SqlFailure::Final(Problem::new(
                    Kind::Unavailable,
                    format!("the registry {} lacks the tables {}", self.location(), names.join(", ")),
                    "create them, or set `schema_mode: auto` and feastr does".to_owned(),
                )))
            }
            SchemaMode::Auto | SchemaMode::Verify | SchemaMode::Skip => Ok(here),
        }
    }
}
