//! Entity rows as the server gets them: their numbers `n`, times `t` and join keys `k0`, ….

use std::sync::Arc;

use arrow::{
    array::{Array as _, ArrayRef, AsArray as _, Int64Array},
    compute::cast,
    datatypes::{DataType as ArrowType, Int64Type, TimestampMicrosecondType},
    error::ArrowError,
};
use chrono::{DateTime, Datelike as _, Utc};

use crate::{
    config::EntitySelectMode,
    offline::point_in_time::Asked,
    sources::{
        Ticks,
        postgres::{SentRows, sent_type},
    },
};

/// The temporary table.
pub(super) const TABLE: &str = "feastr_entities";

/// What stands behind `FROM`, and the rows that have to be sent before.
pub(super) struct SentEntities {
    pub from: String,
    pub rows: Option<SentRows>,
    /// The first and the last time in microseconds.
    pub times: Option<(i64, i64)>,
}

/// Entity rows that are joined at once: those of a temporary table, or those of one statement.
pub(super) const fn most(mode: EntitySelectMode) -> usize {
    match mode {
        EntitySelectMode::TempTable => 1_000_000,
        EntitySelectMode::EmbedQuery => 50_000,
    }
}

impl SentEntities {
    /// Rows whose times count in ticks.
    ///
    /// # Errors
    /// When keys cannot be had as the server compares them.
    pub(super) fn of(asked: &Asked, ticks: Ticks, mode: EntitySelectMode) -> Result<Self, ArrowError> {
        let times: Int64Array = asked.times.unary(|time| ticks.to_micros(time));
        let bounds = times.iter().flatten().min().zip(times.iter().flatten().max());
        let times: ArrayRef = Arc::new(times.reinterpret_cast::<TimestampMicrosecondType>().with_timezone("UTC"));
        let mut columns = vec![("t".to_owned(), times)];
        for (key, array) in asked.keys.iter().enumerate() {
            let kind = if array.data_type().is_integer() { ArrowType::Int64 } else { ArrowType::Utf8 };
            columns.push((format!("k{key}"), cast(array, &kind)?));
        }
        Ok(match mode {
            EntitySelectMode::EmbedQuery => Self { from: embedded(&columns), rows: None, times: bounds },
            EntitySelectMode::TempTable => {
                let numbers = Int64Array::from_iter_values(0..i64::try_from(asked.count).unwrap_or(i64::MAX));
                columns.push(("n".to_owned(), Arc::new(numbers)));
                let rows = Some(SentRows::new(TABLE, &columns));
                Self { from: format!("pg_temp.{TABLE}"), rows, times: bounds }
            }
        })
    }
}

/// Rows in the text of a statement.
fn embedded(columns: &[(String, ArrayRef)]) -> String {
    let array = |(_, array): &(String, ArrayRef)| {
        let values: Vec<String> = (0..array.len()).map(|row| element(array, row)).collect();
        let literal = format!("{{{}}}", values.join(",")).replace('\'', "''");
        format!("'{literal}'::{}[]", sent_type(array.data_type()))
    };
    let arrays: Vec<String> = columns.iter().map(array).collect();
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    format!("unnest({}) WITH ORDINALITY AS u({}, n)", arrays.join(", "), names.join(", "))
}

/// A value in the text of an array.
fn element(array: &ArrayRef, row: usize) -> String {
    if array.is_null(row) {
        return "NULL".to_owned();
    }
    if let Some(numbers) = array.as_primitive_opt::<Int64Type>() {
        return numbers.value(row).to_string();
    }
    if let Some(moments) = array.as_primitive_opt::<TimestampMicrosecondType>() {
        return moment(moments.value(row));
    }
    match array.as_string_opt::<i32>().map(|texts| texts.value(row)) {
        // The server has no texts with such a character.
        Some(text) if !text.contains('\0') => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        _ => "NULL".to_owned(),
    }
}

/// A moment in text; those that are written differently are far away from every row.
fn moment(micros: i64) -> String {
    match DateTime::<Utc>::from_timestamp_micros(micros) {
        Some(moment) if (1..=9999).contains(&moment.year()) => {
            moment.format("\"%Y-%m-%d %H:%M:%S%.6f+00\"").to_string()
        }
        _ if micros < 0 => "-infinity".to_owned(),
        _ => "infinity".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::StringArray;

    use super::*;

    #[test]
    fn rows_stand_in_the_statement() {
        let asked = Asked {
            keys: vec![Arc::new(StringArray::from(vec![Some("o'r\\\""), None]))],
            times: Int64Array::from(vec![Some(1_767_225_600_000_001), None]),
            count: 2,
        };
        let sent = SentEntities::of(&asked, Ticks::Micros, EntitySelectMode::EmbedQuery).unwrap();
        assert_eq!(
            sent.from,
            "unnest('{\"2026-01-01 00:00:00.000001+00\",NULL}'::timestamptz[], '{\"o''r\\\\\\\"\",NULL}'::text[]) \
             WITH ORDINALITY AS u(t, k0, n)"
        );
        assert_eq!(sent.times, Some((1_767_225_600_000_001, 1_767_225_600_000_001)));
        assert_eq!([moment(i64::MIN), moment(i64::MAX)], ["-infinity", "infinity"]);
    }
}
