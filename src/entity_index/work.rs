//! Doing a job: the object is looked at as it is now, whatever was told of it. So it does not matter how often, how late and
//! in which order events come.

use super::{index::EntityIndex, job::Job, location::Location, rows::FileRows, views::IndexedView};
use crate::{
    problem::Problem,
    sources::{FileOfSource, Whereabouts},
};

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// So many rows of it are in the index.
    Indexed(u64),
    /// It was in the index as it is.
    Known,
    /// It is gone, and so are its rows.
    Removed,
    /// It was not in the index, and does not belong there.
    Nothing,
}

impl EntityIndex {
    /// Does a job, and ends it. `view` is the view of the job's name as it is now registered.
    ///
    /// # Errors
    /// When the object cannot be read, the index cannot be written, or somebody else is at the job by now.
    pub fn carry_out(
        &self,
        job: &Job,
        view: Option<&IndexedView>,
        whereabouts: &Whereabouts,
    ) -> Result<Outcome, Problem> {
        let gone = || Ok(if self.remove(job)? { Outcome::Removed } else { Outcome::Nothing });
        let Some(view) = view.filter(|view| has_path(view, &job.path, whereabouts)) else { return gone() };
        let Some(file) = FileOfSource::look_for(&view.source, &job.path, whereabouts)? else { return gone() };
        let version = version(view, &file.version);
        let names: Vec<&str> = view.entities.iter().map(|entity| entity.name.as_str()).collect();
        // It is opened when its rows are wanted, which the index may have.
        let (mut found, mut opened) = (Some(file), None);
        let mut reading: Option<(usize, FileRows)> = None;
        let mut rows_of = |place: usize| {
            if let Some(file) = found.take() {
                opened = Some(file.open(&view.source, whereabouts)?);
            }
            let Some(opened) = &opened else { return Ok(None) };
            let rows = match &mut reading {
                Some((current, rows)) if *current == place => rows,
                other => &mut other.insert((place, FileRows::of(opened, view, &view.entities[place])?)).1,
            };
            rows.next()
        };
        let replaced = self.replace(job, &names, &version, &mut rows_of)?;
        Ok(replaced.map_or(Outcome::Known, Outcome::Indexed))
    }
}

/// What tells an object from another content of it, and from another reading.
pub(super) fn version(view: &IndexedView, of_file: &str) -> String {
    format!("{of_file} {}", view.digest())
}

/// Whether the source of a view may have a file at this path.
fn has_path(view: &IndexedView, path: &str, whereabouts: &Whereabouts) -> bool {
    let source = view.files().and_then(|files| Location::of_source(&files.path, &whereabouts.repo));
    let (Some(source), Some(object)) = (source, Location::of_file(path)) else { return false };
    source.path_of(&object).is_some()
}
