//! The rows of an answer: Arrow batches, which are counted, so that none is missing.

use arrow::{datatypes::SchemaRef, ipc::reader::StreamReader, record_batch::RecordBatch};
use bytes::Buf as _;

use super::messages::ArrowBatch;
use crate::problem::{Kind, Problem};

/// What came of an answer until now.
#[derive(Debug, Default)]
pub(super) struct Rows {
    schema: Option<SchemaRef>,
    count: u64,
}

impl Rows {
    /// The columns, once a part came.
    pub(super) const fn schema(&self) -> Option<&SchemaRef> {
        self.schema.as_ref()
    }

    /// How many rows came.
    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// The rows of the next part; `server` is what messages call the server.
    ///
    /// # Errors
    /// When it is not the next one, is damaged, or has other columns or fewer rows than it says.
    pub(super) fn next(&mut self, part: ArrowBatch, server: &str) -> Result<Vec<RecordBatch>, Problem> {
        let lost = |what: String| {
            let help = "run the command again; a server that loses rows again is none to trust".to_owned();
            Problem::new(Kind::Unavailable, format!("{server} lost rows of its answer: {what}"), help)
        };
        let damaged =
            |error| Problem::new(Kind::Unavailable, format!("the answer of {server} is not understood: {error}"), None);
        if let Some(offset) = part.start_offset
            && u64::try_from(offset) != Ok(self.count)
        {
            return Err(lost(format!("{} came, and the next part begins after {offset}", self.count)));
        }
        let reader = StreamReader::try_new(part.data.reader(), None).map_err(damaged)?;
        let schema = reader.schema();
        if self.schema.get_or_insert_with(|| schema.clone()) != &schema {
            return Err(lost("its parts have different columns".to_owned()));
        }
        let batches: Vec<RecordBatch> = reader.collect::<Result<_, _>>().map_err(damaged)?;
        let came: usize = batches.iter().map(RecordBatch::num_rows).sum();
        if usize::try_from(part.row_count) != Ok(came) {
            return Err(lost(format!("a part has {came} instead of {}", part.row_count)));
        }
        self.count += came as u64;
        Ok(batches)
    }
}
