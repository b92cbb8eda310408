//! Keys and times of entity rows, in the order of the rows.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, Int64Array},
    compute::{concat, max, min},
    datatypes::{DataType as ArrowType, Int64Type},
    error::ArrowError,
};

use crate::{
    diagnostics::did_you_mean,
    model::{DataType, Interval, Timestamp},
    problem::{Advice, Kind, Problem},
    retrieval::{EVENT_TIMESTAMP, Entities, JoinKey},
    sources::{OpenSource, Part, Role, Rows, ScanRun, Ticks, Wanted},
};

/// When entity rows are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::offline) enum Time {
    /// Each has its own in this column.
    Column(String),
    /// All of them at the same moment.
    At(Timestamp),
}

/// Entity rows that are read one behind the other.
pub(in crate::offline) struct EntityRows<'a> {
    pub file: OpenSource,
    pub time: Time,
    /// Join key columns, each in the types under which views know it.
    keys: &'a [&'a JoinKey],
    run: ScanRun,
    part: Option<Part>,
    ticks: Ticks,
}

/// Keys and times of some entity rows.
pub(in crate::offline) struct Asked {
    /// Those of the join.
    pub keys: Vec<ArrayRef>,
    /// In ticks.
    pub times: Int64Array,
    pub count: usize,
}

impl<'a> EntityRows<'a> {
    /// Opens the rows; none is read yet.
    ///
    /// # Errors
    /// When they lack a join key or times.
    pub(in crate::offline) fn open(rows: &Entities, keys: &'a [&'a JoinKey]) -> Result<Self, Problem> {
        let (file, shown) = (rows.open()?, rows.shown());
        let time = match rows.moment() {
            Some(moment) => fixed_time(&file, moment, shown)?,
            None => Time::Column(time_column(&file, shown)?),
        };
        for key in keys {
            if file.columns().get(&key.column).is_none() {
                let names = file.columns().columns.iter().map(|column| column.name.as_str());
                let help = did_you_mean(&key.column, names);
                let message = format!("{shown} has no join key column `{}`", key.column);
                return Err(Problem::new(Kind::Invalid, message, help));
            }
        }
        let wanted = |column: &str, role: Role| Wanted { column: column.to_owned(), role, null_if_unfit: false };
        let mut columns: Vec<Wanted> =
            keys.iter().map(|key| wanted(&key.column, Role::EntityKey(key.field.dtype.clone()))).collect();
        if let Time::Column(column) = &time {
            columns.push(wanted(column, Role::Time));
        }
        let scan = file.scan(columns)?;
        let ticks = scan.ticks(keys.len());
        Ok(Self { run: Arc::new(scan).run(), part: None, file, time, keys, ticks })
    }

    /// What times of the rows count.
    pub(in crate::offline) const fn ticks(&self) -> Ticks {
        self.ticks
    }

    /// The next rows, about `most` of them; none when all are read.
    ///
    /// # Errors
    /// When they cannot be read, or a key or a time is none.
    pub(in crate::offline) fn next(&mut self, most: usize) -> Result<Option<Asked>, Problem> {
        let (mut pieces, mut count) = (Vec::new(), 0);
        while count < most {
            let part = match &mut self.part {
                Some(part) => part,
                none => match self.run.part()? {
                    Some(part) => none.insert(part),
                    None => break,
                },
            };
            match self.run.batch(part)? {
                Some(rows) => {
                    count += rows.count;
                    pieces.push(rows);
                }
                None => self.part = None,
            }
        }
        if count == 0 {
            return Ok(None);
        }
        let keys = (0..self.keys.len()).map(|key| joined(&pieces, key)).collect::<Result<_, _>>().map_err(failed)?;
        let times = match self.time {
            Time::Column(_) => joined(&pieces, self.keys.len()).map_err(failed)?.as_primitive::<Int64Type>().clone(),
            Time::At(moment) => Int64Array::from_value(moment.micros(), count),
        };
        Ok(Some(Asked { keys, times, count }))
    }

    /// How many rows there are, with the first and the last of their times. They are read for that.
    ///
    /// # Errors
    /// As for [`Self::next`].
    pub(in crate::offline) fn counted(&mut self) -> Result<(u64, Option<Interval>), Problem> {
        const ROWS: usize = 8192;
        let (mut rows, mut all): (u64, Option<(i64, i64)>) = (0, None);
        while let Some(asked) = self.next(ROWS)? {
            rows += asked.count as u64;
            all = match (all, min(&asked.times).zip(max(&asked.times))) {
                (Some((first, last)), Some((least, greatest))) => Some((least.min(first), greatest.max(last))),
                (known, new) => known.or(new),
            };
        }
        let times = all.map(|(first, last)| (self.ticks.moment(first), self.ticks.moment(last)));
        Ok((rows, times.map(|(start, end)| Interval { start, end })))
    }

    /// About how many rows there are.
    pub(in crate::offline) fn about_rows(&self) -> u64 {
        self.file.columns().rows.unwrap_or(0)
    }

    /// The column with the times in the result.
    pub(in crate::offline) fn time_column(&self) -> &str {
        match &self.time {
            Time::Column(column) => column,
            Time::At(_) => EVENT_TIMESTAMP,
        }
    }

    /// The names of the columns that come out: those of the file in their order, and the time of all rows.
    pub(in crate::offline) fn columns(&self) -> impl Iterator<Item = &str> {
        let fixed = matches!(self.time, Time::At(_)).then_some(EVENT_TIMESTAMP);
        self.file.columns().columns.iter().map(|column| column.name.as_str()).chain(fixed)
    }

    /// The type of a join key column, as the first view knows it.
    pub(in crate::offline) fn key_type(&self, column: &str) -> Option<&DataType> {
        self.keys.iter().find(|key| key.column == column).map(|key| &key.field.dtype)
    }
}

