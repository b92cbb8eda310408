//! Servers of Spark Connect: Apache Spark, and Sail, which speaks the same protocol. One of each for all tests of a run,
//! which start when the first one needs them.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::OnceLock,
    thread::sleep,
    time::{Duration, Instant},
};

use feastr::config::{EngineAccess, SparkAddress, SparkConfig};

use super::{PROCESS, create_folder, free_port, launch_guarded};

/// What Spark lets clients in with.
pub const TOKEN: &str = "s3cret-of-spark";

/// A start takes a quarter of a minute of a processor, and others may need it, too.
const LONGEST_START: Duration = Duration::from_secs(300);

/// A running server.
pub struct SparkServer {
    pub port: u16,
    folder: PathBuf,
    watchdog: Child,
}

/// Apache Spark, which asks for [`TOKEN`] and ends answers after a second, so that they are taken up again.
pub fn spark() -> &'static SparkServer {
    static SPARK: OnceLock<SparkServer> = OnceLock::new();
    SPARK.get_or_init(|| SparkServer::spark("spark.connect.execute.reattachable.senderMaxStreamDuration=1s"))
}

/// Sail, which lets everybody in.
pub fn sail() -> &'static SparkServer {
    static SAIL: OnceLock<SparkServer> = OnceLock::new();
    SAIL.get_or_init(SparkServer::own_sail)
}

impl SparkServer {
    /// A Spark of its own, for a test that ends it.
    pub fn own_spark() -> Self {
        Self::spark("")
    }

    fn spark(setting: &str) -> Self {
        Self::start(&format!("run_spark \"$2\" \"$3\" {setting}"), |command| {
            command.arg(format!("SPARK_CONNECT_AUTHENTICATE_TOKEN={TOKEN}")).arg(named("FEASTR_SPARK_HOME"));
        })
    }

    /// A Sail of its own, for a test that ends it.
    pub fn own_sail() -> Self {
        Self::sail_that_knows(&[])
    }

    /// The same with more in its environment.
    pub fn sail_that_knows(more: &[(&str, String)]) -> Self {
        Self::start("run_sail \"$2\"", |command| {
            command.arg(named("FEASTR_SAIL"));
            command.args(more.iter().map(|(name, value)| format!("{name}={value}")));
        })
    }

    /// Starts a server as people do, by a function of the project's script.
    fn start(function: &str, environment: impl FnOnce(&mut Command)) -> Self {
        let (folder, port) = (create_folder(), free_port());
        let mut command = Command::new("env");
        environment(&mut command);
        let script = "source \"$1/scripts/environment.sh\"; source \"$1/scripts/spark.sh\"; ";
        command.args(["bash", "-ec", &format!("{script}{function}"), "server"]).arg(env!("CARGO_MANIFEST_DIR"));
        command.arg(port.to_string()).arg(&folder);
        let watchdog = launch_guarded(&command, "TERM", &folder);
        let server = Self { port, folder, watchdog };
        server.await_start();
        server
    }

    fn await_start(&self) {
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let log = || std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(began.elapsed() < LONGEST_START, "the server does not start:\n{}", log());
            sleep(Duration::from_millis(50));
        }
    }

    /// Its address.
    pub fn address(&self) -> String {
        format!("sc://127.0.0.1:{}", self.port)
    }

    /// How it is asked, with these parameters of its address.
    pub fn config(&self, parameters: &str, wait: Duration) -> SparkConfig {
        SparkConfig {
            address: Some(SparkAddress::parse(&format!("{}/;{parameters}", self.address())).unwrap()),
            session: BTreeMap::new(),
            staging_location: None,
            access: EngineAccess { authorities: None, wait },
        }
    }

    /// Kills it, as a machine does that fails.
    pub fn kill(&self) {
        let process = std::fs::read_to_string(self.folder.join(PROCESS)).unwrap();
        Command::new("kill").args(["-KILL", process.trim()]).status().unwrap();
    }

    /// Ends it at once.
    pub fn end(&mut self) {
        drop(self.watchdog.stdin.take());
        self.watchdog.wait().unwrap();
    }
}

impl Drop for SparkServer {
    fn drop(&mut self) {
        self.end();
    }
}

/// A variable of the environment for a program, and its value, which names what is installed.
fn named(variable: &str) -> OsString {
    let value = std::env::var_os(variable).unwrap_or_else(|| {
        panic!("{variable} names nothing that is installed: run scripts/test.sh, which installs it")
    });
    assert!(Path::new(&value).exists(), "there is no {}", value.display());
    let mut named = OsString::from(format!("{variable}="));
    named.push(value);
    named
}
