//! Rows on their way into a table, in the binary format of `COPY`.

use std::{io::Cursor, pin::Pin};

use futures_util::SinkExt as _;
use tokio_postgres::CopyInSink;

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
