//! Those who take rows of an answer and may fail with them.

use std::ops::ControlFlow;

use arrow::{
    array::RecordBatch,
    datatypes::{Schema, SchemaRef},
};

use super::{plan, session::Session};
use crate::{offline::BatchSink, problem::Problem};

/// One who takes the rows of an answer.
pub(super) trait Takes: Send {
    /// The columns of the answer, before its first rows; says whether rows are wanted.
    ///
    /// # Errors
    /// When they are not those of an answer to the question.
    fn begin(&mut self, columns: &Schema) -> Result<ControlFlow<()>, Problem>;

    /// The next rows; says whether more are wanted.
    ///
    /// # Errors
    /// When a value is not what it should be.
    fn take(&mut self, rows: &RecordBatch) -> Result<ControlFlow<()>, Problem>;
}

/// Has a statement carried out, and its rows taken.
///
/// # Errors
/// When the server refuses it, breaks off or loses rows, it is called off, or who takes the rows fails with them.
pub(super) fn taken(session: &Session, statement: &str, by: &mut dyn Takes) -> Result<(), Problem> {
    let mut taking = Taking { by, failure: None };
    session.rows(plan::sql(statement), &mut taking, &|_| {})?;
    taking.failure.map_or(Ok(()), Err)
}

struct Taking<'a> {
    by: &'a mut dyn Takes,
    failure: Option<Problem>,
}

impl Taking<'_> {
    fn note(&mut self, result: Result<ControlFlow<()>, Problem>) -> ControlFlow<()> {
        result.unwrap_or_else(|problem| {
            self.failure = Some(problem);
            ControlFlow::Break(())
        })
    }
}

impl BatchSink for Taking<'_> {
    fn start(&mut self, columns: &SchemaRef) -> ControlFlow<()> {
        let begun = self.by.begin(columns);
        self.note(begun)
    }

    fn batch(&mut self, rows: &RecordBatch) -> ControlFlow<()> {
        let taken = self.by.take(rows);
        self.note(taken)
    }
}
