//! Definitions of a text instead of a folder, for tests.

use std::{path::Path, sync::Arc};

use super::{LoadOptions, load};
use crate::{
    config::{self, StoreConfig},
    diagnostics::{Diagnostics, SourceText},
    model::{Repo, SourceProblem},
};

/// The repo that a text declares.
#[track_caller]
pub fn repo(text: &str) -> Repo {
    match read(text) {
        (Some(repo), _) => repo,
        (None, found) => panic!("{found:#?}"),
    }
}

/// What is wrong with the definitions in a text.
pub fn findings(text: &str) -> Vec<String> {
    read(text).1
}

fn read(text: &str) -> (Option<Repo>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("definitions.yaml"), text).unwrap();
    let config = config(folder.path());
    let options = LoadOptions {
        validate_sources: false,
        skip_view_names: false,
        inspect: &|source| Err(SourceProblem::new(format!("{} is looked at", source.name), None)),
        display_path: &|path| path.to_owned(),
    };
    let mut diagnostics = Diagnostics::default();
    let repo = load(&config, &options, &mut diagnostics).unwrap();
    (repo, diagnostics.into_sorted().into_iter().map(|diagnostic| diagnostic.message).collect())
}

/// The settings of a repo in `folder` without an online store.
fn config(folder: &Path) -> StoreConfig {
    let text = "project: p\nregistry: {registry_type: sql, path: 'sqlite:///registry.db'}\nonline_store: null\n";
    let path = folder.join(config::FILE_NAME);
    let file = Arc::new(SourceText::new(path.clone(), text));
    config::load(&file, [folder, &path], &|_| None, &mut Diagnostics::default()).unwrap()
}
