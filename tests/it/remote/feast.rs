//! Feast's feature server, asked by feastr, beside the same store read and written by feastr itself.

use std::sync::OnceLock;

use serde_json::{Value as Json, json};

use super::{SETTINGS, ask_server, asking};
use crate::{
    interop::{EARLIER, LATER, assert_same_answer, online_requests, shop},
    registries::Backend,
    servers::feast::FeastServer,
    support::Project,
};

/// More than the shop has: pushes, and what is computed of requests.
const MORE: &str = "
data_sources:
  - {name: customers_push, type: push, batch_source: customers_source}
  - {name: stock_push, type: push, batch_source: stock_source}
  - {name: basket, type: request, schema: [{name: discount, dtype: Int64}, {name: note, dtype: String}]}
feature_views:
  - name: pushed_customer
    entities: [customer]
    ttl: 0
    schema:
      - {name: visits, dtype: Int32}
      - {name: points, dtype: Int64}
      - {name: score, dtype: Float32}
      - {name: spent, dtype: Float64}
      - {name: city, dtype: String}
      - {name: member, dtype: Bool}
      - {name: last_order, dtype: UnixTimestamp}
      - {name: basket_sizes, dtype: Array(Int64)}
      - {name: ratings, dtype: Array(Float32)}
      - {name: labels, dtype: Array(String)}
    source: customers_push
  - {name: pushed_stock, entities: [shop, item], ttl: 0, source: stock_push, schema: [{name: amount, dtype: Int64}, {name: price, dtype: Float64}]}
  - {name: ageless, entities: [customer], ttl: 0, source: customers_source, schema: [{name: points, dtype: Int64}, {name: score, dtype: Float32}]}
  - {name: materialized_there, entities: [customer], ttl: 0, source: customers_source, schema: [{name: points, dtype: Int64}]}
  - {name: pushed_photo, entities: [customer], ttl: 0, source: photos_push, schema: [{name: photo, dtype: Bytes}]}
on_demand_feature_views:
  - name: offers
    sources: [ageless, basket]
    schema:
      - {name: reduced, dtype: Int64, sql: ageless__points - discount}
      - {name: rate, dtype: Float32, sql: ageless__score * 2}
      - {name: text, dtype: String, sql: \"note || '!'\"}
feature_services:
  - {name: offering, features: [{customer_profile: [city]}, offers]}
";

const PHOTOS: &str = "
data_sources:
  - {name: photos_source, type: file, path: data/customers.parquet, timestamp_field: event_timestamp, created_timestamp_column: created}
  - {name: photos_push, type: push, batch_source: photos_source}
";

/// A repo whose server runs as long as the tests, and settings that ask it.
fn served() -> &'static Project {
    static SERVED: OnceLock<(Project, FeastServer)> = OnceLock::new();
    let start = || {
        let project = shop(Backend::Sqlite);
        project.write("more.yaml", MORE);
        project.write("photos.yaml", PHOTOS);
        project.feastr(&["apply"]).ok();
        let views = "customer_profile,stock,item_facts,weather,ageless";
        project.feastr(&["materialize", EARLIER, LATER, "--views", views]).ok();
        let server = FeastServer::start(project.folder.path());
        ask_server(&project, &format!("http://127.0.0.1:{}", server.port), "");
        (project, server)
    };
    &SERVED.get_or_init(start).0
}

/// Columns of an answer by their names.
fn columns(answer: &Json) -> Json {
    let names = answer["metadata"]["feature_names"].as_array().unwrap().iter();
    let results = answer["results"].as_array().unwrap();
    names.zip(results).map(|(name, result)| (name.as_str().unwrap().to_owned(), result.clone())).collect()
}

