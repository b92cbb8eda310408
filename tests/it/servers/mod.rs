//! Database servers of our own: in temporary folders, on free ports, gone when the tests are.

pub mod buckets;
pub mod collector;
pub mod feast;
pub mod grpc;
pub mod identity_provider;
pub mod keycloak;
pub mod kubernetes;
pub mod many_keys;
pub mod meddler;
pub mod redis;
pub mod spark;

use std::{
    io::Write as _,
    net::TcpListener,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant},
};

use feastr::clients::http::{Connecting, HttpClient};
use mysql::prelude::Queryable as _;

/// Account and password of every server; the password must show up nowhere.
pub const USER: &str = "feast";
pub const PASSWORD: &str = "s3cret@pass/word";
pub const PASSWORD_IN_URL: &str = "s3cret%40pass%2Fword";

/// A file in the folder of a server that shall start again.
const KEEP: &str = "keep";

/// A file in the folder of a server with the number of its process.
const PROCESS: &str = "process";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Postgres,
    MariaDb,
}

/// A running server.
pub struct Server {
    pub kind: Kind,
    pub port: u16,
    folder: PathBuf,
    /// Shell that stops the server when its standard input ends, which it does when this process ends,
    /// however it ends.
    watchdog: Child,
    next_database: AtomicU32,
}

/// The server of a kind that all tests share.
pub fn shared(kind: Kind) -> &'static Server {
    static POSTGRES: OnceLock<Server> = OnceLock::new();
    static MARIADB: OnceLock<Server> = OnceLock::new();
    match kind {
        Kind::Postgres => POSTGRES.get_or_init(|| Server::start(kind)),
        Kind::MariaDb => MARIADB.get_or_init(|| Server::start(kind)),
    }
}

impl Server {
    /// Starts a server with an empty data folder.
    pub fn start(kind: Kind) -> Self {
        let (folder, port) = (create_folder(), free_port());
        let data = folder.join("data");
        match kind {
            Kind::Postgres => create_postgres(&folder, &data),
            Kind::MariaDb => create_mariadb(&data),
        }
        create_certificate(&|program| as_server(kind, program), &folder);
        let watchdog = launch(kind, &folder, port);
        let server = Self { kind, port, folder, watchdog, next_database: AtomicU32::new(0) };
        server.await_start();
        if kind == Kind::MariaDb {
            let socket = server.folder.join("socket");
            let options = mysql::OptsBuilder::new().socket(socket.to_str()).user(Some("root"));
            let mut root = mysql::Conn::new(options).unwrap();
            root.query_drop(format!("CREATE USER '{USER}'@'%' IDENTIFIED BY '{PASSWORD}'")).unwrap();
            root.query_drop(format!("GRANT ALL ON *.* TO '{USER}'@'%' WITH GRANT OPTION")).unwrap();
        }
        server
    }

    /// Kills the server without any goodbye.
    pub fn kill(&mut self) {
        std::fs::write(self.folder.join(KEEP), "").unwrap();
        drop(self.watchdog.stdin.take());
        self.watchdog.wait().unwrap();
    }

    /// Starts the server again after [`Self::kill`].
    pub fn restart(&mut self) {
        std::fs::remove_file(self.folder.join(KEEP)).unwrap();
        self.watchdog = launch(self.kind, &self.folder, self.port);
        self.await_start();
    }

    /// Stops all of its processes.
    #[cfg(target_os = "linux")]
    pub fn pause(&self) -> Paused {
        Paused::below(&self.folder)
    }

    /// The same of a PostgreSQL server, which then waits to take over.
    pub fn restart_as_replica(&mut self) {
        std::fs::write(self.folder.join("data/standby.signal"), "").unwrap();
        self.restart();
    }

    fn await_start(&self) {
        let began = Instant::now();
        while !self.answers() {
            let log = || std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(began.elapsed() < Duration::from_secs(120), "{:?} does not start:\n{}", self.kind, log());
            sleep(Duration::from_millis(50));
        }
    }

    fn answers(&self) -> bool {
        match self.kind {
            Kind::Postgres => self.try_postgres("postgres").is_ok(),
            Kind::MariaDb => std::os::unix::net::UnixStream::connect(self.folder.join("socket")).is_ok(),
        }
    }

    fn try_postgres(&self, database: &str) -> Result<postgres::Client, postgres::Error> {
        let mut config = postgres::Config::new();
        config.host("127.0.0.1").port(self.port).user(USER).password(PASSWORD).dbname(database);
        config.connect(postgres::NoTls)
    }

    /// A connection of its own to a PostgreSQL database.
    pub fn postgres(&self, database: &str) -> postgres::Client {
        self.try_postgres(database).unwrap()
    }

