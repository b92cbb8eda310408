//! Two servers of features over a store that a materialization writes meanwhile: each client sees whole rows, and time goes
//! forward.

use serde_json::{Value as Json, json};

use super::{
    load::{Load, Seen},
    outages::postgres_settings,
    server::FeatureServer,
};
use crate::{
    online_redis::kills::waves,
    servers::{Kind, redis::RedisServer, shared},
};

const CLIENTS: usize = 3;

/// Asserts that what a client has seen are whole rows, each not older than the one before; gives the last waves.
fn in_order(seen: &[Seen]) -> Vec<i64> {
    let mut before = vec![(0, String::new()); 3];
    for Seen { answer, .. } in seen {
        let (wave, half) = (answer.clone().ok().column("wave"), answer.column("half"));
        for (entity, before) in before.iter_mut().enumerate() {
            let at = |column: &Json, what: &str| column[what][entity].clone();
            let time = at(&wave, "event_timestamps").as_str().unwrap().to_owned();
            let number = at(&wave, "values").as_i64().unwrap_or(0);
            assert_eq!(at(&half, "values").as_f64().unwrap_or(0.0), number as f64 / 2.0, "{answer:?}");
            assert_eq!(at(&half, "event_timestamps"), time, "{answer:?}");
            let now = (number, time);
            assert!(now >= *before, "{before:?}, then {answer:?}");
            *before = now;
        }
    }
    before.into_iter().map(|(wave, _)| wave).collect()
}

fn time_goes_forward(online_store: &str) {
    let project = waves(online_store);
    project.feastr(&["apply"]).ok();
    let servers = [FeatureServer::start(&project, &[]), FeatureServer::start(&project, &[])];
    let body = json!({ "features": ["things:wave", "things:half"], "entities": { "id": [1, 2_000, 3_999] } });
    let loads = servers.each_ref().map(|server| Load::start(server, CLIENTS, &body));
    loads.iter().for_each(|load| load.until_status(200));
    for wave in 0..5 {
        project.feastr(&["materialize-incremental", &format!("2026-01-01T0{wave}:30:00")]).ok();
        // Older rows are written once more.
        project.feastr(&["materialize", "2026-01-01", "2026-01-01T00:30:00"]).ok();
        loads.iter().for_each(|load| load.until_status(200));
    }
    for seen in loads.into_iter().flat_map(Load::end) {
        assert_eq!(in_order(&seen), [5, 5, 5]);
    }
}

#[test]
fn time_goes_forward_over_redis() {
    let redis = RedisServer::start("");
    time_goes_forward(&redis.settings(0));
}

#[test]
fn time_goes_forward_over_postgres() {
    let postgres = shared(Kind::Postgres);
    time_goes_forward(&postgres_settings(postgres, &postgres.create_database()));
}

#[test]
fn time_goes_forward_over_sqlite() {
    time_goes_forward("online_store:\n  type: sqlite\n  path: data/online_store.db\n");
}
