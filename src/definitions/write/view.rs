//! Views as definitions: which kind of definition a stored view becomes, and which tags become keys.

use super::{
    Writer,
    item::{Item, column_item},
    service::member,
};
use crate::{
    definitions::format::tags::TRACK_METRICS_TAG,
    model::{
        AGGREGATIONS_TAG, Aggregation, CHECKS_TAG, Checks, ConflictPolicy, DataSource, FeatureView, LabelView,
        OnDemandFeatureView, OnDemandSource, SQL_TAG, StreamFeatureView, Tags, Ttl, ViewVersion,
    },
    yaml::Tree,
};

impl Writer<'_> {
    /// A feature view as an entry of its collection.
    pub(crate) fn feature_view(&self, view: &FeatureView) -> Tree {
        let item = Item::named(&view.name).entities(&view.entities).span("ttl", view.ttl);
        let item = item
            .schema(&view.entities, &view.entity_columns, &view.features, |name| self.entity(name))
            .with("source", source_name(view.stream_source.as_ref(), view.source.as_ref()));
        // Batch views are not served unless that is said.
        let item = item.flag("online", view.online, !view.is_transformed()).flag("offline", view.offline, false);
        let (item, tags) = transformation(item, &view.tags);
        let (item, tags) = checks(item, tags);
        item.labels_of_view(&view.description, &view.owner, &view.org, &tags)
            .version(view.version)
            .flag("enabled", view.enabled, true)
            .flag("enable_validation", view.enable_validation, false)
            .text("mode", &view.mode)
            .done()
    }

    /// A stream feature view as an entry of its collection.
    pub(crate) fn stream_feature_view(&self, view: &StreamFeatureView) -> Tree {
        let item = Item::named(&view.name).entities(&view.entities).span("ttl", view.ttl);
        let item = item
            .schema(&view.entities, &view.entity_columns, &view.features, |name| self.entity(name))
            .with("source", source_name(view.stream_source.as_ref(), view.source.as_ref()))
            .aggregations(&view.aggregations)
            .text("timestamp_field", &view.timestamp_field)
            .flag("enable_tiling", view.enable_tiling, false);
        let item = match view.tiling_hop_size {
            Some(size) => item.with("tiling_hop_size", Tree::Text(size.to_string())),
            None => item,
        };
        let (item, tags) = transformation(item.flag("online", view.online, true), &view.tags);
        let (item, tags) = checks(item, tags);
        item.labels_of_view(&view.description, &view.owner, &view.org, &tags)
            .version(view.version)
            .flag("enabled", view.enabled, true)
            .flag("enable_validation", view.enable_validation, false)
            .text_unless("mode", &view.mode, "python")
            .done()
    }

    /// A label view as an entry of its collection.
    pub(crate) fn label_view(&self, view: &LabelView) -> Tree {
        let policy = if view.conflict_policy == ConflictPolicy::default() { "" } else { view.conflict_policy.as_str() };
        Item::named(&view.name)
            .entities(&view.entities)
            .span("ttl", view.ttl)
            .schema(&view.entities, &view.entity_columns, &view.features, |name| self.entity(name))
            .text("source", view.source.as_ref().map_or("", |source| source.name.as_str()))
            .flag("online", view.online, true)
            .text_unless("labeler_field", &view.labeler_field, "labeler")
            .text("conflict_policy", policy)
            .flag("retain_history", view.retain_history, false)
            .text("reference_feature_view", &view.reference_feature_view)
            .labels(&view.description, &view.owner, &view.tags)
            .done()
    }

    /// An on-demand feature view as an entry of its collection.
    pub(crate) fn on_demand_feature_view(&self, view: &OnDemandFeatureView) -> Tree {
        let sources = view.sources.iter().map(|source| match source {
            OnDemandSource::View(projection) => member(projection, self.features_of(&projection.view)),
            OnDemandSource::Request(source) => Tree::Text(source.name.clone()),
        });
        let columns = view.features.iter().map(|feature| {
            let expression = view.expressions.iter().find(|expression| expression.name == feature.name);
            let sql = expression.map(|expression| expression.sql.clone()).unwrap_or_default();
            column_item(feature).with("sql", Tree::Text(sql)).short()
        });
        let mut tags = view.tags.clone();
        let is_tracked = tags.remove(TRACK_METRICS_TAG).is_some();
        Item::named(&view.name)
            .entities(&view.entities)
            .with("sources", Tree::List(sources.collect()).inline_if_short())
            .columns(columns.collect())
            .flag("write_to_online_store", view.write_to_online_store, false)
            .flag("track_metrics", is_tracked, false)
            .labels_of_view(&view.description, &view.owner, &view.org, &tags)
            .version(view.version)
            .flag("enabled", view.enabled, true)
            .done()
    }
}

/// What a definition names: the source in front, if the view was declared over one.
fn source_name(stream: Option<&DataSource>, batch: Option<&DataSource>) -> Tree {
    stream.or(batch).map_or(Tree::Null, |source| Tree::Text(source.name.clone()))
}

/// The keys for what Feast has no field for, and the other tags.
fn transformation(item: Item, tags: &Tags) -> (Item, Tags) {
    let mut rest = tags.clone();
    let item = item.text("sql", &rest.remove(SQL_TAG).unwrap_or_default());
    let stored = rest.get(AGGREGATIONS_TAG).and_then(|text| serde_json::from_str::<Vec<Aggregation>>(text).ok());
    let Some(aggregations) = stored else { return (item, rest) };
    rest.remove(AGGREGATIONS_TAG);
    (item.aggregations(&aggregations), rest)
}

/// The key for the checks of the source, and the other tags.
fn checks(item: Item, mut tags: Tags) -> (Item, Tags) {
    let Ok(checks) = Checks::of(&tags) else { return (item, tags) };
    if tags.remove(CHECKS_TAG).is_none() {
        return (item, tags);
    }
    let defaults = Checks::default();
    let word = |word: &'static str, default: &str| if word == default { "" } else { word };
    let mut written = Item::default()
        .text("null_keys", word(checks.null_keys.as_str(), defaults.null_keys.as_str()))
        .text("out_of_range", word(checks.out_of_range.as_str(), defaults.out_of_range.as_str()))
        .text("future", word(checks.future.as_str(), defaults.future.as_str()));
    if checks.min_rows > 0 {
        written = written.with("min_rows", Tree::Integer(i64::try_from(checks.min_rows).unwrap_or(i64::MAX)));
    }
    (item.with("materialize", Item::default().with("checks", written.short()).done()), tags)
}

impl Item {
    fn labels_of_view(self, description: &str, owner: &str, org: &str, tags: &Tags) -> Self {
        self.text("description", description).text("owner", owner).text("org", org).tags(tags)
    }

    fn version(self, version: ViewVersion) -> Self {
        if version == ViewVersion::Latest { self } else { self.with("version", Tree::Text(version.to_string())) }
    }

    fn aggregations(self, aggregations: &[Aggregation]) -> Self {
        if aggregations.is_empty() {
            return self;
        }
        let items = aggregations.iter().map(|aggregation| {
            let slide = aggregation.slide_interval;
            Item::default()
                .text("column", &aggregation.column)
                .text("function", &aggregation.function)
                .span("time_window", aggregation.time_window)
                .span("slide_interval", if slide == aggregation.time_window { Ttl::UNLIMITED } else { slide })
                .text("name", &aggregation.name)
                .short()
        });
        self.with("aggregations", Tree::List(items.collect()))
    }
}
