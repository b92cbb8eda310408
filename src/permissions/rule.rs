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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Policy;

    fn rule(types: &[PermissionType], patterns: &[&str], tags: &[(&str, &str)]) -> Rule {
        Rule::new(Permission {
            name: "rule".to_owned(),
            types: types.to_vec(),
            name_patterns: patterns.iter().map(|pattern| (*pattern).to_owned()).collect(),
            required_tags: labels(tags),
            actions: vec![PermissionAction::ReadOnline],
            policy: Policy::AllowAll,
            tags: Tags::new(),
        })
    }

    fn labels(tags: &[(&str, &str)]) -> Tags {
        tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn mismatch(rule: &Rule, kind: PermissionType, name: &str, tags: &[(&str, &str)]) -> Option<Mismatch> {
        let tags = labels(tags);
        rule.mismatch(Resource { kind, name, tags: &tags }, &[PermissionAction::ReadOnline])
    }

    #[test]
    fn batch_and_stream_views_are_feature_views_and_others_are_not() {
        use PermissionType::{BatchFeatureView, FeatureView, LabelView, OnDemandFeatureView, StreamFeatureView};
        let (views, batch) = (rule(&[FeatureView], &[], &[]), rule(&[BatchFeatureView], &[], &[]));
        for kind in [FeatureView, BatchFeatureView, StreamFeatureView] {
            assert_eq!(mismatch(&views, kind, "v", &[]), None, "{kind:?}");
        }
        for kind in [OnDemandFeatureView, LabelView] {
            assert_eq!(mismatch(&views, kind, "v", &[]), Some(Mismatch::Type), "{kind:?}");
        }
        assert_eq!(mismatch(&batch, FeatureView, "v", &[]), Some(Mismatch::Type));
    }

    #[test]
    fn a_pattern_is_a_regular_expression_of_the_whole_name() {
        let matches = |pattern: &str, name: &str| {
            mismatch(&rule(&[PermissionType::Entity], &[pattern], &[]), PermissionType::Entity, name, &[]).is_none()
        };
        assert!(matches("driver", "driver") && matches(" driver ", "driver") && matches("a|driver", "driver"));
        // No glob: an `r` any number of times.
        assert!(matches("driver*", "driverrr") && !matches("driver*", "driver_stats"));
        for (pattern, name) in
            [("driver", "drivers"), ("driver", "my_driver"), ("Driver", "driver"), ("a|driver", "ab")]
        {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
        assert!(!matches("driver", "driver\n") && !matches("(?!x)driver", "driver"));
    }

    #[test]
    fn all_required_tags_have_to_be_there() {
        let rule = rule(&[PermissionType::Entity], &[], &[("team", "search"), ("tier", "1")]);
        let of = |tags: &[(&str, &str)]| mismatch(&rule, PermissionType::Entity, "driver", tags);
        assert_eq!(of(&[("team", "search"), ("tier", "1"), ("more", "")]), None);
        for tags in [&[][..], &[("team", "search")], &[("team", "search"), ("tier", "2")]] {
            assert_eq!(of(tags), Some(Mismatch::Tags), "{tags:?}");
        }
    }
}
