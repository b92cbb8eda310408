//! A feature server as Feast's remote online store asks it, over HTTP with JSON.

mod answer;
mod refusal;

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use reqwest::{RequestBuilder, StatusCode, header::AUTHORIZATION};
use serde_json::{Map, Value as Json, json};

use super::feature_server::{Asked, Asking, FeatureServer, Question, SentRows, ServerWork};
use crate::{
    auth::login::{Token, Tokens},
    clients::{
        http::{Connecting, HttpAnswer, HttpClient},
        runtime::wait,
    },
    config::RemoteConfig,
    problem::Problem,
};

/// How long a server may take to store what is pushed in one request.
const LONGEST_PUSH: Duration = Duration::from_secs(60);

/// The server.
pub(crate) struct RemoteServer {
    config: RemoteConfig,
    name: String,
    /// Who asks.
    tokens: Arc<Tokens>,
    /// Made when it is needed, because certificates may be missing.
    client: OnceLock<HttpClient>,
}

impl RemoteServer {
    /// The server of these settings, which is told by `tokens` who asks. Nothing is opened yet.
    pub(crate) fn new(config: RemoteConfig, tokens: Arc<Tokens>) -> Self {
        Self { name: format!("the feature server at {}", config.server), config, tokens, client: OnceLock::new() }
    }

    fn client(&self) -> Result<&HttpClient, Problem> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = HttpClient::new(Connecting {
            name: self.name.clone(),
            setting: "`path` under `online_store` in feature_store.yaml",
            authorities_setting: "`cert` under `online_store` in feature_store.yaml",
            authorities: self.config.authorities.as_deref(),
            is_verified: true,
            is_encrypted: self.config.server.is_encrypted(),
            pool_size: self.config.pool_size,
            idle_timeout: self.config.idle_timeout,
            retries: self.config.retries,
        })?;
        Ok(self.client.get_or_init(|| client))
    }

    /// What the server answers if it did what was asked for. A token that it does not accept is got anew once.
    async fn post(&self, path: &str, body: &Json, deadline: Option<Instant>) -> Result<HttpAnswer, Problem> {
        let client = self.client()?;
        let (url, body) = (self.config.server.at(path), body.to_string().into_bytes());
        let token = self.tokens.token().await?;
        let answer = client.send(self.signed(client.post_json(&url, body.clone()), token.as_deref()), deadline).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return self.done(answer, token.as_deref());
        }
        let Some(refused) = token else { return self.done(answer, None) };
        match self.tokens.instead_of(&refused).await? {
            None => self.done(answer, Some(&refused)),
            Some(token) => {
                let answer = client.send(self.signed(client.post_json(&url, body), Some(&token)), deadline).await?;
                self.done(answer, Some(&token))
            }
        }
    }

    /// The request with who asks: by a token, or as the URL says it.
    fn signed(&self, request: RequestBuilder, token: Option<&Token>) -> RequestBuilder {
        match (token, &self.config.server.login) {
            (Some(token), _) => request.header(AUTHORIZATION, token.header()),
            (None, Some((user, password))) => request.basic_auth(user, Some(&password.0)),
            (None, None) => request,
        }
    }

    fn done(&self, answer: HttpAnswer, token: Option<&Token>) -> Result<HttpAnswer, Problem> {
        if answer.status.is_success() {
            return Ok(answer);
        }
        let problem = refusal::problem(&self.name, &answer);
        let is_login = token.is_none() && self.config.server.login.is_some();
        Err(match answer.status {
            StatusCode::UNAUTHORIZED if !is_login => {
                self.tokens.not_accepted(&self.name, &refusal::words(&answer), token)
            }
            StatusCode::FORBIDDEN => self.tokens.not_allowed(problem, token),
            _ => problem,
        })
    }
}

impl FeatureServer for RemoteServer {
    fn name(&self) -> &str {
        &self.name
    }

    fn ask<'a>(&'a self, question: &'a Question, deadline: Instant) -> Asking<'a> {
        Box::pin(async move {
            let body = question_body(question);
            let answer = self.post("/get-online-features", &body, Some(deadline)).await?;
            answer::read(&answer).map_err(|reason| refusal::not_understood(&self.name, &answer, &reason))
        })
    }

    fn push(&self, source: &str, rows: SentRows) -> Result<(), Problem> {
        let frame: Map<String, Json> = rows.into_iter().map(|(name, values)| (name, Json::Array(values))).collect();
        // What was looked up here just now must not be older there.
        let body = json!({ "push_source_name": source, "df": frame, "to": "online", "allow_registry_cache": false });
        wait(self.post("/push", &body, Some(Instant::now() + LONGEST_PUSH))).map(drop)
    }

    /// Nobody knows how long it takes; it is waited for as long as the server's machine is there.
    fn materialize(&self, work: &ServerWork<'_>) -> Result<(), Problem> {
        let (path, body) = materialize_request(work);
        wait(self.post(path, &body, None)).map(drop)
    }
}

fn question_body(question: &Question) -> Json {
    let column = |(name, values): &(String, Vec<Json>)| (name.clone(), Json::Array(values.clone()));
    let entities: Map<String, Json> = question.entities.iter().map(column).collect();
    let mut body = json!({ "entities": entities, "full_feature_names": question.full_feature_names });
    match &question.asked {
        Asked::Features(references) => body["features"] = json!(references),
        Asked::Service(name) => body["feature_service"] = json!(name),
    }
    body
}

fn materialize_request(work: &ServerWork<'_>) -> (&'static str, Json) {
    let views = if work.views.is_empty() { Json::Null } else { json!(work.views) };
    let end = work.end.to_string();
    match work.start {
        Some(start) => {
            ("/materialize", json!({ "start_ts": start.to_string(), "end_ts": end, "feature_views": views }))
        }
        None => ("/materialize-incremental", json!({ "end_ts": end, "feature_views": views })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    #[test]
    fn questions_are_those_of_feast() {
        let entities = vec![("driver_id".to_owned(), vec![json!(1001), json!(1002)])];
        let features = Asked::Features(vec!["v:a".to_owned()]);
        let question = Question { asked: features, full_feature_names: false, entities };
        let columns = json!({ "driver_id": [1001, 1002] });
        let body = json!({ "entities": columns, "full_feature_names": false, "features": ["v:a"] });
        assert_eq!(question_body(&question), body);
        let question = Question { asked: Asked::Service("s".to_owned()), full_feature_names: true, ..question };
        let body = json!({ "entities": columns, "full_feature_names": true, "feature_service": "s" });
        assert_eq!(question_body(&question), body);
    }

    #[test]
    fn work_is_asked_for_as_feast_does() {
        let end = Timestamp::from_micros(1_500_000);
        let all = ServerWork { views: &[], start: None, end };
        let end = "1970-01-01T00:00:01.500Z";
        let body = json!({ "end_ts": end, "feature_views": null });
        assert_eq!(materialize_request(&all), ("/materialize-incremental", body));
        let views = ["v".to_owned()];
        let some = ServerWork { views: &views, start: Some(Timestamp::from_micros(0)), ..all };
        let body = json!({ "start_ts": "1970-01-01T00:00:00Z", "end_ts": end, "feature_views": ["v"] });
        assert_eq!(materialize_request(&some), ("/materialize", body));
    }
}
