use std::{
    cell::RefCell,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

#[cfg(unix)]
use super::signals;
use super::{CommandError, Global, checks::Checks};
use crate::{
    config::{self, MemoryLimit, ParseMemoryLimitError, StoreConfig, variables},
    definitions::{self, LoadOptions},
    diagnostics::{Diagnostics, SourceText},
    model::{ObjectId, Repo, Timestamp},
    offline::{self, OfflineStore},
    online::{self, OnlineStore},
    registry::{self, LOCK_TIMEOUT, Locking, Registry},
    ui::{Printer, draw_diagnostics},
};

/// What every command starts from: the streams, the repo's place and the clock.
pub struct Context {
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
    pub fn new(printer: Printer, global: &Global, command: &str) -> Self {
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
    pub fn target(&self, path: &Path) -> PathBuf {
        self.chdir.as_deref().map_or_else(|| path.to_owned(), |folder| folder.join(path))
    }

    /// The settings of the repo, read once.
    pub fn config(&self) -> Result<StoreConfig, CommandError> {
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
        let environment = |name: &str| std::env::var(name).ok();
        match config::load(&file, [&folder, &std::path::absolute(&path)?], &environment, &mut diagnostics) {
            Some(mut config) => {
                config.memory_limit = self.memory_limit()?;
                self.show_warnings(diagnostics);
                *self.loaded.borrow_mut() = Some(config.clone());
                Ok(config)
            }
            None => Err(CommandError::Repo(diagnostics)),
        }
    }

    /// The settings of another repo.
    pub fn config_of(&self, folder: &Path) -> Result<StoreConfig, CommandError> {
        self.other(Some(folder), None).config()
    }

    /// Other settings for this repo.
    pub fn config_in(&self, file: &Path) -> Result<StoreConfig, CommandError> {
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

    /// The definitions of the repo, checked.
    pub fn repo(&self, checks: Checks) -> Result<Repo, CommandError> {
        let config = self.config()?;
        let store = offline::open(&config);
        let options = LoadOptions {
            validate_sources: !checks.skip_source_validation,
            skip_view_names: checks.skip_feature_view_validation,
            inspect: &|source| store.inspect(source),
            display_path: &|path| display_path(path),
        };
        let mut diagnostics = Diagnostics::default();
        match definitions::load(&config, &options, &mut diagnostics)? {
            Some(repo) => {
                self.show_warnings(diagnostics);
                Ok(repo)
            }
            None => {
                self.point_to_other_repos(&config, &mut diagnostics);
                Err(CommandError::Repo(diagnostics))
            }
        }
    }

    /// Says of missing things which other repo of the project has them. What the registry knows is a help only, so
    /// nothing is said where it cannot be read.
    fn point_to_other_repos(&self, config: &StoreConfig, diagnostics: &mut Diagnostics) {
        let Some(ours) = config.repo_name.as_ref().filter(|_| diagnostics.has_missing()) else { return };
        let snapshot = registry::open_to_read(&config.registry).snapshot(&config.project);
        let Ok(owners) = snapshot.map(|snapshot| registry::state(&snapshot).owners) else { return };
        diagnostics.explain_missing(|missing| {
            let is_meant = |id: &ObjectId| {
                id.name == missing.name
                    && (id.kind.as_str() == missing.what || (id.kind.is_view() && missing.what.contains("view")))
            };
            let (_, owner) = owners.iter().find(|(id, owner)| is_meant(id) && *owner != ours)?;
            Some(format!("repo `{owner}` has applied it to the registry; declare it here as well, just as it does"))
        });
    }

    /// The registry, for commands that change it.
    pub fn registry(&self) -> Result<Box<dyn Registry>, CommandError> {
        self.registry_within(LOCK_TIMEOUT)
    }

    /// The registry, whose lock is waited for no longer than `timeout`.
    pub fn registry_within(&self, timeout: Duration) -> Result<Box<dyn Registry>, CommandError> {
        Ok(registry::open(&self.config()?.registry, self.locking(timeout)))
    }

    /// How this run takes the locks of registries: under its name, and saying whom it waits for.
    pub fn locking(&self, timeout: Duration) -> Locking {
        let printer = self.printer;
        Locking { who: self.who(), timeout, on_wait: Box::new(move |waiting| printer.say(waiting)) }
    }

    /// The registry, or the replica the settings name, for commands that only read.
    pub fn registry_to_read(&self) -> Result<Box<dyn Registry>, CommandError> {
        Ok(registry::open_to_read(&self.config()?.registry))
    }

    /// This run, as those read it who wait for its lock or look into the history: `apply of alice@ci-7 (pid 412)`.
    pub fn who(&self) -> String {
        let user = [variables::USER, variables::USERNAME].into_iter().find_map(|name| std::env::var(name).ok());
        let host = gethostname::gethostname().to_string_lossy().into_owned();
        let user = user.map_or_else(String::new, |user| format!("{user}@"));
        format!("{} of {user}{host} (pid {})", self.command, std::process::id())
    }

    pub fn offline(&self) -> Result<Box<dyn OfflineStore>, CommandError> {
        #[cfg(unix)]
        signals::remove_temporary_files();
        Ok(offline::open(&self.config()?))
    }

    /// The online store, if the repo has one.
    pub fn online(&self) -> Result<Option<Box<dyn OnlineStore>>, CommandError> {
        Ok(self.config()?.online_store.as_ref().map(online::open))
    }

    /// The online store, for commands that cannot do without.
    pub fn required_online(&self) -> Result<Box<dyn OnlineStore>, CommandError> {
        self.online()?.ok_or_else(|| {
            CommandError::new(
                "this repo has no online store",
                "set `online_store` in feature_store.yaml, for example to `type: sqlite`".to_owned(),
            )
        })
    }

    /// How much memory queries may use.
    fn memory_limit(&self) -> Result<MemoryLimit, CommandError> {
        let set = std::env::var(variables::MEMORY_LIMIT).ok().filter(|text| !text.trim().is_empty());
        match (&self.memory_limit, set) {
            (Some(given), _) => Ok(given.clone()),
            (None, Some(text)) => text.parse().map_err(|error: ParseMemoryLimitError| {
                CommandError::new(format!("`{text}` in {} is no amount", variables::MEMORY_LIMIT), error.to_string())
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

/// A path as a person would write it: relative to the working directory where that is shorter.
pub fn display_path(path: &Path) -> PathBuf {
    let relative = std::env::current_dir().ok().and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    relative.filter(|path| !path.as_os_str().is_empty()).unwrap_or_else(|| path.to_owned())
}
