//! Which views are materialized, and which moments of each: where the last run ended, or where the ttl or the
//! source begins.

use std::sync::Arc;

use super::computed::stored;
use crate::{
    diagnostics::did_you_mean,
    model::{
        FeatureView, ForeignObject, Interval, NamedView, Object, ObjectId, ObjectKind, OnDemandFeatureView,
        RegistryState, Timestamp, Values,
    },
    problem::{Advice, Kind, Problem, Subject},
    retrieval::{Retrieval, inputs_of_stored},
};

/// Which time is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// Exactly this.
    Fixed(Interval),
    /// From where each view was left to this moment.
    Until(Timestamp),
    /// The same to the moment at which it was asked for: who has come further meanwhile has done it.
    UntilNow(Timestamp),
}

impl Range {
    /// The last moment that is wanted.
    pub const fn end(self) -> Timestamp {
        match self {
            Self::Fixed(interval) => interval.end,
            Self::Until(end) | Self::UntilNow(end) => end,
        }
    }
}

/// One view, as it was registered when the run was planned, with the time to materialize.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewRun {
    /// The view as it is registered.
    pub view: FeatureView,
    /// Which values are to be written.
    pub range: Range,
    /// Until when the view was materialized as the run was planned.
    pub left_at: Option<Timestamp>,
    /// What the values of an on-demand view are computed of.
    pub computed: Option<Arc<Retrieval>>,
}

impl ViewRun {
    /// Where to start if these intervals are materialized already; `None` is the earliest event of
    /// the source.
    ///
    /// A view that was never materialized starts at END minus its ttl, because older values would be
    /// outside of it at END, and at the source's first event when it has no ttl. (Feast measures the
    /// ttl from its own clock and, without one, looks back 52 weeks, so that with an END in the past
    /// it writes nothing.)
    pub fn start(&self, materialized: &[Interval]) -> Option<Timestamp> {
        match self.range {
            Range::Fixed(interval) => Some(interval.start),
            Range::Until(end) | Range::UntilNow(end) => {
                last_end(materialized).or_else(|| self.view.ttl.limit().map(|ttl| end.minus(ttl).max(Timestamp::FIRST)))
            }
        }
    }

    /// Where to start if the earliest event of the source decides: no later than END, and in a year
    /// that Python Feast can read.
    pub fn start_at(&self, first_event: Timestamp) -> Timestamp {
        first_event.min(self.end()).max(Timestamp::FIRST)
    }

    /// What is asked for, as far as it is known before the run; else its start is its end.
    pub fn asked(&self) -> Interval {
        let end = self.end();
        let start = match self.range {
            Range::Fixed(interval) => Some(interval.start),
            Range::Until(_) | Range::UntilNow(_) => self.left_at.or_else(|| self.start(&[])),
        };
        Interval { start: start.unwrap_or(end).min(end), end }
    }

    /// The last moment to write.
    pub const fn end(&self) -> Timestamp {
        self.range.end()
    }

    /// Whether others have done all that is wanted at `now`, who came until `left_at`; else it is a mistake to want it.
    pub(crate) fn is_done(&self, left_at: Timestamp, now: Timestamp) -> bool {
        self.left_at.is_none_or(|left_at| left_at <= self.end())
            || matches!(self.range, Range::UntilNow(_)) && !left_at.is_beyond(now)
    }
}

fn last_end(materialized: &[Interval]) -> Option<Timestamp> {
    materialized.iter().map(|interval| interval.end).max()
}

/// How many chunks a view may have; each starts the engine and is recorded.
const MAX_CHUNKS: i64 = 10_000;

/// An interval in parts of `length` microseconds, in order. Neighbours share a moment, as those of
/// incremental runs do.
///
/// # Errors
/// When that were too many.
pub(crate) fn chunks(interval: Interval, length: Option<i64>) -> Result<Vec<Interval>, Problem> {
    let Some(length) = length.filter(|length| *length > 0) else { return Ok(vec![interval]) };
    let whole = interval.end.micros().saturating_sub(interval.start.micros());
    let count = whole / length + i64::from(whole % length > 0);
    if count > MAX_CHUNKS {
        let message = format!("{} to {} would be {count} chunks", interval.start, interval.end);
        return Err(Problem::new(Kind::Invalid, message, None).advise(Advice::LongerChunks(MAX_CHUNKS)));
    }
    // A length beyond all times must not lead back before the start.
    let start =
        |number: i64| Timestamp::from_micros(interval.start.micros().saturating_add(number.saturating_mul(length)));
    let chunk = |number| Interval { start: start(number), end: start(number + 1).min(interval.end) };
    Ok((0..count.max(1)).map(chunk).collect())
}

