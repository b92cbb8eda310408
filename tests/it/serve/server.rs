//! A server of features as a process of its own, and a client that can misbehave.

use std::{
    io::{BufRead as _, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use serde_json::Value as Json;

use crate::support::Project;

/// Who waits longer has found a mistake.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A running `feastr serve` of a repo, which has to stay as long; it ends with the value.
pub struct FeatureServer<'a> {
    _project: &'a Project,
    pub address: SocketAddr,
    process: Child,
    said: Arc<Mutex<String>>,
}

impl<'a> FeatureServer<'a> {
    /// Starts it on a free port of a repo.
    pub fn start(project: &'a Project, args: &[&str]) -> Self {
        Self::start_in(project, args, &[])
    }

    /// The same in an environment with these variables.
    pub fn start_in(project: &'a Project, args: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = project.command(&[&["serve", "--port", "0"], args].concat());
        command.envs(environment.iter().copied());
        Self::launch(project, command)
    }

    /// The same by a command of its own.
    pub fn launch(project: &'a Project, mut command: Command) -> Self {
        let mut process = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut stderr = BufReader::new(process.stderr.take().unwrap());
        let mut line = String::new();
        let mut early = String::new();
        let address = loop {
            line.clear();
            assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "it does not listen: {early}");
            early += &line;
            if let Some(address) = address_after("Listening on http", &line) {
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
        Self { _project: project, address, process, said }
    }

    /// What it has said until now.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    pub fn connect(&self) -> Connection<TcpStream> {
        Self::connect_to(self.address)
    }

    /// Its metrics, from a port of their own.
    pub fn metrics(&self) -> Response {
        let said = self.said();
        let address = said.lines().find_map(|line| address_after("Metrics on http", line)).expect(&said);
        Self::connect_to(address).ask("GET", "/metrics", "").ok()
    }

    fn connect_to(address: SocketAddr) -> Connection<TcpStream> {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Connection::over(stream)
    }

    /// The answer to one request on a connection of its own.
    pub fn ask(&self, method: &str, path: &str, body: &str) -> Response {
        self.connect().ask(method, path, body)
    }

    /// What is answered to a request for features.
    pub fn features(&self, body: &Json) -> Response {
        self.ask("POST", "/get-online-features", &body.to_string())
    }

    /// The number of its process.
    pub fn process(&self) -> u32 {
        self.process.id()
    }

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

impl Drop for FeatureServer<'_> {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The address behind some words, in text or in JSON.
fn address_after(words: &str, line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once(words)?.1.split_once("://")?;
    rest.split(['/', '"', ' ', '\n']).next()?.parse().ok()
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    pub status: u16,
    /// Names in small letters.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Response {
    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The failure that a stock client reads: a JSON string that holds JSON.
    #[track_caller]
    pub fn failure(&self) -> Json {
        serde_json::from_str(self.json().as_str().unwrap_or_else(|| panic!("no text: {self:?}"))).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.status, 200, "{self:?}");
        self
    }

    /// The values of a column of an answer with features.
    #[track_caller]
    pub fn column(&self, name: &str) -> Json {
        let json = self.json();
        let names = json["metadata"]["feature_names"].as_array().unwrap().clone();
        let position = names.iter().position(|known| known == name).unwrap_or_else(|| panic!("no {name}: {json}"));
        json["results"][position].clone()
    }
}

impl Connection<TcpStream> {
    /// Tells the server that nothing more comes.
    pub fn stop_sending(&mut self) {
        // Who has left already need not be told.
        let _ = self.stream.get_ref().shutdown(Shutdown::Write);
    }
}

/// A connection that is kept.
pub struct Connection<S: Read + Write> {
    stream: BufReader<S>,
}

impl<S: Read + Write> Connection<S> {
    pub fn over(stream: S) -> Self {
        Self { stream: BufReader::new(stream) }
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).unwrap();
    }

    /// The same to somebody who may not listen any more.
    pub fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.stream.get_mut().write_all(bytes).is_ok()
    }

    /// Sends a request and reads the answer.
    pub fn ask(&mut self, method: &str, path: &str, body: &str) -> Response {
        self.try_ask(method, path, body).expect("the connection was closed")
    }

    /// The same; `None` where the server has closed the connection.
    pub fn try_ask(&mut self, method: &str, path: &str, body: &str) -> Option<Response> {
        self.try_ask_with("", method, path, body)
    }

    /// The same with more headers, each with its end of line.
    pub fn try_ask_with(&mut self, headers: &str, method: &str, path: &str, body: &str) -> Option<Response> {
        let head = format!("{method} {path} HTTP/1.1\r\nhost: x\r\n{headers}content-length: {}\r\n\r\n", body.len());
        if !self.try_send(format!("{head}{body}").as_bytes()) {
            return None;
        }
        self.response()
    }

    /// Reads an answer; `None` where there is none any more.
    pub fn response(&mut self) -> Option<Response> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = Vec::new();
        loop {
            line.clear();
            self.stream.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
        self.stream.read_exact(&mut body).unwrap();
        Some(Response { status, headers, body: String::from_utf8(body).unwrap() })
    }

    /// Whether the server closes the connection without another word.
    pub fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => rest.is_empty(),
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}
