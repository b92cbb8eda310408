//! Rows of an answer in the order of their numbers, in whatever order they come. A server that sorts them carries out the end of
//! its join twice: once to find out where to divide them.
//!
//! What came is held in memory up to a limit, beyond which it is written to temporary files, each in order in itself.

use std::{
    fs::File,
    io::{BufReader, BufWriter, Write as _},
    ops::{ControlFlow, Range},
    path::Path,
};

use arrow::{
    array::{Array as _, AsArray as _, RecordBatch},
    compute::interleave_record_batch,
    datatypes::{Int64Type, Schema},
    error::ArrowError,
    ipc::{reader::StreamReader, writer::StreamWriter},
};

use super::taking::Takes;
use crate::{
    offline::Cancel,
    problem::{Kind, Problem},
    spill::SpillFolder,
};

/// Bytes that are held.
const HELD: usize = 32 << 20;

/// Rows that are handed on at once.
const ROWS: usize = 8192;

/// Rows in order, one batch after the other.
type Run = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>;

/// Takes rows with numbers in their first column, each of some numbers once.
pub(super) struct InOrder<'a> {
    by: &'a mut dyn Takes,
    /// The numbers that are to come.
    numbers: Range<usize>,
    /// What messages call the server.
    server: &'a str,
    cancel: &'a Cancel,
    came: usize,
    held: Vec<RecordBatch>,
    bytes: usize,
    most_bytes: usize,
    runs: Vec<Run>,
    folder: SpillFolder,
}

impl<'a> InOrder<'a> {
    /// Hands rows with these numbers on, in their order, when all came.
    pub(super) fn new(by: &'a mut dyn Takes, numbers: Range<usize>, (server, cancel): (&'a str, &'a Cancel)) -> Self {
        Self {
            by,
            numbers,
            server,
            cancel,
            came: 0,
            held: Vec::new(),
            bytes: 0,
            most_bytes: HELD,
            runs: Vec::new(),
            folder: SpillFolder::default(),
        }
    }