/// The views to materialize, and those that are left out unless they are named, because feastr
/// cannot fill them; `names` narrows them down.
///
/// # Errors
/// When a name is unknown or not online, or the given range runs backwards.
pub fn plan_runs(
    state: &RegistryState,
    names: &[String],
    range: Range,
) -> Result<(Vec<ViewRun>, Vec<ForeignObject>), Problem> {
    if let Range::Fixed(interval) = range
        && interval.start > interval.end
    {
        let message = format!("the start {} is after the end {}", interval.start, interval.end);
        return Err(Problem::new(Kind::Invalid, message, None).advise(Advice::SwapEnds));
    }
    let (views, left_out) = if names.is_empty() { all_views(state) } else { (named_views(state, names)?, Vec::new()) };
    let run = |Filled { view, computed }: Filled| {
        let left_at = state.materialized.get(&view.name).and_then(|view| last_end(&view.intervals));
        ViewRun { view, range, left_at, computed }
    };
    Ok((views.into_iter().map(run).collect(), left_out))
}

/// A view that is filled, and what its values are computed of, unless they are those of its source.
struct Filled {
    view: FeatureView,
    computed: Option<Arc<Retrieval>>,
}

impl Filled {
    fn by_source(view: FeatureView) -> Self {
        Self { view, computed: None }
    }

    fn by_expressions(state: &RegistryState, view: &OnDemandFeatureView) -> Result<Self, Problem> {
        let inputs = inputs_of_stored(state, view)?;
        Ok(Self { view: stored(view, &inputs), computed: Some(Arc::new(inputs)) })
    }
}

fn all_views(state: &RegistryState) -> (Vec<Filled>, Vec<ForeignObject>) {
    let (mut views, mut left_out) = (Vec::new(), Vec::new());
    for object in state.objects.values() {
        match (materializable(object), object) {
            (Some(view), _) if !view.online || !view.enabled => {}
            (Some(view), _) if view.source.is_none() => left_out.push(foreign(object.id(), NO_SOURCE, view.owner)),
            (Some(view), _) => views.push(Filled::by_source(view)),
            (None, Object::OnDemandFeatureView(view)) if view.write_to_online_store && view.enabled => {
                match Filled::by_expressions(state, view) {
                    Ok(filled) => views.push(filled),
                    Err(problem) => left_out.push(foreign(object.id(), &problem.message, view.owner.clone())),
                }
            }
            _ => {}
        }
    }
    let foreign = state.foreign.iter();
    left_out.extend(foreign.filter(|foreign| foreign.id.kind.values() == Some(Values::Materialized)).cloned());
    (views, left_out)
}

const NO_SOURCE: &str = "it has no source, its values are pushed";

fn foreign(id: ObjectId, reason: &str, owner: String) -> ForeignObject {
    ForeignObject { id, reason: reason.to_owned(), owner, uses: Vec::new(), known: None }
}

/// A view that is filled from the rows of its source.
fn materializable(object: &Object) -> Option<FeatureView> {
    match object {
        Object::FeatureView(view) => Some(view.clone()),
        Object::StreamFeatureView(view) => Some(view.over_history()),
        _ => None,
    }
}

/// The view of an object, if it is to be materialized.
///
/// # Errors
/// When it is not.
pub(crate) fn online_view(object: &Object) -> Result<FeatureView, Problem> {
    let refuse = |kind: Kind, message: String| Err(Problem::new(kind, message, None));
    let Some(view) = materializable(object) else {
        let why = match object.id().kind {
            ObjectKind::LabelView => "labels are pushed",
            _ => "its values are computed when they are asked for; `write_to_online_store` would store them",
        };
        return refuse(Kind::Invalid, format!("{} cannot be materialized: {why}", object.id()));
    };
    if !view.enabled {
        return Err(disabled(&view.name));
    }
    if !view.online {
        let message = format!("feature view `{}` is not for the online store", view.name);
        let help = "set `online: true` in its definition and apply it".to_owned();
        return Err(Problem::new(Kind::Conflict, message, help));
    }
    if view.source.is_none() {
        return refuse(Kind::Invalid, format!("{} cannot be materialized: {NO_SOURCE}", object.id()));
    }
    Ok(view)
}

fn disabled(view: &str) -> Problem {
    Problem::new(Kind::Conflict, format!("feature view `{view}` is disabled"), None)
}

