use super::known::{Known, views};
use crate::model::{Field, ObjectKind};

/// A feature of a view, or a label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KnownFeature<'a> {
    /// Its name, type, words and labels.
    pub field: &'a Field,
    /// The view that has it.
    pub view: &'a Known,
}

impl KnownFeature<'_> {
    /// Whether people gave the values: it is a label.
    pub fn is_label(&self) -> bool {
        self.view.is(ObjectKind::LabelView)
    }
}

/// The features of all views, in the order of [`views`] and then as the view has them.
pub fn features(known: &[Known]) -> impl Iterator<Item = KnownFeature<'_>> {
    views(known).flat_map(|view| view.card.features.iter().map(move |field| KnownFeature { field, view }))
}
