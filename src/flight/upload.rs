//! What a client sends: the descriptor, and then rows, as many as they may be.

use std::{sync::Arc, time::Duration};

use arrow::{array::RecordBatch, datatypes::Schema};
use arrow_flight::{FlightData, decode::FlightRecordBatchStream, error::FlightError};
use futures_util::{Stream, StreamExt as _, stream};
use serde_json::Value as Json;
use tokio::time::timeout;
use tonic::{Status, Streaming};

use super::error;
use crate::{
    clients::runtime::blocking,
    feast::flight::is_empty_marker,
    problem::{Kind, Problem},
    retrieval::{Collecting, Entities},
};

/// More columns no view has.
const MOST_COLUMNS: usize = 10_000;

/// What may be sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// How many bytes.
    pub(super) bytes: usize,
    /// How long the next ones may take.
    pub(super) idle: Duration,
    /// How many bytes of rows are kept in memory; more are in a file.
    pub(super) in_memory: usize,
}

/// A client's stream after its descriptor.
pub(super) struct Upload {
    /// The command of the descriptor; empty if it is none.
    pub(super) command: Vec<u8>,
    first: FlightData,
    rest: Streaming<FlightData>,
    limits: Limits,
}

impl Upload {
    /// Waits for the descriptor.
    ///
    /// # Errors
    /// When there is none, or it takes too long.
    pub(super) async fn begin(mut rest: Streaming<FlightData>, limits: Limits) -> Result<Self, Status> {
        let Some(first) = next(&mut rest, limits.idle).await? else {
            return Err(Status::invalid_argument("the call has no descriptor"));
        };
        let Some(descriptor) = &first.flight_descriptor else {
            return Err(Status::invalid_argument("the first message of the call has no descriptor"));
        };
        Ok(Self { command: descriptor.cmd.to_vec(), first, rest, limits })
    }

