//! Views of expressions for tests.

use std::collections::BTreeMap;

use crate::model::{
    DataSource, DataType, Expression, Field, OnDemandFeatureView, OnDemandSource, Projection, RequestSource,
    SourceKind, samples::on_demand_view,
};

/// An input from a view with these features.
pub fn view(name: &str, features: &[(&str, DataType)]) -> OnDemandSource {
    OnDemandSource::View(Projection {
        view: name.to_owned(),
        features: fields(features),
        name_alias: None,
        join_key_map: BTreeMap::new(),
        source: None,
        labels: false,
    })
}

/// An input from the request with these columns.
pub fn request(name: &str, schema: &[(&str, DataType)]) -> OnDemandSource {
    OnDemandSource::Request(DataSource::new(name, SourceKind::Request(RequestSource { schema: fields(schema) })))
}

fn fields(columns: &[(&str, DataType)]) -> Vec<Field> {
    columns.iter().map(|(name, dtype)| Field::new(*name, dtype.clone())).collect()
}

/// A view with these inputs and outputs: name, type and expression.
pub fn computed(sources: Vec<OnDemandSource>, outputs: &[(&str, DataType, &str)]) -> OnDemandFeatureView {
    let expression = |(name, _, sql): &(&str, DataType, &str)| Expression { name: (*name).into(), sql: (*sql).into() };
    OnDemandFeatureView {
        sources,
        features: outputs.iter().map(|(name, dtype, _)| Field::new(*name, dtype.clone())).collect(),
        expressions: outputs.iter().map(expression).collect(),
        ..on_demand_view("computed")
    }
}
