//! Whether a permission is about an object and an action.

use regex::Regex;

use crate::model::{Object, Permission, PermissionAction, PermissionType, Tags};

/// An object that somebody wants to do something with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resource<'a> {
    /// What it is, the most special type.
    pub kind: PermissionType,
    /// Its name.
    pub name: &'a str,
    /// Its labels.
    pub tags: &'a Tags,
}

impl<'a> From<&'a Object> for Resource<'a> {
    fn from(object: &'a Object) -> Self {
        let (kind, name) = match object {
            Object::Project(project) => (PermissionType::Project, &project.name),
            Object::DataSource(source) => (PermissionType::DataSource, &source.name),
            Object::Entity(entity) => (PermissionType::Entity, &entity.name),
            // Feast reads a batch view as one only where something computes its rows.
            Object::FeatureView(view) if view.is_transformed() => (PermissionType::BatchFeatureView, &view.name),
            Object::FeatureView(view) => (PermissionType::FeatureView, &view.name),
            Object::OnDemandFeatureView(view) => (PermissionType::OnDemandFeatureView, &view.name),
            Object::StreamFeatureView(view) => (PermissionType::StreamFeatureView, &view.name),
            Object::LabelView(view) => (PermissionType::LabelView, &view.name),
            Object::FeatureService(service) => (PermissionType::FeatureService, &service.name),
            Object::Permission(permission) => (PermissionType::Permission, &permission.name),
            Object::SavedDataset(dataset) => (PermissionType::SavedDataset, &dataset.name),
            Object::ValidationReference(reference) => (PermissionType::ValidationReference, &reference.name),
        };
        Self { kind, name, tags: object.tags() }
    }
}

/// Why a permission says nothing about an object and an action: the first of these that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mismatch {
    /// It is about other types.
    Type,
    /// None of its patterns is the whole name.
    Name,
    /// One of its patterns is no regular expression, so that nobody knows which names it means.
    Pattern,
    /// The object lacks one of its tags.
    Tags,
    /// It does not allow one of the actions.
    Action,
}

/// A permission, ready to be asked.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) permission: Permission,
    /// `None` if one of the patterns is none, or uses what regular expressions of linear time do not have.
    names: Option<Vec<Regex>>,
}

impl Rule {
    pub(super) fn new(permission: Permission) -> Self {
        // Feast takes `re.fullmatch` of the trimmed pattern.
        let names = permission.name_patterns.iter().map(|pattern| Regex::new(&format!(r"\A(?:{})\z", pattern.trim())));
        let names = names.collect::<Result<_, _>>().ok();
        Self { permission, names }
    }

    /// Why it says nothing about this; `None` if it does.
    pub(super) fn mismatch(&self, resource: Resource<'_>, actions: &[PermissionAction]) -> Option<Mismatch> {
        let Permission { types, required_tags, actions: allowed, .. } = &self.permission;
        if !types.iter().any(|kind| covers(*kind, resource.kind)) {
            return Some(Mismatch::Type);
        }
        match &self.names {
            None => return Some(Mismatch::Pattern),
            Some(names) if names.is_empty() || names.iter().any(|name| name.is_match(resource.name)) => {}
            Some(_) => return Some(Mismatch::Name),
        }
        // Feast looks for the tags where no object has them, and goes on as if they were there.
        if required_tags.iter().any(|(key, value)| resource.tags.get(key) != Some(value)) {
            return Some(Mismatch::Tags);
        }
        (!actions.iter().all(|action| allowed.contains(action))).then_some(Mismatch::Action)
    }
}

/// Whether objects of a type are of another one as well: batch and stream views are feature views.
fn covers(kind: PermissionType, of: PermissionType) -> bool {
    let is_feature_view = matches!(of, PermissionType::BatchFeatureView | PermissionType::StreamFeatureView);
    kind == of || (kind == PermissionType::FeatureView && is_feature_view)
}