    /// Reads what comes, and lets go of it: clients of Feast look at a failure only when they have sent everything.
    pub(super) async fn ignored(mut self) {
        let mut bytes = self.first.data_body.len();
        while bytes <= self.limits.bytes {
            match next(&mut self.rest, self.limits.idle).await {
                Ok(Some(data)) => bytes += data.data_header.len() + data.data_body.len(),
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// Reads the rows; `None` if there are none, or a table that stands for none.
    ///
    /// # Errors
    /// When they are too many, too late, or no rows.
    pub(super) async fn rows(self) -> Result<Option<Entities>, Status> {
        let in_memory = self.limits.in_memory;
        let mut rows = FlightRecordBatchStream::new_from_flight_data(Box::pin(self.messages()));
        let mut begun: Option<Begun> = None;
        loop {
            let batch = rows.next().await.transpose().map_err(unreadable)?;
            let known = match (begun.take(), rows.schema()) {
                (Some(begun), _) => Some(begun),
                (None, Some(schema)) => Some(Begun::with(schema, in_memory)?),
                (None, None) => None,
            };
            begun = match (known, batch) {
                (Some(begun), Some(batch)) => Some(begun.add(batch).await?),
                (Some(begun), None) => return begun.finish().await,
                (None, Some(_)) => return Err(Status::invalid_argument("rows came before their columns")),
                (None, None) => return Ok(None),
            };
        }
    }

    /// The messages with rows, within the limits.
    fn messages(self) -> impl Stream<Item = Result<FlightData, FlightError>> + Send {
        let Self { first, rest, limits, .. } = self;
        let messages = stream::try_unfold((Some(first), rest, 0), move |(first, mut rest, bytes)| async move {
            let message = match first {
                Some(first) => Some(first),
                None => next(&mut rest, limits.idle).await?,
            };
            let Some(message) = message else { return Ok(None) };
            let bytes = bytes + message.data_header.len() + message.data_body.len();
            if bytes > limits.bytes {
                let message = format!("the rows have more than {} bytes, which may come at once", limits.bytes);
                return Err(FlightError::from(Status::resource_exhausted(message)));
            }
            Ok(Some((message, (None, rest, bytes))))
        });
        // A descriptor may come alone, as metadata may.
        messages
            .filter(|message| std::future::ready(message.as_ref().map_or(true, |data| !data.data_header.is_empty())))
    }
}

/// Rows of which some may have come.
struct Begun {
    collecting: Collecting,
    /// Which columns count.
    places: Vec<usize>,
    is_marker: bool,
}

impl Begun {
    /// Rows with these columns.
    fn with(schema: &Schema, in_memory: usize) -> Result<Self, Status> {
        if schema.fields().len() > MOST_COLUMNS {
            let message = format!("there are {} columns, and {MOST_COLUMNS} are taken", schema.fields().len());
            return Err(Status::invalid_argument(message));
        }
        let places = columns(schema);
        let schema = schema.project(&places).map_err(|error| unreadable(error.into()))?;
        let is_marker = is_empty_marker(&schema);
        Ok(Self { collecting: Collecting::new(Arc::new(schema), "the rows", in_memory), places, is_marker })
    }

    async fn add(self, batch: RecordBatch) -> Result<Self, Status> {
        if self.is_marker {
            return Ok(self);
        }
        let Self { mut collecting, places, is_marker } = self;
        let batch = batch.project(&places).map_err(|error| unreadable(error.into()))?;
        // It may be written to a file.
        let added = blocking(move || {
            collecting.add(batch)?;
            Ok::<_, Problem>(collecting)
        });
        let collecting = added.await.map_err(|problem| error::status(&problem))?;
        Ok(Self { collecting, places, is_marker })
    }

    async fn finish(self) -> Result<Option<Entities>, Status> {
        let Self { collecting, is_marker, .. } = self;
        if is_marker {
            return Ok(None);
        }
        blocking(move || collecting.finish()).await.map(Some).map_err(|problem| error::status(&problem))
    }
}

/// The columns of a table that are none of its index, as pandas notes it: that is no column of the frame.
fn columns(schema: &Schema) -> Vec<usize> {
    let noted = schema.metadata().get("pandas").and_then(|text| serde_json::from_str::<Json>(text).ok());
    let index = noted.as_ref().and_then(|noted| noted.get("index_columns")?.as_array());
    let is_index = |name: &str| index.is_some_and(|index| index.iter().any(|column| column.as_str() == Some(name)));
    let places = schema.fields().iter().enumerate();
    places.filter(|(_, field)| !is_index(field.name())).map(|(place, _)| place).collect()
}

/// The next message, if it comes in time.
async fn next(stream: &mut Streaming<FlightData>, idle: Duration) -> Result<Option<FlightData>, Status> {
    let late = |_| Status::deadline_exceeded("the next rows of the client were not there in time");
    timeout(idle, stream.message()).await.map_err(late)?
}

/// What came is no rows.
fn unreadable(error: FlightError) -> Status {
    match error {
        FlightError::Tonic(status) => *status,
        other => {
            let message = format!("the rows that came cannot be read: {other}");
            error::status(&Problem::new(Kind::Invalid, message, None))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use arrow::datatypes::{DataType, Field};

    use super::*;

    #[test]
    fn the_index_of_a_frame_is_no_column() {
        let fields = ["driver_id", "__index_level_0__"].map(|name| Field::new(name, DataType::Int64, true)).to_vec();
        let with = |text: &str| {
            let metadata = HashMap::from([("pandas".to_owned(), text.to_owned())]);
            columns(&Schema::new_with_metadata(fields.clone(), metadata))
        };
        assert_eq!(with("{\"index_columns\": [\"__index_level_0__\"]}"), [0]);
        assert_eq!(with("{\"index_columns\": [{\"kind\": \"range\", \"stop\": 3}]}"), [0, 1]);
        for damaged in ["", "{", "[]", "{\"index_columns\": 7}"] {
            assert_eq!(with(damaged), [0, 1], "{damaged}");
        }
        assert_eq!(columns(&Schema::new(fields.clone())), [0, 1]);
    }
}
