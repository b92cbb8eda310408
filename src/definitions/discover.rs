use std::{
    io,
    path::{Path, PathBuf},
};

use ignore::{
    DirEntry, WalkBuilder,
    overrides::{Override, OverrideBuilder},
};

use crate::config::FILE_NAME;

/// Patterns of files that are no definitions, one a line, at the top of a repo.
const IGNORE_FILE: &str = ".feastignore";

/// The file at the top of a Python environment.
const PYTHON_ENVIRONMENT: &str = "pyvenv.cfg";

/// The definition files of the repo in `folder`, sorted by path; `settings` is none of them, wherever
/// it is.
///
/// What is hidden is left out: workflows of a repo's host, locks of editors, caches, and what a killed import left. So
/// are Python environments, whatever they are called.
///
/// # Errors
/// When the folder or its ignore file cannot be read, or a pattern is no glob.
pub fn definition_files(folder: &Path, settings: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    // Only the repo's own ignore file counts, as in Feast: not .gitignore.
    let walk = WalkBuilder::new(folder)
        .standard_filters(false)
        .hidden(true)
        .overrides(ignored(folder)?)
        .filter_entry(|entry| entry.depth() == 0 || !is_python_environment(entry))
        .build();
    for entry in walk {
        let entry = entry.map_err(io::Error::other)?;
        let is_yaml = entry.path().extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
        let is_settings = entry.file_name() == FILE_NAME || entry.path() == settings;
        if is_yaml && !is_settings && !entry.path().is_dir() {
            files.push(entry.into_path());
        }
    }
    files.sort();
    Ok(files)
}

fn is_python_environment(entry: &DirEntry) -> bool {
    entry.file_type().is_some_and(|kind| kind.is_dir()) && entry.path().join(PYTHON_ENVIRONMENT).is_file()
}

fn ignored(folder: &Path) -> io::Result<Override> {
    let patterns = match std::fs::read_to_string(folder.join(IGNORE_FILE)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let written = patterns.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let mut builder = OverrideBuilder::new(folder);
    for pattern in written.filter(|pattern| !pattern.is_empty()) {
        // Anchored at the repo, as Feast evaluates them; `!` means "leave out" in an override.
        let anchored = format!("!/{}", pattern.trim_start_matches("./").trim_start_matches('/').trim_end_matches('/'));
        builder.add(&anchored).map_err(|error| {
            io::Error::new(io::ErrorKind::InvalidInput, format!("{IGNORE_FILE}: `{pattern}` is no pattern: {error}"))
        })?;
    }
    builder.build().map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_yaml_and_honours_the_ignore_file() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        for path in [
            "feature_store.yaml",
            "b.yml",
            "a/a.yaml",
            "a/skip.yaml",
            "ci/x.yaml",
            "deep/ci/y.yaml",
            ".venv/z.yaml",
            "a/.feastr-import-x/z.yaml",
            "a/.github/workflows/z.yaml",
            ".cache/z.yaml",
            ".#b.yml",
            "env/pyvenv.cfg",
            "env/lib/z.yaml",
            "n.txt",
        ] {
            write(path, "");
        }
        write(".feastignore", "ci # folder\n\na/skip.yaml\n");
        let found = definition_files(folder.path(), &folder.path().join("prod.yaml")).unwrap();
        let names: Vec<_> =
            found.iter().map(|path| path.strip_prefix(folder.path()).unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["a/a.yaml", "b.yml", "deep/ci/y.yaml"]);
    }
}