    /// A connection of its own to a MariaDB database.
    pub fn mysql(&self, database: &str) -> mysql::Conn {
        let options = mysql::OptsBuilder::new()
            .ip_or_hostname(Some("127.0.0.1"))
            .tcp_port(self.port)
            .user(Some(USER))
            .pass(Some(PASSWORD))
            .prefer_socket(false)
            .db_name(Some(database));
        mysql::Conn::new(options).unwrap()
    }

    /// Carries out a statement that answers nothing.
    pub fn execute(&self, database: &str, statement: &str) {
        match self.kind {
            Kind::Postgres => self.postgres(database).batch_execute(statement).unwrap(),
            Kind::MariaDb => self.mysql(database).query_drop(statement).unwrap(),
        }
    }

    /// Creates a database that nobody else uses, and gives its name.
    pub fn create_database(&self) -> String {
        let name = format!("test_{}", self.next_database.fetch_add(1, Ordering::Relaxed));
        let there = if self.kind == Kind::Postgres { "postgres" } else { "mysql" };
        let letters = if self.kind == Kind::Postgres { "" } else { " CHARACTER SET utf8mb4" };
        self.execute(there, &format!("CREATE DATABASE {name}{letters}"));
        name
    }

    /// The URL of a database, as one writes it into feature_store.yaml.
    pub fn url(&self, database: &str) -> String {
        let scheme = if self.kind == Kind::Postgres { "postgresql+psycopg" } else { "mysql+pymysql" };
        format!("{scheme}://{USER}:{PASSWORD_IN_URL}@127.0.0.1:{}/{database}", self.port)
    }

    /// The authority behind the server's certificate, which is for the name `localhost`.
    pub fn certificate_of_authority(&self) -> PathBuf {
        self.folder.join("ca.crt")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A server whose processes are stopped, until this value is gone: the system takes connections and requests for it, and
/// nobody answers.
#[cfg(target_os = "linux")]
pub struct Paused {
    processes: Vec<String>,
}

#[cfg(target_os = "linux")]
impl Paused {
    fn below(folder: &Path) -> Self {
        let server = std::fs::read_to_string(folder.join(PROCESS)).unwrap().trim().to_owned();
        let mut paused = Self { processes: vec![server] };
        let mut next = 0;
        // Who is stopped makes no more processes.
        while let Some(process) = paused.processes.get(next).cloned() {
            signal("-STOP", &process);
            let children = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
            paused.processes.extend(children.unwrap_or_default().split_whitespace().map(str::to_owned));
            next += 1;
        }
        paused
    }
}

#[cfg(target_os = "linux")]
impl Drop for Paused {
    fn drop(&mut self) {
        self.processes.iter().rev().for_each(|process| signal("-CONT", process));
    }
}

/// Sends a signal to a process, which may have ended.
#[cfg(target_os = "linux")]
fn signal(signal: &str, process: &str) {
    Command::new("kill").args([signal, process]).stderr(Stdio::null()).status().unwrap();
}

/// The account a server runs under when we are root, which servers refuse to be.
fn account(kind: Kind) -> Option<&'static str> {
    let is_root = run(Command::new("id").arg("-u")).trim() == "0";
    is_root.then_some(if kind == Kind::Postgres { "postgres" } else { "mysql" })
}

/// A command under the account of the server.
fn as_server(kind: Kind, program: &Path) -> Command {
    match account(kind) {
        None => Command::new(program),
        Some(user) => {
            let mut command = Command::new("setpriv");
            command.args([&format!("--reuid={user}"), &format!("--regid={user}"), "--clear-groups", "--"]);
            command.arg(program);
            command
        }
    }
}

#[track_caller]
fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A program of a database server. Debian keeps those of PostgreSQL off the PATH.
fn program(name: &str) -> PathBuf {
    let mut folders: Vec<PathBuf> = Vec::new();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.map(|version| version.unwrap().path().join("bin")));
    }
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    folders.extend(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    folders
        .into_iter()
        .map(|folder| folder.join(name))
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("`{name}` is not installed: run the tests with scripts/test.sh, which installs it"))
}

