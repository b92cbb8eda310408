use super::{Writer, item::Item};
use crate::{
    model::{FeatureService, Field, LogDestination, LoggingConfig, Projection},
    yaml::Tree,
};

impl Writer<'_> {
    /// A feature service as an entry of its collection.
    pub(crate) fn feature_service(&self, service: &FeatureService) -> Tree {
        let members = service.features.iter().map(|projection| member(projection, self.features_of(&projection.view)));
        let item = Item::named(&service.name).with("features", Tree::List(members.collect()));
        let item = match &service.logging_config {
            Some(logging) => item.with("logging_config", logging_keys(logging)),
            None => item,
        };
        item.labels(&service.description, &service.owner, &service.tags)
            .flag("precompute_online", service.precompute_online, false)
            .done()
    }
}

/// A selection from a view with `features`: its name alone when everything is selected, in order.
pub(crate) fn member(projection: &Projection, features: Option<&[Field]>) -> Tree {
    let selected = || projection.features.iter().map(|feature| &feature.name);
    let is_whole = features.is_some_and(|features| features.iter().map(|feature| &feature.name).eq(selected()));
    let names = Tree::texts(selected());
    if projection.name_alias.is_none() && projection.join_key_map.is_empty() {
        return if is_whole {
            Tree::Text(projection.view.clone())
        } else {
            Tree::Mapping(vec![(projection.view.clone(), names)])
        };
    }
    let item = Item::default().text("view", &projection.view);
    let item = if is_whole { item } else { item.with("features", names) };
    item.text("name_alias", projection.name_alias.as_deref().unwrap_or_default())
        .map("join_key_map", &projection.join_key_map)
        .done()
}

fn logging_keys(logging: &LoggingConfig) -> Tree {
    let destination = match &logging.destination {
        LogDestination::File { path, s3_endpoint_override, partition_by } => Item::default()
            .text("type", "file")
            .with("path", Tree::Text(path.clone()))
            .text("s3_endpoint_override", s3_endpoint_override)
            .texts("partition_by", partition_by),
        LogDestination::Foreign(kind) => Item::default().text("type", kind),
    };
    // The shortest text of the 32-bit share, not that of its 64-bit neighbour.
    let sample_rate = logging.sample_rate.to_string().parse().unwrap_or_else(|_| f64::from(logging.sample_rate));
    Item::default().with("sample_rate", Tree::Float(sample_rate)).with("destination", destination.short()).done()
}