#[test]
fn answers_are_those_of_the_store_itself() {
    let project = served();
    for request in online_requests() {
        let [ours, theirs] = [None, Some(SETTINGS)].map(|settings| request.online_with(project, settings));
        // Feast knows fewer statuses, and those of the answer are its own.
        assert_same_answer(&request, &ours, &theirs);
        let names = |answer: &Json| answer.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&ours), names(&theirs), "the order that was asked for");
    }
    let table = asking(project, &["get-online", "--features", "weather:rainy"]).ok().stdout;
    let own = project.feastr(&["get-online", "--features", "weather:rainy"]).ok().stdout;
    assert_eq!(table.lines().next(), own.lines().next());
}

#[test]
fn the_server_computes_what_is_computed_of_requests() {
    let project = served();
    let args = |more: &[&'static str]| {
        let entities = ["get-online", "--entity", "customer_id=1", "--entity", "customer_id=2", "--json"];
        let request = ["--request", "discount=10,note=a", "--request", "discount=20,note=é"];
        [&entities[..], &request, more].concat()
    };
    let asked: [&[&str]; 3] = [
        &["--features", "offers:reduced,offers:rate,offers:text,customer_profile:visits"],
        &["--feature-service", "offering"],
        &[
            "--feature-service",
            "offering",
            "--features",
            "item_facts:title,customer_profile:member",
            "--full-feature-names",
        ],
    ];
    for more in &asked[..2] {
        let [ours, theirs] =
            [project.feastr(&args(more)), asking(project, &args(more))].map(|output| output.ok().json());
        let (ours, theirs) = (columns(&ours), columns(&theirs));
        for (name, column) in ours.as_object().unwrap() {
            assert_eq!(theirs[name]["values"], column["values"], "{name}");
        }
    }
    // A service and single features are two questions and one answer.
    let entities = ["get-online", "--entity", "customer_id=1,item_no=1", "--request", "discount=10,note=a", "--json"];
    let both = [&entities[..], asked[2]].concat();
    let [ours, theirs] = [project.feastr(&both), asking(project, &both)].map(|output| output.ok().json());
    assert_eq!(ours["metadata"], theirs["metadata"]);
    for (ours, theirs) in ours["results"].as_array().unwrap().iter().zip(theirs["results"].as_array().unwrap()) {
        assert_eq!(ours["values"], theirs["values"]);
    }
    let output =
        asking(project, &["get-online", "--feature-service", "offering", "--entity", "customer_id=1"]).failed();
    assert!(output.stderr.contains("the request field `discount` is missing"), "{}", output.stderr);
}

#[test]
fn what_the_server_does_not_know_is_said_by_it() {
    let project = served();
    // Another registry, which has a view more.
    let settings = project.read(SETTINGS).replace("data/registry.db", "data/other.db");
    project.write("other/remote.yaml", settings.replace("data/other.db", "other.db"));
    let definitions = "
entities: [{name: customer, join_keys: [customer_id], value_type: INT64}]
data_sources: [{name: s, type: file, path: s.parquet, timestamp_field: event_timestamp}]
feature_views:
  - {name: nowhere, entities: [customer], source: s, schema: [{name: x, dtype: Int64}]}
  - {name: customer_profile, entities: [customer], source: s, schema: [{name: city, dtype: Int64}]}
";
    project.write("other/definitions.yaml", definitions);
    let other = |args: &[&str]| {
        let place = ["--chdir", "other", "--feature-store-yaml", "other/remote.yaml"];
        project.feastr(&[&place[..], args].concat())
    };
    // Nothing is asked of the server, which has the store: no tables are made.
    let applied = other(&["apply", "--skip-source-validation"]).ok();
    assert!(!applied.stdout.contains("table"), "{}", applied.stdout);
    let unknown = other(&["get-online", "--features", "nowhere:x", "--entity", "customer_id=1"]).failed();
    assert!(
        unknown.stderr.contains("answers 404 Not Found: Feature view nowhere does not exist"),
        "{}",
        unknown.stderr
    );
    assert!(unknown.stderr.contains("the server has definitions of its own"), "{}", unknown.stderr);
    // A text is no integer, whatever is registered here.
    let unfit = other(&["get-online", "--features", "customer_profile:city", "--entity", "customer_id=2"]).failed();
    assert!(
        unfit.stderr.contains("answers a value of `city` that is not as registered: \"\" is no value of type Int64"),
        "{}",
        unfit.stderr
    );
    let cleanup = asking(project, &["online", "cleanup"]).failed();
    assert!(
        cleanup.stderr.contains("the online store is that of the feature server at http://127.0.0.1:"),
        "{}",
        cleanup.stderr
    );
}

