//! What references or a service mean: which features of which views, under which names and keys. Training data
//! and online values both come through here, so that they cannot differ.

use std::{collections::BTreeMap, sync::Arc};

use super::FeatureReference;
use crate::{
    diagnostics::did_you_mean,
    model::{FeatureService, FeatureView, Field, NamedView, Object, ObjectId, ObjectKind, RegistryState},
    problem::{Advice, Kind, Problem},
};

/// What a person asks for: features one by one, all of a service, or both.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Selection {
    /// A service, by its name.
    pub service: Option<String>,
    /// Single features, behind those of the service.
    pub references: Vec<FeatureReference>,
}

impl Selection {
    /// Single features.
    pub const fn of_features(references: Vec<FeatureReference>) -> Self {
        Self { service: None, references }
    }

    /// All features of a service.
    pub fn of_service(name: impl Into<String>) -> Self {
        Self { service: Some(name.into()), references: Vec::new() }
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

/// Features of several views, ready to fetch.
#[derive(Debug, Clone, PartialEq)]
pub struct Retrieval {
    /// In order of first mention.
    pub views: Vec<SelectedView>,
}

/// The selected features of one view.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectedView {
    /// The view as it is registered.
    pub view: FeatureView,
    /// Empty for an entity-less view.
    pub join_keys: Vec<JoinKey>,
    /// In requested order.
    pub features: Vec<SelectedFeature>,
}

/// A join key and where entity rows have it.
#[derive(Debug, Clone, PartialEq)]
pub struct JoinKey {
    /// The view's column.
    pub field: Field,
    /// The column of the entity rows.
    pub column: String,
}

/// A feature and the name it has in the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectedFeature {
    /// The feature as it is registered.
    pub field: Field,
    /// Its name in the answer.
    pub output: Arc<str>,
}

impl Retrieval {
    /// The columns entity rows must bring, each once, in order of first use.
    pub fn entity_columns(&self) -> Vec<&JoinKey> {
        let mut columns: Vec<&JoinKey> = Vec::new();
        for key in self.views.iter().flat_map(|view| &view.join_keys) {
            if !columns.iter().any(|other| other.column == key.column) {
                columns.push(key);
            }
        }
        columns
    }

    /// The columns entity rows must bring, each in every type under which some view knows it, in order
    /// of first use: views of different entities may share a column and not its type.
    pub fn typed_entity_columns(&self) -> Vec<&JoinKey> {
        let mut columns: Vec<&JoinKey> = Vec::new();
        for key in self.views.iter().flat_map(|view| &view.join_keys) {
            if !columns.iter().any(|other| other.column == key.column && other.field.dtype == key.field.dtype) {
                columns.push(key);
            }
        }
        columns
    }

    /// The names of the answer's feature columns, in order.
    pub fn outputs(&self) -> impl Iterator<Item = &str> {
        self.views.iter().flat_map(|view| &view.features).map(|feature| &*feature.output)
    }
}

/// Finds everything a selection names in what is registered.
///
/// # Errors
/// When something does not exist, cannot be served, or two features would have one name.
pub fn resolve(state: &RegistryState, selection: &Selection, full_feature_names: bool) -> Result<Retrieval, Problem> {
    let mut selected = match &selection.service {
        Some(name) => from_service(state, service(state, name)?, full_feature_names)?,
        None if selection.references.is_empty() => {
            return Err(Problem::new(Kind::Invalid, "no features are asked for", None).advise(Advice::NameFeatures));
        }
        None => Vec::new(),
    };
    add_references(state, &mut selected, &selection.references, full_feature_names)?;
    let retrieval = Retrieval { views: selected.into_iter().map(|(_, selected)| selected).collect() };
    check_outputs(&retrieval, full_feature_names)?;
    Ok(retrieval)
}

/// A view under the name that features have in front of theirs; without one it is the view itself, and single features
/// can be added to it.
type Named = (Option<String>, SelectedView);

fn add_references(
    state: &RegistryState,
    selected: &mut Vec<Named>,
    references: &[FeatureReference],
    full_names: bool,
) -> Result<(), Problem> {
    // What a service has already may be named again; of features that are asked for twice one by one, both are meant.
    let of_service: Vec<(String, String)> = selected
        .iter()
        .filter(|(alias, _)| alias.is_none())
        .flat_map(|(_, view)| view.features.iter().map(|feature| (view.view.name.clone(), feature.field.name.clone())))
        .collect();
    for reference in references {
        if of_service.iter().any(|(view, feature)| *view == reference.view && *feature == reference.feature) {
            continue;
        }
        let is_itself = |(alias, selected): &Named| alias.is_none() && selected.view.name == reference.view;
        let position = match selected.iter().position(is_itself) {
            Some(position) => position,
            None => {
                selected.push((None, select(view(state, &reference.view)?, &BTreeMap::new())));
                selected.len() - 1
            }
        };
        let (_, selected) = &mut selected[position];
        let field = feature(&selected.view, &reference.feature)?.clone();
        let output = output_name(&reference.view, &field.name, full_names).into();
        selected.features.push(SelectedFeature { field, output });
    }
    Ok(())
}

