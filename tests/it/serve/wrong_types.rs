//! Right requests with something else in each place: whatever it is, the client is told, and the server goes on.

use serde_json::{Value as Json, json};

use super::{computed, server::FeatureServer};

/// Right requests, which together have everything that requests can have.
fn right() -> Vec<Json> {
    let features = json!(["wished:scaled", "wished:noted", "driver_hourly_stats:conv_rate"]);
    let entities = json!({ "driver_id": [1001, 1002], "factor": [2, 3], "note": ["a", "b"], "other": [1, 2] });
    vec![
        json!({ "features": features, "entities": entities, "full_feature_names": true,
                "include_feature_view_version_metadata": true, "surprise": { "deep": [1] } }),
        json!({ "feature_service": "driver_activity_v1", "entities": { "driver_id": [1001, 1002] } }),
    ]
}

/// What stands in a place instead.
fn others() -> Vec<Json> {
    let mut others = vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(""),
        json!("x"),
        json!("\u{0}\u{1f600}"),
        json!("'; DROP TABLE features; --"),
        json!("x".repeat(100_000)),
        json!([]),
        json!([[], [[]]]),
        json!([null, 1, "a", {}]),
        json!({}),
        json!({ "a": 1 }),
        json!({ "": { "": [] } }),
    ];
    others.push(Json::Array(others.clone()));
    others
}

/// The body with each part of it replaced by each of the others, and left out.
fn changed(body: &Json) -> Vec<Json> {
    let mut changed = others();
    match body {
        Json::Object(members) => {
            for name in members.keys() {
                let with = |value: Option<Json>, as_name: &str| {
                    let members = members.iter().filter_map(|(known, old)| match known == name {
                        true => Some((as_name.to_owned(), value.clone()?)),
                        false => Some((known.clone(), old.clone())),
                    });
                    Json::Object(members.collect())
                };
                changed.push(with(None, name));
                changed.extend(["", "x", "driver_id", "\u{0}"].map(|other| with(Some(members[name].clone()), other)));
                changed.extend(self::changed(&members[name]).into_iter().map(|value| with(Some(value), name)));
            }
        }
        Json::Array(items) => {
            for place in 0..items.len() {
                let mut without = items.clone();
                without.remove(place);
                changed.push(Json::Array(without));
                changed.extend(self::changed(&items[place]).into_iter().map(|value| {
                    let mut items = items.clone();
                    items[place] = value;
                    Json::Array(items)
                }));
            }
        }
        _ => {}
    }
    changed
}

#[test]
fn anything_in_any_place_is_a_mistake_of_the_client_or_none() {
    let project = computed::project();
    for args in [&[][..], &["--feast-statuses"]] {
        let server = FeatureServer::start(&project, args);
        let mut connection = server.connect();
        for body in right() {
            let answer = server.features(&body).ok();
            let (mut refused, mut answered) = (0, 0);
            for changed in changed(&body) {
                let response = connection.ask("POST", "/get-online-features", &changed.to_string());
                response.json();
                match response.status {
                    200 => answered += 1,
                    400 | 404 | 413 | 422 => refused += 1,
                    _ => panic!("{changed}: {response:?}"),
                }
                if response.status != 200 && response.status != 422 {
                    assert!(
                        response.failure()["message"].as_str().is_some_and(|text| !text.is_empty()),
                        "{response:?}"
                    );
                }
            }
            assert!(refused > 100 && answered > 5, "{refused} {answered}");
            assert_eq!(server.features(&body).ok().body, answer.body);
        }
        assert!(!server.said().contains("panicked"), "{}", server.said());
    }
}

#[test]
fn of_a_column_that_comes_twice_the_last_one_counts_as_in_python() {
    let project = computed::project();
    let server = FeatureServer::start(&project, &[]);
    let ask = |members: &str| {
        let body = format!(r#"{{"features": ["driver_hourly_stats:conv_rate"], {members}}}"#);
        server.ask("POST", "/get-online-features", &body)
    };
    let twice = ask(r#""entities": {"driver_id": [1001], "driver_id": [1002]}"#).ok();
    assert_eq!(twice.body, ask(r#""entities": {"driver_id": [1002]}"#).ok().body);
    assert_eq!(ask(r#""entities": {"driver_id": [1001]}, "entities": {"driver_id": [1002]}"#).status, 422);
}
