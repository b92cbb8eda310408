//! What the commands show of recorded objects of every kind: pages that one knows word by word, and so always those of
//! this repository's own recording.

use std::fs;

use insta::assert_snapshot;

use super::recording::Recording;
use crate::support::Project;

/// A repo whose registry has the recorded rows.
fn kinds() -> Project {
    let recording = Recording::kinds();
    recording.restore();
    let project = Project { folder: recording.folder, environment: Vec::new() };
    let settings = "project: kinds\nregistry: {registry_type: sql, path: sqlite:///registry.db}\nonline_store: {type: sqlite, \
                    path: online.db}\noffline_store: {type: duckdb}\nentity_key_serialization_version: 3\n";
    fs::write(project.path("feature_store.yaml"), settings).unwrap();
    project
}

#[test]
fn every_kind_is_listed() {
    let project = kinds();
    let list = |kind: &str| project.feastr(&[kind, "list"]).ok().stdout;
    assert_snapshot!(list("data-sources"), @r#"
    NAME                 TYPE       LOCATION
    athena               athena     d.t
    avro_kafka           kafka      a:9092/t
    bigquery             bigquery   p.d.t
    bigquery_date        bigquery   -
    delta_file           file       s3://bucket/t
    pg_query             postgres   SELECT 'é' AS a, "b" FROM t
    pg_table             postgres   public.rides
    public.unnamed       postgres   public.unnamed
    redshift             redshift   d.s.t
    request              request    tip, words
    rides_file           file       data/rides.parquet
    rides_kafka          kafka      a:9092,b:9092/rides
    rides_kinesis        kinesis    eu-west-1/rides
    rides_push           push       history in rides_file
    rides_push_of_table  push       history in rides_file
    snowflake            snowflake  D.S.T
    spark                spark      s3://bucket/rides
    spark_table          spark      rides
    trino                trino      c.s.t
    "#);
    assert_snapshot!(list("feature-views"), @r#"
    NAME            TYPE    ENTITIES  FEATURES  TTL  ONLINE  MATERIALIZED UNTIL
    pinned          plain   rider     2         0    yes     -
    pushed_stream   stream  city      1         0    yes     -
    rider_bigquery  plain   rider     2         0    yes     -
    rider_live      plain   rider     2         0    no      -
    rider_pg        plain   rider     2         2h   yes     -
    rider_pushed    plain   rider     2         0    yes     -
    rider_rides     plain   rider     2         1d   yes     -
    rider_spark     plain   rider     2         0    yes     -
    rider_stream    stream  rider     2         3h   yes     -
    tiled_stream    stream  rider     2         0    yes     -
    udf_stream      stream  rider     2         0    yes     -
    "#);
    assert_snapshot!(list("stream-feature-views"), @r#"
    NAME           TYPE    ENTITIES  FEATURES  TTL  ONLINE  MATERIALIZED UNTIL
    pushed_stream  stream  city      1         0    yes     -
    rider_stream   stream  rider     2         3h   yes     -
    tiled_stream   stream  rider     2         0    yes     -
    udf_stream     stream  rider     2         0    yes     -
    "#);
    assert_snapshot!(list("on-demand-feature-views"), @r#"
    NAME  SOURCES               FEATURES    WRITTEN IN
    tips  rider_rides, request  tip_per_km  Python
    "#);
    assert_snapshot!(list("label-views"), @r#"
    NAME         ENTITIES  LABELS             SOURCE      CONFLICTS
    ride_labels  rider     is_fraud, labeler  rides_push  majority_vote
    "#);
    assert_snapshot!(list("permissions"), @r#"
    NAME          TYPES                        NAME PATTERNS  ACTIONS                    POLICY                     REQUIRED TAGS
    by_both       FeatureView                  -              WRITE_ONLINE               groups g; namespaces n, m  -
    by_group      Entity                       -              DESCRIBE                   groups g                   -
    by_namespace  FeatureView                  -              all                        namespaces n               -
    by_role       FeatureView, FeatureService  rider_.*, x    READ_OFFLINE, READ_ONLINE  roles a, b                 pii:no
    everybody     all                          -              all                        everybody                  -
    "#);
    assert_snapshot!(list("saved-datasets"), @r#"
    NAME         FEATURES              JOIN KEYS  STORAGE                DESCRIPTION
    in_bigquery  -                     -          bigquery p.d.t
    in_postgres  rider_rides:distance  rider_id   postgres public.t
    in_spark     -                     -          spark s3://b/x
    training     rider_rides:distance  rider_id   data/training.parquet  of May
    "#);
    assert_snapshot!(list("validation-references"), @r#"
    NAME  DATASET   DESCRIPTION
    sane  training  as in May
    "#);
    assert_snapshot!(list("features"), @r#"
    FEATURE     VIEW            TYPE     SERVICES
    distance    pinned          Float32  -
    rides       pinned          Int64    -
    rides       pushed_stream   Int64    -
    is_fraud    ride_labels     Int64    everything, plain
    labeler     ride_labels     String   everything
    distance    rider_bigquery  Float32  -
    rides       rider_bigquery  Int64    -
    distance    rider_live      Float32  -
    rides       rider_live      Int64    -
    distance    rider_pg        Float32  -
    rides       rider_pg        Int64    -
    distance    rider_pushed    Float32  everything
    rides       rider_pushed    Int64    everything
    distance    rider_rides     Float32  everything, plain
    rides       rider_rides     Int64    plain
    distance    rider_spark     Float32  -
    rides       rider_spark     Int64    -
    distance    rider_stream    Float32  everything, plain
    rides       rider_stream    Int64    everything, plain
    distance    tiled_stream    Float32  -
    rides       tiled_stream    Int64    -
    tip_per_km  tips            Float64  everything
    distance    udf_stream      Float32  -
    rides       udf_stream      Int64    -
    "#);
}

#[test]
fn every_kind_is_described() {
    let project = kinds();
    let describe = |kind: &str, name: &str| project.feastr(&[kind, "describe", name, "--json"]).ok().json();
    for (kind, name) in [
        ("data-sources", "rides_kafka"),
        ("feature-views", "rider_stream"),
        ("stream-feature-views", "rider_stream"),
        ("on-demand-feature-views", "tips"),
        ("label-views", "ride_labels"),
        ("permissions", "by_role"),
        ("saved-datasets", "in_postgres"),
        ("validation-references", "sane"),
    ] {
        let described = describe(kind, name);
        let spec = described.get("spec").unwrap_or(&described);
        assert_eq!(spec["name"], name, "{kind}");
    }
    assert_snapshot!(project.feastr(&["features", "describe", "rider_rides:distance"]).ok().stdout, @r#"
    - name: distance
      view: rider_rides
      kind: feature_view
      dtype: Float32
      description: in km
      tags:
        unit: km
      services:
      - everything
      - plain
    "#);
    assert_eq!(describe("features", "is_fraud")[0]["services"], serde_json::json!(["everything", "plain"]));
    assert_snapshot!(project.feastr(&["features", "describe", "distanc"]).failed().stderr, @r#"
    error: there is no feature `distanc` in the registry
    help: did you mean `distance`?
    "#);
}

#[test]
fn what_cannot_be_read_is_said() {
    let project = kinds();
    fs::write(project.path("rows.csv"), "rider_id,event_timestamp\n1,2026-01-01T00:00:00Z\n").unwrap();
    let refused = |feature: &str| {
        project.feastr(&["get-historical", "--entities", "rows.csv", "--features", feature]).failed().stderr
    };
    assert_snapshot!(refused("rider_pg:distance"), @r#"
    error: data source `pg_query` is in PostgreSQL, and nothing says on which server
    help: write `connection_ref: {provider: env, name: VARIABLE}` in it, with the environment variable that has its URL, or `offline_store: {type: postgres, …}` in feature_store.yaml
    "#);
    assert_snapshot!(refused("rider_spark:distance"), @"error: data source `spark` is of type spark, which is not supported yet");
    assert_snapshot!(refused("rider_bigquery:distance"), @"error: data source `bigquery` is of type bigquery, which is not supported yet");
    assert_snapshot!(refused("udf_stream:distance"), @"error: stream feature view udf_stream cannot be served: its transformation is a Python function");
    assert_snapshot!(refused("tips:tip_per_km"), @r"
    error: on demand feature view tips cannot be served: its transformation is a Python function, which feastr does not run
    help: `feastr import --translate-python` makes SQL of it where that gives the same values; or ask for the features that it is computed from
    ");
    assert_snapshot!(refused("ride_labels:is_fraud"), @"error: `ride_labels` is a label view, and reading labels is not supported yet");
    assert_snapshot!(refused("rider_pushed:distance"), @r#"
    error: there is no file `data/rides.parquet`
    help: relative paths start at the repo, [REPO]
    "#);
    let materialize =
        |view: &str| project.feastr(&["materialize", "2026-01-01", "2026-11-01", "--views", view]).failed().stderr;
    assert_snapshot!(materialize("ride_labels"), @"error: label view ride_labels cannot be materialized: labels are pushed");
}