const PUSHED: &str = r#"{"customer_id": 71, "event_timestamp": "2025-01-06T00:00:00Z", "created": "2025-01-06T00:00:01.5Z", "visits": 7, "points": 9007199254740993, "score": 0.3, "spent": 1e300, "city": "Zürich\n\"x\"", "member": true, "last_order": "2025-01-05T12:00:00Z", "basket_sizes": [3, 9007199254740993], "ratings": [0.1, 2.5], "labels": ["a", "ü"]}
{"customer_id": 71, "event_timestamp": "2025-01-04T00:00:00.25Z", "created": "2025-01-08T00:00:00Z", "visits": 1, "points": 1, "score": 1.5, "spent": 1.0, "city": "older", "member": false, "last_order": "2025-01-01T00:00:00Z", "basket_sizes": [], "ratings": [], "labels": []}
{"customer_id": 72, "event_timestamp": "2025-01-07T00:00:00Z", "created": "2025-01-07T00:00:00Z", "visits": null, "points": null, "score": null, "spent": null, "city": "Chur", "member": null, "last_order": null, "basket_sizes": null, "ratings": null, "labels": null}
"#;

/// Names of `pushed_customer`.
const FEATURES: [&str; 10] =
    ["visits", "points", "score", "spent", "city", "member", "last_order", "basket_sizes", "ratings", "labels"];

#[test]
fn what_is_pushed_is_what_a_push_of_ours_stores() {
    let project = served();
    project.write("data/pushed.jsonl", PUSHED);
    let own = shop(Backend::Sqlite);
    own.write("more.yaml", MORE);
    own.write("photos.yaml", PHOTOS);
    own.write("data/pushed.jsonl", PUSHED);
    own.feastr(&["apply"]).ok();
    let push = ["push", "customers_push", "--input", "data/pushed.jsonl"];
    let sent = asking(project, &push).ok();
    let server =
        project.read(SETTINGS).lines().find_map(|line| line.trim().strip_prefix("path: http")).unwrap().to_owned();
    let message =
        format!("Sent 2 rows, the newest of each entity, to the feature server at http{server} for pushed_customer");
    assert!(sent.stderr.contains(&message), "{}", sent.stderr);
    own.feastr(&push).ok();
    let features: Vec<String> = FEATURES.iter().map(|name| format!("pushed_customer:{name}")).collect();
    let features = features.join(",");
    let ask =
        ["get-online", "--features", &features, "--entity", "customer_id=71", "--entity", "customer_id=72", "--json"];
    let [theirs, ours] = [project, &own].map(|project| project.feastr(&ask).ok().json());
    assert_eq!(theirs, ours);
    assert_eq!(columns(&ours)["points"]["values"], json!([9_007_199_254_740_993_i64, null]));
    assert_eq!(columns(&ours)["city"]["event_timestamps"][0], json!("2025-01-06T00:00:00Z"));
    // And as the server itself answers it.
    let asked = columns(&asking(project, &ask).ok().json());
    for name in FEATURES {
        assert_eq!(asked[name]["values"], columns(&ours)[name]["values"], "{name}");
    }
}