    /// Hands on what came.
    ///
    /// # Errors
    /// When rows are missing or came twice, temporary files cannot be written or read, it is called off, or who takes the rows
    /// fails with them.
    pub(super) fn finish(mut self) -> Result<(), Problem> {
        if self.came < self.numbers.len() {
            return Err(lost(self.server, &format!("{} of {} rows came", self.came, self.numbers.len())));
        }
        let held = std::mem::take(&mut self.held);
        let runs = std::mem::take(&mut self.runs).into_iter().chain([sorted(held)]);
        let mut runs: Vec<Pending> = runs.map(|rows| Pending { next: None, rows }).collect();
        for begin in self.numbers.clone().step_by(ROWS) {
            self.cancel.check()?;
            let next = begin..self.numbers.end.min(begin + ROWS);
            let mut pieces = Vec::with_capacity(runs.len());
            for run in &mut runs {
                run.below(i64::try_from(next.end).unwrap_or(i64::MAX), &mut pieces).map_err(unkept)?;
            }
            let rows = if let [only] = pieces.as_slice() {
                Some(only.clone())
            } else {
                sorted(pieces).next().transpose().map_err(unkept)?
            };
            let Some(rows) = rows.filter(|rows| is_numbered(rows, next)) else {
                return Err(lost(self.server, "rows are missing, or came twice"));
            };
            if self.by.take(&rows)?.is_break() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Writes what is held to a file.
    fn spill(&mut self) -> Result<(), Problem> {
        let held = std::mem::take(&mut self.held);
        self.bytes = 0;
        let path = self.folder.path()?.join(format!("{}.arrow", self.runs.len()));
        self.runs.push(written(held, &path).map_err(unkept)?);
        Ok(())
    }
}

impl Takes for InOrder<'_> {
    fn begin(&mut self, columns: &Schema) -> Result<ControlFlow<()>, Problem> {
        self.by.begin(columns)
    }

    fn take(&mut self, rows: &RecordBatch) -> Result<ControlFlow<()>, Problem> {
        if numbers(rows).is_none() {
            return Err(lost(self.server, "rows have no numbers"));
        }
        self.came += rows.num_rows();
        if self.came > self.numbers.len() {
            return Err(lost(self.server, "there are more rows"));
        }
        let bytes = rows.columns().iter().map(|column| column.to_data().get_slice_memory_size().unwrap_or(0));
        self.bytes += bytes.sum::<usize>();
        self.held.push(rows.clone());
        if self.bytes > self.most_bytes {
            self.spill()?;
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// Rows in order, of which the first ones may be taken.
struct Pending {
    next: Option<RecordBatch>,
    rows: Run,
}

impl Pending {
    /// Takes the rows with numbers below a bound.
    fn below(&mut self, bound: i64, pieces: &mut Vec<RecordBatch>) -> Result<(), ArrowError> {
        while let Some(rows) = self.next.take().map(Ok).or_else(|| self.rows.next()).transpose()? {
            let count = numbers(&rows).map_or(0, |numbers| numbers.partition_point(|number| *number < bound));
            if count > 0 {
                pieces.push(rows.slice(0, count));
            }
            if count < rows.num_rows() {
                self.next = Some(rows.slice(count, rows.num_rows() - count));
                break;
            }
        }
        Ok(())
    }
}

/// Some rows, in order.
fn sorted(batches: Vec<RecordBatch>) -> Run {
    let mut places: Vec<(i64, u32, u32)> = Vec::with_capacity(batches.iter().map(RecordBatch::num_rows).sum());
    for (batch, rows) in (0..).zip(&batches) {
        places.extend(numbers(rows).unwrap_or_default().iter().zip(0..).map(|(number, row)| (*number, batch, row)));
    }
    // What comes is in order in parts, which this way of sorting makes use of.
    places.sort_by_key(|(number, ..)| *number);
    Box::new((0..places.len()).step_by(ROWS).map(move |first| {
        let places = &places[first..places.len().min(first + ROWS)];
        let places: Vec<(usize, usize)> =
            places.iter().map(|(_, batch, row)| (*batch as usize, *row as usize)).collect();
        interleave_record_batch(&batches.iter().collect::<Vec<_>>(), &places)
    }))
}

/// Writes rows to a file in order, and reads them.
fn written(rows: Vec<RecordBatch>, path: &Path) -> Result<Run, ArrowError> {
    let mut writer = None;
    for rows in sorted(rows) {
        let rows = rows?;
        let writer = match &mut writer {
            Some(writer) => writer,
            none => none.insert(StreamWriter::try_new(BufWriter::new(File::create_new(path)?), rows.schema_ref())?),
        };
        writer.write(&rows)?;
    }
    if let Some(writer) = writer {
        writer.into_inner()?.flush()?;
    }
    Ok(Box::new(StreamReader::try_new(BufReader::new(File::open(path)?), None)?))
}

/// The numbers of rows; none if they lack some.
fn numbers(rows: &RecordBatch) -> Option<&[i64]> {
    let numbers = rows.columns().first()?.as_primitive_opt::<Int64Type>()?;
    (numbers.null_count() == 0).then(|| &**numbers.values())
}

/// Whether rows have just these numbers.
fn is_numbered(rows: &RecordBatch, next: Range<usize>) -> bool {
    let is_next = |(number, next): (&i64, usize)| usize::try_from(*number) == Ok(next);
    rows.num_rows() == next.len() && numbers(rows).is_some_and(|numbers| numbers.iter().zip(next).all(is_next))
}

fn lost(server: &str, what: &str) -> Problem {
    let help = "run the command again; a server that loses rows again is none to trust".to_owned();
    Problem::new(Kind::Unavailable, format!("the answer of {server} is not that to these entity rows: {what}"), help)
}

fn unkept(error: ArrowError) -> Problem {
    let help = "make room for temporary files: TMPDIR says where they are".to_owned();
    Problem::new(Kind::Unavailable, format!("cannot keep rows of the answer in temporary files: {error}"), help)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};

    use super::*;

    /// The numbers that are handed on, and whether each has its text; of which no more than some are wanted.
    struct Taken(Vec<i64>, usize);

    impl Takes for Taken {
        fn begin(&mut self, _: &Schema) -> Result<ControlFlow<()>, Problem> {
            Ok(ControlFlow::Continue(()))
        }

        fn take(&mut self, rows: &RecordBatch) -> Result<ControlFlow<()>, Problem> {
            let texts = rows.column(1).as_string::<i32>();
            let numbers = numbers(rows).unwrap();
            assert!(numbers.iter().zip(texts).all(|(number, text)| text == Some(number.to_string().as_str())));
            self.0.extend(numbers);
            Ok(if self.0.len() < self.1 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        }
    }

    fn rows(numbers: impl Iterator<Item = i64> + Clone) -> RecordBatch {
        let texts: ArrayRef = Arc::new(StringArray::from_iter_values(numbers.clone().map(|number| number.to_string())));
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(numbers));
        RecordBatch::try_from_iter([("n", numbers), ("text", texts)]).unwrap()
    }

    /// What is handed on of rows that came, where so many bytes are held.
    fn handed_on(came: &[RecordBatch], numbers: Range<usize>, most_bytes: usize) -> Result<Vec<i64>, Problem> {
        let (mut taken, cancel) = (Taken(Vec::new(), usize::MAX), Cancel::default());
        let mut in_order = InOrder { most_bytes, ..InOrder::new(&mut taken, numbers, ("the server", &cancel)) };
        came.iter().try_for_each(|rows| in_order.take(rows).map(drop))?;
        in_order.finish()?;
        Ok(taken.0)
    }

    #[test]
    fn rows_that_come_in_any_order_are_handed_on_in_theirs() {
        // A server spreads rows by their numbers, and answers part after part, in batches.
        let part = |part| rows((0..40_000_i64).filter(move |number| number * 3 % 7 == part));
        let parts: Vec<RecordBatch> =
            (0..7).map(part).flat_map(|part| [part.slice(0, 3000), part.slice(3000, part.num_rows() - 3000)]).collect();
        for most_bytes in [usize::MAX, 100_000, 0] {
            assert_eq!(handed_on(&parts, 0..40_000, most_bytes).unwrap(), (0..40_000).collect::<Vec<i64>>());
        }
        assert_eq!(handed_on(&[rows([7, 5].into_iter()), rows([6].into_iter())], 5..8, 0).unwrap(), [5, 6, 7]);
        assert_eq!(handed_on(&[], 0..0, 0).unwrap(), [0_i64; 0]);
    }

    #[test]
    fn rows_that_are_missing_or_too_many_are_an_error() {
        for (came, said) in [
            (&[0, 1][..], "2 of 3 rows came"),
            (&[0, 1, 2, 3], "there are more rows"),
            (&[0, 1, 1], "came twice"),
            (&[0, 1, 3], "are missing"),
            (&[-1, 0, 1], "are missing"),
        ] {
            for most_bytes in [usize::MAX, 0] {
                let each: Vec<RecordBatch> = came.iter().map(|number| rows([*number].into_iter())).collect();
                let problem = handed_on(&each, 0..3, most_bytes).unwrap_err();
                assert!(problem.message.contains(said) && problem.kind == Kind::Unavailable, "{problem:?}");
            }
        }
    }

    #[test]
    fn who_wants_no_more_is_given_no_more() {
        let (mut taken, cancel) = (Taken(Vec::new(), 1), Cancel::default());
        let mut in_order = InOrder::new(&mut taken, 0..20_000, ("the server", &cancel));
        let _ = in_order.take(&rows((0..20_000).rev())).unwrap();
        in_order.finish().unwrap();
        assert_eq!(taken.0.len(), ROWS);
    }
}
