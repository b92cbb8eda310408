//! Writing what a registry holds as definition files.

mod files;

use std::path::{Path, PathBuf};

use super::{
    Caller, Failure, FeatureStore,
    definitions::check_transformation,
    python_views::{PythonView, python_views},
};
use crate::{
    apply,
    config::StoreConfig,
    definitions::{self, LoadOptions, Sketch, write},
    diagnostics::Diagnostics,
    model::{ForeignObject, NamedView, Object, ObjectId, ObjectKind, OnDemandFeatureView, RegistryState},
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
    /// Whether views of Python functions become views of SQL expressions, where these give the same values.
    pub translate: bool,
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
    /// Views of Python functions that were written as views of SQL expressions; a plan shows them as changes.
    pub translated: Vec<ObjectId>,
    /// Views of Python functions that are shown in comments, with their SQL as far as it is known.
    pub sketched: Vec<Sketched>,
    /// What reading the definitions back shows.
    pub check: Check,
    /// Other definition files of the repo, which may declare the same.
    pub others: Vec<PathBuf>,
}

/// A view of a Python function that is shown in a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sketched {
    /// The view.
    pub id: ObjectId,
    /// Why there is no SQL for it; `None` if there is.
    pub reason: Option<String>,
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
    let python = python_views(&state, request.snapshot);
    let (translated, sketched): (Vec<_>, Vec<_>) =
        python.into_iter().partition(|view| request.translate && view.is_translated());
    let declared = with_translated(&state, &translated);
    let sketches: Vec<Sketch<'_>> = sketched.iter().map(PythonView::sketch).collect();
    let definitions = write(&declared.objects).with_comments(&sketches, &declared.objects);
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
    Ok(Imported {
        files: written.into_iter().zip(counts).collect(),
        kept: declared.foreign,
        translated: translated.iter().map(|python| id(&python.view)).collect(),
        sketched: sketched
            .iter()
            .map(|python| Sketched { id: id(&python.view), reason: python.reason().map(str::to_owned) })
            .collect(),
        check,
        others,
    })
}

fn id(view: &OnDemandFeatureView) -> ObjectId {
    ObjectId::new(ObjectKind::OnDemandFeatureView, &view.name)
}

/// What is registered with the views as SQL has them, and with the services that can be declared because of that.
fn with_translated(state: &RegistryState, translated: &[PythonView]) -> RegistryState {
    let mut declared = state.clone();
    for python in translated {
        declared.objects.insert(id(&python.view), Object::OnDemandFeatureView(python.view.clone()));
    }
    for foreign in &state.foreign {
        if let Some(Object::FeatureService(service)) = foreign.known.as_deref()
            && service.features.iter().all(|member| matches!(declared.view(&member.view), NamedView::Known(_)))
        {
            declared.objects.insert(foreign.id.clone(), Object::FeatureService(service.clone()));
        }
    }
    declared.foreign.retain(|foreign| !declared.objects.contains_key(&foreign.id));
    declared
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
        looks_at: &|kind| store.offline().looks_at(kind),
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
