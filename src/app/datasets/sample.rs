//! The first rows of a dataset, as JSON.

use std::ops::ControlFlow;

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use serde_json::{Map, Value as Json};

use super::{Place, stored_in_files};
use crate::{
    app::{
        Caller, Failure,
        registered::{Freshness, SharedRegistry, Wanted},
        saved_datasets,
    },
    model::{ObjectKind, printable},
    offline::{BatchSink, Cancel},
    problem::{Kind, Problem},
    sink::{SinkError, json_objects},
};

/// More rows are not given in one answer.
const MOST_ROWS: usize = 10_000;

/// Rows with their columns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sample {
    /// The names of the columns; none if there is no row, as in Feast.
    pub columns: Vec<String>,
    /// The values of each row, in the order of the columns.
    pub rows: Vec<Vec<Json>>,
}

/// The first rows of a dataset in the folder for them, for who may read it.
///
/// # Errors
/// [`Kind::Unsupported`] where the settings name no folder, [`Kind::NotFound`], [`Kind::Denied`] also where it is elsewhere,
/// [`Kind::Invalid`] for too many rows, and when they cannot be read.
pub fn sample(
    registry: &SharedRegistry,
    caller: &Caller,
    (project, name): (&str, &str),
    limit: usize,
) -> Result<Sample, Failure> {
    let store = registry.store().of_project(project)?;
    let place = Place::of(&store)?;
    if limit > MOST_ROWS {
        let message = format!("{limit} rows are too many for one answer, which has at most {MOST_ROWS}");
        return Err(Problem::new(Kind::Invalid, message, "read the files of the dataset".to_owned()).into());
    }
    let mut rows = Rows { objects: Vec::new(), limit, failure: None };
    let wanted = Wanted { kinds: &[ObjectKind::SavedDataset], name, project };
    let stored = registry.objects(project, Freshness::Now)?;
    let stored = stored.find(ObjectKind::SavedDataset, name).ok_or_else(|| wanted.missing(&stored, caller))?;
    if let Ok(Some(file)) = stored_in_files(&stored.row())
        && !place.has(&file.path)
    {
        let message =
            format!("saved dataset `{}` is not where this server reads datasets of the project", printable(name));
        return Err(Problem::new(Kind::Denied, message, None).into());
    }
    let read = saved_datasets::export(&store, caller, name, &Cancel::default(), &mut rows);
    match rows.failure {
        Some(failure) => return Err(Problem::new(Kind::Internal, failure.to_string(), None).into()),
        // Who has enough rows breaks off.
        None if rows.objects.len() < limit => read?,
        None => {}
    }
    let columns = rows.objects.first().map(|row| row.keys().cloned().collect()).unwrap_or_default();
    Ok(Sample {
        columns,
        rows: rows.objects.into_iter().map(|row| row.into_iter().map(|(_, value)| value).collect()).collect(),
    })
}

/// Takes the first rows.
struct Rows {
    objects: Vec<Map<String, Json>>,
    limit: usize,
    failure: Option<SinkError>,
}

impl BatchSink for Rows {
    fn start(&mut self, _: &SchemaRef) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn batch(&mut self, batch: &RecordBatch) -> ControlFlow<()> {
        let wanted = self.limit.saturating_sub(self.objects.len()).min(batch.num_rows());
        match json_objects(&batch.slice(0, wanted)) {
            Ok(objects) => self.objects.extend(objects),
            Err(failure) => {
                self.failure = Some(failure);
                return ControlFlow::Break(());
            }
        }
        if self.objects.len() < self.limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}
