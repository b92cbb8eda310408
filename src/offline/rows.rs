//! Rows of a source as they are.

use std::{ops::ControlFlow, sync::Arc};

use arrow::{
    array::{ArrayRef, RecordBatch},
    datatypes::{Field, Schema},
    error::ArrowError,
};

use super::{
    Cancel,
    point_in_time::{plain, plain_type},
    query::{BatchSink, RowsQuery},
};
use crate::{
    feast::values::encode::micros_in_utc,
    problem::{Kind, Problem},
    sources::{OpenSource, Role, Rows, Ticks, Wanted},
};

/// Streams the rows whose time is in the interval, in the order of the files.
///
/// # Errors
/// When there is no column with times, or rows cannot be read.
pub(super) fn stream(
    source: &OpenSource,
    query: &RowsQuery<'_>,
    cancel: &Cancel,
    sink: &mut dyn BatchSink,
) -> Result<(), Problem> {
    let columns = &source.columns().columns;
    let time = columns.iter().position(|column| column.name == query.source.timestamp_field).ok_or_else(|| {
        let message = format!("{} has no column `{}`", query.shown, query.source.timestamp_field);
        Problem::new(Kind::Invalid, message, None)
    })?;
    let role = |index: usize| if index == time { Role::Time } else { Role::AsIs };
    let wanted = columns.iter().enumerate();
    let wanted =
        wanted.map(|(index, column)| Wanted { column: column.name.clone(), role: role(index), null_if_unfit: false });
    let scan = source.scan(wanted.collect())?;
    let (ticks, interval) = (scan.ticks(time), query.interval);
    // To the microsecond, whose nanoseconds belong to it.
    let last = ticks.of_micros(interval.end.micros()).saturating_add(ticks.of_micros(1) - 1);
    let scan = scan.between(time, ticks.of_micros(interval.start.micros()), last);
    let kinds = scan.columns().into_iter().enumerate();
    let kinds = kinds.map(|(index, kind)| if index == time { micros_in_utc() } else { plain_type(kind) });
    let fields = columns.iter().zip(kinds).map(|(column, kind)| Field::new(&column.name, kind, true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    if sink.start(&schema).is_break() {
        return Ok(());
    }
    let run = Arc::new(scan).run();
    while let Some(mut part) = run.part()? {
        while let Some(rows) = run.batch(&mut part)? {
            cancel.check()?;
            let batch =
                columns_of(&rows, time, ticks).and_then(|columns| RecordBatch::try_new(schema.clone(), columns));
            let batch = batch
                .map_err(|error| Problem::new(Kind::Internal, format!("cannot read {}: {error}", query.shown), None))?;
            if sink.batch(&batch) == ControlFlow::Break(()) {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn columns_of(rows: &Rows, time: usize, ticks: Ticks) -> Result<Vec<ArrayRef>, ArrowError> {
    let column =
        |(index, array): (usize, &ArrayRef)| if index == time { Ok(ticks.moments(array)) } else { plain(array) };
    rows.columns.iter().enumerate().map(column).collect()
}
