use std::{
    io,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::problem::{Advice, Kind, Problem};

/// Files that are written all together or not at all.
pub(crate) struct StagedFiles {
    folder: PathBuf,
    /// Hidden beside the files, so that they only have to be renamed.
    staging: TempDir,
    names: Vec<String>,
}

impl StagedFiles {
    /// Writes the files, name and text, out of the way of `folder`.
    pub(crate) fn stage(folder: &Path, files: impl Iterator<Item = (String, String)>) -> io::Result<Self> {
        let staging = tempfile::Builder::new().prefix(".feastr-import-").tempdir_in(folder)?;
        let mut names = Vec::new();
        for (name, text) in files {
            std::fs::write(staging.path().join(&name), text)?;
            names.push(name);
        }
        Ok(Self { folder: folder.to_owned(), staging, names })
    }

    /// Where the files are now.
    pub(crate) fn path(&self) -> &Path {
        self.staging.path()
    }

    /// Puts the files in their place; what went wrong half-way is undone.
    ///
    /// # Errors
    /// When a file exists and may not be replaced, or cannot be written; then nothing has changed.
    pub(crate) fn publish(
        self,
        replace: bool,
        display_path: &dyn Fn(&Path) -> PathBuf,
    ) -> Result<Vec<PathBuf>, Problem> {
        let shown = |path: &PathBuf| display_path(path).display().to_string();
        let targets: Vec<PathBuf> = self.names.iter().map(|name| self.folder.join(name)).collect();
        let taken: Vec<String> = targets.iter().filter(|path| path.exists()).map(shown).collect();
        if !replace && !taken.is_empty() {
            let message = format!("{} would be overwritten; nothing was written", taken.join(", "));
            return Err(Problem::new(Kind::Conflict, message, None).advise(Advice::OtherFolder));
        }
        for (index, (name, target)) in self.names.iter().zip(&targets).enumerate() {
            if let Err(error) = self.replace(name, target) {
                for (name, target) in self.names.iter().zip(&targets).take(index).rev() {
                    self.restore(name, target);
                }
                let message = format!("cannot write {}: {error}; nothing was written", shown(target));
                return Err(Problem::new(Kind::Unavailable, message, None));
            }
        }
        Ok(targets)
    }

    fn replace(&self, name: &str, target: &Path) -> io::Result<()> {
        let old = self.old(name);
        if target.exists() {
            std::fs::rename(target, &old)?;
        }
        std::fs::rename(self.path().join(name), target).inspect_err(|_| self.restore(name, target))
    }

    /// Brings back what was there before; what cannot be done cannot be helped.
    fn restore(&self, name: &str, target: &Path) {
        let old = self.old(name);
        let _ = if old.exists() { std::fs::rename(old, target) } else { std::fs::remove_file(target) };
    }

    fn old(&self, name: &str) -> PathBuf {
        self.path().join(format!("{name}.old"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(folder: &Path) -> StagedFiles {
        let files = ["a.yaml", "b.yaml"].map(|name| (name.to_owned(), "new".to_owned()));
        StagedFiles::stage(folder, files.into_iter()).unwrap()
    }

    fn listed(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn all_files_are_written_or_none() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.yaml"), "old").unwrap();
        assert!(stage(folder.path()).publish(false, &Path::to_owned).is_err());
        assert_eq!(listed(folder.path()), ["a.yaml"]);
        // A folder cannot be replaced by a file that is not empty; what was replaced before it comes back.
        std::fs::create_dir_all(folder.path().join("b.yaml/full")).unwrap();
        let staged = stage(folder.path());
        std::fs::create_dir_all(staged.path().join("b.yaml.old/full")).unwrap();
        assert!(staged.publish(true, &Path::to_owned).is_err());
        assert_eq!(listed(folder.path()), ["a.yaml", "b.yaml"]);
        assert_eq!(std::fs::read_to_string(folder.path().join("a.yaml")).unwrap(), "old");
        std::fs::remove_dir_all(folder.path().join("b.yaml")).unwrap();
        assert_eq!(stage(folder.path()).publish(true, &Path::to_owned).unwrap().len(), 2);
        assert_eq!(std::fs::read_to_string(folder.path().join("a.yaml")).unwrap(), "new");
        assert_eq!(listed(folder.path()), ["a.yaml", "b.yaml"]);
    }
}