fn named_views(state: &RegistryState, names: &[String]) -> Result<Vec<Filled>, Problem> {
    let mut views: Vec<Filled> = Vec::with_capacity(names.len());
    for name in names {
        let object = match state.view(name) {
            NamedView::Known(object) => object,
            NamedView::Foreign(foreign) => {
                let message = format!("{} cannot be materialized: {}", foreign.id, foreign.reason);
                return Err(Problem::new(Kind::Unsupported, message, None));
            }
            NamedView::None => {
                let known = state.views().filter(|view| view.values == Values::Materialized).map(|view| view.name);
                let message = format!("there is no feature view `{name}`");
                let problem = Problem::new(Kind::NotFound, message, did_you_mean(name, known));
                return Err(problem.about(Subject::FeatureView));
            }
        };
        let filled = match object {
            Object::OnDemandFeatureView(view) if view.write_to_online_store => {
                if !view.enabled {
                    return Err(disabled(&view.name));
                }
                Filled::by_expressions(state, view)?
            }
            object => Filled::by_source(online_view(object)?),
        };
        if !views.iter().any(|other| other.view.name == filled.view.name) {
            views.push(filled);
        }
    }
    Ok(views)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DAY, DataSource, MaterializedView, PushSource, SourceKind, Ttl};

    fn view(name: &str, ttl: i64) -> FeatureView {
        let (entities, ttl) = (vec!["driver".to_owned()], Ttl::from_micros(ttl));
        let source = DataSource::new("trips", SourceKind::Push(PushSource { batch_source: None }));
        FeatureView { entities, ttl, source: Some(source), ..FeatureView::new(name) }
    }

    fn state(views: Vec<FeatureView>) -> RegistryState {
        let objects = views.into_iter().map(Object::FeatureView).map(|object| (object.id(), object)).collect();
        RegistryState { objects, ..RegistryState::default() }
    }

    fn day(day: i64) -> Timestamp {
        Timestamp::from_micros(day * DAY)
    }

    #[test]
    fn incremental_starts_where_the_view_was_left() {
        let mut state = state(vec![view("a", DAY), view("b", DAY), view("c", 0)]);
        let intervals = vec![Interval { start: day(1), end: day(9) }, Interval { start: day(2), end: day(5) }];
        state.materialized.insert("a".to_owned(), MaterializedView { intervals });
        let (runs, _) = plan_runs(&state, &[], Range::Until(day(10))).unwrap();
        let intervals = |name: &str| state.materialized.get(name).map_or_else(Vec::new, |view| view.intervals.clone());
        let starts: Vec<_> = runs.iter().map(|run| run.start(&intervals(&run.view.name))).collect();
        assert_eq!(starts, [Some(day(9)), Some(day(9)), None]);
    }

    #[test]
    fn chunks_follow_each_other_to_the_end() {
        let parts = |start, end, length| {
            let chunks = chunks(Interval { start: day(start), end: day(end) }, length).unwrap();
            chunks.iter().map(|chunk| (chunk.start.micros() / DAY, chunk.end.micros() / DAY)).collect::<Vec<_>>()
        };
        assert_eq!(parts(0, 5, Some(2 * DAY)), [(0, 2), (2, 4), (4, 5)]);
        assert_eq!(parts(0, 4, Some(2 * DAY)), [(0, 2), (2, 4)]);
        assert_eq!(parts(0, 4, None), [(0, 4)]);
        assert_eq!(parts(3, 3, Some(DAY)), [(3, 3)]);
        assert_eq!(parts(3, 5, Some(i64::MAX)), [(3, 5)]);
        assert_eq!(parts(-5, 5, Some(i64::MAX - DAY)), [(-5, 5)]);
        let error = chunks(Interval { start: day(0), end: day(9) }, Some(1)).unwrap_err();
        assert!(error.message.contains("777600000000 chunks"), "{error}");
    }

    #[test]
    fn time_may_stand_still_but_not_run_backwards() {
        let state = state(vec![view("a", DAY)]);
        let fixed = |start, end| plan_runs(&state, &[], Range::Fixed(Interval { start: day(start), end: day(end) }));
        assert_eq!(fixed(3, 3).unwrap().0.len(), 1);
        assert!(fixed(3, 2).is_err());
    }

    #[test]
    fn views_are_named_as_they_are_registered() {
        let offline = FeatureView { online: false, ..view("offline", DAY) };
        let state = state(vec![view("driver_stats", DAY), offline]);
        let named = |name: &str| plan_runs(&state, &[name.to_owned()], Range::Until(day(1)));
        assert_eq!(named("driver_stats").unwrap().0.len(), 1);
        assert_eq!(named("driver_stat").unwrap_err().help().as_deref(), Some("did you mean `driver_stats`?"));
        assert!(named("offline").unwrap_err().message.contains("not for the online store"));
        assert_eq!(plan_runs(&state, &[], Range::Until(day(1))).unwrap().0.len(), 1);
    }
}
