//! What a person types and sees.

use insta::assert_snapshot;

use crate::support::{Project, run, settings};

#[test]
fn the_loop_runs_on_the_example() {
    let project = Project::example();
    let plan = project.feastr(&["plan"]).ok();
    assert_snapshot!(plan.stdout, @r"
    Created project feastlocal
    Created data source driver_hourly_stats_source
    Created entity driver
    Created feature view driver_hourly_stats
    Created feature service driver_activity_v1
    Created feature service driver_activity_v2
    Created sqlite table feastlocal_driver_hourly_stats

    Plan: 6 to create, 0 to update, 0 to delete
    ");
    assert!(!project.path("data/registry.db").exists(), "plan writes nothing");
    project.feastr(&["apply"]).ok();
    assert_snapshot!(project.feastr(&["plan"]).ok().stdout, @r"
    No changes to registry
    No changes to infrastructure

    No changes: the registry holds what the definitions declare
    ");
    let rows = ["get-historical", "--entities", "data/entity_rows.csv", "--feature-service", "driver_activity_v2"];
    assert_snapshot!(project.feastr(&rows).ok().stdout, @r#"
    driver_id  event_timestamp       conv_rate  acc_rate  avg_daily_trips
    1001       2026-10-30T22:41:00Z  0.6186     0.5715    438
    1002       2026-10-31T21:12:00Z  0.7335     0.4282    288
    1003       2026-11-01T00:00:00Z  0.7853     0.0514    959
    1004       2026-09-22T00:00:00Z  -          -         -
    1099       2026-11-01T00:00:00Z  -          -         -
    "#);
    assert_snapshot!(project.feastr(&["materialize", "2026-10-01", "2026-11-01", "--quiet"]).ok().stderr, @"");
    let online = [
        "get-online",
        "--features",
        "driver_hourly_stats:conv_rate",
        "--entity",
        "driver_id=1001",
        "--entity",
        "driver_id=9",
    ];
    let answer = project.feastr(&[&online[..], &["--json"]].concat()).ok().json();
    assert_eq!(answer["results"][1]["statuses"].to_string(), r#"["OUTSIDE_MAX_AGE","NOT_FOUND"]"#);
}

#[test]
fn a_quiet_apply_says_nothing() {
    let project = Project::example();
    let output = project.feastr(&["apply", "--quiet"]).ok();
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
    assert!(project.feastr(&["plan"]).ok().stdout.contains("No changes to registry"));
    project.edit("drivers.yaml", "ttl: 1d", "ttl: 2d");
    assert!(project.feastr(&["apply", "--quiet", "--json"]).ok().json()["changes"].is_array());
}

#[test]
fn plan_shows_the_fields_that_change() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    project.edit("drivers.yaml", "ttl: 1d", "ttl: 36h");
    project.edit("drivers.yaml", "dtype: Float32, description: Share of trips without complaint", "dtype: Float64");
    project.edit(
        "drivers.yaml",
        "      - {name: avg_daily_trips, dtype: Int64, description: Average daily trips}\n",
        "",
    );
    project.edit("drivers.yaml", "description: One row per driver and hour", "description: Hourly rows");
    project.edit("services.yaml", "driver_activity_v1", "driver_activity_v3");
    let plan = project.feastr(&["plan", "--detailed-exitcode"]).refused();
    assert_snapshot!(plan.stdout, @r#"
    Updated data source driver_hourly_stats_source
    	description: One row per driver and hour -> Hourly rows
    Updated feature view driver_hourly_stats
    	features.acc_rate.dtype: Float32 -> Float64
    	features.acc_rate.description: - Share of trips without complaint
    	features.avg_daily_trips: - Int64
    	ttl: 1d -> 1d12h
    	source: copies data source driver_hourly_stats_source anew
    Deleted feature service driver_activity_v1
    Updated feature service driver_activity_v2
    	features.driver_hourly_stats.features.acc_rate.dtype: Float32 -> Float64
    	features.driver_hourly_stats.features.acc_rate.description: - Share of trips without complaint
    	features.driver_hourly_stats.features.avg_daily_trips: - Int64
    	features.driver_hourly_stats.source: copies data source driver_hourly_stats_source anew
    Created feature service driver_activity_v3
    No changes to infrastructure

    Breaks:
      changing the type of `driver_hourly_stats.acc_rate` breaks feature service `driver_activity_v2` (owner driver-performance@example.com)
      removing `driver_hourly_stats.avg_daily_trips` breaks feature service `driver_activity_v2` (owner driver-performance@example.com)

    Will be lost:
      feature service driver_activity_v1

    Blocked: apply refuses this unless it is allowed:
      update feature view driver_hourly_stats
      delete feature service driver_activity_v1
      If it is wanted:
        feastr apply --allow update:feature-view/driver_hourly_stats --allow delete:feature-service/driver_activity_v1

    Plan: 1 to create, 3 to update, 1 to delete
    "#);
    project.feastr(&["apply", "--yes"]).ok();
    project.feastr(&["plan", "--detailed-exitcode"]).ok();
}

#[test]
fn every_mistake_of_a_repo_is_shown_at_its_place() {
    let project = Project::new(&[
        ("feature_store.yaml", &settings("broken")),
        (
            "views.yaml",
            "entities:\n  - name: driver\n    join_key: driver_id\n    value_type: INT46\n\
             data_sources:\n  - name: stats\n    type: file\n    path: data/driver_stats.parqet\n    timestamp_field: event_timestamp\n\
             feature_views:\n  - name: a\n    entities: [drivr]\n    ttl: 1 day\n    source: stats\n    schema:\n      - {name: x, dtype: Flot32}\n\
             \x20 - name: A\n    source: stats\n    schema: [{name: y, dtype: Int64}]\n\
             transformations: []\n",
        ),
        ("services.yaml", "feature_services:\n  - name: s\n    features:\n      - {A: [z]}\n      - nowhere\n"),
    ]);
    let output = project.feastr(&["plan"]).failed();
    assert_snapshot!(output.stderr, @r#"
    error: feature view `A` has no feature `z`
     --> services.yaml:4:14
      |
    4 |       - {A: [z]}
      |              ^
      |
      = help: did you mean `y`?

    error: there is no feature view `nowhere`
     --> services.yaml:5:9
      |
    5 |       - nowhere
      |         ^^^^^^^
      |
      = help: there are `A`, `a`

    error: unknown key `join_key` in an entity
     --> views.yaml:3:5
      |
    3 |     join_key: driver_id
      |     ^^^^^^^^
      |
      = help: did you mean `join_keys`?

    error: `INT46` is not a type
     --> views.yaml:4:17
      |
    4 |     value_type: INT46
      |                 ^^^^^
      |
      = help: did you mean `INT64`?

    error: there is no file `data/driver_stats.parqet`
     --> views.yaml:8:11
      |
    8 |     path: data/driver_stats.parqet
      |           ^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: relative paths start at the repo, [REPO]

    error: there is no entity `drivr`
      --> views.yaml:12:16
       |
    12 |     entities: [drivr]
       |                ^^^^^
       |
       = help: did you mean `driver`?

    error: `1 day` is not a duration: write it like 90s, 12h, 1d, 2w, 1d12h, or 0 for no limit
      --> views.yaml:13:10
       |
    13 |     ttl: 1 day
       |          ^^^^^

    error: `Flot32` is not a type
      --> views.yaml:16:26
       |
    16 |       - {name: x, dtype: Flot32}
       |                          ^^^^^^
       |
       = help: did you mean `Float32`?

    error: a second view is called `A` (names may not differ in case only)
      --> views.yaml:17:11
       |
    17 |   - name: A
       |           ^
       |
       = help: the first is at views.yaml:11:11

    error: unknown key `transformations` in a definition file
      --> views.yaml:20:1
       |
    20 | transformations: []
       | ^^^^^^^^^^^^^^^
       |
       = help: there are `project`, `entities`, `data_sources`, `feature_views`, `batch_feature_views`, `stream_feature_views`, `on_demand_feature_views`, `label_views`, `feature_services`, `permissions`, `saved_datasets`, `validation_references`

    error: 10 errors in the repo; nothing was done
    "#);
    assert!(!project.path("data").exists(), "nothing is written");
}

#[test]
fn sources_are_checked_against_their_files() {
    let project = Project::example();
    project.edit("drivers.yaml", "timestamp_field: event_timestamp", "timestamp_field: driver_id");
    project.edit("drivers.yaml", "created_timestamp_column: created", "created_timestamp_column: craeted");
    project.edit("drivers.yaml", "{name: conv_rate, dtype: Float32", "{name: conv_rates, dtype: Float32");
    project.edit("drivers.yaml", "{name: acc_rate, dtype: Float32", "{name: acc_rate, dtype: String");
    let output = project.feastr(&["apply"]).failed();
    assert_snapshot!(output.stderr, @r#"
    error: column `driver_id` of `data/driver_stats.parquet` holds int64 values, not times
      --> drivers.yaml:13:22
       |
    13 |     timestamp_field: driver_id
       |                      ^^^^^^^^^
       |
       = help: there are `event_timestamp`, `created`; for times that are counted write for example `timestamp_format: epoch_seconds`

    error: `data/driver_stats.parquet` has no column `craeted`
      --> drivers.yaml:14:31
       |
    14 |     created_timestamp_column: craeted
       |                               ^^^^^^^
       |
       = help: did you mean `created`?

    error: `data/driver_stats.parquet` has no column `conv_rates`
      --> drivers.yaml:22:16
       |
    22 |       - {name: conv_rates, dtype: Float32, description: Share of offers accepted}
       |                ^^^^^^^^^^
       |
       = help: did you mean `conv_rate`?

    error: column `acc_rate` of `data/driver_stats.parquet` has float32 values, which cannot become String
      --> drivers.yaml:23:33
       |
    23 |       - {name: acc_rate, dtype: String, description: Share of trips without complaint}
       |                                 ^^^^^^
       |
       = help: declare it as Float32

    error: feature view `driver_hourly_stats` has no feature `conv_rate`
     --> services.yaml:6:31
      |
    6 |       - driver_hourly_stats: [conv_rate]
      |                               ^^^^^^^^^
      |
      = help: did you mean `conv_rates`?

    error: 5 errors in the repo; nothing was done
    "#);
    assert!(!project.path("data/registry.db").exists(), "nothing is written");
}

#[test]
fn settings_of_redis_are_checked_and_shown_without_the_password() {
    let project = Project::example();
    let write = |online: &str| {
        project.write(
            "feature_store.yaml",
            format!("project: my-project\nregistry: data/registry.db\nonline_store:\n  type: redis\n{online}"),
        );
    };
    write("  redis_type: redis_claster\n  key_ttl_seconds: -1\n  skip_dedupe: true\n");
    let output = project.feastr(&["configuration"]).failed();
    assert_snapshot!(output.stderr, @r#"
    error: there is no redis_type `redis_claster`
     --> feature_store.yaml:5:15
      |
    5 |   redis_type: redis_claster
      |               ^^^^^^^^^^^^^
      |
      = help: did you mean `redis_cluster`?

    error: key_ttl_seconds is negative, so values would vanish when they are written
     --> feature_store.yaml:6:20
      |
    6 |   key_ttl_seconds: -1
      |                    ^^
      |
      = help: leave it out or write 0 to keep values

    error: unknown key `skip_dedupe` in the settings of the Redis online store
     --> feature_store.yaml:7:3
      |
    7 |   skip_dedupe: true
      |   ^^^^^^^^^^^
      |
      = help: did you mean `skip_dedup`?

    error: 3 errors in the repo; nothing was done
    "#);
    write("  connection_string: h:7000,h:7001,pasword=s3cret\n");
    let output = project.feastr(&["configuration"]).failed();
    assert_snapshot!(output.stderr, @r#"
    error: there is no keyword `pasword` for a connection to Redis
     --> feature_store.yaml:5:22
      |
    5 |   connection_string: ****************************
      |                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: did you mean `password`?

    error: 1 error in the repo; nothing was done
    "#);
    assert!(!output.stderr.contains("s3cret"));
    write("  redis_type: redis_cluster\n  connection_string: \"h:7000,h:7001,username=u,password=s3cret,ssl=true\"\n");
    let output = project.feastr(&["configuration", "--json"]).ok();
    assert_eq!(
        output.json()["online_store"],
        serde_json::json!({
            "type": "redis", "redis_type": "redis_cluster", "connection_string": "h:7000,h:7001,ssl=true,username=u,password=***",
            "key_ttl_seconds": null, "full_scan_for_deletion": true, "skip_dedup": false,
        })
    );
    project.write("feature_store.yaml", "project: p\nregistry: data/registry.db\nonline_store: redis\n");
    assert_eq!(
        project.feastr(&["configuration", "--json"]).ok().json()["online_store"]["connection_string"],
        "localhost:6379"
    );
}

#[test]
fn settings_are_checked_where_they_are_written() {
    let project = Project::example();
    project.write(
        "feature_store.yaml",
        "project: my-project\nregistry:\n  registry_type: sql\n  path: oracle://u:secret@db/feast\nonline_store:\n  \
         type: sqllite\noffline_store: {type: duckdb, stagging_location: x}\nprovder: local\nentity_key_serialization_version: 2\n",
    );
    let output = project.feastr(&["plan"]).failed();
    assert_snapshot!(output.stderr.replace("secret", "SECRET IN THE LINE AS WRITTEN"), @r#"
    error: a registry in `oracle` is not supported yet
     --> feature_store.yaml:4:9
      |
    4 |   path: **************************
      |         ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: use sqlite:///…, postgresql://… or mysql://…

    error: online store `sqllite` is not supported yet
     --> feature_store.yaml:6:9
      |
    6 |   type: sqllite
      |         ^^^^^^^
      |
      = help: did you mean `sqlite`?

    error: unknown key `stagging_location` in the settings of the DuckDB offline store
     --> feature_store.yaml:7:31
      |
    7 | offline_store: {type: duckdb, stagging_location: *}
      |                               ^^^^^^^^^^^^^^^^^
      |
      = help: did you mean `staging_location`?

    error: unknown key `provder` in feature_store.yaml
     --> feature_store.yaml:8:1
      |
    8 | provder: *****
      | ^^^^^^^
      |
      = help: did you mean `provider`?

    error: entity key serialization version 2 is not supported
     --> feature_store.yaml:9:35
      |
    9 | entity_key_serialization_version: 2
      |                                   ^
      |
      = help: set it to 3 and materialize again: keys written with version 2 are not found under version 3

    error: 5 errors in the repo; nothing was done
    "#);
    project.write("feature_store.yaml", "project: p\nregistry: hdfs://host/registry.db\n");
    let output = project.feastr(&["plan"]).failed();
    assert_snapshot!(output.stderr, @r#"
    error: a registry in `hdfs` is not supported yet
     --> feature_store.yaml:2:11
      |
    2 | registry: hdfs://host/registry.db
      |           ^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: use a file such as data/registry.db, one in a bucket such as s3://bucket/registry.pb, or `registry_type: sql`

    error: 1 error in the repo; nothing was done
    "#);
}

#[test]
fn no_spelling_of_a_password_is_shown() {
    let project = Project::example();
    let file = "registry: data/registry.db\n";
    for (settings, told) in [
        (
            "registry: {registry_type: sql, path: \"sqlite:///r.db\", read_path: \"postgresql://u:s3cret@\", typ: x}\n",
            "unknown key `typ`",
        ),
        ("registry: {registry_type: sql, path: \"postgresql:/u:s3cret@h/db\"}\n", "path: ***"),
        ("registry: postgresql:u:s3cret@h/db\n", "`postgresql:***@h/db` is neither a file nor the URL"),
        ("registry: {registry_type: \"postgresql://u:s3cret@h/db\", path: x}\n", "registry type `***`"),
        ("registry: {registry_type: \"${URL}\", path: x}\n", "registry type `postgresql://u:***@h/db`"),
        ("registry: {postgresql://u:s3cret@h/db}\n", "unknown key `***`"),
        ("online_store: {type: postgres, host: h, database: d, user: u, passwort: s3cret}\n", "unknown key `passwort`"),
        (
            "online_store: {type: postgres, host: h, database: d, user: u, port: \"6379:s3cret\"}\n",
            "found the text `***`",
        ),
        ("online_store: {type: postgres, host: h, database: d, user: u, port: \"${WORD}\"}\n", "found a text"),
        ("online_store:\n  type: redis\n  connection_string: \"u:s3cret@host:6379\"\n", "connection_string: ***"),
        ("online_store:\n  type: redis\n  connection_string: host:6379:s3cret\n", "connection_string: ***"),
        ("online_store:\n  type: redis\n  connection_string: [s3cret]\n", "connection_string: "),
        ("online_store:\n  connection_string:host:6379:s3cret\n", "online store `***` is not supported"),
        ("online_store: \"redis://u:s3cret@host\"\n", "online store `***` is not supported"),
        ("online_store:\n  type: sqlit\n  password: s3cret\n", "type: sqlit\n"),
        ("online_store:\n  type: redis\n  password:s3cret\n", " --> feature_store.yaml:"),
        ("offline_store: {type: duckdb, token: 's3cret, s3cret}\n", " --> feature_store.yaml:"),
    ] {
        let registry = if settings.starts_with("registry") { "" } else { file };
        project.write("feature_store.yaml", format!("project: demo\n{registry}{settings}"));
        let failed = |arguments: &[&str]| {
            let mut command = project.command(arguments);
            command.envs([("URL", "postgresql://u:s3cret@h/db"), ("WORD", "s3cret")]);
            run(&mut command).failed()
        };
        let output = failed(&["configuration"]);
        assert!(output.stderr.contains(told), "{settings}{}", output.stderr);
        assert!(!output.stderr.contains("s3cret"), "{settings}{}", output.stderr);
        let output = failed(&["plan", "--format", "markdown"]);
        assert!(output.stdout.contains("error") && !output.stdout.contains("s3cret"), "{settings}{}", output.stdout);
    }
    let project = Project::example();
    for arguments in [
        ["registry", "copy", "postgresql:u:s3cret@h/db", "."].as_slice(),
        &["registry", "copy", ".", "postgresql:/u:s3cret@h/db"],
        &["registry", "copy", "u:s3cret@h://db", "."],
        &["registry", "copy", ".", ".", "postgresql://u:s3cret@h/db"],
    ] {
        let output = project.feastr(arguments).failed();
        assert!(output.stderr.contains(":***@h"), "{}", output.stderr);
        assert!(!output.stderr.contains("s3cret"), "{}", output.stderr);
    }
}

#[test]
fn entity_rows_are_checked() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    let refused = |rows: &str, extra: &[&str]| {
        project.write("rows.csv", rows);
        let mut args = vec!["get-historical", "--feature-service", "driver_activity_v1", "--entities", "rows.csv"];
        args.extend(extra);
        project.feastr(&args).failed().stderr
    };
    assert_snapshot!(refused("driver,event_timestamp\n1,2026-10-31\n", &[]), @r#"
    error: rows.csv has no join key column `driver_id`
    help: did you mean `driver`?
    "#);
    assert_snapshot!(refused("driver_id,x\n1,2\n", &[]), @r#"
    error: rows.csv has no column with times
    help: call the column with the time of each row `event_timestamp`, or give one time for all with --at
    "#);
    assert_snapshot!(refused("driver_id,event_timestamp\n1,2026-10-31\nx,2026-10-31\n", &[]), @"error: line 3 of rows.csv, column `driver_id`: `x` is not an Int64");
    assert_snapshot!(refused("driver_id,event_timestamp\n1,2026-10-31\n2,soon\n", &[]), @r#"
    error: line 3 of rows.csv, column `event_timestamp`: `soon` is not a time
    help: write times like 2026-01-31T12:00:00Z; without a zone they are UTC; a source may declare a `timestamp_format`
    "#);
    assert_snapshot!(refused("driver_id,event_timestamp,conv_rate\n1,2026-10-31,1\n", &[]), @r#"
    error: rows.csv has a column `conv_rate`, and so would the result
    help: use --full-feature-names, or rename the column
    "#);
    assert_snapshot!(refused("driver_id,event_timestamp\n1,2026-10-31\n", &["-o", "out.xlsx"]), @r#"
    error: the ending of out.xlsx says no format
    help: end it with .parquet, .csv, .jsonl or .arrow, or give --format
    "#);
}

#[test]
fn who_materializes_nothing_is_told_so() {
    let settings = "project: shop\nregistry: registry.db\nonline_store: {type: sqlite, path: online.db}\n";
    let definitions = "entities:\n  - {name: driver, join_keys: [driver_id]}\n";
    let project = Project::new(&[("feature_store.yaml", settings), ("definitions.yaml", definitions)]);
    project.feastr(&["apply"]).ok();
    let said = project.feastr(&["materialize-incremental", "now"]).ok().stderr;
    assert_snapshot!(said, @"warning: there is no view to write: none that may be seen is enabled and served online");
}

#[test]
fn times_and_names_are_checked() {
    let project = Project::example();
    let stderr = |args: &[&str]| project.feastr(args).failed().stderr;
    assert_snapshot!(stderr(&["materialize-incremental", "now"]), @r#"
    error: project feastlocal is not in the registry [REPO]/data/registry.db
    help: run `feastr apply` first
    "#);
    assert_snapshot!(stderr(&["get-online", "--features", "driver_hourly_stats:conv_rate", "--entity", "driver_id=1"]), @r#"
    error: the registry [REPO]/data/registry.db is empty
    help: run `feastr apply` first
    "#);
    project.feastr(&["apply"]).ok();
    assert_snapshot!(stderr(&["materialize", "2026-11-01", "2026-10-01"]), @r#"
    error: the start 2026-11-01T00:00:00Z is after the end 2026-10-01T00:00:00Z
    help: swap them: materialize START END
    "#);
    assert_snapshot!(stderr(&["materialize", "yesterday", "now"]), @"error: `yesterday` is not a time: write it like 2026-01-31T12:00:00 (UTC unless a zone is given), 2026-01-31, now or -7d");
    assert_snapshot!(stderr(&["materialize", "2026-10-01", "2026-11-01", "-v", "driver_hourly_stat"]), @r#"
    error: there is no feature view `driver_hourly_stat`
    help: did you mean `driver_hourly_stats`?
    "#);
    assert_snapshot!(stderr(&["get-online", "--features", "driver_hourly_stats:conv", "--entity", "driver_id=1"]), @r#"
    error: feature view `driver_hourly_stats` has no feature `conv`
    help: did you mean `conv_rate`?
    "#);
    assert_snapshot!(stderr(&["get-online", "--feature-service", "driver_activity_v1", "--entity", "driver=1"]), @r#"
    error: no requested feature has the join key `driver`
    help: did you mean `driver_id`?
    "#);
    assert_snapshot!(stderr(&["get-online", "--feature-service", "driver_activity_v1", "--entity", "driver_id=x"]), @"error: `x`, the join key `driver_id` of entity 1, is not an Int64");
    assert_snapshot!(stderr(&["feature-views", "describe", "driver_hourly"]), @r#"
    error: there is no feature view `driver_hourly` in the registry
    help: did you mean `driver_hourly_stats`?
    "#);
    assert_snapshot!(stderr(&["teardown"]), @r#"
    Project feastlocal has:
      1 × project
      1 × data source
      1 × entity
      1 × feature view
      2 × feature service
      online table feastlocal_driver_hourly_stats
    error: removing a project needs a yes
    help: use --yes where nobody can be asked
    "#);
}

#[test]
fn teardown_leaves_other_projects_alone() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    project.edit("feature_store.yaml", "project: feastlocal", "project: other");
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", "2026-10-01", "2026-11-01"]).ok();
    project.edit("feature_store.yaml", "project: other", "project: feastlocal");
    project.feastr(&["teardown", "--yes"]).ok();
    let left = project.feastr(&["projects", "list", "--json"]).ok().json();
    assert_eq!(left.as_array().unwrap().len(), 1);
    project.edit("feature_store.yaml", "project: feastlocal", "project: other");
    let online = ["get-online", "--feature-service", "driver_activity_v1", "--entity", "driver_id=1001", "--json"];
    let answer = project.feastr(&online).ok().json();
    assert_eq!(answer["results"][1]["statuses"][0], "OUTSIDE_MAX_AGE");
    project.feastr(&["plan", "--detailed-exitcode"]).ok();
}

#[test]
fn init_makes_the_example_with_fresh_data() {
    let project = Project::new(&[]);
    project.feastr(&["init", "my-repo"]).ok();
    project.feastr(&["init", "my-repo"]).failed();
    for command in [vec!["apply"], vec!["materialize-incremental", "now"]] {
        project.feastr(&[&["-c", "my-repo"][..], &command].concat()).ok();
    }
    let online = [
        "-c",
        "my-repo",
        "get-online",
        "--feature-service",
        "driver_activity_v2",
        "--entity",
        "driver_id=1001",
        "--request",
        "val_to_add=1,val_to_add_2=10",
        "--json",
    ];
    let answer = project.feastr(&online).ok().json();
    assert_eq!(answer["results"][1]["statuses"][0], "PRESENT");
    let definitions = std::fs::read_to_string(project.path("my-repo/drivers.yaml")).unwrap();
    assert_eq!(definitions, include_str!("../../examples/feature_repo/drivers.yaml"));
    assert_eq!(project.read("my-repo/feastr.schema.json"), project.feastr(&["schema"]).ok().stdout);
}

#[test]
fn every_command_has_help_with_examples() {
    let project = Project::new(&[]);
    let help = project.feastr(&["--help"]).ok().stdout;
    for command in
        ["init", "plan", "apply", "materialize", "materialize-incremental", "get-historical", "get-online", "teardown"]
    {
        assert!(help.contains(command), "{command}");
        let own = project.feastr(&[command, "--help"]).ok().stdout;
        assert!(own.contains("feastr ") && own.contains("Example"), "{own}");
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(project.feastr(&["completions", shell]).ok().stdout.contains("materialize-incremental"));
    }
    project.feastr(&["no-such-command"]).failed();
    assert_eq!(project.feastr(&["version"]).ok().stdout, "feastr 0.1.0 (formats of Feast 0.67)\n");
}
