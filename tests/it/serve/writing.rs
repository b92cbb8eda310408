//! Rows that are pushed to a server, or written to one of its views: what is stored, and what is refused.

use std::{path::Path, thread};

use serde_json::{Value as Json, json};

use super::server::{FeatureServer, Response};
use crate::{
    servers::redis::RedisServer,
    support::{Project, settings},
};

/// A push source before the history of drivers, whose times have names of their own; views that it feeds, one that it does
/// not, and computed ones.
const DEFINITIONS: &str = "\
entities: [{name: driver, join_keys: [driver_id], value_type: INT64}]
data_sources:
  - {name: stats, type: file, path: data/driver_stats.parquet, timestamp_field: event_timestamp,
     created_timestamp_column: created}
  - {name: stats_push, type: push, batch_source: stats}
  - {name: moods, type: file, file_format: csv, path: data/moods.csv, timestamp_field: at, created_timestamp_column: noted,
     field_mapping: {raw_mood: mood}}
feature_views:
  - name: fresh
    entities: [driver]
    schema: [{name: conv_rate, dtype: Float32}, {name: avg_daily_trips, dtype: Int64}]
    source: stats_push
  - name: trips
    entities: [driver]
    schema: [{name: avg_daily_trips, dtype: Int64}]
    source: stats_push
  - name: moods
    entities: [driver]
    schema: [{name: mood, dtype: String}, {name: since, dtype: UnixTimestamp}, {name: scores, dtype: Array(Float64)}]
    source: moods
  - {name: hidden, entities: [driver], online: false, schema: [{name: mood, dtype: String}], source: moods}
on_demand_feature_views:
  - {name: kept, entities: [driver], sources: [fresh], write_to_online_store: true, schema: [
      {name: twice, dtype: Int64, sql: avg_daily_trips * 2}]}
  - {name: asked, sources: [fresh], schema: [{name: thrice, dtype: Int64, sql: avg_daily_trips * 3}]}
";

pub const SQLITE: &str = "online_store:\n  type: sqlite\n  path: data/online_store.db\n";

/// A repo with these definitions, applied, whose values are in a store.
pub fn applied(online_store: &str) -> Project {
    let settings = settings("demo").replace(SQLITE, online_store);
    let project = Project::new(&[("feature_store.yaml", &settings), ("definitions.yaml", DEFINITIONS)]);
    let history = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/feature_repo/data/driver_stats.parquet");
    project.copy(&history, "data/driver_stats.parquet");
    project.write(
        "data/moods.csv",
        "driver_id,raw_mood,since,scores,at,noted\n1,calm,2025-01-01,[1],2025-01-01,2025-01-02\n",
    );
    project.feastr(&["apply"]).ok();
    project
}

