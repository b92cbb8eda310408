//! Which views a push source feeds.

use super::{LeftOut, To};
use crate::{
    diagnostics::did_you_mean,
    model::{
        DataSource, FeatureView, Object, ObjectId, ObjectKind, PushSource, RegistryState, SourceKind, Use, printable,
    },
    problem::{Advice, Kind, Problem, Subject},
};

/// A push source and its views.
#[derive(Debug, Clone, PartialEq)]
pub struct Fed {
    /// What is pushed to.
    pub source: DataSource,
    /// In the order of their kinds and names.
    pub views: Vec<FedView>,
    /// Views whose values would go online and do not.
    pub left_out: Vec<LeftOut>,
}

/// A view of the source.
#[derive(Debug, Clone, PartialEq)]
pub struct FedView {
    /// The view, over the history of the source.
    pub view: FeatureView,
    /// Whether its values are written to the online store.
    pub goes_online: bool,
}

impl Fed {
    /// Looks for a source and its views in what is registered.
    ///
    /// # Errors
    /// When there is no such push source, it feeds no view, or none that takes values where they are to go.
    pub fn find(state: &RegistryState, name: &str, to: To) -> Result<Self, Problem> {
        let source = push_source(state, name)?.clone();
        let mut fed = Self { source, views: Vec::new(), left_out: Vec::new() };
        for view in state.objects.values().filter_map(|object| view_of(object, name)) {
            fed.add(view, to);
        }
        let uses = |uses: &Use| matches!(uses, Use::DataSource(used) if used == name);
        for foreign in state.foreign_views().filter(|view| to.online() && view.uses.iter().any(uses)) {
            fed.left_out.push(LeftOut { view: foreign.id.name.clone(), reason: foreign.reason.clone() });
        }
        if fed.views.is_empty() && fed.left_out.is_empty() {
            let message = format!("push source `{}` feeds no view", printable(name));
            let help = format!("declare a view with `source: {name}` and apply it");
            return Err(Problem::new(Kind::NotFound, message, help).about(Subject::PushSource));
        }
        if to.online() && !fed.views.iter().any(|view| view.goes_online) {
            let reasons: Vec<String> =
                fed.left_out.iter().map(|left| format!("`{}`: {}", left.view, left.reason)).collect();
            let message = format!("no view of push source `{}` takes values online", printable(name));
            return Err(Problem::new(Kind::Conflict, message, reasons.join("; ")));
        }
        Ok(fed)
    }

    fn add(&mut self, view: FeatureView, to: To) {
        let reason = match () {
            () if !view.enabled => Some("it is disabled"),
            () if !view.online => Some("it is not for the online store"),
            () => None,
        };
        if let (true, Some(reason)) = (to.online(), reason) {
            self.left_out.push(LeftOut { view: view.name.clone(), reason: reason.to_owned() });
        }
        let goes_online = to.online() && reason.is_none();
        // What the history has are the rows that features are computed from.
        let features = if goes_online || !view.is_transformed() { view.features } else { Vec::new() };
        self.views.push(FedView { view: FeatureView { features, ..view }, goes_online });
    }

    /// Where the history of the source is.
    ///
    /// # Errors
    /// When it has none.
    pub fn history(&self) -> Result<&DataSource, Problem> {
        self.source.kind.batch_source().ok_or_else(|| {
            let message =
                format!("push source `{}` has no batch source, which would have its history", self.source.name);
            Problem::new(Kind::Conflict, message, "declare its `batch_source` and apply it".to_owned())
        })
    }
}

fn push_source<'a>(state: &'a RegistryState, name: &str) -> Result<&'a DataSource, Problem> {
    let sources = || {
        state.objects.values().filter_map(|object| match object {
            Object::DataSource(source) => Some(source),
            _ => None,
        })
    };
    let pushed = || sources().filter(|source| matches!(source.kind, SourceKind::Push(_)));
    match state.objects.get(&ObjectId::new(ObjectKind::DataSource, name)) {
        Some(Object::DataSource(source)) if matches!(source.kind, SourceKind::Push(_)) => Ok(source),
        Some(Object::DataSource(source)) => {
            let message = format!(
                "data source `{}` is of type {}, and rows are pushed to those of type push",
                source.name, source.kind
            );
            let is_before = |push: &&DataSource| push.kind.batch_source().is_some_and(|batch| batch.name == name);
            let help = match pushed().find(is_before) {
                Some(push) => format!("push to `{}`, which is in front of it", push.name),
                None => format!(
                    "declare a source of type push with `batch_source: {name}`, give it to the views as their `source`, and \
                     apply"
                ),
            };
            Err(Problem::new(Kind::Invalid, message, help).about(Subject::PushSource))
        }
        _ => {
            let advice = did_you_mean(name, pushed().map(|source| source.name.as_str()));
            let message = format!("there is no push source `{}`", printable(name));
            let problem = Problem::new(Kind::NotFound, message, None).about(Subject::PushSource);
            Err(problem.advise(advice.map_or(Advice::FillRegistry, Advice::Text)))
        }
    }
}

/// The view of an object, if a push source feeds it.
fn view_of(object: &Object, source: &str) -> Option<FeatureView> {
    let is_it = |pushed: &Option<DataSource>| {
        pushed
            .as_ref()
            .is_some_and(|pushed| pushed.name == source && matches!(&pushed.kind, SourceKind::Push(PushSource { .. })))
    };
    match object {
        Object::FeatureView(view) if is_it(&view.stream_source) => Some(view.clone()),
        Object::StreamFeatureView(view) if is_it(&view.stream_source) => Some(view.over_history()),
        Object::LabelView(view) if is_it(&view.source) => Some(view.over_history()),
        _ => None,
    }
}
