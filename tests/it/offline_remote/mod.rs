//! An offline store behind an offline server, Feast's or feastr's, beside the same sources read by feastr itself.

mod errors;
mod feast;

use crate::support::{Output, Project};

/// The settings file that asks a server.
const SETTINGS: &str = "remote.yaml";

/// Runs the program with the settings that ask a server.
pub fn asking(project: &Project, args: &[&str]) -> Output {
    project.feastr(&[&["--feature-store-yaml", SETTINGS][..], args].concat())
}

/// Writes settings that are those of the repo, but ask a server; more keys of the offline store may follow.
pub fn ask_server(project: &Project, port: u16, more: &str) {
    let settings = project.read("feature_store.yaml");
    let store = "offline_store:\n  type: duckdb\n";
    assert!(settings.contains(store), "{settings}");
    let remote = format!("offline_store: {{type: remote, host: localhost, port: {port}{more}}}\n");
    project.write(SETTINGS, settings.replace(store, &remote));
}
