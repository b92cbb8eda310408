//! Who may see and change what: lists leave out what somebody may not know, and the rest is denied.

use serde_json::{Value as Json, json};

use super::{ask, names, serve};
use crate::{
    auth::guard,
    servers::identity_provider::{IdentityProvider, SigningKey},
    support::Project,
};

const PERMISSIONS: &str = "permissions:
  - {name: seers, types: [FeatureView, Project, FeatureService], actions: [DESCRIBE], policy: {roles: [seer]}}
  - {name: makers, types: [Entity], name_patterns: [rider], actions: CRUD, policy: {roles: [maker]}}
";

#[test]
fn lists_leave_out_what_somebody_may_not_know_and_the_rest_is_denied() {
    let key = SigningKey::edwards("mine");
    let provider = IdentityProvider::start(&[&key]);
    let project = Project::example();
    project.write("permissions.yaml", PERMISSIONS);
    project.feastr(&["apply"]).ok();
    guard(&project, &provider, "");
    let server = serve(&project);
    let token = |user: &str, roles: &[&str]| key.sign(&provider.claims(user, roles));
    let (seer, maker, eve) = (token("ann", &["seer"]), token("bob", &["maker"]), token("eve", &[]));
    let get = |token: &str, path: &str| ask(&server, Some(token), "GET", path, &Json::Null);

    let unknown = ask(&server, None, "GET", "/entities?project=feastlocal", &Json::Null);
    assert_eq!((unknown.status, unknown.json()["error_type"].clone()), (401, json!("HTTPException")));
    assert!(unknown.header("www-authenticate").is_some());
    assert_eq!(get("no token", "/version").status, 401);
    assert_eq!(ask(&server, None, "GET", "/docs", &Json::Null).status, 200, "what can be asked is no secret");

    let views = get(&seer, "/feature_views?project=feastlocal").ok().json();
    assert_eq!(names(&views, "featureViews"), ["driver_hourly_stats"]);
    for (token, path, key) in [
        (&eve, "/feature_views?project=feastlocal", "featureViews"),
        (&eve, "/feature_views/all", "featureViews"),
        (&eve, "/features?project=feastlocal", "features"),
        (&eve, "/search?query=driver", "results"),
        (&eve, "/projects", "projects"),
        (&seer, "/entities?project=feastlocal", "entities"),
        (&seer, "/data_sources?project=feastlocal", "dataSources"),
    ] {
        let answer = get(token, path).ok().json();
        assert_eq!(answer[key], json!([]), "{path}: {answer}");
    }
    let found = get(&seer, "/search?query=driver").ok().json();
    assert!(names(&found, "results").contains(&"driver_hourly_stats".to_owned()), "{found}");
    assert!(found["results"].as_array().unwrap().iter().all(|hit| hit["type"] != "entity"), "{found}");

    for (token, method, path) in [
        (&eve, "GET", "/feature_views/driver_hourly_stats?project=feastlocal"),
        (&seer, "GET", "/entities/driver?project=feastlocal"),
        (&eve, "GET", "/lineage/registry?project=feastlocal"),
        (&eve, "GET", "/lineage/objects/entity/driver?project=feastlocal"),
        (&eve, "GET", "/projects/feastlocal"),
        (&seer, "DELETE", "/feature_views/driver_hourly_stats?project=feastlocal"),
        (&maker, "DELETE", "/entities/driver?project=feastlocal"),
        (&seer, "POST", "/registry/refresh"),
    ] {
        let answer = ask(&server, Some(token), method, path, &Json::Null);
        assert_eq!(answer.status, 403, "{method} {path}: {answer:?}");
        assert_eq!(answer.json()["error_type"], "FeastPermissionError");
    }
    let entity = |name: &str| json!({"name": name, "project": "feastlocal", "value_type": 4});
    assert_eq!(ask(&server, Some(&maker), "POST", "/entities", &entity("rider")).status, 201);
    assert_eq!(ask(&server, Some(&maker), "POST", "/entities", &entity("biker")).status, 403);
    assert_eq!(get(&maker, "/entities/rider?project=feastlocal").status, 200);
    assert_eq!(ask(&server, Some(&maker), "DELETE", "/entities/rider?project=feastlocal", &Json::Null).status, 200);
    // What somebody has seen, others are not told.
    get(&seer, "/feature_views/driver_hourly_stats?project=feastlocal").ok();
    let visits = |token: &str| get(token, "/metrics/recently_visited").ok().json()["visits"].as_array().unwrap().len();
    assert_eq!((visits(&seer), visits(&maker)), (1, 1));
    assert!(server.said().contains("`eve` is denied"), "{}", server.said());
}
