//! Materializations, waited for or not.

use std::sync::Arc;

use axum::{
    extract::{self, Request},
    http::StatusCode,
    response::Response,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use url::form_urlencoded;
use utoipa::ToSchema;

use super::{
    asker::Asker,
    body::{self, Unreadable},
    detail::BodyDetails,
    error::Error,
    jobs::Job,
    json,
    refusals::Refusals,
    state::State,
};
use crate::{
    app::Caller,
    daemon::deadline,
    materialize::Range,
    model::{Interval, Timestamp},
    problem::{Kind, Problem},
};

/// A range of time that is materialized.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(title = "MaterializeRequest")]
pub(super) struct MaterializeRequest {
    /// The first moment, as ISO 8601; without a zone it is UTC.
    #[schema(example = "2026-01-01T00:00:00Z")]
    start_ts: Option<String>,
    /// The last moment.
    #[schema(example = "2026-01-31T00:00:00Z")]
    end_ts: Option<String>,
    /// The views; all that can be materialized if they are left out.
    feature_views: Option<Vec<String>>,
    /// Without effect.
    #[serde(default)]
    #[expect(dead_code, reason = "Feast takes it, and names of stored features are what they are")]
    full_feature_names: bool,
    /// Views have no versions online: it has to be left out.
    version: Option<String>,
    /// Whether everything until now is materialized, whatever `start_ts` and `end_ts` say.
    #[serde(default)]
    disable_event_timestamp: bool,
}

/// Until when is materialized what was not yet.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(title = "MaterializeIncrementalRequest")]
pub(super) struct IncrementalRequest {
    /// The last moment, as ISO 8601; without a zone it is UTC.
    #[schema(example = "2026-01-31T00:00:00Z")]
    end_ts: String,
    /// The views; all that can be materialized if they are left out.
    feature_views: Option<Vec<String>>,
    /// Without effect.
    #[serde(default)]
    #[expect(dead_code, reason = "Feast takes it, and names of stored features are what they are")]
    full_feature_names: bool,
    /// Views have no versions online: it has to be left out.
    version: Option<String>,
}

/// How it is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Manner {
    /// Whether nobody waits for it.
    is_async: bool,
    /// Whether it is taken in while some of its views are being materialized; then it waits for that.
    force: bool,
}

/// A materialization that nobody waits for.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AcceptedJob {
    /// `accepted`.
    status: &'static str,
    /// The views that will be materialized.
    feature_views: Vec<String>,
}

/// A materialization that is not taken in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BusyViews {
    /// Why.
    error: String,
    /// The views that are being materialized already.
    feature_views: Vec<String>,
}

/// Write the newest values of a time range to the online store
///
/// The answer comes when it is done, however long it takes; it goes on if the client leaves. With `async` it comes at once,
/// and what became of it is in the log of the server and in the history of runs.
#[utoipa::path(
    post,
    path = "/materialize",
    tag = "writing",
    params(
        ("async" = Option<bool>, Query, description = "Whether nobody waits for it"),
        ("force" = Option<bool>, Query, description = "Of those that nobody waits for: whether it waits for others of the same views, instead of being refused")
    ),
    request_body = MaterializeRequest,
    responses(
        (status = 200, body = (), description = "It is done; the body is null"),
        (status = 202, body = AcceptedJob, description = "It will be done"),
        (status = 409, body = BusyViews, description = "Views are being materialized already. Or, without `async`, what is registered does not allow it: JSON in a string, as FeastError"),
        Refusals
    )
)]
pub(super) async fn materialize(
    extract::State(state): extract::State<Arc<State>>,
    Asker(caller): Asker,
    request: Request,
) -> Result<Response, Error> {
    let (manner, asked) = read::<MaterializeRequest>(&state, request).await?;
    let range = asked.range(state.store.now())?;
    state.materialize(caller, range, (asked.feature_views, asked.version), manner).await
}

/// Write the newest values since the last time to the online store
///
/// Each view starts where its last materialization ended; the first time at the end minus its ttl, or, if it has none, at
/// the first event of its source. Waited for as `/materialize`.
#[utoipa::path(
    post,
    path = "/materialize-incremental",
    tag = "writing",
    params(
        ("async" = Option<bool>, Query, description = "Whether nobody waits for it"),
        ("force" = Option<bool>, Query, description = "Of those that nobody waits for: whether it waits for others of the same views, instead of being refused")
    ),
    request_body = IncrementalRequest,
    responses(
        (status = 200, body = (), description = "It is done; the body is null"),
        (status = 202, body = AcceptedJob, description = "It will be done"),
        (status = 409, body = BusyViews, description = "Views are being materialized already. Or, without `async`, what is registered does not allow it: JSON in a string, as FeastError"),
        Refusals
    )
)]
pub(super) async fn materialize_incremental(
    extract::State(state): extract::State<Arc<State>>,
    Asker(caller): Asker,
    request: Request,
) -> Result<Response, Error> {
    let (manner, asked) = read::<IncrementalRequest>(&state, request).await?;
    let range = Range::Until(moment("end_ts", &asked.end_ts, state.store.now())?);
    state.materialize(caller, range, (asked.feature_views, asked.version), manner).await
}

