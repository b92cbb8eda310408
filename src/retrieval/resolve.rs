//! What references or a service mean: which features of which views, under which names and keys. Training data
//! and online values both come through here, so that they cannot differ.

mod inputs;

use std::{collections::BTreeMap, sync::Arc};

use super::{
    FeatureReference,
    selected::{JoinKey, Retrieval, SelectedFeature, SelectedOnDemand, SelectedView, Shown},
};
use crate::{
    diagnostics::did_you_mean,
    model::{
        FeatureService, FeatureView, Field, NamedView, Object, ObjectId, ObjectKind, OnDemandFeatureView,
        OnDemandSource, Projection, RegistryState,
    },
    problem::{Advice, Kind, Problem, Subject},
};

/// What a person asks for: features one by one, all of a service, or both.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Selection {
    /// A service, by its name.
    pub service: Option<String>,
    /// Single features, behind those of the service.
    pub references: Vec<FeatureReference>,
    /// What references call views, where it is not their name.
    pub aliases: Vec<Alias>,
}

/// A view by the name that some feature service gives it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Alias {
    /// That name.
    pub name: String,
    /// The view.
    pub view: String,
}

impl Selection {
    /// Single features.
    pub fn of_features(references: Vec<FeatureReference>) -> Self {
        Self { references, ..Self::default() }
    }

    /// All features of a service.
    pub fn of_service(name: impl Into<String>) -> Self {
        Self { service: Some(name.into()), ..Self::default() }
    }
}

/// Features, as somebody asks for them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FeatureRequest {
    /// Single features or a service.
    pub selection: Selection,
    /// Whether names in the answer begin with the view's.
    pub full_feature_names: bool,
}

/// What features are wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Rows of entities at their own times. On-demand views bring all features of their sources along, as in Feast.
    Training,
    /// Entities as they are now. What on-demand views have written is read and not computed again.
    Serving,
}

/// Finds everything a selection names in what is registered.
///
/// # Errors
/// When something does not exist, cannot be served, or two features would have one name.
pub fn resolve(
    state: &RegistryState,
    selection: &Selection,
    full_feature_names: bool,
    purpose: Purpose,
) -> Result<Retrieval, Problem> {
    let mut resolving = Resolving {
        state,
        full_names: full_feature_names,
        purpose,
        aliases: &selection.aliases,
        views: Vec::new(),
        on_demand: Vec::new(),
    };
    match &selection.service {
        Some(name) => resolving.add_service(service(state, name)?)?,
        None if selection.references.is_empty() => {
            return Err(Problem::new(Kind::Invalid, "no features are asked for", None).advise(Advice::NameFeatures));
        }
        None => {}
    }
    resolving.add_references(&selection.references)?;
    resolving.retrieval()
}

/// What the values of an on-demand view are computed of, when they are stored: nobody asks then.
///
/// # Errors
/// When an input cannot be read, or comes with requests.
pub fn inputs_of_stored(state: &RegistryState, view: &OnDemandFeatureView) -> Result<Retrieval, Problem> {
    let features = view.features.iter().map(|feature| feature.name.clone());
    let references = features.map(|feature| FeatureReference { view: view.name.clone(), feature });
    let retrieval = resolve(state, &Selection::of_features(references.collect()), false, Purpose::Training)?;
    match retrieval.request_fields().first() {
        None => Ok(retrieval),
        Some((field, _)) => {
            let message = format!(
                "the values of on demand feature view `{}` cannot be stored: requests bring its input `{}`",
                view.name, field.name
            );
            let help =
                "leave out `write_to_online_store`, so that they are computed when they are asked for".to_owned();
            Err(Problem::new(Kind::Invalid, message, help))
        }
    }
}

/// What was found so far.
struct Resolving<'a> {
    state: &'a RegistryState,
    full_names: bool,
    purpose: Purpose,
    aliases: &'a [Alias],
    views: Vec<Named>,
    on_demand: Vec<Computing>,
}

/// A view under the name that features have in front of theirs; without one it is the view itself, and single features
/// can be added to it.
type Named = (Option<String>, SelectedView);

/// An on-demand view with the outputs that are asked for.
struct Computing {
    /// The name that features have in front of theirs, if it is another one than the view's.
    alias: Option<String>,
    view: OnDemandFeatureView,
    outputs: Vec<String>,
}

