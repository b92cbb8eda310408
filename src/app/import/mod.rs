//! Writing what a registry holds as definition files.

mod files;

use std::path::{Path, PathBuf};

use super::{Caller, Failure, FeatureStore, definitions::check_transformation};
use crate::{
    apply,
    config::StoreConfig,
    definitions::{self, LoadOptions, write},
    diagnostics::Diagnostics,
    model::{ForeignObject, Object, ObjectId, ObjectKind, RegistryState},
    plan::Change,
    problem::{Kind, Problem},
    registry::{Snapshot, read_objects},
    transform::misfits,
};
use files::StagedFiles;

/// What is imported, and where to.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The project's name in the registry it comes from.
    pub project: &'a str,
    /// What that registry holds of it.
    pub snapshot: &'a Snapshot,
    /// The folder of the files.
    pub folder: &'a Path,
    /// Whether files that exist are overwritten.
    pub replace: bool,
    /// How messages show a file.
    pub display_path: &'a dyn Fn(&Path) -> PathBuf,
}

/// What was written.
#[derive(Debug)]
pub struct Imported {
    /// The files, with the number of objects in each.
    pub files: Vec<(PathBuf, usize)>,
    /// What YAML cannot express and stays in the registry.
    pub kept: Vec<ForeignObject>,
    /// What reading the definitions back shows.
    pub check: Check,
    /// Other definition files of the repo, which may declare the same.
    pub others: Vec<PathBuf>,
}

/// What reading definitions back shows.
#[derive(Debug)]
pub enum Check {
    /// What a plan would change.
    Changes(Vec<Change>),
    /// A plan would refuse them.
    Refused(Diagnostics),
}

/// Writes one file per kind of object, all of them or none; before they are put in place they are read back and
/// compared with the registry.
///
/// # Errors
/// When a file exists and may not be overwritten ([`Kind::Conflict`]), or the folder cannot be written.
pub fn import(store: &FeatureStore, _: &Caller, request: Request<'_>) -> Result<Imported, Failure> {
    let config = store.config();
    let state = named_after_repo(read_objects(request.snapshot), request.project, store.project());
    let definitions = write(&state.objects);
    let counts: Vec<usize> = definitions.counts().map(|(_, count)| count).collect();
    let texts = definitions.texts().map(|(name, text)| (format!("{name}.yaml"), text));
    let unwritable = |error| {
        let message = format!("cannot write into {}: {error}", request.folder.display());
        Problem::new(Kind::Unavailable, message, None)
    };
    std::fs::create_dir_all(request.folder).map_err(unwritable)?;
    // As the repo's folder is known, so that paths can be compared.
    let folder = std::fs::canonicalize(request.folder).map_err(unwritable)?;
    let staged = StagedFiles::stage(&folder, texts).map_err(unwritable)?;
    let display_staged = |path: &Path| {
        let name = path.strip_prefix(staged.path()).unwrap_or(path);
        (request.display_path)(&folder.join(name))
    };
    let alone = StoreConfig { repo: staged.path().to_owned(), ..config.clone() };
    let mut check = check(store, &alone, &display_staged, &state)?;
    let written = staged.publish(request.replace, request.display_path)?;
    let others = others(&written, config)?;
    if !others.is_empty() {
        // What a plan will read is more than what was written.
        check = self::check(store, config, request.display_path, &state)?;
    }
    Ok(Imported { files: written.into_iter().zip(counts).collect(), kept: state.foreign, check, others })
}

/// The definitions that the repo has besides, if what was written is part of it.
fn others(written: &[PathBuf], config: &StoreConfig) -> Result<Vec<PathBuf>, Problem> {
    let found = definitions::definition_files(&config.repo, &config.file)?.files;
    let (ours, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|path| written.contains(path));
    Ok(if ours.is_empty() { Vec::new() } else { others })
}

/// Definitions take the name of the project they are part of.
fn named_after_repo(mut state: RegistryState, project: &str, configured: &str) -> RegistryState {
    if let Some(Object::Project(mut stored)) = state.objects.remove(&ObjectId::new(ObjectKind::Project, project)) {
        stored.name = configured.to_owned();
        state.objects.insert(ObjectId::new(ObjectKind::Project, configured), Object::Project(stored));
    }
    state
}

fn check(
    store: &FeatureStore,
    config: &StoreConfig,
    display_path: &dyn Fn(&Path) -> PathBuf,
    state: &RegistryState,
) -> Result<Check, Failure> {
    let options = LoadOptions {
        validate_sources: false,
        inspect: &|source| store.offline().inspect(source),
        misfits: &|view| misfits(store.expressions(), view),
        check_transformation: &|view, columns| check_transformation(store, view, columns),
        display_path,
        skip_view_names: false,
    };
    let mut diagnostics = Diagnostics::default();
    Ok(match definitions::load(config, &options, &mut diagnostics)? {
        // Whose objects they are does not matter here.
        Some(repo) => Check::Changes(apply::plan(&repo, state, None, None)?.changes),
        None => Check::Refused(diagnostics),
    })
}
