//! How connections to object stores are made: as to all servers, with the same encryption.

use object_store::{
    ClientOptions,
    client::{HttpClient, HttpConnector},
};

/// Gives the client that was made for a store.
#[derive(Debug)]
pub(super) struct Connector(pub(super) reqwest::Client);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}
