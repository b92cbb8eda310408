//! What commands ask of the outside: the folder of the repo, the environment, the clock, and who runs them.

use std::{
    cell::RefCell,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

#[cfg(unix)]
use super::signals;
use super::{CommandError, Global, skipped_checks::SkippedChecks};
use crate::{
    app::{Caller, Event, Failure, FeatureStore, Gate, Opening, definitions},
    auth::login::Tokens,
    clients::buckets::{Bucket, Buckets},
    config::{
        self, AuthConfig, BucketUrl, MemoryLimit, ParseMemoryLimitError, Password, RegistryCache, RegistryConfig,
        StoreConfig, variables,
    },
    diagnostics::{Diagnostics, SourceText},
    model::{Repo, Timestamp},
    registry::{self, LOCK_TIMEOUT, Locking, Registry, Waiting},
    ui::{Printer, RemovalProgress, draw_diagnostics},
};

/// What every command starts from: the streams, the repo's place and the clock.
pub(crate) struct Context {
    pub printer: Printer,
    chdir: Option<PathBuf>,
    settings: Option<PathBuf>,
    memory_limit: Option<MemoryLimit>,
    /// Name of the command that runs.
    command: String,
    /// The moment the command started.
    pub now: Timestamp,
    loaded: RefCell<Option<StoreConfig>>,
}

impl Context {
    pub(crate) fn new(printer: Printer, global: &Global, command: &str) -> Self {
        Self {
            printer,
            chdir: global.chdir.clone(),
            settings: global.feature_store_yaml.clone(),
            memory_limit: global.memory_limit.clone(),
            command: command.to_owned(),
            now: Timestamp::now(),
            loaded: RefCell::new(None),
        }
    }

    /// The repo's folder, absolute.
    fn folder(&self) -> Result<PathBuf, CommandError> {
        let folder = self.chdir.as_deref().unwrap_or_else(|| Path::new("."));
        if !folder.is_dir() {
            return Err(CommandError::new(format!("there is no folder {}", folder.display()), None));
        }
        // Resolved, as the working directory of somebody who stands in it: the registry records the
        // online store's path, and one store may not have two.
        Ok(std::fs::canonicalize(folder)?)
    }

    /// A path given on the command line, from the folder that --chdir names.
    pub(crate) fn target(&self, path: &Path) -> PathBuf {
        self.chdir.as_deref().map_or_else(|| path.to_owned(), |folder| folder.join(path))
    }

    /// The bucket of an URL that is given on the command line.
    pub(crate) fn bucket(&self, url: &BucketUrl) -> Result<Bucket, CommandError> {
        Ok(Buckets::new(self.config()?.buckets).open(url, None)?)
    }

    /// The settings of the repo, read once.
    pub(crate) fn config(&self) -> Result<StoreConfig, CommandError> {
        if let Some(config) = self.loaded.borrow().as_ref() {
            return Ok(config.clone());
        }
        let folder = self.folder()?;
        let path = self.settings.clone().unwrap_or_else(|| folder.join(config::FILE_NAME));
        let text = std::fs::read_to_string(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => CommandError::new(
                format!("there is no {}", display_path(&path).display()),
                "run feastr in a feature repo, name one with --chdir, or make one with `feastr init`".to_owned(),
            ),
            _ => CommandError::new(format!("cannot read {}: {error}", display_path(&path).display()), None),
        })?;
        let file = Arc::new(SourceText::settings(display_path(&path), text));
        let mut diagnostics = Diagnostics::default();
        match config::load(&file, [&folder, &std::path::absolute(&path)?], &environment, &mut diagnostics) {
            Some(mut config) => {
                config.memory_limit = self.memory_limit()?;
                self.show_warnings(diagnostics);
                *self.loaded.borrow_mut() = Some(config.clone());
                Ok(config)
            }
            None => Err(Failure::Definitions(diagnostics).into()),
        }
    }

    /// The settings of another repo.
    pub(crate) fn config_of(&self, folder: &Path) -> Result<StoreConfig, CommandError> {
        self.other(Some(folder), None).config()
    }

    /// Other settings for this repo.
    pub(crate) fn config_in(&self, file: &Path) -> Result<StoreConfig, CommandError> {
        self.other(self.chdir.as_deref(), Some(file)).config()
    }

    fn other(&self, chdir: Option<&Path>, settings: Option<&Path>) -> Self {
        Self {
            printer: self.printer,
            chdir: chdir.map(Path::to_owned),
            settings: settings.map(Path::to_owned),
            memory_limit: self.memory_limit.clone(),
            command: self.command.clone(),
            now: self.now,
            loaded: RefCell::new(None),
        }
    }

    /// What tells servers who one is.
    pub(crate) fn tokens(&self) -> Result<Tokens, CommandError> {
        Ok(Tokens::new(&self.config()?.auth, environment, Timestamp::now))
    }

    /// The feature store of the repo, for commands that say little while they work.
    pub(crate) fn store(&self) -> Result<FeatureStore, CommandError> {
        self.store_within(LOCK_TIMEOUT)
    }

    /// The same, whose locks are waited for no longer than `timeout`.
    pub(crate) fn store_within(&self, timeout: Duration) -> Result<FeatureStore, CommandError> {
        let printer = self.printer;
        let removal = RemovalProgress::new(printer);
        self.store_observed(timeout, move |event| match event {
            Event::Waiting(waiting) => printer.say(waiting),
            Event::Removed { entities } => removal.show(*entities),
            Event::IgnoredColumns { file, columns } => {
                let columns = columns.join(", ");
                printer.say(format_args!("{file}: columns that are not join keys are ignored: {columns}"));
            }
            Event::Materializing(_) => {}
        })
    }

    /// The feature store of the repo, held for many requests; what is registered is kept so.
    pub(crate) fn store_held(
        &self,
        registry_cache: RegistryCache,
        queries: NonZeroUsize,
    ) -> Result<FeatureStore, CommandError> {
        let config = self.config()?;
        let memory_limit = config.memory_limit.clone().shared_by(queries);
        let config = StoreConfig { registry_cache, memory_limit, ..config };
        Ok(self.open(config, LOCK_TIMEOUT, |_| {}).held()?)
    }

    /// The feature store of the repo, for servers that keep what they need of it themselves.
    pub(crate) fn store_quiet(&self) -> Result<FeatureStore, CommandError> {
        Ok(self.open(self.config()?, LOCK_TIMEOUT, |_| {}))
    }

    /// The same, for commands that show what happens in their own way.
    pub(crate) fn store_observed(
        &self,
        lock_timeout: Duration,
        observer: impl Fn(&Event<'_>) + Send + Sync + 'static,
    ) -> Result<FeatureStore, CommandError> {
        Ok(self.open(self.config()?, lock_timeout, observer))
    }

    fn open(
        &self,
        config: StoreConfig,
        lock_timeout: Duration,
        observer: impl Fn(&Event<'_>) + Send + Sync + 'static,
    ) -> FeatureStore {
        #[cfg(unix)]
        signals::remove_temporary_files();
        let opening = Opening {
            caller: self.caller(),
            lock_timeout,
            clock: Timestamp::now,
            environment,
            observer: Arc::new(observer),
        };
        FeatureStore::open(config, opening)
    }

    /// The definitions of the repo, checked.
    pub(crate) fn repo(&self, store: &FeatureStore, checks: SkippedChecks) -> Result<Repo, CommandError> {
        let request = definitions::Request {
            validate_sources: !checks.skip_source_validation,
            skip_view_names: checks.skip_feature_view_validation,
            display_path: &display_path,
        };
        let loaded = definitions::load(store, &self.caller(), request)?;
        self.show_warnings(loaded.warnings);
        Ok(loaded.repo)
    }

    /// A registry other than the repo's own; a server that has it is told who asks as `auth` says.
    pub(crate) fn registry_of(&self, config: &RegistryConfig, auth: &AuthConfig) -> Box<dyn Registry> {
        let printer = self.printer;
        let on_wait = Box::new(move |waiting: &Waiting<'_>| printer.say(waiting));
        let tokens = Arc::new(Tokens::new(auth, environment, Timestamp::now));
        registry::open_for(config, Locking { who: self.who(), timeout: LOCK_TIMEOUT, on_wait }, &tokens)
    }

    /// Who runs the command: somebody who may read the settings.
    pub(crate) fn caller(&self) -> Caller {
        Caller::Operator(self.who())
    }

    /// Who finds out who asks a server of this repo.
    pub(crate) fn gate(&self, auth: &AuthConfig) -> Result<Gate, CommandError> {
        let secret = environment(variables::INTRA_COMMUNICATION).filter(|secret| !secret.is_empty()).map(Password);
        Ok(Gate::of(auth, self.caller(), secret.as_ref(), Timestamp::now)?)
    }

    /// This run, as those read it who wait for its lock or look into the history: `apply of alice@ci-7 (pid 412)`.
    fn who(&self) -> String {
        let user = [variables::USER, variables::USERNAME].into_iter().find_map(|name| std::env::var(name).ok());
        let host = gethostname::gethostname().to_string_lossy().into_owned();
        let user = user.map_or_else(String::new, |user| format!("{user}@"));
        format!("{} of {user}{host} (pid {})", self.command, std::process::id())
    }

    /// How much memory queries may use.
    fn memory_limit(&self) -> Result<MemoryLimit, CommandError> {
        let set = std::env::var(variables::MEMORY_LIMIT).ok().filter(|text| !text.trim().is_empty());
        match (&self.memory_limit, set) {
            (Some(given), _) => Ok(given.clone()),
            (None, Some(text)) => text.parse().map_err(|error: ParseMemoryLimitError| {
                CommandError::new(
                    format!("`{text}` in {} is not an amount", variables::MEMORY_LIMIT),
                    error.to_string(),
                )
            }),
            (None, None) => Ok(MemoryLimit::default()),
        }
    }

    fn show_warnings(&self, diagnostics: Diagnostics) {
        let found = diagnostics.into_sorted();
        if !found.is_empty() && self.printer.verbosity >= crate::ui::Verbosity::Normal {
            self.printer.stderr(draw_diagnostics(&found, self.printer.err));
        }
    }
}

/// The value of an environment variable.
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A path as a person would write it: relative to the working directory where that is shorter.
pub(crate) fn display_path(path: &Path) -> PathBuf {
    let relative = std::env::current_dir().ok().and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    relative.filter(|path| !path.as_os_str().is_empty()).unwrap_or_else(|| path.to_owned())
}
