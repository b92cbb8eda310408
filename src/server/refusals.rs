//! How requests are refused, for the description of what can be asked.

use utoipa::IntoResponses;

use super::detail::{BodyDetails, Detail};

/// What is answered instead of what was asked for.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "what is answered is made in `error` and `body`; this says what it can be")]
pub(super) enum Refusals {
    /// Nobody knows who asks
    #[response(status = 401)]
    Unknown(Detail),
    /// The body was not there in time
    #[response(status = 408)]
    Late(Detail),
    /// The body is too long
    #[response(status = 413)]
    TooLong(Detail),
    /// The body is compressed
    #[response(status = 415)]
    Compressed(Detail),
    /// The body is not as it should be; or there is no such push source: JSON in a string, as FeastError
    #[response(status = 422)]
    Wrong(BodyDetails),
    /// A mistake in the request: JSON in a string, as FeastError
    #[response(status = "4XX")]
    Mistake(String),
    /// A store is away or did not answer in time: JSON in a string, as FeastError
    #[response(status = "5XX")]
    Trouble(String),
}
