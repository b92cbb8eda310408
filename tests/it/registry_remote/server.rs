//! A server of the registry as a process of its own.

use std::{
    net::SocketAddr,
    process::{Child, Command},
};

use crate::{
    servers::grpc::launched,
    support::{Project, settings},
};

/// A running `feastr serve-registry` over a database in a folder of its own; it ends with the value.
pub struct RegistryServer {
    /// The repo whose registry it is.
    pub project: Project,
    pub address: SocketAddr,
    process: Child,
}

impl RegistryServer {
    /// Starts it on a free port, with more arguments.
    pub fn start(args: &[&str]) -> Self {
        Self::over(Project::new(&[("feature_store.yaml", &settings("feastlocal"))]), args)
    }

    /// Starts it over a repo that is there.
    pub fn over(project: Project, args: &[&str]) -> Self {
        let (process, address, _) = launched(command(&project, "0", args));
        Self { project, address, process }
    }

    /// The `registry` of repos that ask it.
    pub fn settings(&self) -> String {
        format!("{{registry_type: remote, path: '{}'}}", self.address)
    }

    /// Ends it at once, as a machine does that has no power.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Starts it again where it was.
    pub fn restart(&mut self) {
        self.kill();
        (self.process, self.address, _) = launched(command(&self.project, &self.address.port().to_string(), &[]));
    }
}

impl Drop for RegistryServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn command(project: &Project, port: &str, args: &[&str]) -> Command {
    project.command(&[&["serve-registry", "--port", port], args].concat())
}