fn create_postgres(folder: &Path, data: &Path) {
    let password = folder.join("password");
    std::fs::write(&password, PASSWORD).unwrap();
    std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o644)).unwrap();
    run(as_server(Kind::Postgres, &program("initdb"))
        .arg("-D")
        .arg(data)
        .args(["-U", USER, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"])
        .arg("--pwfile")
        .arg(&password)
        .current_dir(folder));
    // In a setting that a test can change, which it could not on the command line.
    let certificate =
        format!("ssl = on\nssl_cert_file = '{0}/server.crt'\nssl_key_file = '{0}/server.key'\n", folder.display());
    let settings = folder.join("tls.conf");
    std::fs::write(&settings, certificate).unwrap();
    std::fs::set_permissions(&settings, std::fs::Permissions::from_mode(0o644)).unwrap();
    let mut main = std::fs::OpenOptions::new().append(true).open(data.join("postgresql.conf")).unwrap();
    writeln!(main, "include '{}'", settings.display()).unwrap();
}

fn create_mariadb(data: &Path) {
    let mut command = Command::new(program("mariadb-install-db"));
    command.arg("--no-defaults").arg(format!("--datadir={}", data.display()));
    command.args(["--auth-root-authentication-method=normal", "--skip-test-db"]);
    if let Some(user) = account(Kind::MariaDb) {
        command.arg(format!("--user={user}"));
    }
    run(&mut command);
}

pub fn create_folder() -> PathBuf {
    let folder = tempfile::Builder::new().prefix("feastr-server-").tempdir().unwrap().keep();
    // The server runs under another account when we are root.
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
    folder
}

/// A client of servers without encryption.
pub fn http_client() -> HttpClient {
    let client = HttpClient::new(Connecting {
        name: "the server".to_owned(),
        setting: "its port",
        authorities_setting: "nothing",
        authorities: None,
        is_encrypted: false,
        is_verified: true,
        pool_size: 1,
        idle_timeout: Some(Duration::from_secs(1)),
        retries: 0,
    });
    client.unwrap()
}

/// A port that is free like the one ten thousand higher, where some servers have another one. Both are below those that the
/// system gives away to whoever connects, and beside those of the scripts; nobody else here is given it soon.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(7);
    loop {
        let port = 15_000 + u16::try_from(first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % 5_000).unwrap();
        let is_free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if is_free(port) && is_free(port + 10_000) {
            return port;
        }
    }
}

/// A certificate for `localhost`, its key, and the authority that it is from, in a folder.
pub fn server_certificate(folder: &Path) {
    create_certificate(&|program| Command::new(program), folder);
}

pub fn create_certificate(command: &dyn Fn(&Path) -> Command, folder: &Path) {
    let openssl = |arguments: &str| {
        run(command(&program("openssl")).args(arguments.split(' ')).current_dir(folder));
    };
    openssl("req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=tests -keyout ca.key -out ca.crt");
    openssl("req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr");
    std::fs::write(folder.join("extensions"), "subjectAltName=DNS:localhost\n").unwrap();
    openssl(
        "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile extensions -out server.crt",
    );
}

fn launch(kind: Kind, folder: &Path, port: u16) -> Child {
    let (server, signal) = match kind {
        Kind::Postgres => {
            let mut server = as_server(kind, &program("postgres"));
            server.arg("-D").arg(folder.join("data")).arg("-k").arg(folder);
            server.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-c", "max_connections=200"]);
            // It leaves no shared memory behind when it is asked to stop at once.
            (server, "QUIT")
        }
        Kind::MariaDb => {
            let mut server = as_server(kind, &program("mariadbd"));
            server.arg("--no-defaults").arg(format!("--datadir={}/data", folder.display()));
            server.arg(format!("--socket={}/socket", folder.display())).arg(format!("--port={port}"));
            server.arg(format!("--pid-file={}/pid", folder.display()));
            server.args(["--bind-address=127.0.0.1", "--skip-name-resolve", "--innodb-buffer-pool-size=64M"]);
            server.arg(format!("--ssl-cert={}/server.crt", folder.display()));
            server.arg(format!("--ssl-key={}/server.key", folder.display()));
            (server, "KILL")
        }
    };
    launch_guarded(&server, signal, folder)
}

/// Whether the process of a server in this folder was there and is gone.
fn has_ended(folder: &Path) -> bool {
    let process = std::fs::read_to_string(folder.join(PROCESS)).unwrap_or_default();
    let is_there =
        || Command::new("kill").args(["-0", process.trim()]).stderr(Stdio::null()).status().unwrap().success();
    !process.trim().is_empty() && !is_there()
}

/// Starts a server below a shell that ends it with a signal when its own standard input ends, and then
/// removes the folder.
fn launch_guarded(server: &Command, signal: &str, folder: &Path) -> Child {
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!(
        "trap '' INT HUP; \"$@\" </dev/null >>\"$0/log\" 2>&1 & server=$!; echo $server >\"$0/{PROCESS}\"; cat >/dev/null; \
         kill -{signal} $server; kill -CONT $server; wait $server; [ -e \"$0/{KEEP}\" ] || rm -rf \"$0\""
    ));
    command.arg(folder).arg(server.get_program()).args(server.get_args());
    command.current_dir(folder).process_group(0).stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}