fn from_service(state: &RegistryState, service: &FeatureService, full_names: bool) -> Result<Vec<Named>, Problem> {
    if service.features.is_empty() {
        return Err(Problem::new(
            Kind::Invalid,
            format!("feature service `{}` selects no features", service.name),
            None,
        ));
    }
    let members = service.features.iter().map(|member| {
        let mut selected = select(view(state, &member.view)?, &member.join_key_map);
        for selected_field in &member.features {
            let field = feature(&selected.view, &selected_field.name).map_err(|error| {
                let message = format!(
                    "feature service `{}` selects `{}:{}`, which is gone",
                    service.name, member.view, selected_field.name
                );
                Problem::new(Kind::Conflict, message, None).advise(Advice::ApplyService(error.message))
            })?;
            let output = output_name(member.name_to_use(), &field.name, full_names).into();
            selected.features.push(SelectedFeature { field: field.clone(), output });
        }
        let alias =
            (member.name_alias.is_some() || !member.join_key_map.is_empty()).then(|| member.name_to_use().to_owned());
        Ok((alias, selected))
    });
    members.collect()
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
    SelectedView { view, join_keys, features: Vec::new() }
}

fn output_name(view: &str, feature: &str, full_names: bool) -> String {
    if full_names { format!("{view}__{feature}") } else { feature.to_owned() }
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
        Object::OnDemandFeatureView(_) => {
            return unsupported(
                format!("`{name}` is an on demand feature view, and evaluating those is not supported yet"),
                Some("ask for the features that it is computed from"),
            );
        }
        _ => return unsupported(format!("`{name}` is a label view, and reading labels is not supported yet"), None),
    };
    if !enabled {
        let help = "set `enabled: true` in its definition and apply it".to_owned();
        return Err(Problem::new(Kind::Conflict, format!("{} is disabled", found.id()), help));
    }
    Ok(view)
}

fn no_view(state: &RegistryState, name: &str) -> Problem {
    let known = state.objects.keys().filter(|id| id.kind.is_view()).map(|id| id.name.as_str());
    let advice = did_you_mean(name, known).map_or(Advice::FillRegistry, Advice::Text);
    Problem::new(Kind::NotFound, format!("there is no feature view `{name}`"), None).advise(advice)
}

fn service<'a>(state: &'a RegistryState, name: &str) -> Result<&'a FeatureService, Problem> {
    let id = ObjectId::new(ObjectKind::FeatureService, name);
    match (state.objects.get(&id), state.foreign.iter().find(|foreign| foreign.id == id)) {
        (Some(Object::FeatureService(service)), _) => Ok(service),
        (_, Some(foreign)) => {
            Err(Problem::new(Kind::Unsupported, format!("{id} cannot be served: {}", foreign.reason), None))
        }
        _ => Err(not_registered(state, ObjectKind::FeatureService, name)),
    }
}

fn not_registered(state: &RegistryState, kind: ObjectKind, name: &str) -> Problem {
    let known = state.objects.keys().filter(|id| id.kind == kind).map(|id| id.name.as_str());
    let advice = did_you_mean(name, known).map_or(Advice::FillRegistry, Advice::Text);
    Problem::new(Kind::NotFound, format!("there is no {kind} `{name}`"), None).advise(advice)
}

fn feature<'a>(view: &'a FeatureView, name: &str) -> Result<&'a Field, Problem> {
    view.features.iter().find(|field| field.name == name).ok_or_else(|| {
        let known = || view.features.iter().map(|field| field.name.as_str());
        let parts: Vec<&str> = name.split(',').collect();
        let help = if parts.len() > 1 && parts.iter().all(|part| known().any(|known| known == *part)) {
            let each: Vec<String> = parts.iter().map(|part| format!("{}:{part}", view.name)).collect();
            Some(format!("write each feature with its view: {}", each.join(",")))
        } else {
            did_you_mean(name, known())
        };
        Problem::new(Kind::NotFound, format!("feature view `{}` has no feature `{name}`", view.name), help)
    })
}

/// Two columns of an answer may not have one name.
fn check_outputs(retrieval: &Retrieval, full_names: bool) -> Result<(), Problem> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for output in retrieval.outputs() {
        *counts.entry(output).or_default() += 1;
    }
    let twice: Vec<String> =
        counts.into_iter().filter(|(_, count)| *count > 1).map(|(name, _)| format!("`{name}`")).collect();
    if twice.is_empty() {
        return Ok(());
    }
    let advice = if full_names { Advice::Text("ask for each feature once".to_owned()) } else { Advice::QualifyNames };
    let message = format!("several features would be called {}", twice.join(", "));
    Err(Problem::new(Kind::Invalid, message, None).advise(advice))
}

#[cfg(test)]
mod tests;
