//! Feature repos in temporary folders, and the program run on them.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use feastr::{
    apply::{ApplyOptions, Approval},
    config::{OnlineStoreConfig, RegistryConfig, RegistryDatabase, SchemaMode, SqlRegistryConfig},
    model::{Author, Timestamp},
    online::{self, Online, OnlineStore},
    registry::{self, Locking, Registry},
};
use tempfile::TempDir;

/// A feature repo of its own; it vanishes with the value.
pub struct Project {
    pub folder: TempDir,
    /// What the environment of the program says, beside the folder of its user.
    pub environment: Vec<(&'static str, String)>,
}

/// What a run of the program left.
#[derive(Debug)]
pub struct Output {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    /// Asserts that the run went well.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Asserts that the run failed as errors do, and says so without a panic.
    #[track_caller]
    pub fn failed(self) -> Self {
        assert_eq!(self.code, 1, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self
    }

    /// Asserts that a guard refused the run.
    #[track_caller]
    pub fn refused(self) -> Self {
        assert_eq!(self.code, 3, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// The standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}:\n{}", self.stdout))
    }
}

impl Project {
    /// A repo with these files.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let project = Self { folder: tempfile::tempdir().unwrap(), environment: Vec::new() };
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    /// A small repo: one view and two services over the data of the example.
    pub fn example() -> Self {
        let project = Self::new(&[]);
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for file in ["feature_store.yaml", "data/driver_stats.parquet"] {
            project.copy(&root.join("examples/feature_repo").join(file), file);
        }
        for file in ["drivers.yaml", "services.yaml", "data/entity_rows.csv"] {
            project.copy(&root.join("tests/repos/drivers").join(file), file);
        }
        project
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap()
    }

    pub fn read_bytes(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.path(path)).unwrap()
    }

    pub fn copy(&self, from: &Path, to: &str) {
        let to = self.path(to);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from, to).unwrap();
    }

    /// Replaces text in a file, which must have it.
    pub fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{path} has no {from:?}");
        self.write(path, text.replacen(from, to, 1));
    }

    /// A run of the program in the repo, not started yet; its environment holds nothing of ours
    /// but what the project has.
    pub fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_feastr"));
        command.args(args).current_dir(self.folder.path()).env_clear().env("HOME", self.folder.path());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null());
        command
    }

    pub fn feastr<S: AsRef<OsStr>>(&self, args: &[S]) -> Output {
        let mut output = run(&mut self.command(args));
        // The folder is another one on every run.
        let folder = self.folder.path().canonicalize().unwrap();
        output.stderr = output.stderr.replace(folder.to_str().unwrap(), "[REPO]");
        output
    }
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    Output {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The settings most tests use: everything embedded.
pub fn settings(project: &str) -> String {
    format!(
        "project: {project}\nregistry:\n  registry_type: sql\n  path: sqlite:///data/registry.db\nonline_store:\n  \
         type: sqlite\n  path: data/online_store.db\noffline_store:\n  type: duckdb\n\
         entity_key_serialization_version: 3\n"
    )
}

/// Runs a command whose stdout was set already.
pub fn run_with_own_stdout(command: &mut Command) -> Output {
    let child = command.stderr(Stdio::piped()).spawn().unwrap();
    let output = child.wait_with_output().unwrap();
    Output {
        code: output.status.code().unwrap_or(-1),
        stdout: String::new(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A registry in an SQLite file.
pub fn sqlite_registry(path: &Path) -> Box<dyn Registry> {
    let database = RegistryDatabase::Sqlite { path: path.to_owned() };
    let config = SqlRegistryConfig { database, replica: None, schema_mode: SchemaMode::Auto };
    registry::open(&RegistryConfig::Sql(config), Locking::default())
}

/// The store that settings name.
pub fn online_store(config: &OnlineStoreConfig) -> Box<dyn OnlineStore> {
    match online::open(config, &Arc::default()) {
        Online::Store(store) => store,
        Online::Server(server) => panic!("{} has it", server.name()),
    }
}

/// An apply of whatever is due.
pub fn approving(now: Timestamp) -> ApplyOptions<'static> {
    ApplyOptions { repo_name: None, approval: Approval::Everything, author: Author::NOBODY, now }
}
