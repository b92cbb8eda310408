//! Who one is to servers: where tokens come from, logging in and out, and what is said when there is none.

mod browser;
mod commands;
mod errors;
mod http;
mod keycloak;
mod provider;
mod requests;

use crate::support::Project;
use provider::Provider;

/// A repo whose `auth` is that of a client of a provider, with more keys.
fn client(provider: &Provider, more: &str) -> Project {
    with_auth(&provider.settings(more))
}

/// A repo with these lines at the end of its settings.
fn with_auth(auth: &str) -> Project {
    let project = Project::example();
    let settings = project.read("feature_store.yaml");
    project.write("feature_store.yaml", settings + auth);
    project
}
