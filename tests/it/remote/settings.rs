//! `online_store: {type: remote}` in the settings file.

use serde_json::json;

use crate::support::Project;

fn project(store: &str) -> Project {
    let settings =
        format!("project: p\nregistry: {{registry_type: sql, path: 'sqlite:///registry.db'}}\nonline_store: {store}\n");
    Project::new(&[("feature_store.yaml", &settings)])
}

#[test]
fn settings_are_understood() {
    let shown = |store: &str| project(store).feastr(&["configuration", "--json"]).ok().json()["online_store"].clone();
    let defaults = json!({
        "type": "remote", "path": "http://localhost:6566", "cert": null, "connection_pool_size": 50,
        "connection_idle_timeout": 300, "connection_retries": 3,
    });
    assert_eq!(shown("remote"), defaults);
    assert_eq!(shown("{type: remote}"), defaults);
    let all = shown(
        "{type: remote, path: 'https://joe:secret@host/feast/', cert: ca.pem, connection_pool_size: 1, \
         connection_idle_timeout: 0, connection_retries: 0}",
    );
    assert_eq!(all["path"], "https://***@host/feast");
    assert!(all["cert"].as_str().unwrap().ends_with("/ca.pem"));
    assert_eq!(
        (&all["connection_pool_size"], &all["connection_idle_timeout"], &all["connection_retries"]),
        (&json!(1), &json!(0), &json!(0))
    );
}

#[test]
fn mistakes_are_shown_where_they_are() {
    for (store, place, message) in [
        (
            "{type: remote, path: 'ftp://joe:secret@host'}",
            "3:36",
            "a feature server has an URL that begins with http:// or https://",
        ),
        ("{type: remote, path: host}", "3:36", "this is no URL"),
        ("{type: remote, path: 'http://h?x=secret'}", "3:36", "has no `?` and no `#`"),
        ("{type: remote, connection_retries: -1}", "3:50", "`connection_retries` is a number from 0 to 4294967295"),
        ("{type: remote, conection_retries: 1}", "3:30", "conection_retries"),
    ] {
        let output = project(store).feastr(&["configuration"]).failed();
        assert!(output.stderr.contains(message) && output.stderr.contains(place), "{}", output.stderr);
        assert!(!output.stderr.contains("secret"), "{}", output.stderr);
    }
    let output = project("{type: remote, cert: ca.pem}").feastr(&["configuration"]).ok();
    assert!(output.stderr.contains("`cert` has no effect"), "{}", output.stderr);
}
