//! A server over gRPC as a process of its own.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use crate::support::Project;

/// A running `feastr serve-offline` or `serve-registry` of a repo, which has to stay as long; it ends with the value.
pub struct GrpcServer<'a> {
    _project: &'a Project,
    pub address: SocketAddr,
    process: Child,
    said: Arc<Mutex<String>>,
}

impl<'a> GrpcServer<'a> {
    /// Starts a server of the offline store on a free port.
    pub fn offline(project: &'a Project, args: &[&str]) -> Self {
        Self::start(project, "serve-offline", args)
    }

    /// Starts a server of the registry on a free port.
    pub fn registry(project: &'a Project, args: &[&str]) -> Self {
        Self::start(project, "serve-registry", args)
    }

    fn start(project: &'a Project, command: &str, args: &[&str]) -> Self {
        let mut command = project.command(&[&[command, "--verbose"], args].concat());
        if !args.contains(&"--port") {
            command.args(["--port", "0"]);
        }
        let (process, address, said) = launched(command);
        Self { _project: project, address, process, said }
    }

    /// What it has said until now.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// The number of its process.
    pub fn process(&self) -> u32 {
        self.process.id()
    }

    /// Sends it a signal.
    #[cfg(unix)]
    pub fn signal(&self, signal: &str) {
        let kill = Command::new("kill").args([signal, &self.process.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }
}

impl Drop for GrpcServer<'_> {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A server that listens: its process, its address, and what it says.
pub fn launched(mut command: Command) -> (Child, SocketAddr, Arc<Mutex<String>>) {
    let mut process = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut stderr = BufReader::new(process.stderr.take().unwrap());
    let (mut line, mut early) = (String::new(), String::new());
    let address = loop {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "it does not listen: {early}");
        early += &line;
        if let Some(address) = address(&line) {
            break address;
        }
    };
    let said = Arc::new(Mutex::new(early));
    let heard = Arc::clone(&said);
    thread::spawn(move || {
        for line in stderr.lines().map_while(Result::ok) {
            *heard.lock().unwrap() += &(line + "\n");
        }
    });
    (process, address, said)
}

fn address(line: &str) -> Option<SocketAddr> {
    line.split_once("Listening on grpc")?.1.split_once("://")?.1.split_whitespace().next()?.parse().ok()
}
