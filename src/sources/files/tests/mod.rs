//! Sources in temporary folders.

mod added;
mod folders;
mod links;
mod paths;
mod patterns;

use std::{fs, path::PathBuf};

use tempfile::TempDir;

use super::{Format, Search, SourceFiles, find};
use crate::{config::BucketUrl, problem::Problem};

/// Enough of a parquet file to be taken for one.
const PARQUET: &[u8] = b"PAR1....PAR1";

/// A repo in a temporary folder.
struct Repo {
    _folder: TempDir,
    path: PathBuf,
}

impl Repo {
    /// An empty repo whose folder has this name.
    fn called(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::create_dir(&path).unwrap();
        Self { _folder: folder, path }
    }

    /// A repo with these files, parquet by content.
    fn with(files: &[&str]) -> Self {
        let repo = Self::called("repo");
        for file in files {
            repo.write(file, PARQUET);
        }
        repo
    }

    fn write(&self, file: &str, bytes: &[u8]) {
        let path = self.path.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    #[cfg(unix)]
    fn link(&self, target: &str, link: &str) {
        let path = self.path.join(link);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, path).unwrap();
    }

    fn find(&self, path: &str, format: Format) -> Result<SourceFiles, Problem> {
        let bucket = |_: &BucketUrl| unreachable!("there are no buckets");
        find(path, format, Search { repo: &self.path, bucket: &bucket, days: None, to_read: true })
    }

    fn parquet(&self, path: &str) -> SourceFiles {
        self.find(path, Format::Parquet).unwrap()
    }

    /// The files' paths in the repo.
    fn files(&self, path: &str) -> Vec<String> {
        self.paths(&self.parquet(path))
    }

    fn paths(&self, found: &SourceFiles) -> Vec<String> {
        found.files.iter().map(|file| self.shown(file.place.name())).collect()
    }

    /// What is left out, as it is said to a person.
    fn left_out(&self, found: &SourceFiles) -> Vec<String> {
        let said = found.left_out.iter().map(|each| format!("{} {}", self.shown(&each.path), each.reason));
        said.map(|text| text.replace(&format!("{}/", self.path.display()), "")).collect()
    }

    fn shown(&self, path: &std::path::Path) -> String {
        path.strip_prefix(&self.path).unwrap().display().to_string()
    }

    /// Message and help, without the temporary folder.
    fn problem(&self, path: &str, format: Format) -> (String, String) {
        let problem = self.find(path, format).unwrap_err();
        let short = |text: String| text.replace(&self.path.display().to_string(), "REPO");
        (short(problem.message.clone()), short(problem.help().unwrap_or_default()))
    }
}
