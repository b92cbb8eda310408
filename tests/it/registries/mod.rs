//! Every kind of registry, on a real server where it takes one.

mod contract;
mod errors;
mod full_disk;
mod golden;
mod kills;
mod other_schemas;
mod processes;
mod repo;
mod runs;
mod silence;

use std::{path::Path, sync::Arc, time::Duration};

use feastr::{
    config::{self, RegistryConfig},
    diagnostics::{Diagnostics, SourceText},
    registry::{self, Locking, Memory, Registry},
};
use tempfile::TempDir;

use crate::servers::{Kind, Server, shared};

/// Makes a test of each function for each backend: `contract::postgres::it_works`; or for one that is named.
macro_rules! on_every_backend {
    ($($test:ident),* $(,)?) => {
        crate::registries::on_every_backend!(@ sqlite Sqlite $($test)*);
        crate::registries::on_every_backend!(@ file File $($test)*);
        crate::registries::on_every_backend!(@ postgres Postgres $($test)*);
        crate::registries::on_every_backend!(@ mariadb MariaDb $($test)*);
    };
    (@ $module:ident $backend:ident $($test:ident)*) => {
        mod $module {
            $(#[test] fn $test() { super::$test(crate::registries::Backend::$backend); })*
        }
    };
}
pub(crate) use on_every_backend;

/// The same, and for the registry in memory.
macro_rules! on_every_registry {
    ($($test:ident),* $(,)?) => {
        crate::registries::on_every_backend!($($test),*);
        crate::registries::on_every_backend!(@ memory Memory $($test)*);
    };
}
pub(crate) use on_every_registry;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    File,
    Postgres,
    MariaDb,
    Memory,
}

impl Backend {
    /// Whether there are statements for it.
    pub const fn is_sql(self) -> bool {
        matches!(self, Self::Sqlite | Self::Postgres | Self::MariaDb)
    }

    pub fn server(self) -> Option<&'static Server> {
        match self {
            Self::Sqlite | Self::File | Self::Memory => None,
            Self::Postgres => Some(shared(Kind::Postgres)),
            Self::MariaDb => Some(shared(Kind::MariaDb)),
        }
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
}

impl TestRegistry {
    pub fn new(backend: Backend) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap().join("registry.db");
        let database = backend.server().map_or_else(String::new, Server::create_database);
        let settings = match backend.server() {
            None if backend == Backend::File => format!("{{path: {}}}", path.display()),
            None => format!("{{registry_type: sql, path: sqlite:///{}}}", path.display()),
            Some(server) => format!("{{registry_type: sql, path: \"{}\"}}", server.url(&database)),
        };
        Self { backend, folder, database, settings, memory: Memory::default() }
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
            _ => registry::open(&read(&self.settings), locking),
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
    let text = format!("project: p\nregistry: {registry}\nonline_store: none\n");
    let file = Arc::new(SourceText::new("feature_store.yaml", text));
    let mut diagnostics = Diagnostics::default();
    let folder = Path::new("/nowhere");
    let config = config::load(&file, [folder, &folder.join("feature_store.yaml")], &|_| None, &mut diagnostics);
    config.unwrap_or_else(|| panic!("{:?}", diagnostics.into_sorted())).registry
}

/// A lock that is not waited for long.
pub fn impatient() -> Locking {
    Locking { timeout: Duration::from_millis(300), ..Locking::default() }
}
