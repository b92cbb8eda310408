//! What is told of every request over HTTP, whatever it asks for: its id, a line of the log, its metrics and its span.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{StatusCode, header::HeaderName},
    middleware::Next,
    response::Response,
};

use super::telemetry::{
    Endpoints, Seldom, Shape, Telemetry, millis,
    request::{self, RequestIds},
};
use crate::problem::Problem;

/// So often it is told at most that a store is away or late, or that somebody asks whom nobody knows.
const PAUSE: Duration = Duration::from_secs(1);

/// What observes the requests of a router.
pub(crate) struct HttpObserver {
    telemetry: Arc<Telemetry>,
    endpoints: Option<Endpoints>,
    failures: Seldom,
    /// Requests of whom nobody knows.
    unknown: Seldom,
}

impl HttpObserver {
    /// An observer of requests to these routes; others have no metrics.
    pub(crate) fn new(telemetry: &Arc<Telemetry>, routes: impl Iterator<Item = String>) -> Arc<Self> {
        let endpoints = telemetry.metrics.as_ref().map(|metrics| metrics.endpoints(routes));
        Arc::new(Self {
            telemetry: Arc::clone(telemetry),
            endpoints,
            failures: Seldom::after(PAUSE),
            unknown: Seldom::after(PAUSE),
        })
    }
}

/// Has a request answered, and tells of it.
pub(crate) async fn observe(State(observer): State<Arc<HttpObserver>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let telemetry = &*observer.telemetry;
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map(MatchedPath::as_str);
    let parent = request::parent(request.headers());
    let span = telemetry.traces.as_ref().map(|traces| traces.begin(&parent, &method, route, uri.path()));
    let context = span.as_ref().map_or(parent, |span| span.context());
    let ids = RequestIds::of(request.headers()).in_trace(&context);
    let id = ids.header().clone();
    let answer = async {
        let mut response = next.run(request).await;
        let (status, took) = (response.status(), began.elapsed());
        let shape = response.extensions_mut().remove::<Shape>();
        if let (Some(endpoints), Some(route)) = (&observer.endpoints, route) {
            endpoints.answered(route, !(status.is_client_error() || status.is_server_error()), shape, took);
        }
        if let Some(problem) = response.extensions_mut().remove::<Problem>() {
            observer.failed(status, method.as_str(), uri.path(), &problem);
        }
        if telemetry.access_log {
            let (status, millis) = (status.as_u16(), millis(took));
            tracing::debug!(status, millis, "{method} {}", uri.path());
        }
        response
    };
    let mut response = request::answering(ids, answer).await;
    if let Some(span) = span {
        span.end(response.status(), id.to_str().unwrap_or_default());
    }
    response.headers_mut().insert(const { HeaderName::from_static("x-request-id") }, id);
    response
}

impl HttpObserver {
    /// Troubles of the server are told, those of stores seldom: they meet all requests at a time.
    fn failed(&self, status: StatusCode, method: &str, path: &str, problem: &Problem) {
        match status {
            StatusCode::INTERNAL_SERVER_ERROR => {
                tracing::error!(status = status.as_u16(), "{method} {path}: {problem}");
            }
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
                if let Some(times) = self.failures.happened(1) {
                    tracing::warn!(status = status.as_u16(), times, "{method} {path}: {problem}");
                }
            }
            // Each denial is told, with who, what and why.
            StatusCode::FORBIDDEN => tracing::warn!(status = status.as_u16(), "{method} {path}: {problem}"),
            // Anybody can send what is no token, and as often as they like.
            StatusCode::UNAUTHORIZED => {
                if let Some(times) = self.unknown.happened(1) {
                    tracing::info!(status = status.as_u16(), times, "{method} {path}: {problem}");
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, middleware::from_fn_with_state, response::IntoResponse as _, routing::get};
    use serde_json::Value as Json;
    use tower_http::catch_panic::CatchPanicLayer;

    use super::*;
    use crate::{
        daemon::telemetry::{
            LogFormat, LogLevel,
            log::{self, tests::Heard},
        },
        problem::Kind,
    };

    /// Asks a router of one route that is answered so, and says what is heard of it.
    fn heard(answer: fn() -> Response, headers: &[(&str, &str)]) -> (Response, Vec<Json>) {
        let heard = Heard::listen(LogFormat::Json, LogLevel::Requests);
        let mut telemetry = Telemetry::default();
        telemetry.access_log = true;
        let telemetry = Arc::new(telemetry);
        let observer = HttpObserver::new(&telemetry, ["/x".to_owned()].into_iter());
        let router = Router::new()
            .route("/x", get(async move || answer()))
            .layer(CatchPanicLayer::new())
            .layer(from_fn_with_state(observer, observe));
        let mut request = Request::builder().uri("/x");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let asked =
            tower_service::Service::call(&mut router.into_service::<Body>(), request.body(Body::empty()).unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let response = runtime.block_on(asked).unwrap();
        (response, heard.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    #[test]
    fn lines_of_a_request_have_its_ids() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let parent = format!("00-{trace}-00f067aa0ba902b7-01");
        let (response, lines) =
            heard(|| StatusCode::OK.into_response(), &[("x-request-id", "mine"), ("traceparent", &parent)]);
        assert_eq!(response.headers()["x-request-id"], "mine");
        let [line] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!((&line["message"], &line["status"]), (&"GET /x".into(), &200.into()));
        assert_eq!((&line["request_id"], &line["trace_id"]), (&"mine".into(), &trace.into()));
    }

    #[test]
    fn a_mistake_of_the_program_is_told_with_the_request() {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(log::told));
        let (response, lines) = heard(|| panic!("I am wrong"), &[("x-request-id", "mine")]);
        std::panic::set_hook(before);
        assert_eq!(
            (response.status(), &response.headers()["x-request-id"]),
            (StatusCode::INTERNAL_SERVER_ERROR, &"mine".parse().unwrap())
        );
        assert_eq!(
            (&lines[0]["message"], &lines[0]["request_id"]),
            (&"the program has a mistake: I am wrong".into(), &"mine".into())
        );
        assert!(lines[0]["place"].as_str().unwrap().contains("observe.rs"), "{lines:?}");
    }

    #[test]
    fn troubles_are_told_and_mistakes_of_clients_are_not() {
        fn failed(status: StatusCode, kind: Kind, message: &str) -> Response {
            let mut response = status.into_response();
            response.extensions_mut().insert(Problem::new(kind, message, None));
            response
        }
        let told = |kind: Kind| {
            let answer: fn() -> Response = match kind {
                Kind::Unavailable => || failed(StatusCode::SERVICE_UNAVAILABLE, Kind::Unavailable, "it is away"),
                Kind::Internal => || failed(StatusCode::INTERNAL_SERVER_ERROR, Kind::Internal, "it is broken"),
                _ => || failed(StatusCode::NOT_FOUND, Kind::NotFound, "no such thing"),
            };
            let (_, lines) = heard(answer, &[]);
            lines.iter().map(|line| format!("{} {}", line["level"], line["message"])).collect::<Vec<_>>()
        };
        assert_eq!(told(Kind::Unavailable), ["\"warn\" \"GET /x: it is away\"", "\"debug\" \"GET /x\""]);
        assert_eq!(told(Kind::Internal), ["\"error\" \"GET /x: it is broken\"", "\"debug\" \"GET /x\""]);
        assert_eq!(told(Kind::NotFound), ["\"debug\" \"GET /x\""]);
    }
}
