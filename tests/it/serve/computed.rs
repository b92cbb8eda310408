//! On-demand features: computed of what is stored and of what the request brings.

use serde_json::json;

use super::server::FeatureServer;
use crate::support::Project;

pub fn project() -> Project {
    let project = Project::example();
    let definitions = "data_sources:\n  - {name: wishes, type: request, schema: [{name: factor, dtype: Int64}, {name: note, \
                       dtype: String}]}\non_demand_feature_views:\n  - name: wished\n    sources: [driver_hourly_stats: \
                       [conv_rate], wishes]\n    schema:\n      - {name: scaled, dtype: Float64, sql: conv_rate * factor}\n      - \
                       {name: noted, dtype: String, sql: \"note || '!'\"}\n      - {name: broken, dtype: Int64, sql: CAST(note AS \
                       BIGINT)}\n";
    project.write("wishes.yaml", definitions);
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", "2000-01-01", "now"]).ok();
    project
}

#[test]
fn fields_of_requests_are_read_as_they_are_declared() {
    let project = project();
    let server = FeatureServer::start(&project, &["--feast-statuses"]);
    let ask = |names: &[&str], factor: serde_json::Value, note: serde_json::Value| {
        let features: Vec<String> = names.iter().map(|name| format!("wished:{name}")).collect();
        let entities = json!({ "driver_id": [1001], "factor": [factor], "note": [note] });
        server.features(&json!({ "features": features, "entities": entities }))
    };
    let answer = ask(&["scaled", "noted"], json!(1), json!("so")).ok();
    assert_eq!(answer.json()["metadata"]["feature_names"], json!(["driver_id", "scaled", "noted"]));
    assert_eq!(answer.column("noted")["values"], json!(["so!"]));
    let once = answer.column("scaled")["values"][0].as_f64().unwrap();
    let twice = ask(&["scaled"], json!("2"), json!(null)).ok().column("scaled");
    assert_eq!(twice["values"], json!([once * 2.0]));
    assert_eq!(twice["event_timestamps"], json!(["1970-01-01T00:00:00Z"]));
    assert_eq!(ask(&["scaled"], json!(null), json!("x")).ok().column("scaled")["values"], json!([null]));
    for factor in [json!(1.5), json!("x"), json!({}), json!(true)] {
        let refused = ask(&["scaled"], factor.clone(), json!(null));
        assert_eq!(refused.status, 400, "{factor}: {refused:?}");
    }
    let body = json!({ "features": ["wished:scaled"], "entities": { "driver_id": [1001] } });
    let missing = server.features(&body);
    assert_eq!(
        (missing.status, &missing.failure()["class"]),
        (404, &json!("RequestDataNotFoundInEntityRowsException"))
    );
    assert!(missing.failure()["message"].as_str().unwrap().contains("factor"));
    assert_eq!(ask(&["broken"], json!(1), json!("x")).ok().column("broken")["statuses"], json!(["PRESENT"]));
}

#[test]
fn a_value_that_cannot_be_computed_says_so() {
    let project = project();
    let server = FeatureServer::start(&project, &[]);
    let entities = json!({ "driver_id": [1001, 1001], "note": ["7", "x"] });
    let answer = server.features(&json!({ "features": ["wished:broken"], "entities": entities })).ok();
    assert_eq!(answer.column("broken")["values"], json!([7, null]));
    assert_eq!(answer.column("broken")["statuses"], json!(["PRESENT", "INVALID"]));
}
