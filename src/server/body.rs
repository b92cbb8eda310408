//! Bodies of requests: read within limits, then as what a handler wants.

use std::time::{Duration, Instant};

use axum::{
    body::{Bytes, HttpBody as _},
    extract::Request,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value as Json;
use serde_path_to_error::Segment;
use tokio::time::timeout_at;

use super::{
    detail::{BodyDetails, detail},
    json,
};

/// Why a body is not taken.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// Nobody knows how long it is before it is unpacked.
    Compressed,
    /// It has more than so many bytes.
    TooLong(usize),
    /// The connection ended before it did.
    BrokenOff,
    /// It was not there in time.
    Late,
    /// It is not what is wanted.
    Wrong(BodyDetails),
}

impl IntoResponse for Unreadable {
    fn into_response(self) -> Response {
        match self {
            Self::Compressed => detail(StatusCode::UNSUPPORTED_MEDIA_TYPE, "bodies are not taken compressed"),
            Self::TooLong(limit) => {
                detail(StatusCode::PAYLOAD_TOO_LARGE, &format!("the body has more than {limit} bytes"))
            }
            Self::BrokenOff => detail(StatusCode::BAD_REQUEST, "the body ends before its end"),
            Self::Late => detail(StatusCode::REQUEST_TIMEOUT, "the body was not there in time"),
            Self::Wrong(details) => json(StatusCode::UNPROCESSABLE_ENTITY, &details),
        }
    }
}

/// Reads the body of a request.
///
/// # Errors
/// When it is compressed, longer than `limit`, not there before the deadline, or not what is wanted.
pub(super) async fn read<T: DeserializeOwned>(
    request: Request,
    limit: usize,
    deadline: Instant,
) -> Result<T, Unreadable> {
    parse(&bytes(request, limit, deadline).await?)
}

/// The bytes of a body, for those who read it elsewhere.
///
/// # Errors
/// When it is compressed, longer than `limit`, or not there before the deadline.
pub(super) async fn bytes(request: Request, limit: usize, deadline: Instant) -> Result<Bytes, Unreadable> {
    let encoding = request.headers().get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Unreadable::Compressed);
    }
    let body = request.into_body();
    if body.size_hint().lower() > limit as u64 {
        return Err(Unreadable::TooLong(limit));
    }
    match timeout_at(deadline.into(), Limited::new(body, limit).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Unreadable::TooLong(limit)),
        Ok(Err(_)) => Err(Unreadable::BrokenOff),
        Err(_) => Err(Unreadable::Late),
    }
}

/// Reads the bytes of a body.
///
/// # Errors
/// When they are not what is wanted.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Unreadable> {
    parsed(bytes).map_err(Unreadable::Wrong)
}

fn parsed<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, BodyDetails> {
    // Records would be read from lists of their members, too.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        let no_object =
            || BodyDetails::new("model_attributes_type", Vec::new(), "Input should be an object".to_owned());
        return Err(match serde_json::from_slice::<IgnoredAny>(bytes) {
            Ok(_) => no_object(),
            Err(error) => refused(Vec::new(), &error),
        });
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().iter().filter_map(|segment| match segment {
            Segment::Seq { index } => Some((*index).into()),
            Segment::Map { key } => Some(key.as_str().into()),
            Segment::Enum { .. } | Segment::Unknown => None,
        });
        refused(path.collect(), error.inner())
    })?;
    deserializer.end().map_err(|error| refused(Vec::new(), &error))?;
    Ok(value)
}

fn refused(mut path: Vec<Json>, error: &serde_json::Error) -> BodyDetails {
    let message = error.to_string();
    let missing = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
    match (missing, error.is_data()) {
        (Some(name), _) => {
            path.push(name.into());
            BodyDetails::new("missing", path, "Field required".to_owned())
        }
        (None, true) => BodyDetails::new("value_error", path, message),
        (None, false) => BodyDetails::new("json_invalid", path, message),
    }
}

/// The moment at which nobody waits any more who asks now.
pub(super) fn deadline(limit: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(limit).unwrap_or(now)
}