#[test]
fn pushes_are_reported_and_their_history_stays_here() {
    let project = served();
    let rows = "shop,number,event_timestamp,recorded,amount,price_eur\nz,7,2025-01-06T00:00:00Z,2025-01-06T00:00:00Z,12,9.5\n\
                z,7,2025-01-05T00:00:00Z,2025-01-05T00:00:00Z,11,8.5\n";
    project.write("data/pushed_stock.csv", rows);
    let push = ["push", "stock_push", "--input", "data/pushed_stock.csv", "--to", "online_and_offline", "--json"];
    let report = asking(project, &push).ok().json();
    assert_eq!((&report["views"], &report["rows"]), (&json!([]), &json!(2)));
    assert_eq!((&report["sent"]["rows"], &report["sent"]["views"]), (&json!(1), &json!(["pushed_stock"])));
    assert_eq!(report["added"]["rows"], 2);
    assert!(project.path(report["added"]["files"][0].as_str().unwrap()).exists());
    let ask = [
        "get-online",
        "--features",
        "pushed_stock:amount,pushed_stock:price",
        "--entity",
        "shop_id=z,item_no=7",
        "--json",
    ];
    let stored = columns(&project.feastr(&ask).ok().json());
    assert_eq!((&stored["amount"]["values"], &stored["price"]["values"]), (&json!([12]), &json!([9.5])));
    // The history is no business of the server.
    let report =
        asking(project, &["push", "stock_push", "--input", "data/pushed_stock.csv", "--to", "offline", "--json"])
            .ok()
            .json();
    assert_eq!((&report["sent"], &report["added"]["rows"]), (&Json::Null, &json!(2)));
}

#[test]
fn what_feast_cannot_take_is_refused_and_not_stored() {
    let project = served();
    let row = r#"{"customer_id": 81, "event_timestamp": "2025-01-06T00:00:00Z", "created": "2025-01-06T00:00:00Z", "photo": "base64:AAH/"}"#;
    project.write("data/photo.jsonl", row);
    let refused = asking(project, &["push", "photos_push", "--input", "data/photo.jsonl"]).failed();
    assert!(refused.stderr.contains("answers 500 Internal Server Error: "), "{}", refused.stderr);
    let ask = ["get-online", "--features", "pushed_photo:photo", "--entity", "customer_id=81", "--json"];
    assert_eq!(columns(&project.feastr(&ask).ok().json())["photo"]["statuses"], json!(["NOT_FOUND"]));
}

#[test]
fn the_server_materializes() {
    let project = served();
    let views = ["--views", "materialized_there"];
    let points = || {
        let ask = ["get-online", "--features", "materialized_there:points", "--entity", "customer_id=1", "--json"];
        columns(&project.feastr(&ask).ok().json())["points"]["values"][0].clone()
    };
    assert_eq!(points(), Json::Null);
    let done = asking(project, &[&["materialize", EARLIER, "2025-01-02"][..], &views].concat()).ok();
    assert!(
        done.stderr.contains("Materialized materialized_there by the feature server at http://127.0.0.1:"),
        "{}",
        done.stderr
    );
    assert_eq!(points(), 10);
    let done = asking(project, &[&["materialize-incremental", LATER, "--json"][..], &views].concat()).ok().json();
    assert_eq!(done["views"], json!(["materialized_there"]));
    assert_eq!(points(), 2_i64.pow(40));
    // It is in the registry, which both share.
    let plan = project.feastr(&[&["materialize-incremental", LATER, "--dry-run"][..], &views].concat()).ok().stdout;
    assert!(plan.contains(LATER), "{plan}");
    let unknown = asking(project, &["materialize", EARLIER, LATER, "--views", "nowhere"]).failed();
    assert!(unknown.stderr.contains("nowhere"), "{}", unknown.stderr);
    for flags in [&["--dry-run"][..], &["--chunk", "1d"], &["--overwrite"], &["--jobs", "2"], &["--report", "r.json"]] {
        let refused = asking(project, &[&["materialize", EARLIER, LATER][..], flags].concat()).failed();
        assert!(refused.stderr.contains("materialize where `online_store` is the store itself"), "{}", refused.stderr);
    }
    asking(project, &["materialize-incremental", "2999-01-01"]).refused();
}
