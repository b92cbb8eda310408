//! Stock Python Feast pushes and materializes through a server, and stores what it stores by itself.

use rusqlite::Connection;
use serde_json::{Value as Json, json};

use super::server::FeatureServer;
use crate::{
    interop::{EARLIER, LATER, MATERIALIZED_BY_PYTHON, feast, repo, shop},
    registries::Backend,
    servers::redis::{Fields, RedisServer},
    support::Project,
};

const SQLITE: &str = "online_store:\n  type: sqlite\n  path: data/online_store.db\n";

/// Rows that Feast's remote store can send: it has no way for bytes.
const PUSHED: [(&str, &str); 3] = [
    ("customers_push", "data/pushed_customers.parquet"),
    ("stock_push", "data/pushed_stock.parquet"),
    ("drivers_push", "data/pushed_drivers.parquet"),
];

fn pushing(online_store: &str) -> Project {
    let project = repo("pushed", Backend::Sqlite);
    let data = shop(Backend::Sqlite);
    for file in ["customers", "stock", "pushed_customers", "pushed_stock", "pushed_drivers"] {
        let file = format!("data/{file}.parquet");
        project.copy(&data.path(&file), &file);
    }
    let drivers = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    project.copy(&drivers.join("examples/feature_repo/data/driver_stats.parquet"), "data/driver_stats.parquet");
    project.edit("feature_store.yaml", SQLITE, online_store);
    project.edit("definitions.yaml", "      - {name: photo, dtype: Bytes}\n", "");
    project.feastr(&["apply"]).ok();
    project
}

/// Lets Python Feast do something with a repo, through a server of it.
fn through_server(project: &Project, online_store: &str, steps: &[Json]) {
    let server = FeatureServer::start(project, &[]);
    let local = project.read("feature_store.yaml");
    let remote = format!("online_store:\n  type: remote\n  path: http://{}\n", server.address);
    project.edit("feature_store.yaml", online_store, &remote);
    feast(project, steps);
    project.write("feature_store.yaml", local);
}

/// A row of a table: key, feature, value, event and creation in seconds.
type Row = (Vec<u8>, String, Vec<u8>, i64, Option<i64>);

/// Everything in a table of values.
fn rows(project: &Project, table: &str) -> Vec<Row> {
    let connection = Connection::open(project.path("data/online_store.db")).unwrap();
    let select = format!("SELECT entity_key, feature_name, value, event_ts, created_ts FROM {table} ORDER BY 1, 2");
    let mut statement = connection.prepare(&select).unwrap();
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?));
    let rows = statement.query_map([], row).unwrap().map(Result::unwrap).collect::<Vec<_>>();
    assert!(!rows.is_empty());
    rows
}

fn pushes() -> Vec<Json> {
    PUSHED.iter().map(|(source, rows)| json!({ "push": { "source": source, "rows": rows, "to": "online" } })).collect()
}

#[test]
fn what_feasts_client_pushes_is_stored_in_sqlite_as_by_itself() {
    let [near, far] = [(); 2].map(|()| pushing(SQLITE));
    feast(&near, &pushes());
    through_server(&far, SQLITE, &pushes());
    for view in ["shop_profile", "shop_city", "shop_stock", "shop_drivers"] {
        assert_eq!(rows(&far, view), rows(&near, view), "{view}");
    }
}

#[test]
fn what_feasts_client_pushes_is_stored_in_redis_as_by_itself() {
    let redis = RedisServer::start("");
    let stores = [redis.settings(0), redis.settings(1)];
    let [near, far] = stores.each_ref().map(|store| pushing(store));
    feast(&near, &pushes());
    through_server(&far, &stores[1], &pushes());
    let fields = |db: u8| -> Vec<(Vec<u8>, Fields)> {
        redis.dump(db).into_iter().map(|(key, (fields, _))| (key, fields)).collect()
    };
    assert!(!fields(0).is_empty());
    assert_eq!(fields(1), fields(0));
}

#[test]
fn what_feasts_client_lets_the_server_materialize_is_what_is_materialized_here() {
    let redis = RedisServer::start("");
    for stores in [[SQLITE; 2].map(str::to_owned), [redis.settings(0), redis.settings(1)]] {
        let [near, far] = stores.each_ref().map(|store| {
            let project = shop(Backend::Sqlite);
            project.edit("feature_store.yaml", SQLITE, store);
            project
        });
        near.feastr(&["apply"]).ok();
        near.feastr(&["materialize", EARLIER, LATER, "--views", &MATERIALIZED_BY_PYTHON.join(",")]).ok();
        far.feastr(&["apply"]).ok();
        let views = json!(MATERIALIZED_BY_PYTHON);
        let step = json!({ "materialize": { "start": EARLIER, "end": LATER, "views": views } });
        let incremental = json!({ "cli": { "arguments": ["materialize-incremental", format!("{LATER}T01:00:00"), "--views", "stock"] } });
        through_server(&far, &stores[1], &[step, incremental]);
        let history = far.feastr(&["materialize", "history", "--json"]).ok().json();
        let states: Vec<&Json> = history.as_array().unwrap().iter().map(|run| &run["state"]).collect();
        assert_eq!(states, [&json!("done"); 4], "{history}");
        let features = "customer_profile:visits,customer_profile:city,customer_profile:last_order";
        let args =
            ["get-online", "--features", features, "--entity", "customer_id=1", "--entity", "customer_id=2", "--json"];
        assert_eq!(far.feastr(&args).ok().json(), near.feastr(&args).ok().json());
    }
}

#[test]
fn what_feastr_sends_to_its_own_server_is_stored_as_by_itself() {
    let [near, far] = [(); 2].map(|()| pushing(SQLITE));
    // It has a way for bytes.
    for project in [&near, &far] {
        project.edit(
            "definitions.yaml",
            "      - {name: city, dtype: String}\n",
            "      - {name: city, dtype: String}\n      - {name: photo, dtype: Bytes}\n",
        );
        project.feastr(&["apply", "--yes"]).ok();
    }
    let server = FeatureServer::start(&far, &[]);
    let remote = format!("online_store:\n  type: remote\n  path: http://{}\n", server.address);
    far.write("remote.yaml", far.read("feature_store.yaml").replace(SQLITE, &remote));
    let far_args = |args: &[&str]| {
        [&["--feature-store-yaml", "remote.yaml"], args]
            .concat()
            .iter()
            .map(|arg| (*arg).to_owned())
            .collect::<Vec<_>>()
    };
    for (source, rows) in PUSHED {
        let args = ["push", source, "--input", rows];
        near.feastr(&args).ok();
        far.feastr(&far_args(&args)).ok();
    }
    for view in ["shop_profile", "shop_city", "shop_stock", "shop_drivers"] {
        assert_eq!(rows(&far, view), rows(&near, view), "{view}");
    }
    let args = ["materialize", EARLIER, LATER, "--views", "profile,stock"];
    near.feastr(&args).ok();
    far.feastr(&far_args(&args)).ok();
    for view in ["shop_profile", "shop_stock"] {
        assert_eq!(rows(&far, view), rows(&near, view), "{view}");
    }
}
