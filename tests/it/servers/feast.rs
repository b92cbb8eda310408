//! Feast's servers over a repo.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command},
    thread::sleep,
    time::{Duration, Instant},
};

use super::{create_folder, free_port, launch_guarded};

/// A running server.
pub struct FeastServer {
    pub port: u16,
    folder: PathBuf,
    watchdog: Child,
}

impl FeastServer {
    /// Starts a feature server over an applied repo, which takes a quarter of a minute.
    pub fn start(repo: &Path) -> Self {
        Self::started(repo, &["serve"], Self::is_healthy)
    }

    /// Starts an offline server over an applied repo, with more arguments.
    pub fn start_offline(repo: &Path, more: &[&str]) -> Self {
        let answers = |server: &Self| TcpStream::connect(("127.0.0.1", server.port)).is_ok();
        Self::started(repo, &[&["serve_offline"], more].concat(), answers)
    }

    /// Starts a registry server over a repo.
    pub fn start_registry(repo: &Path) -> Self {
        let answers = |server: &Self| TcpStream::connect(("127.0.0.1", server.port)).is_ok();
        Self::started(repo, &["serve_registry"], answers)
    }

    fn started(repo: &Path, what: &[&str], is_there: impl Fn(&Self) -> bool) -> Self {
        let (folder, port) = (create_folder(), free_port());
        let python = std::env::var_os("FEASTR_FEAST_PYTHON")
            .expect("FEASTR_FEAST_PYTHON names no Python with Feast: run scripts/test.sh, which installs one");
        // Paths of settings are relative to the working directory for Feast.
        let mut command = Command::new("env");
        command.arg("--chdir").arg(repo).arg(Path::new(&python).with_file_name("feast"));
        command.args(what).args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        let watchdog = launch_guarded(&command, "TERM", &folder);
        let server = Self { port, folder, watchdog };
        let began = Instant::now();
        while !is_there(&server) {
            let log = || std::fs::read_to_string(server.folder.join("log")).unwrap_or_default();
            assert!(began.elapsed() < Duration::from_secs(120), "Feast's server does not start:\n{}", log());
            sleep(Duration::from_millis(100));
        }
        server
    }

    fn is_healthy(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return false };
        let mut answer = String::new();
        stream.write_all(b"GET /health HTTP/1.0\r\n\r\n").is_ok()
            && stream.read_to_string(&mut answer).is_ok()
            && answer.contains(" 200 ")
    }
}

impl Drop for FeastServer {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        self.watchdog.wait().unwrap();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
