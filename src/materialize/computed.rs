//! On-demand views whose values are stored: computed for everybody whose inputs have rows in an interval, as they are at
//! its end.

use std::{ops::ControlFlow, sync::Arc};

use arrow::{
    array::{ArrayRef, RecordBatch, TimestampMicrosecondArray},
    datatypes::{Field, Schema, SchemaRef},
};

use super::context::Stores;
use crate::{
    model::{FeatureView, Interval, OnDemandFeatureView, Timestamp, Ttl},
    offline::{BatchSink, Counted, EntityQuery, EntitySource, HistoricalQuery, NewestQuery, NewestRead, Progress},
    problem::{Kind, Problem},
    retrieval::{Entities, Retrieval, SelectedView},
    transform::ComputedRows,
};

/// The view as its values are stored. It looks back as far as the longest ttl of its inputs does.
pub(super) fn stored(view: &OnDemandFeatureView, retrieval: &Retrieval) -> FeatureView {
    let ttls = || retrieval.views.iter().map(|selected| selected.view.ttl.limit());
    let ttl = if ttls().any(|ttl| ttl.is_none()) { None } else { ttls().flatten().max() };
    FeatureView { ttl: ttl.map_or(Ttl::UNLIMITED, Ttl::from_micros), ..view.as_stored() }
}

/// How many rows of the inputs are in an interval.
///
/// # Errors
/// When a source cannot be read.
pub(super) fn count(stores: &Stores<'_>, retrieval: &Retrieval, interval: Interval) -> Result<Counted, Problem> {
    let mut all = Counted { rows: 0, entities: 0, null_keys: 0, without_time: 0, is_empty: true };
    for SelectedView { view, .. } in &retrieval.views {
        let counted = stores.offline.count(&NewestQuery::of(view, interval))?;
        all.rows += counted.rows;
        all.entities = all.entities.max(counted.entities);
        all.null_keys += counted.null_keys;
        all.without_time += counted.without_time;
        all.is_empty &= counted.is_empty;
    }
    Ok(all)
}

/// The earliest event of the inputs.
///
/// # Errors
/// When a source cannot be read.
pub(super) fn first_event(stores: &Stores<'_>, retrieval: &Retrieval) -> Result<Option<Timestamp>, Problem> {
    let mut first = None;
    for SelectedView { view, .. } in &retrieval.views {
        let event = stores.offline.first_event(view)?;
        first = match (first, event) {
            (Some(first), Some(event)) => Some(std::cmp::min(first, event)),
            (known, new) => known.or(new),
        };
    }
    Ok(first)
}

/// Streams a row for each entity that has rows of inputs in the interval, in the columns of newest rows: the values are
/// those of the end of the interval, which is their event time.
///
/// # Errors
/// When a source cannot be read, or a value cannot be computed.
pub(super) fn newest(
    stores: &Stores<'_>,
    retrieval: &Retrieval,
    query: &NewestQuery<'_>,
    sink: &mut dyn BatchSink,
) -> Result<NewestRead, Problem> {
    let entities = entities(stores, retrieval, query.interval)?;
    let mut rows = StoredRows { view: query.view, end: query.interval.end, columns: Vec::new(), sink, problem: None };
    let progress = Progress::default();
    let joined =
        HistoricalQuery { entities: &entities, retrieval, filter_by_created_timestamp: false, progress: &progress };
    let mut computed = ComputedRows::new(stores.expressions, (retrieval, &entities), &mut rows);
    let read = stores.offline.historical(&joined, &mut computed)?;
    computed.finish()?;
    rows.problem.map_or(Ok(NewestRead { unfit: read.unfit, ties: read.ties }), Err)
}

/// Everybody who has rows of inputs in an interval, asked about at its end.
fn entities(stores: &Stores<'_>, retrieval: &Retrieval, interval: Interval) -> Result<Entities, Problem> {
    let source = |selected: &SelectedView| EntitySource {
        view: selected.view.clone(),
        keys: selected.join_keys.clone(),
        interval,
        by_created: false,
    };
    let sources = retrieval.views.iter().map(source).collect();
    let entities = stores.offline.entities_of(&EntityQuery { sources, at: Some(interval.end) })?;
    Ok(entities.at(interval.end))
}

/// Puts computed rows into the columns of newest rows: join keys, event time, creation time, features.
struct StoredRows<'a> {
    view: &'a FeatureView,
    end: Timestamp,
    /// Where join keys and features are.
    columns: Vec<usize>,
    sink: &'a mut dyn BatchSink,
    problem: Option<Problem>,
}

impl StoredRows<'_> {
    fn names(&self) -> impl Iterator<Item = &str> {
        self.view.join_keys().iter().chain(&self.view.features).map(|field| field.name.as_str())
    }

    fn row(&self, batch: &RecordBatch) -> Result<RecordBatch, arrow::error::ArrowError> {
        let rows = batch.num_rows();
        let end = TimestampMicrosecondArray::from_value(self.end.micros(), rows).with_timezone("UTC");
        let created = TimestampMicrosecondArray::new_null(rows).with_timezone("UTC");
        let mut columns: Vec<ArrayRef> = self.columns.iter().map(|column| Arc::clone(batch.column(*column))).collect();
        let times: [ArrayRef; 2] = [Arc::new(end), Arc::new(created)];
        let keys = self.view.join_keys().len();
        columns.splice(keys..keys, times);
        let fields: Vec<Field> =
            columns.iter().map(|column| Field::new("", column.data_type().clone(), true)).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
    }
}

impl BatchSink for StoredRows<'_> {
    fn start(&mut self, schema: &SchemaRef) -> ControlFlow<()> {
        let columns: Option<Vec<usize>> =
            self.names().map(|name| schema.fields().iter().rposition(|field| field.name() == name)).collect();
        match columns {
            Some(columns) => self.columns = columns,
            None => {
                let keys: Vec<&str> = self.view.join_keys().iter().map(|key| key.name.as_str()).collect();
                let message = format!(
                    "the inputs of `{}` are not of its entities: they have no {}",
                    self.view.name,
                    keys.join(", ")
                );
                let help = "name the entities of its sources in its definition, and apply it".to_owned();
                self.problem = Some(Problem::new(Kind::Conflict, message, help));
                return ControlFlow::Break(());
            }
        }
        self.sink.start(schema)
    }

    fn batch(&mut self, batch: &RecordBatch) -> ControlFlow<()> {
        match self.row(batch) {
            Ok(rows) => self.sink.batch(&rows),
            Err(error) => {
                let message = format!("cannot put computed values in rows: {error}");
                self.problem = Some(Problem::new(Kind::Internal, message, None));
                ControlFlow::Break(())
            }
        }
    }
}
