//! Rows on their way into a table, or out of one, in the binary format of `COPY`.

use std::{io::Cursor, pin::Pin};

use bytes::Bytes;
use futures_util::{SinkExt as _, TryStreamExt as _};
use tokio_postgres::{CopyInSink, CopyOutStream};

use super::{
    connection::{Connection, answer_of},
    problem::PostgresError,
};

/// A table that takes rows. If it is dropped before the end, the connection closes and the server forgets all of it.
pub struct CopyIn {
    connection: Connection,
    sink: Pin<Box<CopyInSink<Cursor<Vec<u8>>>>>,
}

impl Connection {
    /// Begins a `COPY … FROM STDIN`.
    ///
    /// # Errors
    /// As [`Self::query_typed`].
    pub async fn copy_in(mut self, statement: &str) -> Result<CopyIn, PostgresError> {
        self.begin()?;
        let answer = answer_of(self.limit, self.client.copy_in(statement)).await;
        let sink = Box::pin(self.end(answer).await?);
        self.begin()?;
        Ok(CopyIn { connection: self, sink })
    }

    /// Begins a `COPY … TO STDOUT`, whose rows come out of what it gives. Each piece has the limit of an answer.
    ///
    /// # Errors
    /// As [`Self::query_typed`].
    pub async fn copy_out(mut self, statement: &str) -> Result<CopyOut, PostgresError> {
        self.begin()?;
        match answer_of(self.limit, self.client.copy_out(statement)).await {
            Ok(stream) => Ok(CopyOut { stream: Box::pin(stream), connection: self }),
            Err(error) => self.end(Err(error)).await,
        }
    }
}

impl CopyIn {
    /// Sends more of the rows.
    ///
    /// # Errors
    /// When the connection is lost, or takes nothing for too long.
    pub async fn send(&mut self, bytes: Vec<u8>) -> Result<(), PostgresError> {
        match answer_of(self.connection.limit, self.sink.send(Cursor::new(bytes))).await {
            Err(error) => self.connection.end(Err(error)).await,
            sent => sent,
        }
    }

    /// Says that these were all, and gives the connection back when the server has them.
    ///
    /// # Errors
    /// What the server says about the rows.
    pub async fn finish(self) -> Result<Connection, PostgresError> {
        let Self { mut connection, mut sink } = self;
        let answer = answer_of(connection.limit, sink.as_mut().finish()).await;
        connection.end(answer).await?;
        Ok(connection)
    }
}

/// Rows on their way from the server, and the connection that brings them. When this is dropped before its end, the
/// connection is closed, and the server stops.
pub struct CopyOut {
    connection: Connection,
    stream: Pin<Box<CopyOutStream>>,
}

impl CopyOut {
    /// The next bytes; none at the end.
    ///
    /// # Errors
    /// What the server says, or that it says nothing in time.
    pub async fn next(&mut self) -> Result<Option<Bytes>, PostgresError> {
        match answer_of(self.connection.limit, self.stream.try_next()).await {
            Ok(Some(bytes)) => Ok(Some(bytes)),
            ended => self.connection.end(ended).await,
        }
    }
}
