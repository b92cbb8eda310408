//! One connection to PostgreSQL: how long an answer may take, and when the connection counts as lost.

use std::{collections::HashMap, future::Future, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::JoinHandle,
    time::timeout,
};
use tokio_postgres::{
    Client, Error, Row, Statement,
    error::SqlState,
    types::{ToSql, Type},
};

use super::problem::PostgresError;

/// How long an answer may take, unless a connection is told otherwise.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// How long to wait for the reason why a connection has ended.
const REASON_LIMIT: Duration = Duration::from_millis(200);

/// Statements of a connection that the server keeps at most.
const MOST_STATEMENTS: usize = 256;

/// A connection to a database. Every question has a limit of time; when that has passed, or nobody waited for the
/// answer, the connection counts as closed, because the answer may still come.
#[derive(Debug)]
pub struct Connection {
    pub(super) client: Client,
    /// Ends with the error that the connection ended with.
    driver: JoinHandle<Option<Error>>,
    statements: HashMap<String, Statement>,
    /// Whether the server keeps statements for us, which some poolers in between do not.
    keeps_statements: bool,
    pub(super) limit: Duration,
    /// Whether an answer is outstanding.
    owes: bool,
}

impl Connection {
    /// Drives a connection that was just made, on the runtime that is running this.
    pub(super) fn new<S, T>(client: Client, connection: tokio_postgres::Connection<S, T>) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let driver = tokio::spawn(async { connection.await.err() });
        let (statements, limit) = (HashMap::new(), ANSWER_LIMIT);
        Self { client, driver, statements, keeps_statements: true, limit, owes: false }
    }

    /// How long each further answer may take.
    pub fn set_limit(&mut self, limit: Duration) {
        self.limit = limit;
    }

    /// Whether nothing can be asked any more.
    pub fn is_closed(&self) -> bool {
        self.owes || self.client.is_closed()
    }

    /// The rows that a statement answers, with its parameters and their types. The server keeps nothing of it, so this
    /// works behind every pooler.
    ///
    /// # Errors
    /// What the server says, or that it says nothing in time.
    pub async fn query_typed(
        &mut self,
        statement: &str,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, PostgresError> {
        self.begin()?;
        let answer = answer_of(self.limit, self.client.query_typed(statement, parameters)).await;
        self.end(answer).await
    }

    /// The same with a statement that the server parses once per connection.
    ///
    /// # Errors
    /// As [`Self::query_typed`].
    pub async fn query_prepared(
        &mut self,
        statement: &str,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, PostgresError> {
        if !self.keeps_statements {
            return self.query_typed(statement, parameters).await;
        }
        self.begin()?;
        let answer = answer_of(self.limit, prepared(&self.client, &mut self.statements, statement, parameters)).await;
        let answer = self.end(answer).await;
        let Err(error) = &answer else { return answer };
        self.statements.remove(statement);
        match error.code() {
            Some(&SqlState::INVALID_SQL_STATEMENT_NAME | &SqlState::DUPLICATE_PSTATEMENT) => {
                self.keeps_statements = false;
                self.query_typed(statement, parameters).await
            }
            // The table has other columns than when the statement was parsed.
            Some(&SqlState::FEATURE_NOT_SUPPORTED) => self.query_typed(statement, parameters).await,
            _ => answer,
        }
    }

    /// What a statement would answer, without carrying it out: its columns.
    ///
    /// # Errors
    /// As [`Self::query_typed`].
    pub async fn describe(&mut self, statement: &str) -> Result<Statement, PostgresError> {
        self.begin()?;
        let answer = answer_of(self.limit, self.client.prepare(statement)).await;
        self.end(answer).await
    }

    /// Carries out statements without parameters.
    ///
    /// # Errors
    /// As [`Self::query_typed`].
    pub async fn batch_execute(&mut self, statements: &str) -> Result<(), PostgresError> {
        self.begin()?;
        let answer = answer_of(self.limit, self.client.batch_execute(statements)).await;
        self.end(answer).await
    }

    pub(super) fn begin(&mut self) -> Result<(), PostgresError> {
        if self.owes {
            return Err(PostgresError::Silent);
        }
        self.owes = true;
        Ok(())
    }

    /// Takes note that an answer is there, or of why there will be none.
    pub(super) async fn end<T>(&mut self, answer: Result<T, PostgresError>) -> Result<T, PostgresError> {
        match &answer {
            Err(PostgresError::Silent) => return answer,
            Err(error) if error.is_closed() => {
                let reason = timeout(REASON_LIMIT, &mut self.driver).await;
                self.owes = false;
                if let Ok(Ok(Some(reason))) = reason {
                    return Err(reason.into());
                }
            }
            _ => self.owes = false,
        }
        answer
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Otherwise it says goodbye and ends by itself.
        if self.owes {
            self.driver.abort();
        }
    }
}

pub(super) async fn answer_of<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, Error>>,
) -> Result<T, PostgresError> {
    Ok(timeout(limit, answer).await.map_err(|_| PostgresError::Silent)??)
}

async fn prepared(
    client: &Client,
    statements: &mut HashMap<String, Statement>,
    statement: &str,
    parameters: &[(&(dyn ToSql + Sync), Type)],
) -> Result<Vec<Row>, Error> {
    let prepared = match statements.get(statement) {
        Some(prepared) => prepared.clone(),
        None => {
            let types: Vec<Type> = parameters.iter().map(|(_, kind)| kind.clone()).collect();
            let prepared = client.prepare_typed(statement, &types).await?;
            if statements.len() >= MOST_STATEMENTS {
                statements.clear();
            }
            statements.insert(statement.to_owned(), prepared.clone());
            prepared
        }
    };
    let values: Vec<&(dyn ToSql + Sync)> = parameters.iter().map(|(value, _)| *value).collect();
    client.query(&prepared, &values).await
}