fn joined(pieces: &[Rows], column: usize) -> Result<ArrayRef, ArrowError> {
    let arrays: Vec<&dyn Array> = pieces.iter().map(|rows| rows.columns[column].as_ref()).collect();
    concat(&arrays)
}

fn failed(error: ArrowError) -> Problem {
    Problem::new(Kind::Internal, format!("cannot read entity rows: {error}"), None)
}

/// The moment of all rows, which have no times of their own then.
fn fixed_time(file: &OpenSource, moment: Timestamp, shown: &str) -> Result<Time, Problem> {
    match file.columns().get(EVENT_TIMESTAMP) {
        None => Ok(Time::At(moment)),
        Some(_) => Err(Problem::new(
            Kind::Invalid,
            format!("{shown} has times of its own, in column `{EVENT_TIMESTAMP}`, and one is given for all rows"),
            "leave one of them out".to_owned(),
        )),
    }
}

/// `event_timestamp`, or else the only column with times.
fn time_column(file: &OpenSource, shown: &str) -> Result<String, Problem> {
    let columns = file.columns();
    if let Some(named) = columns.get(EVENT_TIMESTAMP) {
        if file.accepts(named, &Role::Time) {
            return Ok(EVENT_TIMESTAMP.to_owned());
        }
        return Err(Problem::new(
            Kind::Invalid,
            format!("column `{EVENT_TIMESTAMP}` of {shown} holds {} values, not times", named.describe()),
            None,
        ));
    }
    let texts = file.columns_of_times()?;
    let is_time = |kind: &ArrowType| matches!(kind, ArrowType::Timestamp(..) | ArrowType::Date32 | ArrowType::Date64);
    let times: Vec<&str> = columns
        .columns
        .iter()
        .filter(|column| column.kinds.iter().all(|kind| is_time(kind.holds.arrow())) || texts.contains(&column.name))
        .map(|column| column.name.as_str())
        .collect();
    match times.as_slice() {
        [only] => Ok((*only).to_owned()),
        [] => {
            Err(Problem::new(Kind::Invalid, format!("{shown} has no column with times"), None)
                .advise(Advice::GiveMoment))
        }
        several => Err(Problem::new(
            Kind::Invalid,
            format!("{shown} has several columns with times: {}", several.join(", ")),
            format!("call the one that counts `{EVENT_TIMESTAMP}`"),
        )),
    }
}
