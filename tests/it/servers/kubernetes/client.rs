//! Whoever asks an API server.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use reqwest::{
    Method,
    header::{CONTENT_TYPE, HeaderValue},
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use serde_json::Value as Json;
use tokio::runtime::Runtime;

/// A client over TLS.
pub struct Client {
    client: reqwest::Client,
    runtime: Runtime,
    url: String,
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Client {
    /// One of the server at an address of this machine, whose certificate is from an authority.
    pub fn new(address: SocketAddr, authority: &Path) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let tls = tls.with_root_certificates(roots).with_no_client_auth();
        // Servers that end take idle connections with them, which nobody should ask by.
        let client = reqwest::Client::builder().tls_backend_preconfigured(tls).pool_max_idle_per_host(0);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Self {
            client: client.timeout(Duration::from_secs(60)).build().unwrap(),
            runtime,
            url: format!("https://localhost:{}", address.port()),
        }
    }

    /// What is answered to whoever has a token; status 0 if nothing is.
    pub fn ask(&self, token: &str, method: &str, path: &str, body: Option<&Json>) -> Answer {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.client.request(method, format!("{}{path}", self.url)).bearer_auth(token);
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(body.to_string());
        }
        let answer = self.runtime.block_on(async {
            let answer = request.send().await?;
            Ok::<_, reqwest::Error>(Answer { status: answer.status().as_u16(), body: answer.text().await? })
        });
        answer.unwrap_or_else(|error| Answer { status: 0, body: error.to_string() })
    }
}
