//! Requests that are not as they should be, and names that nobody expects.

use serde_json::{Value as Json, json};

use super::{ask, get, names, serve};
use crate::support::Project;

#[test]
fn what_is_wrong_with_a_request_is_told() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    let server = serve(&project);
    for (method, path, status, class, words) in [
        ("GET", "/entities", 422, "RequestValidationError", "`project`: it is missing"),
        ("GET", "/entities?project=x&page=0", 422, "RequestValidationError", "`page`: it should be at least 1"),
        ("GET", "/entities?project=x&limit=1000", 422, "RequestValidationError", "`limit`: it should be at most 100"),
        ("GET", "/entities?project=x&limit=many", 422, "RequestValidationError", "a whole number"),
        ("GET", "/entities?project=x&sort_order=up", 422, "RequestValidationError", "`asc`, `desc`, not `up`"),
        ("GET", "/search", 422, "RequestValidationError", "`query`: it is missing"),
        ("GET", "/search?query=x&sort_by=age", 422, "RequestValidationError", "`match_score`"),
        ("GET", "/feature_views?project=x&updated_since=soon", 422, "RequestValidationError", "`updated_since`"),
        ("GET", "/lineage/objects/thing/x?project=x", 422, "RequestValidationError", "`thing` is no type"),
        ("GET", "/entities/drivr?project=feastlocal", 404, "FeastObjectNotFoundException", "did you mean `driver`?"),
        ("GET", "/projects/nowhere", 404, "FeastObjectNotFoundException", "no project `nowhere`"),
        ("DELETE", "/entities/nobody?project=feastlocal", 404, "FeastObjectNotFoundException", "no entity `nobody`"),
        ("GET", "/monitoring/metrics/features?project=x", 501, "HTTPException", "not computed here"),
        ("POST", "/monitoring/compute", 501, "HTTPException", "not computed here"),
        ("GET", "/saved_datasets/data/x?project=x", 501, "HTTPException", "neither makes nor reads datasets"),
        ("GET", "/saved_datasets/jobs/17", 404, "FeastObjectNotFoundException", "no job `17`"),
    ] {
        let answer = ask(&server, None, method, path, &Json::Null);
        let json = answer.json();
        assert_eq!((answer.status, &json["status_code"]), (status, &json!(status)), "{path}: {answer:?}");
        assert_eq!(json["error_type"], class, "{path}");
        assert!(json["detail"].as_str().unwrap().contains(words), "{path}: {json}");
    }
    let nowhere = ask(&server, None, "GET", "/api/v1/nowhere", &Json::Null);
    assert_eq!((nowhere.status, nowhere.json()), (404, json!({"detail": "Not Found"})));
    let put = ask(&server, None, "PUT", "/entities", &Json::Null);
    assert_eq!((put.status, put.json()), (405, json!({"detail": "Method Not Allowed"})));
}

#[test]
fn bodies_that_are_wrong_change_nothing() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    let server = serve(&project);
    let post = |path: &str, body: &str| server.ask("POST", path, body);
    let before = get(&server, "/lineage/complete?project=feastlocal");
    for (path, body, status, words) in [
        ("/entities", "", 422, "EOF"),
        ("/entities", "[1]", 422, "invalid type"),
        ("/entities", r#"{"project": "feastlocal"}"#, 422, "missing field `name`"),
        ("/entities", r#"{"name": "x", "project": "feastlocal", "tags": {"a": 1}}"#, 422, "at `tags.a`"),
        ("/entities", r#"{"name": "", "project": "feastlocal"}"#, 422, "name"),
        ("/data_sources", r#"{"name": "x", "project": "feastlocal"}"#, 422, "says nowhere where the rows are"),
        (
            "/data_sources",
            r#"{"name": "x", "project": "feastlocal", "file_options": {"uri": "x", "file_format": "xls"}}"#,
            422,
            "`xls` is no format",
        ),
        (
            "/feature_views",
            r#"{"name": "x", "project": "feastlocal", "batch_source": "driver_hourly_stat_source"}"#,
            422,
            "did you mean `driver_hourly_stats_source`?",
        ),
        (
            "/feature_views",
            r#"{"name": "x", "project": "feastlocal", "entities": ["rider"]}"#,
            422,
            "no entity `rider`",
        ),
        (
            "/feature_services",
            r#"{"name": "x", "project": "feastlocal", "features": [{"feature_view_name": "driver_hourly_stats", "feature_names": ["conv"]}]}"#,
            422,
            "no feature `conv`",
        ),
        (
            "/permissions",
            r#"{"name": "x", "project": "feastlocal", "types": ["TABLE"], "policy": {}}"#,
            422,
            "`TABLE` is none of types",
        ),
        ("/saved_datasets", r#"{"name": "x", "project": "feastlocal"}"#, 422, "`storage_path`"),
    ] {
        let answer = post(path, body);
        assert_eq!(answer.status, status, "{path} {body}: {answer:?}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(words), "{path} {body}: {answer:?}");
    }
    assert_eq!(get(&server, "/lineage/complete?project=feastlocal&allow_cache=false"), before);
}

#[test]
fn any_name_can_be_asked_for() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    let server = serve(&project);
    for (name, encoded) in
        [("a/b", "a%2Fb"), ("100%", "100%25"), ("größe ü", "gr%C3%B6%C3%9Fe%20%C3%BC"), ("a?b#c", "a%3Fb%23c")]
    {
        let body = json!({"name": name, "project": "feastlocal", "join_key": "k", "value_type": 4});
        let answer = ask(&server, None, "POST", "/entities", &body);
        assert_eq!(answer.status, 201, "{answer:?}");
        assert_eq!(answer.json(), json!({"name": name, "project": "feastlocal", "status": "applied"}));
        assert!(names(&get(&server, "/entities?project=feastlocal"), "entities").contains(&name.to_owned()), "{name}");
        let found = get(&server, &format!("/entities/{encoded}?project=feastlocal"));
        assert_eq!(found["spec"]["name"], name);
        let gone = ask(&server, None, "DELETE", &format!("/entities/{encoded}?project=feastlocal"), &Json::Null).ok();
        assert_eq!(gone.json(), json!({"name": name, "project": "feastlocal", "status": "deleted"}));
    }
}
