//! Redis: single servers, a cluster, and a master that a sentinel watches.

use std::{
    collections::BTreeMap,
    io::Write as _,
    path::PathBuf,
    process::{Child, Command},
    sync::OnceLock,
    thread::sleep,
    time::{Duration, Instant},
};

use feastr::config::{
    Password, RedisConfig, RedisConnection, RedisDeployment, RedisNode, RedisTls, TlsConfig, TlsMode,
};
use redis::ConnectionLike as _;

use super::{KEEP, PASSWORD, USER, create_certificate, create_folder, free_port, launch_guarded, program};

/// Values of a hash by their fields.
pub type Fields = BTreeMap<Vec<u8>, Vec<u8>>;

/// What the sentinels call their master.
pub const MASTER: &str = "features";

/// A running server.
pub struct RedisServer {
    pub port: u16,
    pub tls_port: u16,
    folder: PathBuf,
    watchdog: Child,
}

impl RedisServer {
    /// The server that all tests share which need nothing else.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<RedisServer> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(""))
    }

    /// Starts a server with the usual account and more settings in the words of `redis.conf`.
    pub fn start(settings: &str) -> Self {
        let (folder, port, tls_port) = (create_folder(), free_port(), free_port());
        create_certificate(&|program| Command::new(program), &folder);
        let settings = format!(
            "port {port}\ntls-port {tls_port}\nbind 127.0.0.1\ndir {0}\nsave \"\"\nappendonly no\n\
             tls-cert-file {0}/server.crt\ntls-key-file {0}/server.key\ntls-ca-cert-file {0}/ca.crt\n\
             tls-auth-clients no\nrequirepass {PASSWORD}\nmasterauth {PASSWORD}\n\
             user {USER} on >{PASSWORD} ~* &* +@all\nrepl-diskless-sync-delay 0\n{settings}\n",
            folder.display()
        );
        std::fs::write(folder.join("redis.conf"), settings).unwrap();
        let watchdog = launch(&folder, "redis-server");
        let server = Self { port, tls_port, folder, watchdog };
        server.await_start();
        server
    }

    fn await_start(&self) {
        await_true("the server starts", || {
            self.try_connect().is_some_and(|mut connection| connection.check_connection())
        });
    }

    /// A connection of its own, if the server takes one.
    pub fn try_connect(&self) -> Option<redis::Connection> {
        let mut connection = redis::Client::open(("127.0.0.1", self.port)).unwrap().get_connection().ok()?;
        redis::cmd("AUTH").arg(PASSWORD).exec(&mut connection).ok()?;
        Some(connection)
    }

    /// A connection of its own.
    pub fn connect(&self) -> redis::Connection {
        self.try_connect().unwrap()
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
        self.watchdog = launch(&self.folder, "redis-server");
        self.await_start();
    }

    /// Stops its process.
    #[cfg(target_os = "linux")]
    pub fn pause(&self) -> super::Paused {
        super::Paused::below(&self.folder)
    }

    pub fn node(&self) -> RedisNode {
        RedisNode { host: "127.0.0.1".to_owned(), port: self.port }
    }

    /// Settings with which feastr uses this server.
    pub fn config(&self) -> RedisConfig {
        config(RedisDeployment::Standalone, vec![self.node()])
    }

    /// The same over an encrypted connection.
    pub fn encrypted(&self, mode: TlsMode) -> RedisConfig {
        let root_certificates = Some(self.folder.join("ca.crt"));
        let mut config = self.config();
        config.connection.nodes = vec![RedisNode { host: "localhost".to_owned(), port: self.tls_port }];
        config.connection.tls = Some(RedisTls { server: TlsConfig { mode, root_certificates }, client: None });
        config
    }

    /// The settings of an online store in a database of this server, as one writes them.
    pub fn settings(&self, db: u8) -> String {
        settings("redis", self.port, &format!(",db={db}"))
    }

    /// What is in a database: fields and values by key, with the seconds they live.
    pub fn dump(&self, db: u8) -> BTreeMap<Vec<u8>, (Fields, i64)> {
        let mut connection = self.connect_to(db);
        let keys: Vec<Vec<u8>> = redis::cmd("KEYS").arg("*").query(&mut connection).unwrap();
        let mut hash = |key: &Vec<u8>| {
            let fields = redis::cmd("HGETALL").arg(key).query(&mut connection).unwrap();
            (fields, redis::cmd("TTL").arg(key).query(&mut connection).unwrap())
        };
        keys.into_iter().map(|key| (key.clone(), hash(&key))).collect()
    }

    /// A connection to one of its databases.
    pub fn connect_to(&self, db: u8) -> redis::Connection {
        let mut connection = self.connect();
        redis::cmd("SELECT").arg(db).exec(&mut connection).unwrap();
        connection
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Three masters that share the slots.
pub struct RedisCluster {
    pub nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// The cluster that all tests share which do not move its slots.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<RedisCluster> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    pub fn start() -> Self {
        Self::start_with("")
    }

    /// The same with more settings of each server in the words of `redis.conf`.
    pub fn start_with(settings: &str) -> Self {
        let settings = || format!("cluster-enabled yes\ncluster-port {}\n{settings}", free_port());
        let nodes: Vec<RedisServer> = (0..3).map(|_| RedisServer::start(&settings())).collect();
        for (index, node) in nodes.iter().enumerate() {
            let mut slots = redis::cmd("CLUSTER");
            slots.arg("ADDSLOTS");
            (0..16_384).filter(|slot| slot * 3 / 16_384 == index).for_each(|slot| {
                slots.arg(slot);
            });
            let mut connection = node.connect();
            slots.exec(&mut connection).unwrap();
            let bus: u16 =
                redis::cmd("CONFIG").arg("GET").arg("cluster-port").query::<Vec<String>>(&mut connection).unwrap()[1]
                    .parse()
                    .unwrap();
            let mut first = nodes[0].connect();
            redis::cmd("CLUSTER").arg("SET-CONFIG-EPOCH").arg(index + 1).exec(&mut connection).unwrap();
            redis::cmd("CLUSTER").arg(&["MEET", "127.0.0.1"]).arg(node.port).arg(bus).exec(&mut first).unwrap();
        }
        for node in &nodes {
            let mut connection = node.connect();
            await_true("the cluster is complete", || {
                let info: String = redis::cmd("CLUSTER").arg("INFO").query(&mut connection).unwrap();
                let known = ["cluster_state:ok", "cluster_known_nodes:3", "cluster_slots_assigned:16384"];
                known.iter().all(|known| info.contains(known))
            });
        }
        Self { nodes }
    }

    /// Settings with which feastr uses the cluster.
    pub fn config(&self) -> RedisConfig {
        config(RedisDeployment::Cluster, vec![self.nodes[1].node()])
    }

    /// The settings of an online store in it, as one writes them.
    pub fn settings(&self) -> String {
        settings("redis_cluster", self.nodes[1].port, "")
    }

    /// Moves a slot from one server to another, keys and all.
    pub fn move_slot(&self, slot: u16, from: usize, to: usize) {
        let mut nodes: Vec<redis::Connection> = self.nodes.iter().map(RedisServer::connect).collect();
        let ids: Vec<String> =
            nodes.iter_mut().map(|node| redis::cmd("CLUSTER").arg("MYID").query(node).unwrap()).collect();
        let set = |node: &mut redis::Connection, how: &str, id: &str| {
            redis::cmd("CLUSTER").arg("SETSLOT").arg(slot).arg(how).arg(id).exec(node).unwrap();
        };
        set(&mut nodes[to], "IMPORTING", &ids[from]);
        set(&mut nodes[from], "MIGRATING", &ids[to]);
        loop {
            let keys: Vec<Vec<u8>> =
                redis::cmd("CLUSTER").arg("GETKEYSINSLOT").arg(slot).arg(2).query(&mut nodes[from]).unwrap();
            if keys.is_empty() {
                break;
            }
            let mut migrate = redis::cmd("MIGRATE");
            migrate.arg("127.0.0.1").arg(self.nodes[to].port).arg("").arg(0).arg(5_000);
            migrate.arg("AUTH2").arg(USER).arg(PASSWORD).arg("KEYS").arg(&keys).exec(&mut nodes[from]).unwrap();
        }
        for index in [to, from, 3 - from - to] {
            set(&mut nodes[index], "NODE", &ids[to]);
        }
    }
}

