//! Registries behind a registry server of feastr: what commands do there, who may, and what becomes of changes and locks
//! when the server goes away. What it promises as every registry does is in `registries/contract.rs`.

mod denied;
mod faults;
mod feasts;
mod server;
mod story;
mod tls;

pub use server::RegistryServer;

use crate::support::Project;

/// A repo whose registry is behind a server.
pub fn client_of(server: &RegistryServer) -> Project {
    let project = Project::example();
    point_at(&project, server);
    project
}

/// Names another registry in the settings of a repo.
pub fn point_at(project: &Project, server: &RegistryServer) {
    point_at_address(project, &server.address.to_string());
}

/// The same of a server at an address.
pub fn point_at_address(project: &Project, address: &str) {
    let settings = project.read("feature_store.yaml");
    let (before, rest) = settings.split_once("\nregistry:").unwrap();
    let is_of_registry = |line: &&str| line.starts_with(' ');
    let after = rest.lines().skip(1).skip_while(is_of_registry).collect::<Vec<_>>().join("\n");
    let registry = format!("registry: {{registry_type: remote, path: '{address}'}}");
    project.write("feature_store.yaml", format!("{before}\n{registry}\n{after}\n"));
}
