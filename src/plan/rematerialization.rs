use super::{
    change::{Action, Change},
    impact::Rematerialization,
};
use crate::model::{AGGREGATIONS_TAG, DataSource, Field, Interval, Object, RegistryState, SQL_TAG, View};

/// What of a view that was materialized must be materialized again, if anything.
pub(crate) fn rematerialization(change: &Change, state: &RegistryState) -> Option<Rematerialization> {
    let (before, after) = (change.action.before()?, change.action.after()?);
    if !matches!(after, Object::FeatureView(_) | Object::StreamFeatureView(_)) {
        return None;
    }
    let (old, new) = (View::of(before)?, View::of(after)?);
    let interval = whole(&state.materialized.get(old.name)?.intervals)?;
    if !new.online {
        return None;
    }
    let reasons = reasons(&change.action, old, new);
    (!reasons.is_empty()).then(|| Rematerialization { view: new.name.to_owned(), reasons, interval })
}

/// From the first start to the last end.
fn whole(intervals: &[Interval]) -> Option<Interval> {
    let start = intervals.iter().map(|interval| interval.start).min()?;
    let end = intervals.iter().map(|interval| interval.end).max()?;
    Some(Interval { start, end })
}

fn reasons(action: &Action, old: View<'_>, new: View<'_>) -> Vec<String> {
    let mut reasons = Vec::new();
    match action {
        Action::Rename { .. } => reasons.push(format!("its values go with its old name, `{}`", old.name)),
        Action::Replace { .. } => reasons.push("it becomes a view of another kind".to_owned()),
        _ => {}
    }
    if !old.online {
        reasons.push("it goes online".to_owned());
    }
    if old.key_names() != new.key_names() {
        reasons.push("its join keys change".to_owned());
    }
    reasons.extend(retyped("join key", old.entity_columns, new.entity_columns));
    let added = new.features.iter().filter(|field| old.feature(&field.name).is_none());
    let added: Vec<String> = added.map(|field| format!("`{}`", field.name)).collect();
    match added.as_slice() {
        [] => {}
        [only] => reasons.push(format!("feature {only} is new")),
        several => reasons.push(format!("features {} are new", several.join(", "))),
    }
    reasons.extend(retyped("feature", old.features, new.features));
    if old.source.map(DataSource::rows) != new.source.map(DataSource::rows) {
        reasons.push("its source changes".to_owned());
    }
    if transformation(action.before(), old) != transformation(action.after(), new) {
        reasons.push("what is computed from its source changes".to_owned());
    }
    reasons
}

fn retyped<'a>(what: &'a str, old: &'a [Field], new: &'a [Field]) -> impl Iterator<Item = String> + 'a {
    new.iter().filter_map(move |now| {
        let before = old.iter().find(|field| field.name == now.name)?;
        (before.dtype != now.dtype)
            .then(|| format!("{what} `{}` becomes {} (was {})", now.name, now.dtype, before.dtype))
    })
}

/// What a view computes from the rows of its source.
fn transformation(object: Option<&Object>, view: View<'_>) -> impl PartialEq {
    let aggregations = match object {
        Some(Object::StreamFeatureView(stream)) => (stream.aggregations.clone(), stream.timestamp_field.clone()),
        _ => Default::default(),
    };
    (aggregations, view.tags.get(SQL_TAG).cloned(), view.tags.get(AGGREGATIONS_TAG).cloned())
}
