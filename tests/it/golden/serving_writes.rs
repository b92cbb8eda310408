//! What Feast's server answered to requests that write, asked of feastr's in the same order. What differs, and is meant to,
//! is said in docs/compatibility.md.

use serde_json::{Value as Json, json};

use super::{
    registry_rows::{golden_root, read_json},
    repos::RecordedRepo,
    serving::compute,
    vectors::{array, text},
};
use crate::{serve::server::FeatureServer, support::settings};

const WRITING: [&str; 4] = ["/push", "/write-to-online-store", "/materialize", "/materialize-incremental"];

/// Numbers as times, which Feast takes for nanoseconds.
const REFUSED: &str = "push_epoch_timestamp";

/// The second of two jobs: Feast's was at the end of the first one before it came.
const SECOND: &str = "materialize_async_again_at_once";

/// Ends long before what is materialized by then, for which Feast records a range that runs backwards.
const EARLIER: [&str; 2] = ["incremental", "incremental_views"];

/// Feast's own exceptions are raised again as what they are, or as a kind of them.
const MORE_EXACT: (&str, &str) = ("FeastObjectNotFoundException", "FeatureViewNotFoundException");

#[test]
fn requests_that_write_are_answered_as_they_were() {
    let recorded = read_json(&golden_root().join("serving/requests.json"));
    let cases = || array(&recorded).iter().filter(|case| case["server"] == "local");
    let path = |case: &Json| text(&case["request"]["path"]).split('?').next().unwrap().to_owned();
    let unknown = cases().find(|case| case["name"] == "materialize_unknown_view").unwrap();
    let exception: Json = serde_json::from_str(text(&unknown["response"]["json"])).unwrap();
    let project = text(&exception["message"]).rsplit(' ').next().unwrap().to_owned();
    let repo = RecordedRepo::of_project(&project).declare(&settings(&project));
    repo.feastr(&["apply"]).ok();
    compute(&repo);
    // Rows of the recording were in the future once, by some clocks.
    let server = FeatureServer::start(&repo, &["--allow-future"]);
    let mut asked = 0;
    for case in cases().filter(|case| WRITING.contains(&path(case).as_str())) {
        let (request, response, name) = (&case["request"], &case["response"], text(&case["name"]));
        let body = if request["json"].is_null() { json!({}) } else { request["json"].clone() };
        let ours = server.ask("POST", text(&request["path"]), &body.to_string());
        let theirs = response["status"].as_u64().unwrap();
        asked += 1;
        if theirs == 500 || name == REFUSED {
            assert_eq!(ours.status, 400, "{name}: {ours:?}");
            assert_eq!(ours.failure()["class"], "FeastError", "{name}");
            continue;
        }
        if (name == SECOND || EARLIER.contains(&name)) && ours.status == 409 {
            continue;
        }
        assert_eq!(u64::from(ours.status), theirs, "{name}: {ours:?}");
        match response["json"].as_str().map(|text| serde_json::from_str::<Json>(text).unwrap()) {
            Some(exception) => {
                let (class, ours) = (text(&exception["class"]), ours.failure());
                let is_same = ours["class"] == class || MORE_EXACT == (class, text(&ours["class"]));
                assert!(is_same && ours["module"] == exception["module"], "{name}: {ours}");
            }
            None if theirs == 422 => {
                let (theirs, ours) = (&response["json"]["detail"][0], &ours.json()["detail"][0]);
                assert_eq!((&ours["type"], &ours["loc"]), (&theirs["type"], &theirs["loc"]), "{name}");
            }
            None if response["text"] == "" => assert_eq!(ours.body, "", "{name}"),
            None => assert_eq!(ours.json(), response["json"], "{name}"),
        }
    }
    assert!(asked > 25, "{asked}");
}
