//! Batch and stream views: what they compute of their sources, what is wrong with that, and what Python Feast makes of them.

use insta::assert_snapshot;
use serde_json::json;

use crate::{
    interop::feast,
    support::{Project, settings},
};

/// The example repo with these views over its source.
fn over_the_example(views: &str) -> Project {
    let project = Project::example();
    project.write("views.yaml", views);
    project
}

const WEEKLY: &str = "\
batch_feature_views:
  - name: weekly
    entities: [driver]
    source: driver_hourly_stats_source
    online: true
    aggregations:
      - {column: avg_daily_trips, function: sum, time_window: 7d}
      - {column: avg_daily_trips, function: count_distinct, time_window: 1d, name: different}
      - {column: conv_rate, function: mean, time_window: 7d, name: rate}
    schema:
      - {name: sum_avg_daily_trips_604800s, dtype: Int64}
      - {name: different, dtype: Int32}
      - {name: rate, dtype: Float64}
  - name: daily
    entities: [driver]
    source: driver_hourly_stats_source
    online: true
    sql: |
      -- Each day is known when it is over.
      SELECT driver_id, date_trunc('day', event_timestamp) + INTERVAL 1 DAY AS event_timestamp, max(created) AS created,
             CAST(sum(avg_daily_trips) AS BIGINT) AS trips, 'driver ' || driver_id AS title
      FROM source GROUP BY ALL
    schema:
      - {name: trips, dtype: Int64}
      - {name: title, dtype: String}
";

#[test]
fn what_is_served_is_what_was_known_and_python_feast_reads_it() {
    let project = over_the_example(WEEKLY);
    project.feastr(&["apply", "-q"]).ok();
    project
        .feastr(&["materialize", "2026-10-18", "2026-10-25T12:30", "--views", "weekly", "daily", "-q", "--chunk", "5d"])
        .ok();
    let features =
        ["weekly:sum_avg_daily_trips_604800s", "weekly:different", "weekly:rate", "daily:trips", "daily:title"];
    let entities = ["driver_id=1001", "driver_id=1002", "driver_id=1099"];
    let entities = entities.iter().flat_map(|entity| ["--entity", entity]);
    let asked: Vec<&str> = ["--features"].into_iter().chain(features).chain(entities).collect();
    let online = project.feastr(&[&["get-online", "--json"], asked.as_slice()].concat()).ok().json();
    let known = [&["get-historical", "--at", "2026-10-25T12:30", "--format", "jsonl"], asked.as_slice()].concat();
    let known = project.feastr(&known).ok().stdout;
    let known: Vec<serde_json::Value> = known.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names = online["metadata"]["feature_names"].as_array().unwrap();
    assert!(known[0]["different"].as_i64().unwrap() > 1 && known[1]["rate"].as_f64().unwrap() > 0.1, "{known:?}");
    for (name, result) in names.iter().zip(online["results"].as_array().unwrap()).skip(1) {
        let values: Vec<_> = known.iter().map(|row| &row[name.as_str().unwrap()]).collect();
        let close = |(one, other): (&serde_json::Value, &&serde_json::Value)| match (one.as_f64(), other.as_f64()) {
            // Summands may come in another order.
            (Some(one), Some(other)) => (one - other).abs() < 1e-9,
            _ => one == *other,
        };
        assert!(result["values"].as_array().unwrap().iter().zip(&values).all(close), "{name}: {result} {values:?}");
    }
    let entities = json!([{ "driver_id": 1001 }, { "driver_id": 1002 }, { "driver_id": 1099 }]);
    let [answer] =
        feast(&project, &[json!({ "online": { "features": features, "entities": entities } })]).try_into().unwrap();
    for (name, result) in names.iter().zip(online["results"].as_array().unwrap()) {
        let theirs = &answer[name.as_str().unwrap()];
        for part in ["values", "statuses"] {
            assert_eq!(theirs[part], result[part], "{part} of {name}");
        }
    }
    // To Feast the views are what it stores itself.
    project.feastr(&["plan", "--detailed-exitcode"]).ok();
}

