//! Servers that know people and programs by their tokens of Kubernetes, and clients that have one.

mod clients;
mod kubeflow;
mod outages;
mod recorded;
mod reviews;
mod roles;
mod servers;
mod stock_client;
mod tokens;

use serde_json::{Value as Json, json};

use crate::{
    auth::{ask, question},
    serve::server::{FeatureServer, Response},
    servers::kubernetes::ApiServer,
    support::Project,
};

/// Where values are asked for.
const READ: &str = "/get-online-features";

/// How long an answer of the API server counts in these tests, so that its end can be waited for.
const SHORT: &str = "kubernetes: {cache_seconds: 0.2}";

/// The example with values and the permissions of `auth`, whose server knows tokens of an API server.
fn guarded(api: &ApiServer, own: &str) -> Project {
    let mut project = crate::serve::answers::example();
    project.write("permissions.yaml", crate::auth::PERMISSIONS);
    project.feastr(&["apply"]).ok();
    api.guard(&mut project, own);
    project
}

/// The answer to the question for values.
fn read(server: &FeatureServer<'_>, token: &str) -> Response {
    ask(server, token, READ, &question())
}

/// Asks again until there is such an answer.
#[track_caller]
fn await_status(server: &FeatureServer<'_>, token: &str, status: u16) -> Response {
    let began = std::time::Instant::now();
    loop {
        let answer = read(server, token);
        if answer.status == status {
            return answer;
        }
        assert!(began.elapsed() < crate::serve::server::PATIENCE, "{answer:?}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// Values to write into the view of the example.
fn written() -> Json {
    let frame = json!({
        "driver_id": [1001], "conv_rate": [0.625], "acc_rate": [0.5], "avg_daily_trips": [1],
        "event_timestamp": ["2025-01-02T10:00:00+00:00"], "created": ["2025-01-02T10:00:00+00:00"],
    });
    json!({ "feature_view_name": "driver_hourly_stats", "df": frame })
}
