//! Answers that come line by line, for as long as a server has something to tell.

use std::sync::Arc;

use reqwest::{RequestBuilder, Response, StatusCode};

use super::{HttpClient, Server};
use crate::problem::{Kind, Problem};

/// No line is longer.
const LONGEST: usize = 16 << 20;

/// An answer that comes line by line.
#[derive(Debug)]
pub struct HttpStream {
    response: Response,
    server: Arc<Server>,
    /// What has come of the next lines.
    read: Vec<u8>,
}

impl HttpClient {
    /// Asks the server and gives its answer as soon as it begins. The call has to be made, and the answer read, on the
    /// runtime of the process.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn stream(&self, request: RequestBuilder) -> Result<HttpStream, Problem> {
        let server = Arc::clone(&self.server);
        let response = request.send().await.map_err(|error| server.explain(&error))?;
        Ok(HttpStream { response, server, read: Vec::new() })
    }
}

impl HttpStream {
    /// Whether the server tells what it was asked for.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The next line, without its end; `None` after the last one.
    ///
    /// # Errors
    /// When the answer breaks off, or has a line of an absurd length.
    pub async fn line(&mut self) -> Result<Option<Vec<u8>>, Problem> {
        let mut looked_at = 0;
        loop {
            let end = self.read.iter().skip(looked_at).position(|byte| *byte == b'\n');
            if let Some(end) = end {
                let rest = self.read.split_off(looked_at + end + 1);
                let mut line = std::mem::replace(&mut self.read, rest);
                line.pop();
                return Ok(Some(line));
            }
            looked_at = self.read.len();
            if looked_at > LONGEST {
                let message = format!("{} answers with a line that has no end", self.server.name);
                return Err(Problem::new(Kind::Unavailable, message, None));
            }
            match self.response.chunk().await.map_err(|error| self.server.explain(&error))? {
                Some(more) => self.read.extend_from_slice(&more),
                None if self.read.is_empty() => return Ok(None),
                None => return Ok(Some(std::mem::take(&mut self.read))),
            }
        }
    }
}
