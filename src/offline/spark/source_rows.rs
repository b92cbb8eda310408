//! Rows of a source as they are.

use std::{ops::ControlFlow, sync::Arc};

use arrow::{
    array::RecordBatch,
    datatypes::{DataType as ArrowType, Field, Schema, SchemaRef},
};

use super::{
    answer::Declared,
    cluster::Cluster,
    sql::{all, quoted},
    taking::{Takes, taken},
    time_column::TimeColumn,
};
use crate::{
    diagnostics::did_you_mean,
    feast::values::encode::micros_in_utc,
    offline::{BatchSink, RowsQuery},
    problem::{Kind, Problem},
    sources::{Role, Ticks, Wanted},
};

/// Streams the rows whose time is in the interval, in any order.
///
/// # Errors
/// When there is no column with times, the source cannot be read, or it is called off.
pub(super) fn stream(cluster: &Cluster<'_>, query: &RowsQuery<'_>, sink: &mut dyn BatchSink) -> Result<(), Problem> {
    let named = cluster.named(query.source)?;
    let known = named.columns.columns();
    let column = |name: &str| {
        known.get(name).ok_or_else(|| {
            let help = did_you_mean(name, known.columns.iter().map(|column| column.name.as_str()));
            Problem::new(Kind::Invalid, format!("{} has no column `{name}`", query.shown), help)
        })
    };
    let event = column(&query.source.timestamp_field)?;
    let Some(time) = TimeColumn::of(event) else {
        let message =
            format!("column `{}` of {} holds {} values, not times", event.name, query.shown, event.describe());
        return Err(Problem::new(Kind::Invalid, message, None));
    };
    let names: Vec<&str> = match query.columns {
        Some(wanted) => wanted.iter().map(String::as_str).collect(),
        None => known.columns.iter().map(|column| column.name.as_str()).collect(),
    };
    let mut selected = Vec::with_capacity(names.len());
    for name in &names {
        column(name)?;
        selected.push(match *name == event.name {
            true => format!("{} AS {}", time.micros(), quoted(name)),
            false => quoted(name),
        });
    }
    let bounds = (Some(query.interval.start.micros()), Some(query.interval.end.micros()));
    let mut conditions = time.between(bounds);
    conditions.extend(named.day.iter().flat_map(|day| day.between(bounds)));
    let statement = format!("SELECT {} FROM {} WHERE {}", selected.join(", "), named.name, all(&conditions));
    let wanted = names.iter().map(|name| Wanted { column: (*name).to_owned(), role: Role::AsIs, null_if_unfit: false });
    let mut rows = SourceRows {
        declared: Declared::new(wanted.collect(), query.shown.to_owned()),
        time: names.iter().position(|name| *name == event.name),
        kinds: Vec::new(),
        schema: Arc::new(Schema::empty()),
        sink,
    };
    taken(&cluster.session, &statement, &mut rows)
}

/// Takes the rows of the answer and hands them on.
struct SourceRows<'a> {
    declared: Declared,
    /// The place of the column with times, which are microseconds.
    time: Option<usize>,
    kinds: Vec<ArrowType>,
    schema: SchemaRef,
    sink: &'a mut dyn BatchSink,
}

impl Takes for SourceRows<'_> {
    fn begin(&mut self, columns: &Schema) -> Result<ControlFlow<()>, Problem> {
        self.kinds = self.declared.kinds(columns)?;
        let field = |(index, (column, kind)): (usize, (&Arc<Field>, &ArrowType))| {
            let kind = if Some(index) == self.time { micros_in_utc() } else { kind.clone() };
            Field::new(column.name(), kind, true)
        };
        let fields = columns.fields().iter().zip(&self.kinds).enumerate().map(field);
        self.schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        Ok(self.sink.start(&self.schema))
    }

    fn take(&mut self, rows: &RecordBatch) -> Result<ControlFlow<()>, Problem> {
        let mut columns = self.declared.read(rows, &self.kinds)?;
        if let Some(time) = self.time {
            columns[time] = Ticks::Micros.moments(&columns[time]);
        }
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns);
        let batch = batch.map_err(|error| Problem::new(Kind::Internal, error.to_string(), None))?;
        Ok(self.sink.batch(&batch))
    }
}
