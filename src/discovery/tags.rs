use std::collections::BTreeMap;

use super::known::{Known, views};
use crate::model::ObjectKind;

/// A label that views have.
#[derive(Debug, Clone, PartialEq)]
pub struct PopularTag<'a> {
    /// Its key.
    pub key: &'a str,
    /// Its value.
    pub value: &'a str,
    /// The views that have it, each with its project.
    pub views: Vec<(&'a str, &'a Known)>,
}

/// The labels of the views of projects but for label views, those that most views have first; of equally many the one with the greater
/// key, as Feast sorts.
pub fn popular_tags<'a>(projects: &[(&'a str, &'a [Known])]) -> Vec<PopularTag<'a>> {
    let mut found: BTreeMap<(&str, &str), Vec<(&str, &Known)>> = BTreeMap::new();
    for (project, known) in projects {
        for view in views(known).filter(|view| !view.is(ObjectKind::LabelView)) {
            for (key, value) in &view.card.tags {
                found.entry((key, value)).or_default().push((project, view));
            }
        }
    }
    let tag = |((key, value), views)| PopularTag { key, value, views };
    let mut tags: Vec<PopularTag<'_>> = found.into_iter().map(tag).collect();
    tags.sort_by(|a, b| (b.views.len(), b.key).cmp(&(a.views.len(), a.key)));
    tags
}
