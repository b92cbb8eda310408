//! What people may who are known: every endpoint that reads or writes asks what is registered.

use serde_json::{Value as Json, json};

use super::{ask, ask_with, assert_denied, assert_unknown, guard, guarded, question};
use crate::{
    serve::server::{FeatureServer, PATIENCE},
    servers::identity_provider::{IdentityProvider, SigningKey},
    support::Project,
};

const READ: &str = "/get-online-features";

fn frame() -> Json {
    json!({
        "driver_id": [1001], "conv_rate": [0.625], "acc_rate": [0.5], "avg_daily_trips": [1],
        "event_timestamp": ["2025-01-02T10:00:00+00:00"], "created": ["2025-01-02T10:00:00+00:00"],
    })
}

fn written() -> Json {
    json!({ "feature_view_name": "driver_hourly_stats", "df": frame() })
}

fn range() -> Json {
    json!({ "start_ts": "2000-01-01T00:00:00", "end_ts": "now" })
}

/// A provider with a key, and a repo with permissions whose server takes its tokens.
fn setup(own: &str) -> (IdentityProvider, SigningKey, Project) {
    let key = SigningKey::edwards("mine");
    let provider = IdentityProvider::start(&[&key]);
    let project = guarded(&provider, own);
    (provider, key, project)
}

/// A push source, whose view has another name than writers may use, and a view of another one.
const MORE: &str = "
data_sources:
  - {name: stats_push, type: push, batch_source: driver_hourly_stats_source}
feature_views:
  - {name: driver_fresh, entities: [driver], schema: [{name: conv_rate, dtype: Float32}], source: stats_push}
  - {name: trips, entities: [driver], schema: [{name: avg_daily_trips, dtype: Int64}], source: driver_hourly_stats_source}
on_demand_feature_views:
  - {name: doubled, sources: [driver_hourly_stats], schema: [{name: twice, dtype: Int64, sql: avg_daily_trips * 2}]}
";

