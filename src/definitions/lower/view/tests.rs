use crate::{
    definitions::testing::{each, findings, repo},
    model::{
        AGGREGATIONS_TAG, Aggregation, ConflictPolicy, DataSource, FeatureService, FeatureView, LabelView,
        OnDemandFeatureView, OnDemandSource, RENAMED_FROM_TAG, Repo, SQL_TAG, StreamFeatureView, ViewVersion,
    },
};

const BASE: &str = "\
entities:
  - {name: driver, join_keys: [driver_id], value_type: INT64}
  - {name: open}
data_sources:
  - {name: stats, type: file, path: x, timestamp_field: at}
  - {name: pushed, type: push, batch_source: stats}
  - {name: asked, type: request, schema: [{name: val, dtype: Int64}]}
  - {name: own, type: custom, class_type: a.B, timestamp_field: at}
";

fn with(text: &str) -> Repo {
    repo(&format!("{BASE}{text}"))
}

#[test]
fn views_over_streams_read_history_from_the_batch_source() {
    let repo =
        with("feature_views:\n  - {name: v, entities: [driver], source: pushed, schema: [{name: x, dtype: Int64}]}\n");
    let [view] = each::<FeatureView, 1>(&repo);
    assert_eq!(view.source.as_ref().unwrap().name, "stats");
    assert_eq!(view.stream_source.as_ref().unwrap().name, "pushed");
    assert!(view.online && !view.offline && view.enabled);
    assert_eq!(view.version, ViewVersion::Latest);
    assert_eq!(view.entity_columns[0].dtype.to_string(), "Int64");
}

#[test]
fn keys_that_feast_lacks_become_tags() {
    let repo = with(
        "feature_views:\n  - {name: v, source: null, schema: [{name: x, dtype: Int64}], renamed_from: old, version: V3}\n\
         batch_feature_views:\n  - name: b\n    source: stats\n    sql: SELECT 1\n    schema: [{name: x, dtype: Int64}]\n\
         \x20   aggregations: [{column: x, function: sum, time_window: 7d}]\n",
    );
    let [batch, plain] = each::<FeatureView, 2>(&repo);
    assert_eq!((plain.source.as_ref(), plain.version), (None, ViewVersion::Pinned(3)));
    assert_eq!(plain.tags[RENAMED_FROM_TAG], "old");
    assert!(!batch.online, "a batch view is served only when that is said");
    assert_eq!(batch.tags[SQL_TAG], "SELECT 1");
    assert_eq!(
        batch.tags[AGGREGATIONS_TAG],
        r#"[{"column":"x","function":"sum","time_window":"7d","slide_interval":"7d","name":""}]"#
    );
    assert_eq!(batch.mode, "");
}

#[test]
fn stream_views_are_lowered() {
    let repo = with(
        "stream_feature_views:\n\
         \x20 - name: s\n    source: pushed\n    schema: [{name: sum_x, dtype: Int64}]\n    timestamp_field: at\n\
         \x20   aggregations: [{column: x, function: sum, time_window: 1h, slide_interval: 10m, name: sum_x}]\n\
         \x20   enable_tiling: true\n    tiling_hop_size: 1m\n    sql: SELECT 1\n\
         \x20 - {name: c, source: own, schema: [{name: x, dtype: Int64}]}\n",
    );
    let [custom, stream] = each::<StreamFeatureView, 2>(&repo);
    assert_eq!(stream.source.as_ref().unwrap().name, "stats");
    assert_eq!(stream.stream_source.as_ref().unwrap().name, "pushed");
    assert_eq!(
        stream.aggregations,
        [Aggregation {
            column: "x".to_owned(),
            function: "sum".to_owned(),
            time_window: "1h".parse().unwrap(),
            slide_interval: "10m".parse().unwrap(),
            name: "sum_x".to_owned(),
        }]
    );
    assert_eq!(stream.tiling_hop_size, Some("1m".parse().unwrap()));
    assert_eq!(stream.tags[SQL_TAG], "SELECT 1");
    assert_eq!(custom.source.as_ref().unwrap().name, "own");
    assert_eq!(custom.stream_source, None);
}

#[test]
fn label_views_take_untyped_join_keys_for_texts() {
    let repo = with(
        "label_views:\n  - name: l\n    entities: [driver, open]\n    source: pushed\n    schema: [{name: is_fraud, dtype: Bool}]\n\
         \x20   conflict_policy: labeler_priority\n",
    );
    let [view] = each::<LabelView, 1>(&repo);
    let types: Vec<_> = view.entity_columns.iter().map(|column| column.dtype.to_string()).collect();
    assert_eq!(types, ["Int64", "String"]);
    assert_eq!(view.source.as_ref().unwrap().name, "pushed", "the source itself, not its history");
    assert_eq!((view.conflict_policy, view.labeler_field.as_str()), (ConflictPolicy::LabelerPriority, "labeler"));
    let unknown = "label_views:\n  - {name: l, schema: [{name: x, dtype: Bool}], reference_feature_view: nowhere}\n";
    let repo = with(unknown);
    let [view] = each::<LabelView, 1>(&repo);
    assert_eq!(view.reference_feature_view, "nowhere", "a warning is enough");
    assert_eq!(findings(unknown), ["there is no view `nowhere` in these definitions"]);
}

