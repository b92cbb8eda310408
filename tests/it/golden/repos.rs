//! The repos behind the recordings. Their definitions are those of the registry files that Feast wrote, taken over with
//! `feastr import`, and their data lies in the folder `input` beside: no test has to know a name of one set of
//! recordings.

use std::{
    fs,
    path::{Path, PathBuf},
};

use feastr::{
    feast::registry::file::RegistryFile,
    model::{FeatureView, Object, ObjectKind, RegistryState, SourceKind},
    registry::{Row, Snapshot, read_objects},
};

use super::registry_rows::{files, golden_root};
use crate::support::{Project, settings};

/// What belongs to Feast's own definitions among the inputs of a recording.
const DEFINITIONS: [&str; 5] = ["py", "pyc", "yaml", "yml", "md"];

/// A recorded repo: a folder below `registry`.
pub struct RecordedRepo {
    folder: PathBuf,
    pub project: String,
    pub state: RegistryState,
}

impl RecordedRepo {
    /// Every repo whose registry file was recorded.
    pub fn all() -> Vec<Self> {
        let mut repos: Vec<Self> =
            registry_files().iter().map(|file| Self::read(file.parent().unwrap().to_owned())).collect();
        repos.sort_by(|a, b| a.folder.cmp(&b.folder));
        repos
    }

    /// The repo of a project whose sources were recorded with it.
    pub fn of_project(project: &str) -> Self {
        let found = Self::all().into_iter().find(|repo| repo.project == project && repo.has_data());
        found.unwrap_or_else(|| panic!("no recorded repo of project {project} has its data"))
    }

    fn read(folder: PathBuf) -> Self {
        let file = RegistryFile::parse(&fs::read(folder.join("registry.db")).unwrap()).unwrap();
        let project = file.projects().next().unwrap().to_owned();
        let rows = file.objects(&project).map(|object| Row {
            kind: object.kind,
            name: object.name.clone(),
            updated: 0,
            proto: object.message(),
        });
        let state = read_objects(&Snapshot { rows: rows.collect(), ..Snapshot::default() });
        Self { folder, project, state }
    }

    pub fn name(&self) -> &str {
        self.folder.file_name().unwrap().to_str().unwrap()
    }

    pub fn input(&self) -> PathBuf {
        self.folder.join("input")
    }

    pub fn views(&self) -> impl Iterator<Item = &FeatureView> {
        self.state.objects.values().filter_map(|object| match object {
            Object::FeatureView(view) => Some(view),
            _ => None,
        })
    }

    /// The names of the objects of a kind, those that definitions cannot express among them.
    pub fn names(&self, kind: ObjectKind) -> impl Iterator<Item = &str> {
        let ids = self.state.objects.keys().chain(self.state.foreign.iter().map(|foreign| &foreign.id));
        ids.filter(move |id| id.kind == kind).map(|id| id.name.as_str())
    }

    fn has_data(&self) -> bool {
        let path = |view: &FeatureView| match &view.source.as_ref()?.kind {
            SourceKind::File(file) => Some(self.input().join(&file.path)),
            _ => None,
        };
        self.views().all(|view| path(view).is_some_and(|path| path.exists()))
    }

    /// A repo with the recorded definitions (what YAML can say of them) and data; nothing is applied.
    pub fn declare(&self, settings: &str) -> Project {
        let project = Project::new(&[("feature_store.yaml", settings)]);
        let registry = self.folder.join("registry.db");
        project.feastr(&["import", "--from", registry.to_str().unwrap()]).ok();
        if self.input().exists() {
            copy_data(&self.input(), &project);
        }
        project
    }
}

/// The registry files that were recorded.
pub fn registry_files() -> Vec<PathBuf> {
    let files = files(&golden_root().join("registry"), "registry.db");
    assert!(!files.is_empty(), "no registry files below {}", golden_root().display());
    files
}

/// Copies what lies in a folder of inputs, but for the definitions, to the same places of a repo.
pub fn copy_data(input: &Path, project: &Project) {
    for file in files(input, "") {
        if file.extension().is_none_or(|ending| !DEFINITIONS.iter().any(|other| ending == *other)) {
            project.copy(&file, file.strip_prefix(input).unwrap().to_str().unwrap());
        }
    }
}

/// The recorded definitions as `feastr import` writes them, a repo for each.
pub fn imported_repos() -> Vec<Project> {
    RecordedRepo::all().iter().map(|repo| repo.declare(&settings(&repo.project))).collect()
}
