//! The history of materializations, in a file beside a registry file.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use super::{
    lock_file::{LockFile, beside},
    locks::Locking,
    run_lines::{Line, lines, newest_of_each_view},
    run_log::newest_first,
};
use crate::{
    model::RunRecord,
    problem::{Kind, Problem},
};

/// When a file of runs has grown by this many bytes, superfluous lines are removed.
const TIDIED: u64 = 64 << 10;

/// The notes about runs beside a registry file, a line of JSON each. A run has a line for its start
/// and one for its end; the later counts.
pub(crate) struct RunsFile<'a> {
    registry: &'a Path,
    path: PathBuf,
}

impl<'a> RunsFile<'a> {
    /// The notes beside the registry in the file `registry`.
    pub(crate) fn of(registry: &'a Path) -> Self {
        Self { registry, path: beside(registry, ".runs.jsonl") }
    }

    /// Notes a run.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn record(&self, project: &str, run: &RunRecord, locking: &Locking) -> Result<(), Problem> {
        let _lock = LockFile::take(self.registry, locking)?;
        let line = Line::of(project, run);
        let append = || {
            let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
            let before = file.metadata()?.len();
            // What a crash left of a line must not spoil this one; empty lines are nothing.
            file.write_all(format!("\n{}\n", line.text()?).as_bytes())?;
            Ok((before, file.metadata()?.len()))
        };
        let (before, after) = append().map_err(|error| self.cannot("written", &error))?;
        // Now and then: reading a file for each line would be slow.
        if before / TIDIED == after / TIDIED {
            return Ok(());
        }
        let lines = self.lines()?;
        let kept = newest_of_each_view(&lines);
        if kept.len() < lines.len() * 2 / 3 { self.replace(&kept) } else { Ok(()) }
    }

    /// The runs of a project, the newest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn of_project(&self, project: &str) -> Result<Vec<RunRecord>, Problem> {
        let lines = self.lines()?;
        let ours = newest_of_each_view(&lines).into_iter().filter(|line| line.project == project);
        Ok(newest_first(ours.map(|line| line.run.clone()).collect()))
    }

    /// Removes the runs of a project.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn forget(&self, project: &str, locking: &Locking) -> Result<(), Problem> {
        if !self.path.exists() {
            return Ok(());
        }
        let _lock = LockFile::take(self.registry, locking)?;
        let lines = self.lines()?;
        self.replace(&lines.iter().filter(|line| line.project != project).collect::<Vec<_>>())
    }

    /// What can be read of the file: a line that was cut off is left out.
    fn lines(&self) -> Result<Vec<Line>, Problem> {
        match std::fs::read(&self.path) {
            Ok(bytes) => Ok(lines(&bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(self.cannot("read", &error)),
        }
    }

    fn replace(&self, lines: &[&Line]) -> Result<(), Problem> {
        let folder = self.path.parent().unwrap_or_else(|| Path::new("."));
        let replace = || {
            let mut part = tempfile::Builder::new().prefix(".runs.").suffix(".part").tempfile_in(folder)?;
            for line in lines {
                writeln!(part, "{}", line.text()?)?;
            }
            part.as_file().set_permissions(std::fs::metadata(&self.path)?.permissions())?;
            part.persist(&self.path).map_err(|error| error.error)
        };
        replace().map(drop).map_err(|error: std::io::Error| self.cannot("written", &error))
    }

    fn cannot(&self, what: &str, error: &std::io::Error) -> Problem {
        Problem::new(
            Kind::Unavailable,
            format!("the history of runs {} cannot be {what}: {error}", self.path.display()),
            "check the permissions of the file and of its folder".to_owned(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Interval, RunCounts, RunState, Timestamp};
    use crate::registry::KEPT_RUNS;

    fn run(id: usize, view: &str) -> RunRecord {
        let at = |seconds: usize| Timestamp::from_micros(i64::try_from(seconds).unwrap() * 1_000_000);
        RunRecord {
            id: id.to_string(),
            view: view.to_owned(),
            interval: Interval { start: at(0), end: at(id) },
            started: at(id),
            by: "tests".to_owned(),
            counts: RunCounts::default(),
            shards: None,
            state: RunState::Started,
        }
    }

    #[test]
    fn a_file_keeps_the_newest_runs_of_each_view() {
        let folder = tempfile::tempdir().unwrap();
        let registry = folder.path().join("registry.db");
        let (file, locking) = (RunsFile::of(&registry), Locking::default());
        assert_eq!(file.of_project("p").unwrap(), []);
        file.record("p", &run(1, "rare"), &locking).unwrap();
        file.record("q", &run(2, "other"), &locking).unwrap();
        for id in 10..10 + 3 * KEPT_RUNS {
            let started = run(id, "often");
            file.record("p", &started, &locking).unwrap();
            let finished = started.started;
            file.record("p", &RunRecord { state: RunState::Done { finished }, ..started }, &locking).unwrap();
        }
        let runs = file.of_project("p").unwrap();
        assert_eq!((runs.len(), runs[0].id.as_str()), (KEPT_RUNS + 1, "1509"));
        assert!(matches!(runs[0].state, RunState::Done { .. }));
        assert_eq!(runs[KEPT_RUNS], run(1, "rare"));
        let lines = std::fs::read_to_string(&file.path).unwrap().lines().count();
        assert!(lines < 6 * KEPT_RUNS, "{lines}");

        // A line that was cut off takes no other one with it.
        OpenOptions::new().append(true).open(&file.path).unwrap().write_all(b"{\"project\":\"p\",").unwrap();
        file.record("p", &run(5000, "rare"), &locking).unwrap();
        assert_eq!(file.of_project("p").unwrap()[0].id, "5000");
        // Nor does one that was cut off inside of a character.
        OpenOptions::new().append(true).open(&file.path).unwrap().write_all(b"{\"project\":\"Z\xc3").unwrap();
        file.record("p", &run(6000, "rare"), &locking).unwrap();
        assert_eq!(file.of_project("p").unwrap()[0].id, "6000");
        file.forget("p", &locking).unwrap();
        assert_eq!((file.of_project("p").unwrap().len(), file.of_project("q").unwrap().len()), (0, 1));
    }
}
