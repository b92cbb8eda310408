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
    diagnostics::did_you_mean,
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
    let time = &query.source.timestamp_field;
    let (names, shown) = columns(source, query)?;
    let wanted = names.iter().map(|column| Wanted {
        column: (*column).to_owned(),
        role: if *column == time { Role::Time } else { Role::AsIs },
        null_if_unfit: false,
    });
    let time = names.iter().position(|column| *column == time).unwrap_or_default();
    let scan = source.scan(wanted.collect())?;
    let (ticks, interval) = (scan.ticks(time), query.interval);
    // To the microsecond, whose nanoseconds belong to it.
    let last = ticks.of_micros(interval.end.micros()).saturating_add(ticks.of_micros(1) - 1);
    let scan = scan.between(time, ticks.of_micros(interval.start.micros()), last);
    let kinds = scan.columns().into_iter().enumerate();
    let kinds = kinds.map(|(index, kind)| if index == time { micros_in_utc() } else { plain_type(kind) });
    let fields = names.iter().zip(kinds).take(shown).map(|(column, kind)| Field::new(*column, kind, true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    if sink.start(&schema).is_break() {
        return Ok(());
    }
    let run = Arc::new(scan).run();
    while let Some(mut part) = run.part()? {
        while let Some(rows) = run.batch(&mut part)? {
            cancel.check()?;
            let batch =
                columns_of(&rows, time, ticks, shown).and_then(|columns| RecordBatch::try_new(schema.clone(), columns));
            let batch = batch
                .map_err(|error| Problem::new(Kind::Internal, format!("cannot read {}: {error}", query.shown), None))?;
            if sink.batch(&batch) == ControlFlow::Break(()) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The columns that are read, and how many of them are wanted: the one with times may stand behind.
fn columns<'a>(source: &'a OpenSource, query: &'a RowsQuery<'_>) -> Result<(Vec<&'a str>, usize), Problem> {
    let all = &source.columns().columns;
    let mut names: Vec<&str> = match query.columns {
        Some(wanted) => wanted.iter().map(String::as_str).collect(),
        None => all.iter().map(|column| column.name.as_str()).collect(),
    };
    let shown = names.len();
    let time = query.source.timestamp_field.as_str();
    if !names.contains(&time) {
        names.push(time);
    }
    match names.iter().find(|name| source.columns().get(name).is_none()) {
        Some(missing) => {
            let help = did_you_mean(missing, all.iter().map(|column| column.name.as_str()));
            Err(Problem::new(Kind::Invalid, format!("{} has no column `{missing}`", query.shown), help))
        }
        None => Ok((names, shown)),
    }
}

fn columns_of(rows: &Rows, time: usize, ticks: Ticks, shown: usize) -> Result<Vec<ArrayRef>, ArrowError> {
    let column =
        |(index, array): (usize, &ArrayRef)| if index == time { Ok(ticks.moments(array)) } else { plain(array) };
    rows.columns.iter().enumerate().take(shown).map(column).collect()
}
