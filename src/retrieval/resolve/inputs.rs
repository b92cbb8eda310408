//! Where the inputs of on-demand views come from.

use std::sync::Arc;

use super::{Purpose, Resolving, feature};
use crate::{
    expression::Computation,
    model::{Field, OnDemandFeatureView, OnDemandSource, Projection, SourceKind},
    problem::{Kind, Problem},
    retrieval::selected::{InputFrom, SelectedFeature, SelectedInput, SelectedView, Shown},
};

impl Resolving<'_> {
    /// Where the inputs of a view come from; what was not asked for is fetched besides.
    pub(super) fn inputs(
        &self,
        view: &OnDemandFeatureView,
        views: &mut [SelectedView],
        computed: &[Arc<str>],
    ) -> Result<Vec<SelectedInput>, Problem> {
        let computation = Computation::of(view);
        let wanted = computation.columns();
        let mut inputs = Vec::new();
        for source in &view.sources {
            match source {
                OnDemandSource::View(projection) => {
                    for field in &projection.features {
                        let column = format!("{}__{}", projection.view, field.name);
                        let is_named = wanted.contains(&column.as_str());
                        if is_named || self.purpose == Purpose::Training {
                            let from = self.input(projection, field, views, computed)?;
                            inputs.extend(is_named.then_some(SelectedInput { column, from }));
                        }
                    }
                }
                OnDemandSource::Request(source) => {
                    let SourceKind::Request(request) = &source.kind else { continue };
                    let fields = request.schema.iter().filter(|field| wanted.contains(&field.name.as_str()));
                    inputs.extend(fields.map(|field| SelectedInput {
                        column: field.name.clone(),
                        from: InputFrom::Request(field.clone()),
                    }));
                }
            }
        }
        Ok(inputs)
    }

    /// A feature that a view is computed of.
    fn input(
        &self,
        projection: &Projection,
        field: &Field,
        views: &mut [SelectedView],
        computed: &[Arc<str>],
    ) -> Result<InputFrom, Problem> {
        let is_it = |view: &SelectedView| {
            view.view.name == projection.view && view.join_keys.iter().all(|key| key.column == key.field.name)
        };
        let missing = || Problem::new(Kind::Internal, format!("`{}` was not looked up", projection.view), None);
        let position = views.iter().position(is_it).ok_or_else(missing)?;
        let known = views[position].features.iter().position(|feature| feature.field.name == field.name);
        if let Some(known) = known {
            return Ok(InputFrom::Feature(position, known));
        }
        let field = feature(&views[position].view, &field.name)?.clone();
        let output = self.output_name(&projection.view, &field.name);
        let is_taken = |name: &str| {
            let mut fetched = views.iter().flat_map(|view| &view.features);
            fetched.any(|feature| &*feature.output == name) || computed.iter().any(|computed| &**computed == name)
        };
        let (output, shown) = if is_taken(&output) {
            let mut name = format!("{}__{}", projection.view, field.name);
            while is_taken(&name) {
                name.push('_');
            }
            (name.into(), Shown::Never)
        } else {
            (output, Shown::InTraining)
        };
        views[position].features.push(SelectedFeature { field, output, shown });
        Ok(InputFrom::Feature(position, views[position].features.len() - 1))
    }
}