#[test]
fn on_demand_views_know_their_inputs() {
    let repo = with(
        "feature_views:\n  - {name: v, entities: [driver], source: stats, schema: [{name: x, dtype: Int64}, {name: y, dtype: Int64}]}\n\
         on_demand_feature_views:\n  - name: o\n    entities: [driver]\n    sources: [v: [y], {name: more, type: request, schema: [{name: z, dtype: Int64}]}, asked]\n\
         \x20   schema: [{name: a, dtype: Int64, sql: y + z}, {name: b, dtype: String, sql: val || v__y}]\n    track_metrics: true\n",
    );
    let [view] = each::<OnDemandFeatureView, 1>(&repo);
    let names: Vec<_> = view.sources.iter().map(OnDemandSource::name).collect();
    assert_eq!(names, ["asked", "more", "v"]);
    let OnDemandSource::View(projection) = &view.sources[2] else { panic!() };
    assert_eq!(projection.features.len(), 1);
    assert_eq!(projection.source.as_ref().unwrap().name, "stats");
    let expressions: Vec<_> = view.expressions.iter().map(|e| (e.name.as_str(), e.sql.as_str())).collect();
    assert_eq!(expressions, [("a", "y + z"), ("b", "val || v__y")]);
    assert_eq!(view.tags["feast:track_metrics"], "true");
    assert_eq!(view.entity_columns[0].name, "driver_id");
    assert!(repo.all::<DataSource>().any(|source| source.name == "more"));
    // What is not selected is not an input.
    let hidden = format!(
        "{BASE}feature_views:\n  - {{name: v, source: stats, schema: [{{name: x, dtype: Int64}}, {{name: y, dtype: Int64}}]}}\n\
         on_demand_feature_views:\n  - {{name: o, sources: [v: [y]], schema: [{{name: a, dtype: Int64, sql: x}}]}}\n"
    );
    assert_eq!(findings(&hidden), ["there is no input `x`"]);
}

#[test]
fn services_select_from_every_kind() {
    let repo = with(
        "feature_views:\n  - {name: v, source: pushed, schema: [{name: x, dtype: Int64}]}\n\
         label_views:\n  - {name: l, source: pushed, schema: [{name: is_fraud, dtype: Bool}]}\n\
         stream_feature_views:\n  - {name: s, source: pushed, schema: [{name: y, dtype: Int64}]}\n\
         on_demand_feature_views:\n  - {name: o, sources: [v], schema: [{name: z, dtype: Int64, sql: x}]}\n\
         feature_services:\n  - {name: all, features: [v, l, s, o]}\n",
    );
    let [service] = each::<FeatureService, 1>(&repo);
    let members: Vec<_> = service
        .features
        .iter()
        .map(|member| (member.view.as_str(), member.source.as_ref().map(|source| source.name.as_str()), member.labels))
        .collect();
    let stats = Some("stats");
    assert_eq!(members, [("v", stats, false), ("l", stats, true), ("s", stats, false), ("o", None, false)]);
}

#[test]
fn broken_things_are_not_reported_again_where_they_are_used() {
    let found = findings(
        "entities:\n  - {name: e, value_type: NOTHING}\n\
         data_sources:\n  - {name: s, type: nothing}\n\
         feature_views:\n  - {name: v, entities: [e], source: s, schema: [{name: x, dtype: Int64}]}\n  - {name: w, entities: [e], source: s, schema: 7}\n\
         on_demand_feature_views:\n  - {name: o, sources: [v], schema: [{name: y, dtype: Int64, sql: x}]}\n\
         feature_services:\n  - {name: f, features: [v, w, o]}\n",
    );
    assert_eq!(found.len(), 3, "{found:#?}");
}

#[test]
fn names_that_references_cannot_hold_are_refused() {
    let found = findings(
        "feature_views:\n  - {name: 'a,b', source: null, schema: [{name: 'income,<50k', dtype: Int64}]}\n  \
         - {name: v, source: null, schema: [{name: 'x:y', dtype: Int64}]}\n\
         on_demand_feature_views:\n  - {name: o, sources: [v], schema: [{name: 'a:b', dtype: Int64, sql: '1'}]}\n",
    );
    let feature = "a feature name cannot contain `:`, which references such as view:feature have between their parts";
    assert_eq!(found, ["a view name cannot contain `,`", feature, feature]);
}