async fn read<T: DeserializeOwned>(state: &State, request: Request) -> Result<(Manner, T), Unreadable> {
    let manner = Manner::read(request.uri().query().unwrap_or_default())?;
    let asked = body::read(request, state.body_limit, deadline(state.deadline)).await?;
    Ok((manner, asked))
}

impl Manner {
    /// What stands behind the path.
    fn read(query: &str) -> Result<Self, Unreadable> {
        let mut manner = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let given = match &*name {
                "async" => &mut manner.is_async,
                "force" => &mut manner.force,
                _ => continue,
            };
            // The words of FastAPI.
            *given = match value.to_ascii_lowercase().as_str() {
                "true" | "1" | "on" | "t" | "y" | "yes" => true,
                "false" | "0" | "off" | "f" | "n" | "no" => false,
                _ => {
                    let message = "Input should be a valid boolean".to_owned();
                    return Err(Unreadable::Wrong(BodyDetails::of_query("bool_parsing", &name, message)));
                }
            };
        }
        Ok(manner)
    }
}

impl MaterializeRequest {
    fn range(&self, now: Timestamp) -> Result<Range, Problem> {
        if self.disable_event_timestamp {
            return Ok(Range::Fixed(Interval { start: Timestamp::from_micros(0), end: now }));
        }
        let (Some(start), Some(end)) = (&self.start_ts, &self.end_ts) else {
            let help = "give them, or `disable_event_timestamp` for everything until now".to_owned();
            return Err(Problem::new(Kind::Invalid, "`start_ts` or `end_ts` is missing", help));
        };
        let (start, end) = (moment("start_ts", start, now)?, moment("end_ts", end, now)?);
        Ok(Range::Fixed(Interval { start, end }))
    }
}

fn moment(member: &str, text: &str, now: Timestamp) -> Result<Timestamp, Problem> {
    Timestamp::parse(text, now).map_err(|error| Problem::new(Kind::Invalid, format!("`{member}`: {error}"), None))
}

impl State {
    async fn materialize(
        self: &Arc<Self>,
        caller: Caller,
        range: Range,
        (views, version): (Option<Vec<String>>, Option<String>),
        manner: Manner,
    ) -> Result<Response, Error> {
        if version.is_some() {
            let help = "leave out `version`".to_owned();
            return Err(Problem::new(Kind::Invalid, "views have no versions online", help).into());
        }
        // No views are none, and not all.
        let is_nothing = views.as_ref().is_some_and(Vec::is_empty);
        let job = Job { views: views.unwrap_or_default(), range, allow_future: self.allow_future };
        match manner.is_async {
            true if is_nothing => Ok(accepted(Vec::new())),
            true => Ok(match self.take_in(caller, job, manner.force).await? {
                Ok(views) => accepted(views),
                Err(views) => busy(views),
            }),
            false if is_nothing => Ok(json(StatusCode::OK, &())),
            false => match self.carry_out(caller, job).await?.problem() {
                Some(problem) => Err(problem.into()),
                None => Ok(json(StatusCode::OK, &())),
            },
        }
    }
}

fn accepted(feature_views: Vec<String>) -> Response {
    json(StatusCode::ACCEPTED, &AcceptedJob { status: "accepted", feature_views })
}

fn busy(feature_views: Vec<String>) -> Response {
    let views = feature_views.iter().map(|view| format!("`{view}`")).collect::<Vec<_>>().join(", ");
    let error = format!("{views}: being materialized already; wait, or ask with force=true to come after it");
    json(StatusCode::CONFLICT, &BusyViews { error, feature_views })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_behind_the_path_are_those_of_fastapi() {
        let read = |query: &str| Manner::read(query).ok();
        let manner = |is_async, force| Some(Manner { is_async, force });
        assert_eq!(read(""), manner(false, false));
        assert_eq!(read("async=true&force=1"), manner(true, true));
        assert_eq!(read("async=TRUE&async=off&other=7"), manner(false, false));
        assert_eq!([read("async=maybe"), read("force="), read("async")], [None; 3]);
    }
}
