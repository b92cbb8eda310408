//! Whether a server is ready, as it says itself: over HTTP at `/ready`, as feastr's server of features and Feast's do, or by the
//! health service of gRPC, as servers of historical features do.

use std::{
    fmt,
    path::Path,
    str::FromStr,
    time::{Duration, Instant},
};

use reqwest::StatusCode;
use serde_json::Value as Json;
use tokio::time::timeout;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use url::Url;

use super::{
    grpc,
    http::{Connecting, HttpClient},
};
use crate::problem::{Kind, Problem};

/// Where it is named, for advice.
const SETTING: &str = "its URL";

/// Where a server is, and how it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUrl {
    url: Url,
    is_grpc: bool,
    /// As it was written.
    text: String,
}

impl FromStr for ServerUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no such URL; write http://HOST:PORT or grpc://HOST:PORT, with encryption https:// or grpcs://"
            )
        };
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        let (is_grpc, scheme) = match scheme {
            "http" | "https" => (false, scheme),
            "grpc" => (true, "http"),
            "grpcs" => (true, "https"),
            _ => return Err(wrong()),
        };
        let url = Url::parse(&format!("{scheme}://{rest}")).map_err(|_| wrong())?;
        Ok(Self { url, is_grpc, text: text.to_owned() })
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// How servers are asked.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// File with the authorities that vouch for them; those of the system if there is none.
    pub authorities: Option<&'a Path>,
    /// Where that is set, for advice.
    pub authorities_setting: &'static str,
    /// How long they may take to answer.
    pub limit: Duration,
}

/// Asks a server whether it is ready.
///
/// # Errors
/// When it is not, cannot be reached, or does not answer in time.
pub async fn ready(server: &ServerUrl, asking: Asking<'_>) -> Result<(), Problem> {
    match server.is_grpc {
        true => timeout(asking.limit, serving(server, asking)).await.unwrap_or_else(|_| {
            let message = format!("the server at {server} did not answer in time");
            Err(Problem::new(Kind::Deadline, message, None))
        }),
        false => answering(server, asking).await,
    }
}

async fn answering(server: &ServerUrl, asking: Asking<'_>) -> Result<(), Problem> {
    let client = HttpClient::new(Connecting {
        name: format!("the server at {server}"),
        setting: SETTING,
        authorities_setting: asking.authorities_setting,
        authorities: asking.authorities,
        is_encrypted: server.url.scheme() == "https",
        is_verified: true,
        pool_size: 1,
        idle_timeout: None,
        retries: 0,
    })?;
    let mut url = server.url.clone();
    url.set_path(&format!("{}/ready", url.path().trim_end_matches('/')));
    let answer = client.send(client.get(url.as_str()), Instant::now().checked_add(asking.limit)).await?;
    if answer.status == StatusCode::OK {
        return Ok(());
    }
    // feastr's server says which of its stores is away.
    let report: Json = serde_json::from_slice(&answer.body).unwrap_or_default();
    let problem = |store: &str| report[store]["problem"].as_str();
    let why = match (problem("online_store").or(problem("registry")), report["ending"] == true) {
        (Some(problem), _) => problem.to_owned(),
        (None, true) => "it is about to end".to_owned(),
        (None, false) => format!("it answers {}", answer.status),
    };
    Err(unready(server, &why))
}

async fn serving(server: &ServerUrl, asking: Asking<'_>) -> Result<(), Problem> {
    let name = format!("the server at {server}");
    let channel = grpc::connect(grpc::Connecting {
        name: &name,
        url: server.url.as_str(),
        setting: SETTING,
        authorities_setting: asking.authorities_setting,
        authorities: asking.authorities,
        client: None,
        authority: None,
        retries: 0,
        pings: None,
    })
    .await?;
    // No name of a service means the server as a whole.
    let answer = HealthClient::new(channel).check(HealthCheckRequest { service: String::new() }).await;
    match answer {
        Ok(answer) if answer.get_ref().status() == ServingStatus::Serving => Ok(()),
        Ok(answer) => Err(unready(server, &format!("it says {}", answer.get_ref().status().as_str_name()))),
        Err(status) => Err(unready(server, status.message())),
    }
}

fn unready(server: &ServerUrl, why: &str) -> Problem {
    Problem::new(Kind::Unavailable, format!("the server at {server} is not ready: {why}"), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_named_by_how_they_are_asked() {
        let of = |text: &str| text.parse::<ServerUrl>().map(|server| (server.url.to_string(), server.is_grpc));
        assert_eq!(of("http://localhost:6566"), Ok(("http://localhost:6566/".to_owned(), false)));
        assert_eq!(of("grpcs://features.example:8815"), Ok(("https://features.example:8815/".to_owned(), true)));
        for wrong in ["localhost:6566", "ftp://localhost", "grpc://", ""] {
            assert!(of(wrong).unwrap_err().contains("write http://HOST:PORT"), "{wrong}");
        }
    }
}
