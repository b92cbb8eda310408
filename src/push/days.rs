//! Days of events as names of folders.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, StringArray},
    datatypes::Int64Type,
};

use super::exact::{self, Unfit};
use crate::sources::{SourceFiles, Ticks, day_of, start_of_day};

/// Whether the folders of a partition write days without dashes.
pub(super) fn are_compact(files: &SourceFiles, key: &str) -> bool {
    let named = files.files.iter().flat_map(|file| &file.partitions).filter(|(name, _)| name == key);
    named.filter_map(|(_, value)| value.as_deref()).any(|value| value.len() == 8)
}

/// The days of moments.
pub(super) fn of(events: &ArrayRef, ticks: Ticks, is_compact: bool) -> ArrayRef {
    let events = events.as_primitive::<Int64Type>().iter();
    let day = |event: Option<i64>| event.map(|event| day_of(ticks.moment(event), is_compact));
    Arc::new(events.map(day).collect::<StringArray>())
}

/// Days that somebody gives, if they are those of the moments: only there will the rows be looked for.
pub(super) fn same(days: &ArrayRef, events: &ArrayRef, ticks: Ticks) -> Result<ArrayRef, Unfit> {
    let texts = exact::texts(days)?;
    let (given, events) = (texts.as_string::<i32>(), events.as_primitive::<Int64Type>());
    for row in 0..given.len() {
        let event = ticks.moment(events.value(row));
        let start = given.is_valid(row).then(|| start_of_day(given.value(row))).flatten();
        if start.is_none_or(|start| start_of_day(&day_of(event, false)) != Some(start)) {
            let reason = format!("the event is of {event}, and its row will be looked for in the folder of that day");
            return Err(Unfit { row, reason });
        }
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use arrow::array::{Date32Array, Int64Array};

    use super::*;
    use crate::sources::DataFile;

    const DAY: i64 = 86_400_000_000;

    fn events(micros: &[i64]) -> ArrayRef {
        Arc::new(Int64Array::from(micros.to_vec()))
    }

    #[test]
    fn days_are_those_of_the_events_in_utc() {
        let moments = events(&[-1, 0, DAY - 1, DAY]);
        let texts = |is_compact| {
            let days = of(&moments, Ticks::Micros, is_compact);
            days.as_string::<i32>().iter().map(|day| day.unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(texts(false), ["1969-12-31", "1970-01-01", "1970-01-01", "1970-01-02"]);
        assert_eq!(texts(true)[0], "19691231");
    }

    #[test]
    fn days_that_are_given_have_to_be_right() {
        let moments = events(&[0, DAY]);
        let given: ArrayRef = Arc::new(StringArray::from(vec!["19700101", "1970-01-02"]));
        assert!(same(&given, &moments, Ticks::Micros).is_ok());
        let days: ArrayRef = Arc::new(Date32Array::from(vec![0, 1]));
        assert_eq!(same(&days, &moments, Ticks::Micros).unwrap().as_string::<i32>().value(1), "1970-01-02");
        for wrong in ["1970-01-01", "today"] {
            let given: ArrayRef = Arc::new(StringArray::from(vec!["1970-01-01", wrong]));
            assert_eq!(same(&given, &moments, Ticks::Micros).unwrap_err().row, 1);
        }
    }

    #[test]
    fn days_are_written_as_they_are_in_other_folders() {
        let folder = |value: &str| DataFile {
            partitions: vec![("day".to_owned(), Some(value.to_owned()))],
            ..DataFile::default()
        };
        let compact = |value: &str, key: &str| are_compact(&SourceFiles::of(vec![folder(value)]), key);
        assert!(compact("19700101", "day"));
        assert!(!compact("1970-01-01", "day") && !compact("19700101", "hour"));
    }
}
