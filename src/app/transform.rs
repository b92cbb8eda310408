//! Which views of a registry feastr can compute.

use super::{Caller, Failure, FeatureStore, definitions::check_transformation, python_views::PythonView};
use crate::{
    model::{FeatureView, Object, ObjectId, ObjectKind, OnDemandFeatureView, RegistryState, Transformation},
    problem::Problem,
    registry::{Snapshot, read_objects},
    transform::misfits,
};

/// A view whose values are computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transformed {
    /// The view.
    pub id: ObjectId,
    /// Whether feastr computes it.
    pub verdict: Verdict,
}

/// Whether feastr computes a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It does, by what the word says.
    Computed(&'static str),
    /// It would if the view's Python function were SQL, which an import can make of it.
    Translatable,
    /// It does not, for this reason.
    No(String),
}

/// The on-demand, batch and stream views of a project that are more than columns of a source, by kind and name.
///
/// # Errors
/// When DuckDB does not start, which is asked whether it can compute what they say.
pub fn check(store: &FeatureStore, _: &Caller, snapshot: &Snapshot) -> Result<Vec<Transformed>, Failure> {
    let state = read_objects(snapshot);
    let mut views: Vec<Transformed> = foreign(&state, snapshot).collect();
    for object in state.objects.values() {
        let verdict = match object {
            Object::OnDemandFeatureView(view) => Some(expressions(store, view)?),
            Object::FeatureView(view) => transformed(store, view),
            Object::StreamFeatureView(view) => transformed(store, &view.over_history()),
            _ => None,
        };
        views.extend(verdict.map(|verdict| Transformed { id: object.id(), verdict }));
    }
    views.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(views)
}

/// Whether the expressions of a view make what is declared; Python may have changed the views under it since.
fn expressions(store: &FeatureStore, view: &OnDemandFeatureView) -> Result<Verdict, Problem> {
    let misfit = misfits(store.expressions(), view)?.into_iter().next();
    Ok(misfit.map_or(Verdict::Computed("SQL"), |misfit| Verdict::No(misfit.message)))
}

/// Whether the SQL and the aggregations of a view can be carried out; `None` of a view that has none.
fn transformed(store: &FeatureStore, view: &FeatureView) -> Option<Verdict> {
    let how = match Transformation::of(&view.tags) {
        Ok(transformation) => {
            if transformation?.sql.is_some() {
                "SQL"
            } else {
                "aggregations"
            }
        }
        Err(error) => return Some(Verdict::No(error.to_string())),
    };
    let checked = check_transformation(store, view, None);
    Some(checked.map_or_else(|(_, problem)| Verdict::No(problem.message), |()| Verdict::Computed(how)))
}

/// The views that feastr does not manage. Labels are not computed.
fn foreign<'a>(state: &'a RegistryState, snapshot: &'a Snapshot) -> impl Iterator<Item = Transformed> + 'a {
    let views = state.foreign_views().filter(|foreign| foreign.id.kind != ObjectKind::LabelView);
    views.map(|foreign| {
        let verdict = match PythonView::of(foreign, state, snapshot) {
            Some(python) => match python.reason() {
                None => Verdict::Translatable,
                Some(reason) => Verdict::No(format!("{}; {reason}", foreign.reason)),
            },
            None => Verdict::No(foreign.reason.clone()),
        };
        Transformed { id: foreign.id.clone(), verdict }
    })
}
