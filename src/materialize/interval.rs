use crate::{
    diagnostics::did_you_mean,
    model::{FeatureView, ForeignObject, Interval, Object, ObjectId, ObjectKind, RegistryState, Timestamp},
};

/// Which time is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// Exactly this.
    Fixed(Interval),
    /// From where each view was left to this moment.
    Until(Timestamp),
}

/// One view with the time to materialize.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewRun {
    pub view: FeatureView,
    /// `None` starts at the earliest event of the source.
    pub start: Option<Timestamp>,
    pub end: Timestamp,
}

/// Why nothing can be materialized.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SelectionError {
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// The views to materialize and those that feastr cannot; `names` narrows them down.
///
/// A view that was never materialized starts at END minus its ttl, because older values would be
/// outside of it at END, and at the source's first event when it has no ttl. (Feast measures the
/// ttl from its own clock and, without one, looks back 52 weeks, so that with an END in the past
/// it writes nothing.)
///
/// # Errors
/// When a name is unknown or not online, or the given range runs backwards.
pub fn plan_runs(
    state: &RegistryState,
    names: &[String],
    range: Range,
) -> Result<(Vec<ViewRun>, Vec<ForeignObject>), SelectionError> {
    if let Range::Fixed(interval) = range
        && interval.start > interval.end
    {
        return Err(SelectionError {
            message: format!("the start {} is after the end {}", interval.start, interval.end),
            help: Some("swap them: materialize START END".to_owned()),
        });
    }
    let (views, left_out) = if names.is_empty() { all_views(state) } else { (named_views(state, names)?, Vec::new()) };
    Ok((views.into_iter().map(|view| view_run(state, view, range)).collect(), left_out))
}

fn all_views(state: &RegistryState) -> (Vec<FeatureView>, Vec<ForeignObject>) {
    let views = state.objects.values().filter_map(materializable).filter(|view| view.online && view.enabled);
    let has_values = |kind| matches!(kind, ObjectKind::FeatureView | ObjectKind::StreamFeatureView);
    let left_out = state.foreign.iter().filter(|foreign| has_values(foreign.id.kind));
    (views.collect(), left_out.cloned().collect())
}

/// A view that is filled from the rows of its source.
fn materializable(object: &Object) -> Option<FeatureView> {
    match object {
        Object::FeatureView(view) => Some(view.clone()),
        Object::StreamFeatureView(view) => Some(view.over_history()),
        _ => None,
    }
}

/// The registered view of this name, of whatever kind.
fn find_view<'a>(state: &'a RegistryState, name: &str) -> Option<&'a Object> {
    let kinds = ObjectKind::ALL.into_iter().filter(|kind| kind.is_view());
    kinds.into_iter().find_map(|kind| state.objects.get(&ObjectId::new(kind, name)))
}

fn named_views(state: &RegistryState, names: &[String]) -> Result<Vec<FeatureView>, SelectionError> {
    let refuse = |message: String, help: Option<String>| Err(SelectionError { message, help });
    let mut views: Vec<FeatureView> = Vec::with_capacity(names.len());
    for name in names {
        let Some(object) = find_view(state, name) else {
            if let Some(foreign) =
                state.foreign.iter().find(|foreign| foreign.id.kind.is_view() && foreign.id.name == *name)
            {
                return refuse(format!("{} cannot be materialized: {}", foreign.id, foreign.reason), None);
            }
            let known = state.objects.values().filter_map(materializable).map(|view| view.name);
            let known: Vec<String> = known.collect();
            return refuse(
                format!("there is no feature view `{name}`"),
                did_you_mean(name, known.iter().map(String::as_str)),
            );
        };
        let Some(view) = materializable(object) else {
            let why = match object.id().kind {
                ObjectKind::LabelView => "labels are pushed",
                _ => "its values are computed when they are asked for",
            };
            return refuse(format!("{} cannot be materialized: {why}", object.id()), None);
        };
        if !view.enabled {
            return refuse(format!("feature view `{name}` is disabled"), None);
        }
        if !view.online {
            return refuse(
                format!("feature view `{name}` is not for the online store"),
                Some("set `online: true` in its definition and apply it".to_owned()),
            );
        }
        if !views.iter().any(|other| other.name == view.name) {
            views.push(view);
        }
    }
    Ok(views)
}

fn view_run(state: &RegistryState, view: FeatureView, range: Range) -> ViewRun {
    match range {
        Range::Fixed(interval) => ViewRun { view, start: Some(interval.start), end: interval.end },
        Range::Until(end) => {
            let intervals = state.materialized.get(&view.name).into_iter().flat_map(|view| &view.intervals);
            let left_at = intervals.map(|interval| interval.end).max();
            let start = left_at.or_else(|| view.ttl.limit().map(|ttl| end.minus(ttl)));
            ViewRun { view, start, end }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{MaterializedView, Ttl};

    const DAY: i64 = 86_400_000_000;

    fn view(name: &str, ttl: i64) -> FeatureView {
        FeatureView {
            name: name.to_owned(),
            entities: vec!["driver".to_owned()],
            entity_columns: Vec::new(),
            features: Vec::new(),
            ttl: Ttl::from_micros(ttl),
            source: None,
            online: true,
            offline: false,
            enabled: true,
            enable_validation: false,
            mode: String::new(),
            version: crate::model::ViewVersion::Latest,
            stream_source: None,
            description: String::new(),
            owner: String::new(),
            org: String::new(),
            tags: BTreeMap::new(),
        }
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
        let starts: Vec<_> = runs.iter().map(|run| run.start).collect();
        assert_eq!(starts, [Some(day(9)), Some(day(9)), None]);
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
        assert_eq!(named("driver_stat").unwrap_err().help.as_deref(), Some("did you mean `driver_stats`?"));
        assert!(named("offline").unwrap_err().message.contains("not for the online store"));
        assert_eq!(plan_runs(&state, &[], Range::Until(day(1))).unwrap().0.len(), 1);
    }
}