#[test]
fn mistakes_are_shown_where_they_are() {
    let project = over_the_example(
        "\
batch_feature_views:
  - name: a
    entities: [driver]
    source: driver_hourly_stats_source
    schema: [{name: x, dtype: Int64}]
    sql: |
      SELECT driver_id, event_timestamp, created,
             conv_rat AS x
      FROM source
  - name: b
    entities: [driver]
    source: driver_hourly_stats_source
    schema: [{name: x, dtype: Int64}]
    sql: SELECT driver_id, event_timestamp, created, 'ü' AS x FROM source WHERE created < now()
  - name: c
    entities: [driver]
    source: driver_hourly_stats_source
    schema: [{name: trips, dtype: Int64}]
    sql: SELECT * FROM driver_hourly_stats_source
  - name: d
    entities: [driver]
    source: driver_hourly_stats_source
    schema: [{name: x, dtype: Int64}]
    sql: \"SELECT *, [conv_rate] AS x FROM source\"
  - name: e
    entities: [driver]
    source: driver_hourly_stats_source
    schema: [{name: sum_conv_rate_3600s, dtype: Float64}, {name: best, dtype: Float64}, {name: more, dtype: Int64}]
    aggregations:
      - {column: conv_rate, function: sum, time_window: 1h}
      - {column: acc_rat, function: max, name: best}
  - name: f
    entities: [driver]
    source: driver_hourly_stats_source
    schema: [{name: sum_conv_rate_3600s, dtype: Float64}, {name: best, dtype: Float64}]
    aggregations:
      - {column: conv_rate, function: sum, time_window: 1h}
      - {column: acc_rat, function: max, name: best}
  - name: g
    entities: [driver]
    source: driver_hourly_stats_source
    schema: [{name: x, dtype: Int64}]
    aggregations: [{column: conv_rate, function: total, name: x}]
",
    );
    assert_snapshot!(project.feastr(&["plan"]).failed().stderr, @r#"
    error: Referenced column "conv_rat" not found in FROM clause
     --> views.yaml:8:14
      |
    8 |              conv_rat AS x
      |              ^^^^^^^^
      |
      = help: Candidate bindings: "conv_rate", "acc_rate", "created", "avg_daily_trips", "event_timestamp"

    error: `now` depends on when it is called
      --> views.yaml:14:91
       |
    14 |     sql: SELECT driver_id, event_timestamp, created, 'ü' AS x FROM source WHERE created < now()
       |                                                                                           ^^^^^
       |
       = help: its result would be another one each time; take times and values from the rows

    error: the result of the query has no column `trips`
      --> views.yaml:19:10
       |
    19 |     sql: SELECT * FROM driver_hourly_stats_source
       |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: there are `event_timestamp`, `driver_id`, `conv_rate`, `acc_rate`, `avg_daily_trips`, `created`

    error: cannot read what is computed of feature view `d`: column `x` holds list of float32 values, which cannot become Int64
      --> views.yaml:24:10
       |
    24 |     sql: "SELECT *, [conv_rate] AS x FROM source"
       |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    error: no aggregation gives feature `more`
      --> views.yaml:28:96
       |
    28 |     schema: [{name: sum_conv_rate_3600s, dtype: Float64}, {name: best, dtype: Float64}, {name: more, dtype: Int64}]
       |                                                                                                ^^^^
       |
       = help: there are `sum_conv_rate_3600s`, `best`

    error: there is no column `acc_rat` to be aggregated
      --> views.yaml:38:9
       |
    38 |       - {column: acc_rat, function: max, name: best}
       |         ^
       |
       = help: did you mean `acc_rate`?

    error: there is no aggregate function `total`
      --> views.yaml:43:50
       |
    43 |     aggregations: [{column: conv_rate, function: total, name: x}]
       |                                                  ^^^^^
       |
       = help: there are sum, count, min, max, mean, avg, count_distinct, nunique, std, stddev, var, variance, first, last

    error: 7 errors in the repo; nothing was done
    "#);
    // The text of a query can be looked at without its source.
    std::fs::remove_file(project.path("data/driver_stats.parquet")).unwrap();
    assert_snapshot!(project.feastr(&["plan", "--skip-source-validation"]).failed().stderr, @r#"
    error: `now` depends on when it is called
      --> views.yaml:14:91
       |
    14 |     sql: SELECT driver_id, event_timestamp, created, 'ü' AS x FROM source WHERE created < now()
       |                                                                                           ^^^^^
       |
       = help: its result would be another one each time; take times and values from the rows

    error: there is no aggregate function `total`
      --> views.yaml:43:50
       |
    43 |     aggregations: [{column: conv_rate, function: total, name: x}]
       |                                                  ^^^^^
       |
       = help: there are sum, count, min, max, mean, avg, count_distinct, nunique, std, stddev, var, variance, first, last

    error: 2 errors in the repo; nothing was done
    "#);
}

#[test]
fn what_is_checked_of_a_source_is_checked_of_what_its_query_gives() {
    let project = Project::new(&[
        ("feature_store.yaml", &settings("p")),
        ("data/rows.jsonl", "{\"at\": \"2026-01-01T00:00:00Z\", \"raw\": 1}\n{\"at\": \"2026-01-02T00:00:00Z\", \"raw\": 2}\n"),
        (
            "definitions.yaml",
            "\
batch_feature_views:
  - name: total
    source: {name: rows, type: file, path: data/rows.jsonl, file_format: json, timestamp_field: at, field_mapping: {raw: x}}
    online: true
    schema: [{name: x, dtype: Int64}]
    sql: SELECT \"at\", sum(x) OVER (ORDER BY \"at\") AS x FROM rows WHERE x > 1
    materialize: {checks: {min_rows: 2}}
",
        ),
    ]);
    project.feastr(&["apply", "-q"]).ok();
    let materialize = ["materialize", "2026-01-01", "2026-01-03"];
    assert_snapshot!(project.feastr(&materialize).failed().stderr, @r#"
    total: failed: its source has 1 row from 2026-01-01T00:00:00Z to 2026-01-03T00:00:00Z, and at least 2 are wanted
    error: total: its source has 1 row from 2026-01-01T00:00:00Z to 2026-01-03T00:00:00Z, and at least 2 are wanted
    help: look whether the source was written; `min_rows` in the view's checks is the limit
    "#);
    project.edit("definitions.yaml", "WHERE x > 1", "");
    assert_snapshot!(project.feastr(&["plan"]).ok().stdout, @r#"
    Updated feature view total
    	sql: SELECT "at", sum(x) OVER (ORDER BY "at") AS x FROM rows WHERE x > 1 -> SELECT "at", sum(x) OVER (ORDER BY "at") AS x FROM rows
    No changes to infrastructure

    Plan: 0 to create, 1 to update, 0 to delete
    "#);
    project.feastr(&["apply", "-q"]).ok();
    project.feastr(&materialize).ok();
    assert_snapshot!(project.feastr(&["get-online", "--features", "total:x"]).ok().stdout, @r#"
    x
    3
    "#);
    let asked = ["get-historical", "--features", "total:x", "--start", "2026-01-01", "--end", "2026-01-03"];
    assert_snapshot!(project.feastr(&asked).ok().stdout, @r#"
    event_timestamp       x
    2026-01-01T00:00:00Z  1
    2026-01-02T00:00:00Z  3
    "#);
}

#[test]
fn drift_tries_what_views_compute() {
    let project = over_the_example(WEEKLY);
    project.feastr(&["apply", "-q"]).ok();
    project.feastr(&["drift"]).ok();
    project.edit("drivers.yaml", "data/driver_stats.parquet", "data/other.csv\n    file_format: csv");
    project
        .write("data/other.csv", "driver_id,event_timestamp,created,conv_rate,acc_rate\n1,2026-01-01,2026-01-01,1,1\n");
    project.feastr(&["apply", "-q", "--skip-source-validation", "--yes"]).ok();
    let found = project.feastr(&["drift"]);
    assert_eq!(found.code, 2, "{}", found.stderr);
    let about = found.stdout.lines().filter(|line| line.contains("weekly") || line.contains("daily"));
    assert_snapshot!(about.collect::<Vec<_>>().join("\n"), @r#"
    feature view driver_hourly_stats needs column `avg_daily_trips`, which `data/other.csv` has no more
    feature view daily cannot be computed any more: Referenced column "avg_daily_trips" not found in FROM clause
    feature view weekly cannot be computed any more: there is no column `avg_daily_trips` to be aggregated
    "#);
}

#[test]
fn stream_views_compute_of_their_history() {
    let project = over_the_example(
        "\
data_sources:
  - {name: pushed, type: push, batch_source: driver_hourly_stats_source}
stream_feature_views:
  - name: streamed
    entities: [driver]
    source: pushed
    timestamp_field: created
    aggregations: [{column: avg_daily_trips, function: count, time_window: 1d, slide_interval: 1h}]
    enable_tiling: true
    schema: [{name: count_avg_daily_trips_86400s, dtype: Int64}]
  - name: of_another_engine
    entities: [driver]
    source: pushed
    timestamp_field: event_timestamp
    aggregations: [{column: avg_daily_trips, function: median, time_window: 1d}]
    schema: [{name: avg_daily_trips, dtype: Int64}]
",
    );
    assert_snapshot!(project.feastr(&["plan"]).ok().stderr, @r#"
    warning: aggregates go by `event_timestamp`, the event times of source `driver_hourly_stats_source`
     --> views.yaml:7:22
      |
    7 |     timestamp_field: created
      |                      ^^^^^^^
      |
      = help: name that column in the view's `timestamp_field`

    warning: there is no aggregate function `median`
      --> views.yaml:15:56
       |
    15 |     aggregations: [{column: avg_daily_trips, function: median, time_window: 1d}]
       |                                                        ^^^^^^
       |
       = help: did you mean `mean`?

    warning: no aggregation gives feature `avg_daily_trips`
      --> views.yaml:16:21
       |
    16 |     schema: [{name: avg_daily_trips, dtype: Int64}]
       |                     ^^^^^^^^^^^^^^^
       |
       = help: there is only `median_avg_daily_trips_86400s`
    "#);
    project.feastr(&["apply", "-q"]).ok();
    let asked = |features: &str| {
        let asked =
            ["get-historical", "--features", features, "--entity", "driver_id=1001", "--at", "2026-10-25T12:30"];
        project.feastr(&asked)
    };
    assert_snapshot!(asked("streamed:count_avg_daily_trips_86400s").ok().stdout, @r#"
    driver_id  event_timestamp       count_avg_daily_trips_86400s
    1001       2026-10-25T12:30:00Z  24
    "#);
    assert_snapshot!(asked("of_another_engine:avg_daily_trips").failed().stderr, @r#"
    error: cannot compute feature view `of_another_engine`: feature `avg_daily_trips` is none of its aggregates, which are median_avg_daily_trips_86400s
    help: call the feature so, or give the aggregation this `name`
    "#);
}
