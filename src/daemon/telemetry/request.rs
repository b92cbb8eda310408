//! Who a request is: its id, and the trace that it belongs to. What is called while it is answered can ask for them.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context,
    propagation::{Extractor, TextMapPropagator as _},
    trace::TraceContextExt as _,
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use uuid::Uuid;

/// The header with the id of a request, in both directions.
pub(crate) const ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken from a client.
const LONGEST: usize = 128;

/// A request that is being answered.
#[derive(Debug, Clone)]
pub(crate) struct RequestIds {
    id: HeaderValue,
    log_id: Uuid,
    trace_id: Option<String>,
}

tokio::task_local! {
    static CURRENT: RequestIds;
}

/// Carries out what answers a request.
pub(crate) async fn answering<T>(request: RequestIds, answer: impl Future<Output = T>) -> T {
    CURRENT.scope(request, answer).await
}

/// What is to be known of the request that is being answered, if one is.
pub(crate) fn current<T>(read: impl FnOnce(&RequestIds) -> T) -> Option<T> {
    CURRENT.try_with(read).ok()
}

impl RequestIds {
    /// The id that the client gives, if it is one, or a new one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(ID).filter(|id| is_id(id.as_bytes()));
        let new = || uuid::Builder::from_random_bytes(rand::random()).into_uuid();
        match given {
            Some(id) => {
                let log_id = Uuid::try_parse_ascii(id.as_bytes()).unwrap_or_else(|_| new());
                Self { id: id.clone(), log_id, trace_id: None }
            }
            None => {
                let log_id = new();
                let text = log_id.hyphenated().encode_lower(&mut Uuid::encode_buffer()).to_owned();
                // It consists of digits and hyphens.
                let id = HeaderValue::try_from(text).unwrap_or(const { HeaderValue::from_static("-") });
                Self { id, log_id, trace_id: None }
            }
        }
    }

    /// The same as a part of a trace.
    pub(crate) fn in_trace(self, context: &Context) -> Self {
        let span = context.span().span_context().clone();
        Self { trace_id: span.is_valid().then(|| span.trace_id().to_string()), ..self }
    }

    /// The id as it is given back.
    pub(crate) const fn header(&self) -> &HeaderValue {
        &self.id
    }

    /// The id as a text.
    pub(crate) fn id(&self) -> &str {
        self.id.to_str().unwrap_or_default()
    }

    /// The id in the logs of feature services: the same, if it is a UUID.
    pub(crate) const fn log_id(&self) -> Uuid {
        self.log_id
    }

    /// The id of the trace in 32 hexadecimal digits.
    pub(crate) fn trace_id(&self) -> Option<&str> {
        self.trace_id.as_deref()
    }
}

/// Whether it may stand in a log: what is longer, or has spaces or quotes, is none.
fn is_id(id: &[u8]) -> bool {
    let is_taken = |byte: &u8| byte.is_ascii_graphic() && !b"\"\\<>".contains(byte);
    (1..=LONGEST).contains(&id.len()) && id.iter().all(is_taken)
}

/// The trace that a client continues, as W3C's headers say; an empty one if there are none.
pub(crate) fn parent(headers: &HeaderMap) -> Context {
    if !headers.contains_key("traceparent") {
        return Context::new();
    }
    TraceContextPropagator::new().extract_with_context(&Context::new(), &Headers(headers))
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn ids_of_clients_are_taken_if_they_are_sane() {
        let id = |given: &str| RequestIds::of(&headers(&[("x-request-id", given)])).id().to_owned();
        assert_eq!(id("abc-1:2/3"), "abc-1:2/3");
        assert_eq!(id(&"x".repeat(128)), "x".repeat(128));
        for wrong in [&"x".repeat(129), "a b", "\"", "ä", ""] {
            let made = id(wrong);
            assert!(made != wrong && Uuid::try_parse(&made).is_ok(), "{wrong}: {made}");
        }
        let [one, other] = [(); 2].map(|()| RequestIds::of(&HeaderMap::new()));
        assert_ne!(one.id(), other.id());
        assert_eq!((one.id(), one.log_id().get_version_num()), (one.log_id().to_string().as_str(), 4));
        let given = RequestIds::of(&headers(&[("x-request-id", &other.log_id().to_string())]));
        assert_eq!(given.log_id(), other.log_id());
    }

    #[test]
    fn a_trace_is_continued_if_its_header_is_right() {
        let trace = |value: &str| {
            let headers = headers(&[("traceparent", value)]);
            RequestIds::of(&headers).in_trace(&parent(&headers)).trace_id().map(str::to_owned)
        };
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(trace(&format!("00-{id}-00f067aa0ba902b7-01")), Some(id.to_owned()));
        for wrong in ["", "00", &format!("00-{id}-0000000000000000-01"), &format!("ff-{id}-00f067aa0ba902b7-01")] {
            assert_eq!(trace(wrong), None, "{wrong}");
        }
    }
}
