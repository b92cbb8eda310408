//! The suite itself: a test file that nobody mentions is not compiled, and nobody would notice.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use crate::imports::Source;

#[test]
fn every_test_file_is_part_of_the_suite() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let main = folder.join("main.rs");
    let mut mentioned = BTreeSet::new();
    mention(&main, &folder, &mut mentioned);
    let forgotten: Vec<PathBuf> = files(&folder).into_iter().filter(|file| !mentioned.contains(file)).collect();
    assert!(forgotten.is_empty(), "no `mod` leads to {forgotten:#?}");
    assert!(mentioned.len() > 50, "{mentioned:?}");
}

/// Adds a file and those that its `mod` lines lead to.
fn mention(file: &Path, folder: &Path, mentioned: &mut BTreeSet<PathBuf>) {
    let source = Source::read(&std::fs::read_to_string(file).unwrap(), true);
    for child in &source.children {
        let inner = folder.join(child);
        // What `#[path]` takes from elsewhere is not looked at.
        let found = [folder.join(format!("{child}.rs")), inner.join("mod.rs")].into_iter().find(|file| file.exists());
        if let Some(found) = found {
            mention(&found, &inner, mentioned);
        }
    }
    mentioned.insert(file.to_owned());
}

/// The Rust files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let below = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    paths.flat_map(below).filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}
