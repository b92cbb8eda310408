//! A session at a server that is asked about rows of sources.

use std::{cell::RefCell, path::Path, sync::Arc};

use arrow::{
    array::{Array as _, AsArray as _, RecordBatch},
    compute::cast,
    datatypes::{DataType as ArrowType, Int64Type},
    error::ArrowError,
};

use super::{day_column::DayColumn, named_rows::NamedRows, plan, session::Session, source, view_rows::ViewRows};
use crate::{
    config::SparkConfig,
    model::{DataSource, FeatureView},
    offline::Cancel,
    problem::{Kind, Problem},
    sources::{Columns, OpenSource, Whereabouts},
};

/// The way to a cluster.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    /// The server, and how its sessions are.
    pub(super) config: &'a SparkConfig,
    /// Where relative paths of sources start, and how buckets are reached.
    pub(super) whereabouts: &'a Whereabouts,
    /// Calls off what is asked.
    pub(super) cancel: &'a Cancel,
}

/// A session, in which sources have names.
pub(super) struct Cluster<'a> {
    /// The session, in which all is asked.
    pub(super) session: Session,
    repo: &'a Path,
    named: RefCell<Vec<(DataSource, Arc<NamedRows>)>>,
}

impl<'a> Cluster<'a> {
    /// Begins a session.
    ///
    /// # Errors
    /// When there is no server or it does not take us.
    pub(super) fn open(way: Way<'a>) -> Result<Self, Problem> {
        let session = Session::open(way.config, way.cancel)?;
        Ok(Self { session, repo: &way.whereabouts.repo, named: RefCell::default() })
    }

    /// Gives the rows of a source a name, unless they have one, and looks at their columns.
    ///
    /// # Errors
    /// When the server does not find them, or they are of a kind that is not asked for there.
    pub(super) fn named(&self, source: &DataSource) -> Result<Arc<NamedRows>, Problem> {
        let known = self.named.borrow().iter().find(|(known, _)| known == source).map(|(_, rows)| Arc::clone(rows));
        if let Some(rows) = known {
            return Ok(rows);
        }
        let name = format!("feastr_source_{}", self.named.borrow().len());
        let rows = source::rows(source, self.repo)?;
        let looked_at = || {
            let name = self.session.name(&name, rows)?;
            let columns = self.session.columns(&format!("SELECT * FROM {name}"))?;
            Ok((name, columns))
        };
        let (name, columns) = looked_at().map_err(|problem| of_source(source, problem))?;
        if columns.fields().is_empty() {
            // Sail says nothing else of paths where nothing is.
            let message =
                format!("cannot read data source `{}`: {} finds no rows there", source.name, self.session.server());
            let help = "it is looked for from the cluster, not from this machine".to_owned();
            return Err(Problem::new(Kind::NotFound, message, help));
        }
        let known = OpenSource::batches(&columns, Vec::new(), &source.name);
        // How many rows there are nobody has said.
        let columns = OpenSource::known(source, Columns { rows: None, ..known.columns().clone() })?;
        let day = DayColumn::of(source, columns.columns())?;
        let rows = Arc::new(NamedRows { name, columns, day });
        self.named.borrow_mut().push((source.clone(), Arc::clone(&rows)));
        Ok(rows)
    }

    /// The rows of a view's source.
    ///
    /// # Errors
    /// When the server does not find them, or they lack a column or have it as something that is not joined there.
    pub(super) fn rows_of<'v>(&self, view: &'v FeatureView) -> Result<ViewRows<'v>, Problem> {
        let Some(source) = &view.source else {
            return Err(Problem::new(Kind::Invalid, format!("feature view `{}` has no source", view.name), None));
        };
        if view.is_transformed() {
            let message = format!(
                "feature view `{}` is computed of its source by SQL or aggregations, which feastr does not have done on Spark",
                view.name
            );
            let help = "compute it where the source is made, or use another offline store for it".to_owned();
            return Err(Problem::new(Kind::Unsupported, message, help));
        }
        let rows = self.named(source)?;
        ViewRows::of(view, source, &rows)
    }

    /// The whole numbers of the only row that a statement gives.
    ///
    /// # Errors
    /// When the server refuses it or is away, or gives something else.
    pub(super) fn integers<const N: usize>(&self, statement: &str) -> Result<[Option<i64>; N], Problem> {
        let batches = self.session.collected(plan::sql(statement), &|_| {})?;
        let row = match batches.as_slice() {
            [only] if only.num_rows() == 1 => numbers(only).ok(),
            _ => None,
        };
        row.ok_or_else(|| {
            let message = format!("the answer of {} is not that to the question", self.session.server());
            Problem::new(Kind::Unavailable, message, "the log of the server may say more".to_owned())
        })
    }
}

fn numbers<const N: usize>(row: &RecordBatch) -> Result<[Option<i64>; N], ArrowError> {
    let mut numbers = [None; N];
    if row.num_columns() != N {
        return Err(ArrowError::SchemaError(format!("{} columns", row.num_columns())));
    }
    for (number, column) in numbers.iter_mut().zip(row.columns()) {
        let column = cast(column, &ArrowType::Int64)?;
        let column = column.as_primitive::<Int64Type>();
        *number = column.is_valid(0).then(|| column.value(0));
    }
    Ok(numbers)
}

/// A problem of a source, with its name.
fn of_source(source: &DataSource, problem: Problem) -> Problem {
    match problem.kind {
        Kind::Invalid | Kind::NotFound | Kind::Unsupported => {
            let message = format!("cannot read data source `{}`: {}", source.name, problem.message);
            Problem { message, ..problem }
        }
        _ => problem,
    }
}
