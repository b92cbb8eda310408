//! Every kind of registry, on a real server where it takes one.

pub mod contract;
mod crowds;
mod errors;
mod full_disk;
mod golden;
mod in_buckets;
mod kills;
mod other_schemas;
mod processes;
mod repo;
mod runs;
mod silence;

use std::{
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use feastr::{
    clients::{
        buckets::{Bucket, Expected},
        runtime::wait,
    },
    config::{self, RegistryConfig},
    diagnostics::{Diagnostics, SourceText},
    registry::{self, Locking, Memory, Registry},
};
use tempfile::TempDir;

use crate::{
    registry_remote::RegistryServer,
    servers::{
        Kind, Server,
        buckets::{self, ObjectStore, Store},
        shared,
    },
};

/// Makes a test of each function for each backend: `contract::postgres::it_works`; or for one that is named.
macro_rules! on_every_backend {
    ($($test:ident),* $(,)?) => {
        crate::registries::on_every_backend!(@ sqlite Sqlite $($test)*);
        crate::registries::on_every_backend!(@ file File $($test)*);
        crate::registries::on_every_backend!(@ postgres Postgres $($test)*);
        crate::registries::on_every_backend!(@ mariadb MariaDb $($test)*);
        crate::registries::on_every_backend!(@ s3 S3 $($test)*);
    };
    (@ $module:ident $backend:ident $($test:ident)*) => {
        mod $module {
            $(#[test] fn $test() { super::$test(crate::registries::Backend::$backend); })*
        }
    };
}
pub(crate) use on_every_backend;

/// The same, and for the registry in memory, other object stores, and one behind a registry server.
macro_rules! on_every_registry {
    ($($test:ident),* $(,)?) => {
        crate::registries::on_every_backend!($($test),*);
        crate::registries::on_every_backend!(@ memory Memory $($test)*);
        crate::registries::on_every_backend!(@ gcs Gcs $($test)*);
        crate::registries::on_every_backend!(@ azure Azure $($test)*);
        crate::registries::on_every_backend!(@ locked Locked $($test)*);
        crate::registries::on_every_backend!(@ served Served $($test)*);
    };
}
pub(crate) use on_every_registry;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    File,
    Postgres,
    MariaDb,
    S3,
    Gcs,
    Azure,
    /// A store that ignores conditions, and a PostgreSQL that keeps writers apart.
    Locked,
    Memory,
    /// Behind a registry server of feastr, which has it in a database.
    Served,
}

impl Backend {
    /// Whether there are statements for it.
    pub const fn is_sql(self) -> bool {
        matches!(self, Self::Sqlite | Self::Postgres | Self::MariaDb)
    }

    /// Whether it is Feast's message, in a file or in a bucket.
    pub fn is_message(self) -> bool {
        self == Self::File || self.store_kind().is_some()
    }

    pub fn server(self) -> Option<&'static Server> {
        match self {
            Self::Postgres | Self::Locked => Some(shared(Kind::Postgres)),
            Self::MariaDb => Some(shared(Kind::MariaDb)),
            _ => None,
        }
    }

    const fn store_kind(self) -> Option<Store> {
        match self {
            Self::S3 => Some(Store::SeaweedFs),
            Self::Gcs | Self::Locked => Some(Store::Gcs),
            Self::Azure => Some(Store::Azure),
            _ => None,
        }
    }

    /// The object store that has it.
    pub fn store(self) -> Option<&'static ObjectStore> {
        self.store_kind().map(buckets::shared)
    }

    /// An object of its own in the bucket of all of these tests.
    pub fn place_in_bucket(self) -> String {
        static BUCKETS: [OnceLock<String>; 4] = [const { OnceLock::new() }; 4];
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let kind = self.store_kind().unwrap();
        let bucket = BUCKETS[kind as usize].get_or_init(|| buckets::shared(kind).create_bucket());
        format!("{bucket}/team {}/registry.pb", NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// An empty registry of its own.
pub struct TestRegistry {
    pub backend: Backend,
    pub folder: TempDir,
    /// Name of the database on a server.
    pub database: String,
    /// The `registry` of feature_store.yaml, of those that can be named there.
    pub settings: String,
    memory: Memory,
    /// The server that has it, if one does.
    _server: Option<RegistryServer>,
}

impl TestRegistry {
    pub fn new(backend: Backend) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap().join("registry.db");
        let database = backend.server().map_or_else(String::new, Server::create_database);
        let server = (backend == Backend::Served).then(|| RegistryServer::start(&[]));
        let settings = match backend.server() {
            None if backend == Backend::Served => server.as_ref().unwrap().settings(),
            None if backend == Backend::File => format!("{{path: {}}}", path.display()),
            None if backend.store_kind().is_some() => format!("{{path: \"{}\"}}", backend.place_in_bucket()),
            Some(server) if backend == Backend::Locked => {
                format!("{{path: \"{}\", lock: \"{}\"}}", backend.place_in_bucket(), server.url(&database))
            }
            None => format!("{{registry_type: sql, path: sqlite:///{}}}", path.display()),
            Some(server) => format!("{{registry_type: sql, path: \"{}\"}}", server.url(&database)),
        };
        Self { backend, folder, database, settings, memory: Memory::default(), _server: server }
    }

    /// The settings with one more key.
    pub fn settings_with(&self, more: &str) -> String {
        self.settings.replacen('{', &format!("{{{more}, "), 1)
    }

    pub fn path(&self) -> std::path::PathBuf {
        self.folder.path().canonicalize().unwrap().join("registry.db")
    }

    pub fn open(&self) -> Box<dyn Registry> {
        self.open_with(Locking::default())
    }

    pub fn open_with(&self, locking: Locking) -> Box<dyn Registry> {
        match self.backend {
            Backend::Memory => Box::new(self.memory.with(locking)),
            _ => registry::open(&self.config(), locking),
        }
    }

    /// The settings as the program reads them.
    pub fn config(&self) -> RegistryConfig {
        read_in(&self.settings, &self.environment())
    }

    /// What the environment says to programs that use it.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        match self.backend {
            Backend::Locked => buckets::shared(Store::Gcs).environment_at(&in_buckets::without_conditions().endpoint()),
            backend => backend.store().map_or_else(Vec::new, ObjectStore::environment),
        }
    }

    /// The object that it is, with its bucket.
    pub fn object(&self) -> (Bucket, String) {
        let RegistryConfig::Bucket(config) = self.config() else { panic!("{:?} is in no bucket", self.backend) };
        (self.backend.store().unwrap().open(config.url.root()), config.url.key)
    }

    /// The bytes of the message.
    pub fn bytes(&self) -> Vec<u8> {
        match self.backend {
            Backend::File => std::fs::read(self.path()).unwrap(),
            _ => {
                let (bucket, key) = self.object();
                wait(bucket.get(&key)).unwrap().unwrap().0.to_vec()
            }
        }
    }

    /// Puts a message there.
    pub fn put_bytes(&self, bytes: &[u8]) {
        match self.backend {
            Backend::File => std::fs::write(self.path(), bytes).unwrap(),
            _ => {
                let (bucket, key) = self.object();
                wait(bucket.put(&key, bytes.to_vec().into(), Expected::Anything)).unwrap();
            }
        }
    }

    /// Carries out a statement in the database, whichever it is.
    pub fn execute(&self, statement: &str) {
        match self.backend.server() {
            Some(server) => server.execute(&self.database, statement),
            None => rusqlite::Connection::open(self.path()).unwrap().execute_batch(statement).unwrap(),
        }
    }
}

/// The `registry` settings as the program reads them.
pub fn read(registry: &str) -> RegistryConfig {
    read_in(registry, &[])
}

/// The same in an environment.
pub fn read_in(registry: &str, environment: &[(&'static str, String)]) -> RegistryConfig {
    let text = format!("project: p\nregistry: {registry}\nonline_store: none\n");
    let file = Arc::new(SourceText::new("feature_store.yaml", text));
    let mut diagnostics = Diagnostics::default();
    let folder = Path::new("/nowhere");
    let look_up = |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone());
    let config = config::load(&file, [folder, &folder.join("feature_store.yaml")], &look_up, &mut diagnostics);
    config.unwrap_or_else(|| panic!("{:?}", diagnostics.into_sorted())).registry
}

/// A lock that is not waited for long.
pub fn impatient() -> Locking {
    Locking { timeout: Duration::from_millis(300), ..Locking::default() }
}
