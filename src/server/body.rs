//! Bodies of requests as what handlers want.

use std::time::Instant;

use axum::{
    extract::Request,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value as Json;
use serde_path_to_error::Segment;

use super::{
    detail::{BodyDetails, detail},
    json,
};
use crate::daemon::{self, read_body};

/// Why a body is not taken.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// It did not come as it should.
    Unread(daemon::Unreadable),
    /// It is not what is wanted.
    Wrong(BodyDetails),
}

impl From<daemon::Unreadable> for Unreadable {
    fn from(unreadable: daemon::Unreadable) -> Self {
        Self::Unread(unreadable)
    }
}

impl IntoResponse for Unreadable {
    fn into_response(self) -> Response {
        use daemon::Unreadable::{BrokenOff, Compressed, Late, TooLong};
        match self {
            Self::Unread(Compressed) => detail(StatusCode::UNSUPPORTED_MEDIA_TYPE, "bodies are not taken compressed"),
            Self::Unread(TooLong(limit)) => {
                detail(StatusCode::PAYLOAD_TOO_LARGE, &format!("the body has more than {limit} bytes"))
            }
            Self::Unread(BrokenOff) => detail(StatusCode::BAD_REQUEST, "the body ends before its end"),
            Self::Unread(Late) => detail(StatusCode::REQUEST_TIMEOUT, "the body was not there in time"),
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
    parse(&read_body(request, limit, deadline).await?)
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
