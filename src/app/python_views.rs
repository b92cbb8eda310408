//! On-demand views that Python wrote, and what of them SQL can say.

use crate::{
    definitions::Sketch,
    feast::registry::python_function,
    model::{
        Expression, ForeignObject, NamedView, Object, ObjectKind, OnDemandFeatureView, OnDemandSource, PythonFunction,
        RegistryState, Use,
    },
    python::{Translation, translate},
    registry::Snapshot,
};

/// A view that a Python function computes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PythonView {
    /// The view with the expressions that are known.
    pub view: OnDemandFeatureView,
    function: PythonFunction,
    /// Why outputs have no expression, by their names.
    refused: Vec<(String, String)>,
    /// Names of the services that select from it.
    services: Vec<String>,
}

impl PythonView {
    /// The view of a foreign object; `None` if there is more to it than a Python function.
    pub(super) fn of(foreign: &ForeignObject, state: &RegistryState, snapshot: &Snapshot) -> Option<Self> {
        let Some(Object::OnDemandFeatureView(view)) = foreign.known.as_deref() else { return None };
        let function = python_function(foreign.id.kind, snapshot.proto(foreign.id.kind, &foreign.id.name)?)?;
        let mut view = view.clone();
        let mut refused = Vec::new();
        if let Some(reason) = not_declarable(&view, state) {
            refused.extend(view.features.iter().map(|feature| (feature.name.clone(), reason.clone())));
        } else {
            let Translation { outputs } = translate(&function, &view);
            for (name, sql) in outputs {
                match sql {
                    Ok(sql) => view.expressions.push(Expression { name, sql }),
                    Err(reason) => refused.push((name, reason.to_string())),
                }
            }
        }
        let selects = |foreign: &&ForeignObject| {
            let is_it = |used: &Use| matches!(used, Use::Features { view: used, .. } if *used == view.name);
            foreign.id.kind == ObjectKind::FeatureService && foreign.uses.iter().any(is_it)
        };
        let services = state.foreign.iter().filter(selects).map(|service| service.id.name.clone()).collect();
        Some(Self { view, function, refused, services })
    }

    /// Whether SQL says all of it.
    pub(super) fn is_translated(&self) -> bool {
        self.refused.is_empty()
    }

    /// Why it is not translated, by the first output that is not.
    pub(super) fn reason(&self) -> Option<&str> {
        self.refused.first().map(|(_, reason)| reason.as_str())
    }

    /// What a comment says of it.
    pub(super) fn sketch(&self) -> Sketch<'_> {
        Sketch { view: &self.view, source: &self.function.source, refused: &self.refused, services: &self.services }
    }
}

/// The views of a project that Python functions compute, by name.
pub(super) fn python_views(state: &RegistryState, snapshot: &Snapshot) -> Vec<PythonView> {
    state.foreign.iter().filter_map(|foreign| PythonView::of(foreign, state, snapshot)).collect()
}

/// Why definitions cannot declare the view, whatever its expressions.
fn not_declarable(view: &OnDemandFeatureView, state: &RegistryState) -> Option<String> {
    view.sources.iter().find_map(|source| match source {
        OnDemandSource::View(of) if !matches!(state.view(&of.view), NamedView::Known(_)) => {
            Some(format!("feastr does not manage `{}`, which it is computed from", of.view))
        }
        OnDemandSource::Request(request) if view.write_to_online_store => {
            Some(format!("its values are stored, and a request brings those of `{}`", request.name))
        }
        OnDemandSource::View(_) | OnDemandSource::Request(_) => None,
    })
}