#[test]
fn what_is_read_and_written_has_to_be_permitted() {
    let (provider, key, project) = setup("");
    project.write("more.yaml", MORE);
    project.feastr(&["apply"]).ok();
    let server = FeatureServer::start(&project, &[]);
    let token = |user: &str, roles: &[&str]| key.sign(&provider.claims(user, roles));
    let (reader, writer, eve) = (token("ann", &["super-reader"]), token("bob", &["fresh-writer"]), token("eve", &[]));
    let push = json!({ "push_source_name": "stats_push", "df": frame() });
    let mut pushed_both = push.clone();
    pushed_both["to"] = json!("online_and_offline");
    let named = json!({ "start_ts": "2000-01-01T00:00:00", "end_ts": "now", "feature_views": ["driver_hourly_stats"] });
    let until = json!({ "end_ts": "now", "feature_views": ["trips"] });

    assert_eq!(ask(&server, &reader, READ, &question()).status, 200);
    for (path, body, is_about) in [
        ("/write-to-online-store", written(), "WRITE_ONLINE on FeatureView:driver_hourly_stats"),
        ("/push", push.clone(), "WRITE_ONLINE on FeatureView:driver_fresh"),
        ("/push", pushed_both.clone(), "WRITE_OFFLINE and WRITE_ONLINE on FeatureView:driver_fresh"),
        ("/materialize", named.clone(), "WRITE_ONLINE on FeatureView:driver_hourly_stats"),
        ("/materialize?async=true", named.clone(), "WRITE_ONLINE on FeatureView:driver_hourly_stats"),
        ("/materialize-incremental", until.clone(), "WRITE_ONLINE on FeatureView:trips"),
    ] {
        assert_denied(&ask(&server, &reader, path, &body), &format!("`ann` is denied {is_about}: "));
        assert_denied(&ask(&server, &eve, path, &body), &format!("`eve` is denied {is_about}: "));
    }
    for (path, body) in
        [("/write-to-online-store", written()), ("/push", push), ("/push", pushed_both), ("/materialize", named)]
    {
        let answer = ask(&server, &writer, path, &body);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
    assert_denied(
        &ask(&server, &writer, READ, &question()),
        "`bob` is denied READ_ONLINE on FeatureView:driver_hourly_stats: permission `reader` requires one of the roles super-reader",
    );
    // All views are asked for where none is named, and one of them is not permitted.
    assert_denied(
        &ask(&server, &writer, "/materialize", &range()),
        "WRITE_ONLINE on FeatureView:trips: no permission is about it",
    );
    assert_denied(&ask(&server, &writer, "/materialize-incremental", &until), "FeatureView:trips");
    // What was materialized is in the history under the name of who asked.
    let history = project.feastr(&["materialize", "history", "--json"]).ok().json();
    assert!(history.as_array().unwrap().iter().any(|run| run["by"] == "bob"), "{history}");
}

#[test]
fn services_and_on_demand_views_are_objects_of_their_own() {
    let (provider, key, project) = setup("");
    project.write("more.yaml", MORE);
    let more = "  - {name: doublers, types: [OnDemandFeatureView], actions: READ, policy: {roles: [doubler]}}\n  - {name: served, \
                types: [FeatureService], name_patterns: [.*_v1], actions: READ, policy: {groups: [models]}}\n";
    project.write("permissions.yaml", super::PERMISSIONS.to_owned() + more);
    project.feastr(&["apply"]).ok();
    let server = FeatureServer::start(&project, &[]);
    let entities = json!({ "driver_id": [1001] });
    let doubled = json!({ "features": ["doubled:twice"], "entities": entities });
    let service = |name: &str| json!({ "feature_service": name, "entities": entities });
    let token = |roles: &[&str], groups: &[&str]| {
        let mut claims = provider.claims("ann", roles);
        claims["groups"] = json!(groups);
        key.sign(&claims)
    };
    // As in Feast both the view and what it is computed of have to be permitted.
    assert_eq!(ask(&server, &token(&["doubler", "super-reader"], &[]), READ, &doubled).status, 200);
    assert_denied(&ask(&server, &token(&["doubler"], &[]), READ, &doubled), "FeatureView:driver_hourly_stats");
    assert_denied(&ask(&server, &token(&["super-reader"], &[]), READ, &doubled), "OnDemandFeatureView:doubled");
    // As in Feast a service stands for its views.
    assert_eq!(ask(&server, &token(&[], &["models"]), READ, &service("driver_activity_v1")).status, 200);
    assert_denied(
        &ask(&server, &token(&["super-reader"], &[]), READ, &service("driver_activity_v1")),
        "FeatureService:driver_activity_v1",
    );
    assert_denied(
        &ask(&server, &token(&[], &["models"]), READ, &service("driver_activity_v2")),
        "no permission is about it",
    );
}

#[test]
fn the_project_is_that_of_the_settings() {
    let (provider, key, project) = setup("");
    let server = FeatureServer::start(&project, &[]);
    let eve = key.sign(&provider.claims("eve", &[]));
    for path in [READ.to_owned(), format!("{READ}?project=elsewhere"), format!("{READ}?project=")] {
        assert_denied(&ask(&server, &eve, &path, &question()), "`eve` is denied");
    }
}

#[test]
fn without_permissions_the_setting_decides() {
    let key = SigningKey::edwards("mine");
    let provider = IdentityProvider::start(&[&key]);
    let token = key.sign(&provider.claims("ann", &[]));
    for (own, status, said) in [
        ("", 200, "everybody who has a token may do everything"),
        ("default: allow", 200, "everybody who has a token may do everything"),
        ("default: deny", 403, "nobody may do anything"),
    ] {
        let project = crate::serve::answers::example();
        guard(&project, &provider, own);
        let server = FeatureServer::start(&project, &[]);
        let answer = ask(&server, &token, READ, &question());
        assert_eq!(answer.status, status, "{own}: {answer:?}");
        wait_for(&server, said);
        // The command line says the same.
        let check = project.feastr(&["permissions", "check", "read-online", "driver_hourly_stats"]);
        assert_eq!(check.code, if status == 200 { 0 } else { 3 }, "{check:?}");
    }
}

#[test]
fn permissions_that_are_applied_count_soon() {
    let (provider, key, project) = setup("");
    let server = FeatureServer::start(&project, &["--registry-ttl-sec", "1"]);
    let eve = key.sign(&provider.claims("eve", &["tester"]));
    assert_denied(&ask(&server, &eve, READ, &question()), "`eve` is denied");
    project.edit("permissions.yaml", "[super-reader]", "[tester]");
    project.feastr(&["apply"]).ok();
    let began = std::time::Instant::now();
    while ask(&server, &eve, READ, &question()).status != 200 {
        assert!(began.elapsed() < PATIENCE, "{}", server.said());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

#[test]
fn denials_are_told_and_requests_are_under_the_name_of_who_asks() {
    let (provider, key, project) = setup("");
    let settings = project.read("feature_store.yaml");
    project.write("feature_store.yaml", settings + "feature_server: {metrics: {audit_logging: true}}\n");
    let server = FeatureServer::start(&project, &["--log-format", "json"]);
    let token = |user: &str, roles: &[&str]| key.sign(&provider.claims(user, roles));
    let mut asked = question();
    asked["entities"]["driver_id"] = json!([987_654_321]);
    assert_eq!(ask(&server, &token("ann", &["super-reader"]), READ, &asked).status, 200);
    assert_eq!(ask(&server, &token("eve\n", &[]), READ, &asked).status, 403);
    wait_for(&server, "is denied");
    let line = |mark: &str| {
        let said = server.said();
        let line = said.lines().find(|line| line.contains(mark)).unwrap_or_else(|| panic!("no {mark}: {said}"));
        serde_json::from_str::<Json>(line).unwrap()
    };
    let denial = line("is denied");
    assert_eq!((&denial["level"], &denial["status"]), (&json!("warn"), &json!(403)));
    let message = denial["message"].as_str().unwrap();
    assert!(
        message
            .contains("POST /get-online-features: `eve\\n` is denied READ_ONLINE on FeatureView:driver_hourly_stats: "),
        "{message}"
    );
    assert_eq!(line("\"ann\"")["requestor_id"], "ann");
    assert!(
        !server.said().contains("987654321") && !server.said().contains(&token("ann", &["super-reader"])),
        "{}",
        server.said()
    );
}

#[test]
fn pages_about_the_server_are_open_and_everything_else_is_not() {
    let (_provider, _key, project) = setup("");
    let server = FeatureServer::start(&project, &[]);
    for open in ["/health", "/ready", "/docs", "/openapi.json"] {
        assert_eq!(server.ask("GET", open, "").status, 200, "{open}");
    }
    let description = server.ask("GET", "/openapi.json", "").json();
    assert_eq!(description["security"], json!([{ "token": [] }]));
    assert_eq!(description["components"]["securitySchemes"]["token"]["scheme"], "bearer");
    let paths = description["paths"].as_object().unwrap();
    assert!(paths["/ready"]["get"]["security"] == json!([{}]) && paths["/health"]["get"]["security"] == json!([{}]));
    let posted = paths.iter().filter(|(_, methods)| methods.get("post").is_some());
    let posted: Vec<&String> = posted.map(|(path, _)| path).collect();
    assert!(posted.len() >= 7, "{posted:?}");
    for path in posted {
        // Whatever the body is: nobody looks at it.
        assert_unknown(&ask_with(&server, "", path, &json!("no request")), "there is no access token");
    }
}

fn wait_for(server: &FeatureServer<'_>, words: &str) {
    let began = std::time::Instant::now();
    while !server.said().contains(words) {
        assert!(began.elapsed() < PATIENCE, "no {words}: {}", server.said());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn a_server_in_front_of_another_one_decides_itself() {
    let (provider, key, project) = setup("");
    project.write("more.yaml", MORE);
    project.feastr(&["apply"]).ok();
    let served = crate::serve::answers::example();
    let behind = FeatureServer::start(&served, &[]);
    let sqlite = "online_store:\n  type: sqlite\n  path: data/online_store.db\n";
    let remote = format!("online_store:\n  type: remote\n  path: http://{}\n", behind.address);
    project.edit("feature_store.yaml", sqlite, &remote);
    let token = |user: &str, roles: &[&str]| key.sign(&provider.claims(user, roles));
    let (reader, writer) = (token("ann", &["super-reader"]), token("bob", &["fresh-writer"]));
    // It asks the other one as itself, and who asks it need not know how.
    let server = FeatureServer::start(&project, &[]);
    assert_eq!(ask(&server, &reader, READ, &question()).status, 503);
    project.edit("feature_store.yaml", "client_id: store", "client_id: store, token: its-own");
    let server = FeatureServer::start(&project, &[]);
    let of = |views: &[&str]| json!({ "start_ts": "2000-01-01T00:00:00", "end_ts": "now", "feature_views": views });
    assert_eq!(ask(&server, &reader, READ, &question()).status, 200);
    assert_denied(&ask(&server, &writer, READ, &question()), "`bob` is denied READ_ONLINE");
    assert_eq!(ask(&server, &writer, "/materialize", &of(&["driver_hourly_stats"])).status, 200);
    assert_denied(
        &ask(&server, &reader, "/materialize", &of(&["driver_hourly_stats"])),
        "`ann` is denied WRITE_ONLINE",
    );
    assert_denied(&ask(&server, &writer, "/materialize", &range()), "FeatureView:trips");
    // What only the other one may have is not asked of it.
    assert_eq!(ask(&server, &writer, "/materialize", &of(&["elsewhere"])).status, 404);
}
