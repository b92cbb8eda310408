//! Which files of a repo are definitions.

use std::{
    io,
    path::{Path, PathBuf},
};

use ignore::overrides::{Override, OverrideBuilder};

use crate::config::FILE_NAME;

/// Patterns of files that are not definitions, one a line, at the top of a repo.
const IGNORE_FILE: &str = ".feastignore";

/// The file at the top of a Python environment.
const PYTHON_ENVIRONMENT: &str = "pyvenv.cfg";

/// What a repo's folder holds.
#[derive(Debug, Default)]
pub struct DefinitionFiles {
    /// Sorted by path.
    pub files: Vec<PathBuf>,
    /// Folders below that cannot be read, sorted by path, and why. Nobody knows what they hold.
    pub unreadable: Vec<(PathBuf, io::Error)>,
}

/// The definition files of the repo in `folder`; `settings` is none of them, wherever it is.
///
/// What is hidden is left out: workflows of a repo's host, locks of editors, caches, and what a killed import left. So
/// are Python environments, whatever they are called. Folders that the ignore file names are not opened.
///
/// # Errors
/// When the folder itself or its ignore file cannot be read, or a pattern is not a glob.
pub fn definition_files(folder: &Path, settings: &Path) -> io::Result<DefinitionFiles> {
    let mut found = DefinitionFiles::default();
    // Only the repo's own ignore file counts, as in Feast: not .gitignore.
    let ignored = ignored(folder)?;
    let mut waiting = Vec::new();
    let look_into = |folder: &Path, waiting: &mut Vec<PathBuf>, files: &mut Vec<PathBuf>| -> io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let (path, name) = (entry.path(), entry.file_name());
            // Links to folders are not followed, so that none is read twice.
            let is_folder = entry.file_type()?.is_dir();
            let is_hidden = name.as_encoded_bytes().starts_with(b".");
            if is_hidden || ignored.matched(&path, is_folder).is_ignore() {
                continue;
            }
            let is_yaml = path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
            if is_folder {
                waiting.push(path);
            } else if is_yaml && name != FILE_NAME && path != settings && !path.is_dir() {
                files.push(path);
            }
        }
        Ok(())
    };
    look_into(folder, &mut waiting, &mut found.files)?;
    while let Some(below) = waiting.pop() {
        if below.join(PYTHON_ENVIRONMENT).is_file() {
            continue;
        }
        match look_into(&below, &mut waiting, &mut found.files) {
            // It was removed meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => found.unreadable.push((below, error)),
            Ok(()) => {}
        }
    }
    found.files.sort();
    found.unreadable.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
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
            io::Error::new(io::ErrorKind::InvalidInput, format!("{IGNORE_FILE}: `{pattern}` is not a pattern: {error}"))
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
        assert!(found.unreadable.is_empty());
        let names: Vec<_> =
            found.files.iter().map(|path| path.strip_prefix(folder.path()).unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["a/a.yaml", "b.yml", "deep/ci/y.yaml"]);
    }

    #[cfg(unix)]
    #[test]
    fn folders_that_cannot_be_read_are_told_unless_they_are_ignored() {
        use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};
        let folder = tempfile::tempdir().unwrap();
        let closed = folder.path().join("a/closed");
        std::fs::create_dir_all(&closed).unwrap();
        std::fs::write(folder.path().join("a/a.yaml"), "").unwrap();
        std::fs::set_permissions(&closed, Permissions::from_mode(0o000)).unwrap();
        // Nothing is closed to root.
        let is_closed = std::fs::read_dir(&closed).is_err();
        let look = || definition_files(folder.path(), Path::new("")).unwrap();
        let found = look();
        assert_eq!(found.files, [folder.path().join("a/a.yaml")]);
        let unreadable: Vec<_> = found.unreadable.into_iter().map(|(path, _)| path).collect();
        assert_eq!(unreadable, if is_closed { vec![closed.clone()] } else { Vec::new() });
        std::fs::write(folder.path().join(IGNORE_FILE), "a/closed/\n").unwrap();
        assert!(look().unreadable.is_empty());
        std::fs::set_permissions(&closed, Permissions::from_mode(0o700)).unwrap();
    }
}