impl Resolving<'_> {
    fn add_references(&mut self, references: &[FeatureReference]) -> Result<(), Problem> {
        // What a service has already may be named again; of features that are asked for twice one by one, both are
        // meant.
        let of_service: Vec<(String, String)> = self
            .views
            .iter()
            .filter(|(alias, _)| alias.is_none())
            .flat_map(|(_, view)| {
                view.features.iter().map(|feature| (view.view.name.clone(), feature.field.name.clone()))
            })
            .collect();
        for reference in references {
            if of_service.iter().any(|(view, feature)| *view == reference.view && *feature == reference.feature) {
                continue;
            }
            let position = match self.aliased(&reference.view)? {
                Some(position) => position,
                None => {
                    if let Some(view) = self.computed(&reference.view)? {
                        self.compute(&view, None, &reference.feature)?;
                        continue;
                    }
                    self.itself(&reference.view)?
                }
            };
            let output = self.output_name(&reference.view, &reference.feature);
            let (_, selected) = &mut self.views[position];
            let field = feature(&selected.view, &reference.feature)?.clone();
            selected.features.push(SelectedFeature { field, output, shown: Shown::Always });
        }
        Ok(())
    }

    fn add_service(&mut self, service: &FeatureService) -> Result<(), Problem> {
        if service.features.is_empty() {
            return Err(Problem::new(
                Kind::Invalid,
                format!("feature service `{}` selects no features", service.name),
                None,
            ));
        }
        for member in &service.features {
            let is_gone = |name: &str, error: Problem| {
                let message =
                    format!("feature service `{}` selects `{}:{name}`, which is gone", service.name, member.view);
                Problem::new(Kind::Conflict, message, None).advise(Advice::ApplyService(error.message))
            };
            let alias = (member.name_alias.is_some() || !member.join_key_map.is_empty())
                .then(|| member.name_to_use().to_owned());
            if let Some(view) = self.computed(&member.view)? {
                for field in &member.features {
                    self.compute(&view, alias.as_deref(), &field.name).map_err(|error| is_gone(&field.name, error))?;
                }
                continue;
            }
            let mut selected = select(view(self.state, &member.view)?, &member.join_key_map);
            for field in &member.features {
                let found = feature(&selected.view, &field.name).map_err(|error| is_gone(&field.name, error))?;
                let (field, output) = (found.clone(), self.output_name(member.name_to_use(), &found.name));
                selected.features.push(SelectedFeature { field, output, shown: Shown::Always });
            }
            member.name_to_use().clone_into(&mut selected.name);
            // An on-demand view may have come first, and brought it along.
            let of_inputs = |(known, view): &Named| {
                alias.is_none() && known.is_none() && view.features.is_empty() && view.view.name == member.view
            };
            match self.views.iter().position(of_inputs) {
                Some(position) => self.views[position].1 = selected,
                None => self.views.push((alias, selected)),
            }
        }
        Ok(())
    }

    /// The on-demand view of a name, if its values are computed when they are asked for.
    fn computed(&self, name: &str) -> Result<Option<OnDemandFeatureView>, Problem> {
        let NamedView::Known(Object::OnDemandFeatureView(view)) = self.state.view(name) else { return Ok(None) };
        if self.purpose == Purpose::Serving && view.write_to_online_store {
            return Ok(None);
        }
        if !view.enabled {
            return Err(disabled(&ObjectId::new(ObjectKind::OnDemandFeatureView, name)));
        }
        Ok(Some(view.clone()))
    }

    /// Asks for an output. The views that the inputs are from are mentioned with it.
    fn compute(&mut self, view: &OnDemandFeatureView, alias: Option<&str>, output: &str) -> Result<(), Problem> {
        find(&view.name, &view.features, output)?;
        for source in &view.sources {
            if let OnDemandSource::View(projection) = source {
                self.itself(&projection.view).map_err(|error| {
                    let message = format!("on demand feature view `{}` cannot be computed: {error}", view.name);
                    Problem { message, ..error }
                })?;
            }
        }
        let is_it = |known: &Computing| known.view.name == view.name && known.alias.as_deref() == alias;
        match self.on_demand.iter_mut().find(|known| is_it(known)) {
            Some(known) => known.outputs.push(output.to_owned()),
            None => self.on_demand.push(Computing {
                alias: alias.map(str::to_owned),
                view: view.clone(),
                outputs: vec![output.to_owned()],
            }),
        }
        Ok(())
    }

    /// The position of the view that references call so among the others, with the keys that a service gives it; `None`
    /// if it is nothing that stands for another name.
    fn aliased(&mut self, name: &str) -> Result<Option<usize>, Problem> {
        let Some(alias) = self.aliases.iter().find(|alias| alias.name == name) else { return Ok(None) };
        let is_it = |(known, selected): &Named| known.as_deref() == Some(name) && selected.view.name == alias.view;
        if let Some(position) = self.views.iter().position(is_it) {
            return Ok(Some(position));
        }
        let view = view(self.state, &alias.view)?;
        let services = self.state.objects.values().filter_map(|object| match object {
            Object::FeatureService(service) => Some(service),
            _ => None,
        });
        let calls_it_so =
            |member: &&Projection| member.view == alias.view && member.name_alias.as_deref() == Some(name);
        let Some(member) = services.flat_map(|service| &service.features).find(calls_it_so) else {
            let message = format!("no feature service calls feature view `{}` `{name}`", alias.view);
            let help = "declare a service that does, and apply it".to_owned();
            return Err(Problem::new(Kind::NotFound, message, help));
        };
        let mut selected = select(view, &member.join_key_map);
        name.clone_into(&mut selected.name);
        self.views.push((Some(name.to_owned()), selected));
        Ok(Some(self.views.len() - 1))
    }

    /// The position of a view that goes by its own name, among the others.
    fn itself(&mut self, name: &str) -> Result<usize, Problem> {
        let is_itself = |(alias, selected): &Named| alias.is_none() && selected.view.name == name;
        if let Some(position) = self.views.iter().position(is_itself) {
            return Ok(position);
        }
        self.views.push((None, select(view(self.state, name)?, &BTreeMap::new())));
        Ok(self.views.len() - 1)
    }

    fn output_name(&self, view: &str, feature: &str) -> Arc<str> {
        if self.full_names { format!("{view}__{feature}").into() } else { feature.into() }
    }

    /// All that was asked for, and what it is computed of.
    fn retrieval(mut self) -> Result<Retrieval, Problem> {
        let mut on_demand = Vec::new();
        for computing in std::mem::take(&mut self.on_demand) {
            let Computing { alias, view, outputs } = computing;
            let is_wanted = |field: &&Field| outputs.contains(&field.name);
            let fields: Vec<Field> = view.features.iter().filter(is_wanted).cloned().collect();
            let expressions =
                view.expressions.iter().filter(|expression| outputs.contains(&expression.name)).cloned().collect();
            let prefix = alias.as_deref().unwrap_or(&view.name);
            let names = fields.iter().map(|field| self.output_name(prefix, &field.name)).collect();
            let view = OnDemandFeatureView { features: fields, expressions, ..view };
            on_demand.push(SelectedOnDemand { outputs: names, inputs: Vec::new(), view });
        }
        let mut retrieval = Retrieval { views: self.views.drain(..).map(|(_, view)| view).collect(), on_demand };
        check_outputs(&retrieval, self.full_names)?;
        if self.purpose == Purpose::Serving {
            check_keys(&retrieval)?;
        }
        let mut on_demand = std::mem::take(&mut retrieval.on_demand);
        let computed: Vec<Arc<str>> = on_demand.iter().flat_map(|view| view.outputs.iter().cloned()).collect();
        for selected in &mut on_demand {
            selected.inputs = self.inputs(&selected.view, &mut retrieval.views, &computed)?;
        }
        Ok(Retrieval { on_demand, ..retrieval })
    }
}

