//! Bodies of requests, read within limits.

use std::time::{Duration, Instant};

use axum::{
    body::{Bytes, HttpBody as _},
    extract::Request,
    http::header,
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::timeout_at;

/// Why a body is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// Nobody knows how long it is before it is unpacked.
    Compressed,
    /// It has more than so many bytes.
    TooLong(usize),
    /// The connection ended before it did.
    BrokenOff,
    /// It was not there in time.
    Late,
}

/// Reads the body of a request.
///
/// # Errors
/// When it is compressed, longer than `limit`, or not there before the deadline.
pub(crate) async fn read_body(request: Request, limit: usize, deadline: Instant) -> Result<Bytes, Unreadable> {
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

/// The moment at which nobody waits any more who asks now.
pub(crate) fn deadline(limit: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(limit).unwrap_or(now)
}
