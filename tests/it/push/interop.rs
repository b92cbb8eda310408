//! Python Feast and feastr push the same rows, and read what the other one has pushed.

use std::path::Path;

use rusqlite::Connection;
use serde_json::{Value as Json, json};

use crate::{
    interop::{feast, repo},
    registries::Backend,
    servers::redis::RedisServer,
    support::Project,
};

const PUSHED: [(&str, &str); 2] =
    [("customers_push", "data/pushed_customers.parquet"), ("stock_push", "data/pushed_stock.parquet")];

const VIEWS: &[&str] = &["profile", "city", "stock"];

/// A repo over the data of the shop, applied. With a server the values are in a database of it.
fn shop(redis: Option<(&RedisServer, u8)>) -> Project {
    let project = repo("pushed", Backend::Sqlite);
    let data = crate::interop::shop(Backend::Sqlite);
    for file in ["customers", "stock", "pushed_customers", "pushed_stock", "pushed_drivers"] {
        let file = format!("data/{file}.parquet");
        project.copy(&data.path(&file), &file);
    }
    let drivers = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/feature_repo/data/driver_stats.parquet");
    project.copy(&drivers, "data/driver_stats.parquet");
    if let Some((server, db)) = redis {
        let sqlite = "online_store:\n  type: sqlite\n  path: data/online_store.db\n";
        project.edit("feature_store.yaml", sqlite, &server.settings(db));
    }
    project.feastr(&["apply"]).ok();
    project
}

/// A row of a table: key, feature, value, text, event and creation in seconds.
type Row = (Vec<u8>, String, Vec<u8>, Option<String>, i64, Option<i64>);

/// What is stored of views.
fn stored(project: &Project, views: &[&str]) -> Vec<Vec<Row>> {
    let connection = Connection::open(project.path("data/online_store.db")).unwrap();
    let rows = |view: &str| {
        let select = "SELECT entity_key, feature_name, value, value_text, event_ts, created_ts FROM";
        let mut statement = connection.prepare(&format!("{select} shop_{view} ORDER BY 1, 2")).unwrap();
        let row = |row: &rusqlite::Row<'_>| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
        };
        statement.query_map([], row).unwrap().map(Result::unwrap).collect()
    };
    views.iter().map(|view| rows(view)).collect()
}

fn by_feastr(project: &Project, to: &str) {
    for (source, rows) in PUSHED {
        project.feastr(&["push", source, "--input", rows, "--to", to]).ok();
    }
}

fn by_python(to: &str) -> Vec<Json> {
    PUSHED.map(|(source, rows)| json!({ "push": { "source": source, "rows": rows, "to": to } })).into()
}

/// Everything that views have, of everybody.
fn asked() -> Json {
    let customers: Vec<Json> = [1, 2, 3, 4, 5, 9].map(|id| json!({ "customer_id": id })).into();
    let features = ["visits", "points", "score", "spent", "city", "member", "last_order", "basket_sizes", "ratings"];
    let features = features.into_iter().chain(["labels", "flags", "photo"]).map(|name| format!("profile:{name}"));
    json!({ "online": { "features": features.collect::<Vec<_>>(), "entities": customers } })
}

#[test]
fn the_same_rows_are_the_same_bytes_in_sqlite() {
    let [ours, theirs] = [(); 2].map(|()| shop(None));
    by_feastr(&ours, "online");
    feast(&theirs, &by_python("online"));
    assert_eq!(stored(&ours, VIEWS), stored(&theirs, VIEWS));
    assert!(stored(&ours, VIEWS).iter().all(|view| view.len() >= 4));
    // And Python Feast reads them alike.
    assert_eq!(feast(&ours, &[asked()]), feast(&theirs, &[asked()]));
    let answer = &feast(&ours, &[asked()])[0];
    assert_eq!(answer["visits"]["values"], json!([7, -8, null, 9, null, 10]));
    assert_eq!(answer["visits"]["event_timestamps"][0], json!("2025-01-06T00:00:00Z"));
}

#[test]
fn the_same_rows_are_the_same_bytes_in_redis() {
    let server = RedisServer::start("");
    let [ours, theirs] = [0, 1].map(|db| shop(Some((&server, db))));
    // Over what was there before: newer rows stay, older ones give way.
    for project in [&ours, &theirs] {
        project.feastr(&["materialize", "2024-11-01", "2025-01-05"]).ok();
    }
    assert_eq!(server.dump(0), server.dump(1));
    let before = server.dump(0);
    by_feastr(&ours, "online");
    feast(&theirs, &by_python("online"));
    assert_eq!(server.dump(0), server.dump(1));
    assert_ne!(server.dump(0), before);
    assert_eq!(feast(&ours, &[asked()]), feast(&theirs, &[asked()]));
    // Whoever pushes them again changes nothing.
    let after = server.dump(0);
    by_feastr(&theirs, "online");
    feast(&ours, &by_python("online"));
    assert_eq!((server.dump(0), server.dump(1)), (after.clone(), after));
}

/// Of a source without lists and a field mapping: Feast cannot push to the history of others.
#[test]
fn the_same_rows_are_the_same_training_data() {
    let [ours, theirs] = [(); 2].map(|()| shop(None));
    let (source, rows) = ("drivers_push", "data/pushed_drivers.parquet");
    let python = json!({ "push": { "source": source, "rows": rows, "to": "online_and_offline" } });
    feast(&theirs, &[python]);
    ours.feastr(&["push", source, "--input", rows, "--to", "online_and_offline"]).ok();
    assert!(!theirs.path("data/driver_stats.parquet.d").exists());
    let features = "drivers:conv_rate,drivers:avg_daily_trips";
    let historical = |project: &Project, range: &[&str]| {
        let args = ["get-historical", "--features", features, "--format", "jsonl"];
        let mut lines: Vec<String> =
            project.feastr(&[&args[..], range].concat()).ok().stdout.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    for range in [&["--as-of", "2026-12-01"][..], &["--start", "2026-11-01", "--end", "2026-12-01"]] {
        let lines = historical(&ours, range);
        assert_eq!(lines, historical(&theirs, range));
        assert!(lines.iter().any(|line| line.contains("1099511627776")), "{lines:?}");
    }
    assert_eq!(stored(&ours, &["drivers"]), stored(&theirs, &["drivers"]));
    // Columns and types of what was added are those of the file.
    let added = std::fs::read_dir(ours.path("data/driver_stats.parquet.d")).unwrap().next().unwrap().unwrap().path();
    let read = |path: &Path| json!({ "read": { "path": path } });
    let [added, file] =
        feast(&ours, &[read(&added), read(&ours.path("data/driver_stats.parquet"))]).try_into().unwrap();
    assert_eq!((&added["names"], &added["types"]), (&file["names"], &file["types"]));
    assert_eq!(added["rows"].as_array().unwrap().len(), 3);
}
