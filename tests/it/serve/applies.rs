//! What is applied while clients ask: nobody fails who asks for what did not change, and the rest is served soon.

use serde_json::{Value as Json, json};

use super::{
    load::{Load, Seen, soon},
    outages::{example_over, postgres_settings},
    server::FeatureServer,
};
use crate::{
    servers::{Kind, redis::RedisServer, shared},
    support::Project,
};

fn features(names: &[&str]) -> Json {
    let names: Vec<String> = names.iter().map(|name| format!("driver_hourly_stats:{name}")).collect();
    json!({ "features": names, "entities": { "driver_id": [1001, 1002] } })
}

fn service(name: &str) -> Json {
    json!({ "feature_service": name, "entities": { "driver_id": [1001] } })
}

fn apply(project: &Project) {
    project.feastr(&["apply", "--skip-source-validation", "--yes"]).ok();
}

fn changes_under_load(online_store: &str) {
    let project = example_over(online_store);
    let server = FeatureServer::start(&project, &[]);
    let same = features(&["conv_rate"]);
    let right = server.features(&same).ok();
    let unchanged = Load::start(&server, 3, &same);
    let changing = [
        features(&["conv_rate", "acc_rate", "avg_daily_trips"]),
        service("driver_activity_v1"),
        service("driver_activity_v2"),
    ];
    let changing = changing.map(|body| Load::start(&server, 2, &body));
    changing.iter().for_each(|load| load.until_status(200));
    let complaints = "      - {name: acc_rate, dtype: Float32, description: Share of trips without complaint}\n";
    project.edit("drivers.yaml", complaints, "");
    apply(&project);
    let asked = features(&["acc_rate", "conv_rate"]);
    soon("a feature is gone", || server.features(&asked).status == 404);
    project.edit("drivers.yaml", "    source: driver", &format!("{complaints}    source: driver"));
    apply(&project);
    soon("a feature is new", || server.features(&asked).status == 200);
    project.edit("drivers.yaml", "avg_daily_trips, dtype: Int64", "avg_daily_trips, dtype: Float64");
    apply(&project);
    project.feastr(&["materialize", "2000-01-01", "now"]).ok();
    let trips = server.features(&features(&["avg_daily_trips"])).ok().column("avg_daily_trips");
    assert!(trips["values"][0].is_f64(), "{trips}");
    project.edit("services.yaml", "name: driver_activity_v1", "name: renamed\n    renamed_from: driver_activity_v1");
    apply(&project);
    soon("a service has another name", || server.features(&service("renamed")).status == 200);
    assert_eq!(server.features(&service("driver_activity_v1")).status, 404);
    for Seen { answer, .. } in unchanged.end().concat() {
        assert_eq!(answer.ok().body, right.body);
    }
    for Seen { answer, .. } in changing.into_iter().flat_map(Load::end).flatten() {
        assert!(matches!(answer.status, 200 | 404), "{answer:?}");
    }
    assert!(!server.said().contains("panicked"), "{}", server.said());
}

#[test]
fn changes_are_served_over_redis() {
    let redis = RedisServer::start("");
    changes_under_load(&redis.settings(0));
}

#[test]
fn changes_are_served_over_postgres() {
    let postgres = shared(Kind::Postgres);
    changes_under_load(&postgres_settings(postgres, &postgres.create_database()));
}

#[test]
fn changes_are_served_over_sqlite() {
    changes_under_load("online_store:\n  type: sqlite\n  path: data/online_store.db\n");
}
