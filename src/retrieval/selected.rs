//! What is fetched from where, under which name, and what is computed of it.

use std::sync::Arc;

use crate::model::{FeatureView, Field, OnDemandFeatureView};

/// Features of several views, ready to fetch, and those that are computed of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Retrieval {
    /// In order of first mention.
    pub views: Vec<SelectedView>,
    /// In order of first mention; their features stand behind all others.
    pub on_demand: Vec<SelectedOnDemand>,
}

/// The selected features of one view.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectedView {
    /// The view as it is registered.
    pub view: FeatureView,
    /// The name that features have in front of theirs: its own, or the one that a feature service gives it.
    pub name: String,
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
    /// Who sees it.
    pub shown: Shown,
}

/// Who sees a feature that is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Everybody: it was asked for.
    Always,
    /// Who reads training data: it belongs to a source of an on-demand view.
    InTraining,
    /// Nobody: an on-demand view is computed of it, and its name is another column's.
    Never,
}

/// The selected features of one on-demand view.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectedOnDemand {
    /// The view with those outputs only that are asked for, in declared order.
    pub view: OnDemandFeatureView,
    /// The names of these outputs in the answer.
    pub outputs: Vec<Arc<str>>,
    /// The inputs that their expressions name.
    pub inputs: Vec<SelectedInput>,
}

/// An input of an on-demand view.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectedInput {
    /// What the view calls it: `view__feature`, or the name of a request's field.
    pub column: String,
    /// Where its values come from.
    pub from: InputFrom,
}

/// Where an input's values come from.
#[derive(Debug, Clone, PartialEq)]
pub enum InputFrom {
    /// A feature of [`Retrieval::views`]: the position of the view, and that of the feature.
    Feature(usize, usize),
    /// A column of the rows of entities.
    Request(Field),
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

    /// The names of the features that are fetched, in order; some are not shown to everybody.
    pub fn outputs(&self) -> impl Iterator<Item = &str> {
        self.fetched().map(|feature| &*feature.output)
    }

    /// The features that are fetched, in order.
    pub fn fetched(&self) -> impl Iterator<Item = &SelectedFeature> {
        self.views.iter().flat_map(|view| &view.features)
    }

    /// The names of the features that are computed, in order.
    pub fn computed(&self) -> impl Iterator<Item = &str> {
        self.on_demand.iter().flat_map(|view| &view.outputs).map(|output| &**output)
    }

    /// Whether a feature of the answer to somebody who asks for values as they are now has this name.
    pub fn answers(&self, name: &str) -> bool {
        let mut shown = self.fetched().filter(|feature| feature.shown == Shown::Always);
        shown.any(|feature| &*feature.output == name) || self.computed().any(|computed| computed == name)
    }

    /// The fields that requests bring, each once, with a view that needs it.
    pub fn request_fields(&self) -> Vec<(&Field, &str)> {
        let mut fields: Vec<(&Field, &str)> = Vec::new();
        for view in &self.on_demand {
            for input in &view.inputs {
                if let InputFrom::Request(field) = &input.from
                    && !fields.iter().any(|(known, _)| known.name == field.name)
                {
                    fields.push((field, &view.view.name));
                }
            }
        }
        fields
    }
}
