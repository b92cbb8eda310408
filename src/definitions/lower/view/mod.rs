//! Views of every kind: their shared parts once, and a file per kind.

mod aggregation;
mod columns;
mod feature_view;
mod label_view;
mod on_demand;
mod stream_feature_view;
mod transformation;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use columns::lower_field;
pub(crate) use label_view::check_labelled;
pub(crate) use on_demand::OnDemandInput;

use super::{
    names::check_object_name,
    source::{SourceChecks, Sources},
};
use crate::{
    definitions::FindMisfits,
    diagnostics::Diagnostics,
    model::{
        DUMMY_ENTITY, DataSource, Entity, FeatureView, Field, LabelView, ObjectKind, OnDemandFeatureView,
        StreamFeatureView,
    },
    yaml::Spanned,
};

/// Lowers views against what is declared.
pub(crate) struct ViewLowering<'a, 'b> {
    /// `None` stands for one that is declared but broken: its own error is enough.
    pub entities: &'a BTreeMap<String, Option<Entity>>,
    /// The declared sources.
    pub sources: &'a Sources,
    /// On-demand views cannot be sources of each other.
    pub on_demand_names: &'a BTreeSet<String>,
    /// What is known of the data of sources.
    pub checks: &'a mut SourceChecks<'b>,
    /// Asks the engine whether it can compute expressions.
    pub misfits: FindMisfits<'a>,
    /// Whether columns are compared with the sources' files.
    pub validate_sources: bool,
    /// Whether online tables are named after views, which allows word characters only.
    pub names_are_tables: bool,
    /// Takes the findings.
    pub diagnostics: &'a mut Diagnostics,
}

/// What services and on-demand views can select from.
#[derive(Debug, Clone)]
pub(crate) struct DeclaredView {
    /// Which kind of view it is.
    pub kind: ObjectKind,
    /// The features, join keys not among them.
    pub features: Vec<Field>,
    /// The join key columns that entity rows must bring.
    pub join_keys: Vec<Field>,
    /// The source that Feast copies into projections.
    pub source: Option<DataSource>,
}

/// The views by name; `None` stands for one that is declared but broken.
pub(crate) type DeclaredViews = BTreeMap<String, Option<DeclaredView>>;

impl From<&FeatureView> for DeclaredView {
    fn from(view: &FeatureView) -> Self {
        Self {
            kind: ObjectKind::FeatureView,
            features: view.features.clone(),
            join_keys: view.join_keys().to_vec(),
            source: view.source.clone(),
        }
    }
}

impl From<&StreamFeatureView> for DeclaredView {
    fn from(view: &StreamFeatureView) -> Self {
        Self {
            kind: ObjectKind::StreamFeatureView,
            features: view.features.to_vec(),
            join_keys: join_keys(&view.entities, &view.entity_columns),
            source: view.source.clone(),
        }
    }
}

impl From<&LabelView> for DeclaredView {
    fn from(view: &LabelView) -> Self {
        let history = |source: &DataSource| source.kind.batch_source().unwrap_or(source).clone();
        Self {
            kind: ObjectKind::LabelView,
            features: view.features.clone(),
            join_keys: join_keys(&view.entities, &view.entity_columns),
            source: view.source.as_ref().map(history),
        }
    }
}

impl From<&OnDemandFeatureView> for DeclaredView {
    fn from(view: &OnDemandFeatureView) -> Self {
        Self {
            kind: ObjectKind::OnDemandFeatureView,
            features: view.features.clone(),
            join_keys: join_keys(&view.entities, &view.entity_columns),
            source: None,
        }
    }
}

fn join_keys(entities: &[String], columns: &[Field]) -> Vec<Field> {
    if entities.iter().all(|name| name == DUMMY_ENTITY) { Vec::new() } else { columns.to_vec() }
}

impl ViewLowering<'_, '_> {
    fn check_name(&mut self, name: &Spanned<String>) {
        if !check_object_name(name, "a view", self.diagnostics) {
            return;
        }
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let refused = |c: char| if self.names_are_tables { !word(c) } else { "@:,".contains(c) };
        if let Some(character) = name.value.chars().find(|c| refused(*c)) {
            let clean: String = name.value.chars().map(|c| if word(c) { c } else { '_' }).collect();
            self.diagnostics.error_with_help(
                &name.span,
                format!("a view name cannot contain `{character}`"),
                format!("call it `{clean}`"),
            );
        }
    }
}

#[cfg(test)]
mod tests;
