//! An online store behind a feature server: Feast's own, and servers that do what none should.

mod errors;
mod feast;
mod settings;

use crate::support::{Output, Project};

/// The settings file that asks a server.
const SETTINGS: &str = "remote.yaml";

/// Runs the program with the settings that ask a server.
fn asking(project: &Project, args: &[&str]) -> Output {
    project.feastr(&[&["--feature-store-yaml", SETTINGS][..], args].concat())
}

/// Writes settings that are those of the repo, but ask a server; more keys of the online store may follow.
fn ask_server(project: &Project, url: &str, more: &str) {
    let settings = project.read("feature_store.yaml");
    let store = "online_store:\n  type: sqlite\n  path: data/online_store.db\n";
    assert!(settings.contains(store), "{settings}");
    project.write(SETTINGS, settings.replace(store, &format!("online_store:\n  type: remote\n  path: {url}\n{more}")));
}
