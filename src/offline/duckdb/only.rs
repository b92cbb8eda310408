//! Rows of some entities only.

use std::sync::Arc;

use arrow::{array::ArrayRef, compute::concat};

use super::{scans::ScanTable, session::DuckdbSession};
use crate::{
    offline::{
        point_in_time::plain,
        reading::read,
        view_source::{ViewScan, ViewSource},
    },
    problem::{Kind, Problem},
    retrieval::Entities,
    sources::{Role, Wanted},
};

/// Entities to which the rows of a view are confined, as a table; without one nobody is left out.
#[derive(Default)]
pub(super) struct Only {
    table: Option<ScanTable>,
    /// Their values of each join key, to find them in files.
    values: Vec<ArrayRef>,
}

impl Only {
    /// The entities of some rows, by the join keys of a view.
    ///
    /// # Errors
    /// When the rows lack a key, or cannot be read.
    pub(super) fn of(
        entities: Option<&Entities>,
        source: &ViewSource<'_>,
        session: &DuckdbSession,
    ) -> Result<Self, Problem> {
        let Some(entities) = entities else { return Ok(Self::default()) };
        let file = entities.open()?;
        let wanted = source.view.join_keys().iter().map(|key| Wanted {
            column: key.name.clone(),
            role: Role::EntityKey(key.dtype.clone()),
            null_if_unfit: false,
        });
        let wanted: Vec<Wanted> = wanted.collect();
        let columns = wanted.len();
        let scan = Arc::new(file.scan(wanted.clone())?);
        let batches = read(&scan, session.cancel(), |rows| Ok(rows.columns))?;
        let values = |key: usize| {
            let plain = batches.iter().map(|columns| plain(&columns[key])).collect::<Result<Vec<_>, _>>()?;
            concat(&plain.iter().map(AsRef::as_ref).collect::<Vec<_>>())
        };
        let values = if batches.is_empty() { Ok(Vec::new()) } else { (0..columns).map(values).collect() };
        let values = values.map_err(|error| Problem::new(Kind::Internal, error.to_string(), None))?;
        Ok(Self { table: Some(session.table(file.scan(wanted)?)), values })
    }

    /// The same scan without what cannot have one of them.
    pub(super) fn confine(&self, scan: ViewScan) -> ViewScan {
        scan.among(&self.values)
    }

    /// What stands behind the table of the view in SQL.
    pub(super) fn sql(&self) -> String {
        let Some(table) = &self.table else { return String::new() };
        let keys = table.width();
        let names: Vec<String> = (0..keys).map(|key| format!("e{key}")).collect();
        let same: Vec<String> = (0..keys).map(|key| format!("k{key} = e{key}")).collect();
        format!(" SEMI JOIN {} ON {}", table.sql("e", &names), same.join(" AND "))
    }

    /// The tables that the statement reads, that of the view among them.
    pub(super) fn with<'a>(&'a self, table: &'a ScanTable) -> Vec<&'a ScanTable> {
        [table].into_iter().chain(&self.table).collect()
    }
}
