//! Definitions of a text instead of a folder, for tests.

use std::{fmt, path::Path, sync::Arc};

use super::{InspectSource, LoadOptions, load};
use crate::{
    config::{self, StoreConfig},
    diagnostics::{Diagnostic, Diagnostics, SourceText},
    model::{DataSource, OfKind, Repo, SourceKind},
    problem::{Kind, Problem},
    sources::{Columns, OpenSource},
};

/// The repo that a text declares.
#[track_caller]
pub(crate) fn repo(text: &str) -> Repo {
    match read(text) {
        (Some(repo), _) => repo,
        (None, found) => panic!("{found:#?}"),
    }
}

/// The objects of a kind that a repo declares, in the order of their names.
#[track_caller]
pub(crate) fn each<T: OfKind + fmt::Debug, const COUNT: usize>(repo: &Repo) -> [&T; COUNT] {
    repo.all().collect::<Vec<_>>().try_into().unwrap()
}

/// What is wrong with the definitions in a text.
pub(crate) fn findings(text: &str) -> Vec<String> {
    read(text).1
}

/// What is wrong with definitions over sources with these columns, with the advice behind it.
pub(crate) fn findings_over(text: &str, columns: Columns) -> Vec<String> {
    let (_, found) = load_text(text, true, &|source| OpenSource::known(source, columns.clone()));
    let with_help = |found: Diagnostic| match found.advice {
        Some(help) => format!("{} ({help})", found.message),
        None => found.message,
    };
    found.into_iter().map(with_help).collect()
}

fn read(text: &str) -> (Option<Repo>, Vec<String>) {
    let inspect = |source: &DataSource| Err(Problem::new(Kind::Invalid, format!("{} is looked at", source.name), None));
    let (repo, found) = load_text(text, false, &inspect);
    (repo, found.into_iter().map(|diagnostic| diagnostic.message).collect())
}

fn load_text(text: &str, validate_sources: bool, inspect: InspectSource<'_>) -> (Option<Repo>, Vec<Diagnostic>) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("definitions.yaml"), text).unwrap();
    let config = config(folder.path());
    let display_path = |path: &Path| path.to_owned();
    let options = LoadOptions {
        validate_sources,
        skip_view_names: false,
        looks_at: &|kind| matches!(kind, SourceKind::File(_) | SourceKind::Postgres(_)),
        inspect,
        misfits: &|_| Ok(Vec::new()),
        check_transformation: &|_, _| Ok(()),
        display_path: &display_path,
    };
    let mut diagnostics = Diagnostics::default();
    let repo = load(&config, &options, &mut diagnostics).unwrap();
    (repo, diagnostics.into_sorted())
}

/// The settings of a repo in `folder` without an online store.
fn config(folder: &Path) -> StoreConfig {
    let text = "project: p\nregistry: {registry_type: sql, path: 'sqlite:///registry.db'}\nonline_store: null\n";
    let path = folder.join(config::FILE_NAME);
    let file = Arc::new(SourceText::new(path.clone(), text));
    config::load(&file, [folder, &path], &|_| None, &mut Diagnostics::default()).unwrap()
}