/// A master with a replica, and a sentinel that watches them.
pub struct RedisSentinels {
    pub master: RedisServer,
    pub replica: RedisServer,
    port: u16,
    folder: PathBuf,
    watchdog: Child,
}

impl RedisSentinels {
    /// The set that all tests share which do not kill its master.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<RedisSentinels> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    pub fn start() -> Self {
        let master = RedisServer::start("");
        let replica = RedisServer::start(&format!("replicaof 127.0.0.1 {}\n", master.port));
        let (folder, port) = (create_folder(), free_port());
        let mut file = std::fs::File::create(folder.join("redis.conf")).unwrap();
        write!(
            file,
            "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor {MASTER} 127.0.0.1 {} 1\n\
             sentinel auth-pass {MASTER} {PASSWORD}\nsentinel down-after-milliseconds {MASTER} 500\n\
             sentinel failover-timeout {MASTER} 2000\n",
            folder.display(),
            master.port
        )
        .unwrap();
        let watchdog = launch(&folder, "redis-sentinel");
        let sentinels = Self { master, replica, port, folder, watchdog };
        await_true("the sentinel knows the replica", || {
            let connected = redis::Client::open(("127.0.0.1", port)).unwrap().get_connection();
            connected.is_ok_and(|mut connection| {
                let info: String = redis::cmd("INFO").arg("sentinel").query(&mut connection).unwrap();
                info.contains("slaves=1")
            })
        });
        let mut connection = sentinels.replica.connect();
        await_true("the replica follows", || {
            let info: String = redis::cmd("INFO").arg("replication").query(&mut connection).unwrap();
            info.contains("master_link_status:up")
        });
        sentinels
    }

    /// Makes the sentinel take another server for the master.
    pub fn watch(&self, server: &RedisServer) {
        let mut sentinel = redis::Client::open(("127.0.0.1", self.port)).unwrap().get_connection().unwrap();
        let mut order = |what: &str, address: &[&str]| {
            redis::cmd("SENTINEL").arg(what).arg(MASTER).arg(address).exec(&mut sentinel).unwrap();
        };
        order("REMOVE", &[]);
        order("MONITOR", &["127.0.0.1", &server.port.to_string(), "1"]);
    }

    pub fn node(&self) -> RedisNode {
        RedisNode { host: "127.0.0.1".to_owned(), port: self.port }
    }

    /// Settings with which feastr uses the master.
    pub fn config(&self) -> RedisConfig {
        config(RedisDeployment::Sentinel { master: MASTER.to_owned() }, vec![self.node()])
    }

    /// The settings of an online store in the master, as one writes them.
    pub fn settings(&self) -> String {
        format!("{}  sentinel_master: {MASTER}\n", settings("redis_sentinel", self.port, ""))
    }
}

impl Drop for RedisSentinels {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        self.watchdog.wait().unwrap();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn config(deployment: RedisDeployment, nodes: Vec<RedisNode>) -> RedisConfig {
    let (username, password) = (Some(USER.to_owned()), Some(Password(PASSWORD.to_owned())));
    RedisConfig::new(deployment, RedisConnection { username, password, ..RedisConnection::to(nodes) })
}

/// An online store as one writes it into feature_store.yaml.
fn settings(kind: &str, port: u16, more: &str) -> String {
    format!(
        "online_store:\n  type: redis\n  redis_type: {kind}\n  connection_string: \
         127.0.0.1:{port}{more},username={USER},password={PASSWORD}\n"
    )
}

fn launch(folder: &std::path::Path, name: &str) -> Child {
    let mut server = Command::new(program(name));
    server.arg(folder.join("redis.conf"));
    launch_guarded(&server, "KILL", folder)
}

/// Waits until something is true.
#[track_caller]
pub fn await_true(what: &str, mut is_true: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_true() {
        assert!(began.elapsed() < Duration::from_secs(60), "waited too long until {what}");
        sleep(Duration::from_millis(20));
    }
}
