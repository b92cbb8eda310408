use super::known::Known;
use crate::feast::registry::Link;

/// Which views are wanted; what is empty does not matter.
#[derive(Debug, Clone, Copy, Default)]
pub struct ViewFilter<'a> {
    /// The name of an entity of the view.
    pub entity: &'a str,
    /// The name of a feature of the view.
    pub feature: &'a str,
    /// The name of a source whose rows are the view's.
    pub data_source: &'a str,
    /// A service that selects from the view.
    pub service: Option<&'a Known>,
}

impl ViewFilter<'_> {
    /// Whether a view is wanted.
    pub fn matches(&self, view: &Known) -> bool {
        let links = &view.card.links;
        let has_entity = || links.iter().any(|link| matches!(link, Link::Entity(name) if name == self.entity));
        let has_source =
            || links.iter().any(|link| matches!(link, Link::Source { name, .. } if name == self.data_source));
        let has_feature = || view.card.features.iter().any(|field| field.name == self.feature);
        (self.entity.is_empty() || has_entity())
            && (self.feature.is_empty() || has_feature())
            && (self.data_source.is_empty() || has_source())
            && self.service.is_none_or(|service| selects_from(service, &view.id.name))
    }
}

/// Whether an object, such as a service, selects features of a view.
pub fn selects_from(object: &Known, view: &str) -> bool {
    object.card.links.iter().any(|link| matches!(link, Link::View { name, .. } if name == view))
}