/// Runs a test over both kinds of stores.
fn on_both(test: fn(&FeatureServer<'_>)) {
    let redis = RedisServer::start("");
    for online_store in [SQLITE.to_owned(), redis.settings(0)] {
        let project = applied(&online_store);
        test(&FeatureServer::start(&project, &[]));
    }
}

/// Rows of two drivers, of whom the first has an older one, too.
fn frame() -> Json {
    json!({
        "driver_id": [1001, 1002, 1001],
        "event_timestamp": ["2025-01-02T10:00:00+00:00", "2025-01-02T10:00:00+00:00", "2025-01-02T09:00:00"],
        "created": ["2025-01-03T00:00:00+00:00", "2025-01-03T00:00:00+00:00", "2025-01-03T00:00:00+00:00"],
        "conv_rate": [0.5, null, 0.125],
        "acc_rate": [0.75, null, 1.0],
        "avg_daily_trips": [11, 22, 33],
    })
}

/// The same with another column.
fn with(column: &str, values: Json) -> Json {
    let mut frame = frame();
    frame[column] = values;
    frame
}

fn without(column: &str) -> Json {
    let mut frame = frame();
    frame.as_object_mut().unwrap().remove(column);
    frame
}

fn push_body(frame: Json) -> Json {
    json!({ "push_source_name": "stats_push", "df": frame })
}

fn write_body(view: &str, frame: Json) -> Json {
    json!({ "feature_view_name": view, "df": frame })
}

fn push(server: &FeatureServer<'_>, frame: Json) -> Response {
    server.ask("POST", "/push", &push_body(frame).to_string())
}

fn write(server: &FeatureServer<'_>, view: &str, frame: Json) -> Response {
    server.ask("POST", "/write-to-online-store", &write_body(view, frame).to_string())
}

/// The values of a feature of drivers 1001 and 1002.
fn values(server: &FeatureServer<'_>, feature: &str) -> Json {
    let body = json!({ "features": [feature], "entities": { "driver_id": [1001, 1002] } });
    server.features(&body).ok().column(feature.split(':').next_back().unwrap())["values"].clone()
}

fn history(project: &Project) -> usize {
    std::fs::read_dir(project.path("data/driver_stats.parquet.d")).map_or(0, Iterator::count)
}

#[test]
fn pushed_rows_are_served() {
    on_both(|server| {
        let done = push(server, frame()).ok();
        assert_eq!((done.body.as_str(), done.header("content-length")), ("", Some("0")));
        assert_eq!(values(server, "fresh:conv_rate"), json!([0.5, null]));
        assert_eq!(values(server, "trips:avg_daily_trips"), json!([11, 22]));
        assert_eq!([values(server, "kept:twice"), values(server, "asked:thrice")], [json!([22, 44]), json!([33, 66])]);
        // Older rows stay away, those of the same moment correct it, and more columns do no harm.
        push(server, with("event_timestamp", json!(["2025-01-01", "2025-01-01", "2025-01-01"]))).ok();
        assert_eq!(values(server, "trips:avg_daily_trips"), json!([11, 22]));
        let corrected = json!({ "driver_id": [1001], "event_timestamp": ["2025-01-02T10:00:00.000"], "created": [null],
            "conv_rate": [0.25], "avg_daily_trips": [12], "mood": [{ "x": [1] }] });
        push(server, corrected).ok();
        assert_eq!(
            [values(server, "trips:avg_daily_trips"), values(server, "kept:twice")],
            [json!([12, 22]), json!([24, 44])]
        );
    });
}

#[test]
fn what_is_computed_of_rows_can_be_left_alone() {
    let project = applied(SQLITE);
    let server = FeatureServer::start(&project, &[]);
    let mut body = push_body(frame());
    body["transform_on_write"] = json!(false);
    server.ask("POST", "/push", &body.to_string()).ok();
    assert_eq!(
        [values(&server, "trips:avg_daily_trips"), values(&server, "kept:twice")],
        [json!([11, 22]), json!([null, null])]
    );
}

#[test]
fn rows_go_to_the_history_if_that_is_wanted() {
    let project = applied(SQLITE);
    let server = FeatureServer::start(&project, &[]);
    for (to, files, trips) in [("offline", 1, json!([null, null])), ("online_and_offline", 2, json!([11, 22]))] {
        let mut body = push_body(frame());
        body["to"] = json!(to);
        server.ask("POST", "/push", &body.to_string()).ok();
        assert_eq!((history(&project), values(&server, "trips:avg_daily_trips")), (files, trips), "{to}");
    }
    let args = [
        "get-historical",
        "--features",
        "fresh:avg_daily_trips",
        "--as-of",
        "2025-01-02T09:30:00Z",
        "--format",
        "jsonl",
    ];
    assert!(project.feastr(&args).ok().stdout.contains("33"));
}

#[test]
fn empty_frames_write_nothing() {
    let project = applied(SQLITE);
    let server = FeatureServer::start(&project, &[]);
    let columns: serde_json::Map<String, Json> =
        frame().as_object().unwrap().keys().map(|name| (name.clone(), json!([]))).collect();
    for empty in [json!({}), columns.into()] {
        push(&server, empty.clone()).ok();
        assert_eq!(write(&server, "fresh", empty.clone()).ok().body, "null");
        let mut both = push_body(empty);
        both["to"] = json!("online_and_offline");
        server.ask("POST", "/push", &both.to_string()).ok();
    }
    assert_eq!((history(&project), values(&server, "trips:avg_daily_trips")), (0, json!([null, null])));
}

#[test]
fn rows_of_one_view_have_times_under_the_names_of_the_source_or_of_feasts_client() {
    on_both(|server| {
        let of_client = json!({
            "driver_id": [1001, 1002],
            "mood": ["calm", null],
            // As it sends moments, lists and what no JSON has.
            "since": [1735689600, null],
            "scores": [[1.5, "NaN"], []],
            "event_timestamp": ["2025-01-02T10:00:00", "2025-01-02T10:00:00.123456"],
            "created": ["2025-01-02T11:00:00", null],
        });
        let mut body = write_body("moods", of_client);
        body["allow_registry_cache"] = json!(false);
        let done = server.ask("POST", "/write-to-online-store", &body.to_string()).ok();
        assert_eq!(done.body, "null");
        assert_eq!(
            [values(server, "moods:mood"), values(server, "moods:since")],
            [json!(["calm", null]), json!([1735689600, null])]
        );
        assert_eq!(values(server, "moods:scores"), json!([[1.5, "NaN"], []]));
        let of_source = json!({ "driver_id": [1002], "raw_mood": ["wild"], "since": ["2025-01-01T00:00:00Z"], "scores": [null],
            "at": ["2025-01-03"], "noted": ["2025-01-03"] });
        write(server, "moods", of_source).ok();
        assert_eq!(
            [values(server, "moods:mood"), values(server, "moods:since")],
            [json!(["calm", "wild"]), json!([1735689600, 1735689600])]
        );
        // The other views of a push source are left alone, and what is computed of the view is not.
        write(server, "fresh", frame()).ok();
        assert_eq!(
            [values(server, "fresh:conv_rate"), values(server, "trips:avg_daily_trips")],
            [json!([0.5, null]), json!([null, null])]
        );
        assert_eq!(values(server, "kept:twice"), json!([22, 44]));
        // Values of a computed view come as they are.
        let computed =
            json!({ "driver_id": [1001], "twice": [7], "event_timestamp": ["2025-01-05"], "created": [null] });
        write(server, "kept", computed).ok();
        assert_eq!(values(server, "kept:twice"), json!([7, 44]));
    });
}

#[test]
fn what_is_not_right_is_told_with_its_place_and_nothing_is_written() {
    let project = applied(SQLITE);
    let server = FeatureServer::start(&project, &[]);
    let failing: [(Json, &str); 15] = [
        (without("avg_daily_trips"), "`avg_daily_trips`"),
        (without("driver_id"), "`driver_id`"),
        (without("event_timestamp"), "`event_timestamp`"),
        (without("created"), "`created`"),
        (with("conv_rate", json!([1.0])), "column `driver_id` has 3 values and `conv_rate` has 1"),
        (with("avg_daily_trips", json!([1, "a", 3])), "row 2 of df, column `avg_daily_trips`: `\"a\"`"),
        (with("avg_daily_trips", json!([1, 2.5, 3])), "row 2 of df, column `avg_daily_trips`"),
        (with("avg_daily_trips", json!([1, 2, 9223372036854775808_u64])), "row 3 of df, column `avg_daily_trips`"),
        (with("conv_rate", json!([true, 1, 1])), "row 1 of df, column `conv_rate`"),
        (with("driver_id", json!([1, 2, null])), "row 3 of df, column `driver_id`: it is missing"),
        (with("driver_id", json!([1, [2], 3])), "row 2 of df, column `driver_id`"),
        (with("event_timestamp", json!(["soon", "2025-01-01", "2025-01-01"])), "row 1 of df, column `event_timestamp`"),
        (with("event_timestamp", json!([1735689600, 1735689600, 1735689600])), "row 1 of df, column `event_timestamp`"),
        (with("event_timestamp", json!([null, null, null])), "row 1 of df, column `event_timestamp`: it is missing"),
        (
            with("event_timestamp", json!(["9999-12-31", "2025-01-01", "2025-01-01"])),
            "row 1 of df, column `event_timestamp`",
        ),
    ];
    for (frame, place) in failing {
        for (path, body) in
            [("/push", push_body(frame.clone())), ("/write-to-online-store", write_body("fresh", frame.clone()))]
        {
            let answer = server.ask("POST", path, &body.to_string());
            assert!([400, 409].contains(&answer.status), "{body}: {answer:?}");
            let failure = answer.failure();
            assert_eq!((&failure["module"], &failure["class"]), (&json!("feast.errors"), &json!("FeastError")));
            assert!(failure["message"].as_str().unwrap().contains(place), "{place}: {failure}");
        }
    }
    let body = |name: &str, value: Json| {
        let mut body = push_body(frame());
        body[name] = value;
        body
    };
    for (path, body, status, class) in [
        ("/push", body("push_source_name", json!("nope")), 422, "PushSourceNotFoundException"),
        ("/push", body("push_source_name", json!("stats")), 422, "PushSourceNotFoundException"),
        ("/push", body("to", json!("nowhere")), 400, "FeastError"),
        ("/write-to-online-store", write_body("nope", frame()), 404, "FeatureViewNotFoundException"),
        ("/write-to-online-store", write_body("asked", frame()), 400, "FeastError"),
        ("/write-to-online-store", write_body("hidden", frame()), 409, "FeastError"),
    ] {
        let answer = server.ask("POST", path, &body.to_string());
        assert_eq!((answer.status, &answer.failure()["class"]), (status, &json!(class)), "{path} {body}: {answer:?}");
    }
    assert_eq!((history(&project), values(&server, "trips:avg_daily_trips")), (0, json!([null, null])));
}

#[test]
fn bodies_that_are_not_what_is_wanted_are_refused_with_their_place() {
    let project = applied(SQLITE);
    let server = FeatureServer::start(&project, &["--write-body-limit", "2000"]);
    let push = |name: &str, value: Json| {
        let mut body = push_body(frame());
        body[name] = value;
        body
    };
    for (path, body, place) in [
        ("/push", json!({}), json!(["body", "push_source_name"])),
        ("/push", json!({ "push_source_name": "stats_push" }), json!(["body", "df"])),
        ("/push", push("push_source_name", json!(7)), json!(["body", "push_source_name"])),
        ("/push", push("df", json!([])), json!(["body", "df"])),
        ("/push", push("df", json!(null)), json!(["body", "df"])),
        ("/push", push("df", json!({ "driver_id": 7 })), json!(["body", "df", "driver_id"])),
        ("/push", push("df", json!({ "driver_id": [1], "x": { "0": 1 } })), json!(["body", "df", "x"])),
        ("/push", push("to", json!(7)), json!(["body", "to"])),
        ("/push", push("to", json!(null)), json!(["body", "to"])),
        ("/push", push("allow_registry_cache", json!("x")), json!(["body", "allow_registry_cache"])),
        ("/push", push("transform_on_write", json!([])), json!(["body", "transform_on_write"])),
        ("/push", json!([1]), json!(["body"])),
        ("/write-to-online-store", json!({ "df": {} }), json!(["body", "feature_view_name"])),
        ("/write-to-online-store", json!({ "feature_view_name": "fresh" }), json!(["body", "df"])),
        (
            "/write-to-online-store",
            json!({ "feature_view_name": "fresh", "df": { "a": "b" } }),
            json!(["body", "df", "a"]),
        ),
    ] {
        let refused = server.ask("POST", path, &body.to_string());
        assert_eq!((refused.status, &refused.json()["detail"][0]["loc"]), (422, &place), "{body}: {refused:?}");
    }
    let right = push_body(frame()).to_string();
    for end in 0..right.len() {
        assert_eq!(server.ask("POST", "/push", &right[..end]).status, 422, "{}", &right[..end]);
    }
    let long = format!("{right}{}", " ".repeat(2_000));
    assert_eq!(server.ask("POST", "/push", &long).status, 413);
    assert_eq!(values(&server, "trips:avg_daily_trips"), json!([null, null]));
    server.ask("POST", "/push", &right).ok();
}

#[test]
fn rows_in_the_future_are_refused_unless_they_are_allowed() {
    let project = applied(SQLITE);
    let later = || with("event_timestamp", json!(["2200-01-01", "2200-01-01", "2200-01-01"]));
    let refused = push(&FeatureServer::start(&project, &[]), later());
    assert_eq!(refused.status, 409, "{refused:?}");
    let server = FeatureServer::start(&project, &["--allow-future"]);
    push(&server, later()).ok();
    assert_eq!(values(&server, "trips:avg_daily_trips"), json!([33, 22]));
}

#[test]
fn what_was_applied_just_now_is_written_to_if_the_server_is_to_look() {
    let project = applied(SQLITE);
    let server = FeatureServer::start(&project, &["--registry-ttl-sec", "3600"]);
    push(&server, frame()).ok();
    let more = "feature_views:\n  - {name: later, entities: [driver], schema: [{name: acc_rate, dtype: Float32}], source: \
                stats_push}\n";
    project.write("more.yaml", more);
    project.feastr(&["apply"]).ok();
    assert_eq!(write(&server, "later", frame()).status, 404);
    let mut body = write_body("later", frame());
    body["allow_registry_cache"] = json!(false);
    server.ask("POST", "/write-to-online-store", &body.to_string()).ok();
    assert_eq!(values(&server, "later:acc_rate"), json!([0.75, null]));
}

#[test]
fn of_rows_that_are_pushed_at_once_the_newest_count() {
    on_both(|server| {
        const PUSHERS: i64 = 8;
        const ROUNDS: i64 = 5;
        thread::scope(|scope| {
            for pusher in 0..PUSHERS {
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let number = round * PUSHERS + pusher;
                        let time = format!("2025-01-02T10:00:{number:02}Z");
                        let frame = json!({ "driver_id": [1001, 1002], "event_timestamp": [time, time], "created": [time, time],
                            "conv_rate": [0.5, 0.5], "avg_daily_trips": [number, -number] });
                        push(server, frame).ok();
                    }
                });
            }
        });
        let last = PUSHERS * ROUNDS - 1;
        assert_eq!(values(server, "trips:avg_daily_trips"), json!([last, -last]));
        assert_eq!(values(server, "kept:twice"), json!([2 * last, -2 * last]));
    });
}

#[test]
fn a_store_that_is_silent_is_waited_for_until_the_deadline_and_reading_goes_on_elsewhere() {
    let redis = RedisServer::start("");
    let project = applied(&redis.settings(0));
    let server = FeatureServer::start(&project, &["--write-deadline", "1s"]);
    push(&server, frame()).ok();
    redis::cmd("CLIENT").arg("PAUSE").arg(3_000).arg("ALL").exec(&mut redis.connect_to(0)).unwrap();
    let late = push(&server, with("event_timestamp", json!(["2025-01-03", "2025-01-03", "2025-01-03"])));
    assert_eq!((late.status, &late.failure()["class"]), (504, &json!("FeastError")), "{late:?}");
    server.ask("GET", "/health", "").ok();
    // What has begun goes on.
    while values(&server, "trips:avg_daily_trips") != json!([33, 22]) {}
}
