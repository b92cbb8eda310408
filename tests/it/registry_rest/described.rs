//! Requests that a stranger makes of what the server says about itself: Schemathesis finds none that it cannot take.

use super::{ask, serve};
use crate::{serve::described::schemathesis, support::Project};

/// What answers 501 on purpose.
const UNSUPPORTED: [&str; 1] = ["/monitoring/{what}"];

#[test]
fn no_request_that_fits_or_nearly_fits_the_description_is_a_mistake_of_the_server() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    let datasets = "feastr: {registry_server: {datasets: data/sets}}\n";
    project.write("feature_store.yaml", project.read("feature_store.yaml") + datasets);
    let server = serve(&project);
    // Paths are many, and each has the same parameters.
    schemathesis(&project, &server, &UNSUPPORTED, "examples,fuzzing", 2);
    let page = ask(&server, None, "GET", "/api/v1/docs", &serde_json::Value::Null).ok();
    assert!(page.body.contains("openapi.json"), "{page:?}");
}