fn select(view: FeatureView, join_key_map: &BTreeMap<String, String>) -> SelectedView {
    let join_keys = view
        .join_keys()
        .iter()
        .map(|field| {
            let column = join_key_map.get(&field.name).unwrap_or(&field.name).clone();
            JoinKey { field: field.clone(), column }
        })
        .collect();
    SelectedView { name: view.name.clone(), view, join_keys, features: Vec::new() }
}

/// The view of this name as its values are stored; a stream view is read like a plain one.
///
/// # Errors
/// When there is none, or its values cannot be read.
pub fn view(state: &RegistryState, name: &str) -> Result<FeatureView, Problem> {
    let unsupported =
        |message: String, help: Option<&str>| Err(Problem::new(Kind::Unsupported, message, help.map(str::to_owned)));
    let found = match state.view(name) {
        NamedView::Known(found) => found,
        NamedView::Foreign(foreign) if foreign.id.kind == ObjectKind::OnDemandFeatureView => {
            let message = format!("{} cannot be served: {}, which feastr does not run", foreign.id, foreign.reason);
            return Err(Problem::new(Kind::Unsupported, message, None).advise(Advice::TranslatePython));
        }
        NamedView::Foreign(foreign) => {
            return unsupported(format!("{} cannot be served: {}", foreign.id, foreign.reason), None);
        }
        NamedView::None if name.contains('@') => {
            return unsupported(format!("versions of views (`{name}`) are not supported yet"), None);
        }
        NamedView::None => return Err(no_view(state, name)),
    };
    let (view, enabled) = match found {
        Object::FeatureView(view) => (view.clone(), view.enabled),
        Object::StreamFeatureView(view) => (view.over_history(), view.enabled),
        Object::OnDemandFeatureView(view) if view.write_to_online_store => (view.as_stored(), view.enabled),
        Object::OnDemandFeatureView(_) => {
            return unsupported(
                format!("the values of on demand feature view `{name}` are computed, and not stored anywhere"),
                Some("name the views that it is computed from"),
            );
        }
        _ => return unsupported(format!("`{name}` is a label view, and reading labels is not supported yet"), None),
    };
    if !enabled {
        return Err(disabled(&found.id()));
    }
    Ok(view)
}

