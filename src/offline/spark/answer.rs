//! Columns of an answer, read as what is declared: exactly or not at all, like those of files.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, RecordBatch},
    compute::{cast, concat},
    datatypes::{DataType as ArrowType, Schema},
    error::ArrowError,
};

use crate::{
    offline::point_in_time::{plain, plain_type},
    problem::{Kind, Problem},
    sources::{OpenSource, Wanted},
};

/// What is wanted of an answer.
pub(super) struct Declared {
    wanted: Vec<Wanted>,
    /// What messages call its rows.
    shown: String,
    /// How many values became null because they do not fit.
    pub(super) unfit: u64,
}

impl Declared {
    /// These columns of an answer, whose rows messages call `shown`.
    pub(super) const fn new(wanted: Vec<Wanted>, shown: String) -> Self {
        Self { wanted, shown, unfit: 0 }
    }

    /// The types of the columns, of an answer with columns like these.
    ///
    /// # Errors
    /// When the answer lacks one, or has it as something that cannot become what is wanted.
    pub(super) fn kinds(&self, columns: &Schema) -> Result<Vec<ArrowType>, Problem> {
        let scan = OpenSource::batches(columns, Vec::new(), &self.shown).scan(self.wanted.clone())?;
        Ok(scan.columns().into_iter().map(plain_type).collect())
    }

    /// The columns of some rows, as these types.
    ///
    /// # Errors
    /// When a value does not fit.
    pub(super) fn read(&mut self, rows: &RecordBatch, kinds: &[ArrowType]) -> Result<Vec<ArrayRef>, Problem> {
        let batches = OpenSource::batches(rows.schema_ref(), vec![rows.clone()], &self.shown);
        let scan = Arc::new(batches.scan(self.wanted.clone())?);
        let run = scan.run();
        let mut pieces: Vec<Vec<ArrayRef>> = Vec::new();
        while let Some(mut part) = run.part()? {
            while let Some(rows) = run.batch(&mut part)? {
                pieces.push(rows.columns);
            }
        }
        self.unfit += scan.unfit();
        let column = |(index, kind): (usize, &ArrowType)| -> Result<ArrayRef, ArrowError> {
            let pieces = pieces.iter().map(|piece| plain(&piece[index])).collect::<Result<Vec<_>, _>>()?;
            let pieces: Vec<&dyn Array> = pieces.iter().map(AsRef::as_ref).collect();
            let whole = concat(&pieces)?;
            if whole.data_type() == kind { Ok(whole) } else { cast(&whole, kind) }
        };
        let columns = kinds.iter().enumerate().map(column).collect::<Result<_, _>>();
        columns.map_err(|error| {
            Problem::new(Kind::Internal, format!("the rows of {} cannot be read: {error}", self.shown), None)
        })
    }
}