fn disabled(id: &ObjectId) -> Problem {
    let help = "set `enabled: true` in its definition and apply it".to_owned();
    Problem::new(Kind::Conflict, format!("{id} is disabled"), help)
}

fn no_view(state: &RegistryState, name: &str) -> Problem {
    let known = state.objects.keys().filter(|id| id.kind.is_view()).map(|id| id.name.as_str());
    let advice = did_you_mean(name, known).map_or(Advice::FillRegistry, Advice::Text);
    Problem::new(Kind::NotFound, format!("there is no feature view `{name}`"), None)
        .advise(advice)
        .about(Subject::FeatureView)
}

fn service<'a>(state: &'a RegistryState, name: &str) -> Result<&'a FeatureService, Problem> {
    let id = ObjectId::new(ObjectKind::FeatureService, name);
    match (state.objects.get(&id), state.foreign.iter().find(|foreign| foreign.id == id)) {
        (Some(Object::FeatureService(service)), _) => Ok(service),
        (_, Some(foreign)) => {
            Err(Problem::new(Kind::Unsupported, format!("{id} cannot be served: {}", foreign.reason), None))
        }
        _ => Err(not_registered(state, ObjectKind::FeatureService, name).about(Subject::FeatureService)),
    }
}

fn not_registered(state: &RegistryState, kind: ObjectKind, name: &str) -> Problem {
    let known = state.objects.keys().filter(|id| id.kind == kind).map(|id| id.name.as_str());
    let advice = did_you_mean(name, known).map_or(Advice::FillRegistry, Advice::Text);
    Problem::new(Kind::NotFound, format!("there is no {kind} `{name}`"), None).advise(advice)
}

fn feature<'a>(view: &'a FeatureView, name: &str) -> Result<&'a Field, Problem> {
    find(&view.name, &view.features, name)
}

/// The feature of this name among those of a view.
fn find<'a>(view: &str, features: &'a [Field], name: &str) -> Result<&'a Field, Problem> {
    features.iter().find(|field| field.name == name).ok_or_else(|| {
        let known = || features.iter().map(|field| field.name.as_str());
        let parts: Vec<&str> = name.split(',').collect();
        let help = if parts.len() > 1 && parts.iter().all(|part| known().any(|known| known == *part)) {
            let each: Vec<String> = parts.iter().map(|part| format!("{view}:{part}")).collect();
            Some(format!("write each feature with its view: {}", each.join(",")))
        } else {
            did_you_mean(name, known())
        };
        Problem::new(Kind::NotFound, format!("feature view `{view}` has no feature `{name}`"), help)
            .about(Subject::Feature)
    })
}

/// Two columns of an answer may not have one name.
fn check_outputs(retrieval: &Retrieval, full_names: bool) -> Result<(), Problem> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for output in retrieval.outputs().chain(retrieval.computed()) {
        *counts.entry(output).or_default() += 1;
    }
    let twice: Vec<String> =
        counts.into_iter().filter(|(_, count)| *count > 1).map(|(name, _)| format!("`{name}`")).collect();
    if twice.is_empty() {
        return Ok(());
    }
    let advice = if full_names { Advice::Text("ask for each feature once".to_owned()) } else { Advice::QualifyNames };
    let message = format!("several features would be called {}", twice.join(", "));
    Err(Problem::new(Kind::Invalid, message, None).advise(advice).about(Subject::FeatureNames))
}

/// Neither may a join key and a feature.
fn check_keys(retrieval: &Retrieval) -> Result<(), Problem> {
    match retrieval.entity_columns().into_iter().find(|key| retrieval.answers(&key.column)) {
        None => Ok(()),
        Some(key) => {
            let message = format!("a feature and a join key would both be called `{}`", key.column);
            Err(Problem::new(Kind::Invalid, message, None).advise(Advice::QualifyNames).about(Subject::FeatureNames))
        }
    }
}

#[cfg(test)]
mod tests;
