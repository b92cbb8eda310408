//! Doing a job: the object is looked at as it is now, whatever was told of it. So it does not matter how often, how late and
//! in which order events come.

use super::{
    database::EntityRows,
    index::EntityIndex,
    job::Job,
    location::Location,
    objects::{Settled, There},
    outcome::Outcome,
    rows::FileRows,
    views::IndexedView,
};
use crate::{
    problem::Problem,
    side_by_side::waiting_side_by_side,
    sources::{FileOfSource, OpenSource, Whereabouts},
};

/// Files of so many bytes are read as a whole and settled with others; larger ones stream, each in a transaction of its own.
const SMALL: u64 = 256 << 10;

/// A job whose object was looked at.
struct Looked<'a> {
    job: &'a Job,
    /// The file and its view, if it is there.
    found: Option<Found<'a>>,
}

struct Found<'a> {
    view: &'a IndexedView,
    file: FileOfSource,
    version: String,
}

impl Looked<'_> {
    fn settled(&self) -> Settled<'_> {
        let there = self.found.as_ref().map(|found| There {
            version: found.version.clone(),
            entities: found.view.entities.iter().map(|entity| entity.name.as_str()).collect(),
        });
        Settled { job: self.job, there }
    }

    fn is_small(&self) -> bool {
        self.found.as_ref().is_none_or(|found| found.file.bytes() <= SMALL)
    }
}

/// What came of a job.
type Result<T> = std::result::Result<T, Problem>;

impl EntityIndex {
    /// Does jobs, and ends them; says what came of each, in their order. `views` are the views as they are now registered.
    /// Failures of the database are those of all jobs that were settled with them.
    ///
    /// # Errors
    /// Of each job that its object cannot be read, the index cannot be written, or somebody else is at the job by now.
    pub fn carry_out(&self, jobs: &[Job], views: &[IndexedView], whereabouts: &Whereabouts) -> Vec<Result<Outcome>> {
        let looked = waiting_side_by_side(jobs, |job| look(job, views, whereabouts));
        let (mut together, mut outcomes) = (Vec::new(), Vec::with_capacity(jobs.len()));
        for (place, looked) in looked.into_iter().enumerate() {
            outcomes.push(match looked {
                Ok(looked) if jobs.len() > 1 && looked.is_small() => {
                    together.push((place, looked));
                    None
                }
                Ok(looked) => Some(self.alone(&looked, whereabouts)),
                Err(problem) => Some(Err(problem)),
            });
        }
        for (place, outcome) in self.together(together, whereabouts) {
            outcomes[place] = Some(outcome);
        }
        outcomes.into_iter().flatten().collect()
    }

    /// Settles small objects in one transaction, and where that fails each in its own.
    fn together(&self, looked: Vec<(usize, Looked<'_>)>, whereabouts: &Whereabouts) -> Vec<(usize, Result<Outcome>)> {
        let jobs: Vec<&Job> = looked.iter().map(|(_, looked)| looked.job).collect();
        let known = match self.read(|session| self.known(session, &jobs)) {
            Ok(known) => known,
            Err(problem) => return looked.iter().map(|(place, _)| (*place, Err(problem.clone()))).collect(),
        };
        let known: Vec<_> = looked.into_iter().zip(known).collect();
        let read = waiting_side_by_side(&known, |((_, looked), known)| {
            let is_new = |found: &&Found<'_>| known.as_ref().is_none_or(|known| known.version != found.version);
            looked.found.as_ref().filter(is_new).map(|found| rows(found, whereabouts)).transpose()
        });
        let (mut outcomes, mut settled, mut all_rows) = (Vec::new(), Vec::new(), Vec::new());
        for (((place, looked), _), read) in known.iter().zip(read) {
            match read {
                Ok(rows) => {
                    settled.push((*place, looked));
                    all_rows.push(rows.unwrap_or_default());
                }
                Err(problem) => outcomes.push((*place, Err(problem))),
            }
        }
        let all: Vec<Settled<'_>> = settled.iter().map(|(_, looked)| looked.settled()).collect();
        let ended = self.settle(&all, &mut |place, entity| {
            Ok(all_rows[place].get_mut(entity).and_then(|rows| (!rows.is_empty()).then(|| rows.remove(0))))
        });
        match ended {
            Ok(ended) => outcomes.extend(settled.iter().map(|(place, _)| *place).zip(ended.into_iter().map(Ok))),
            Err(_) => {
                outcomes.extend(settled.iter().map(|(place, looked)| (*place, self.alone(looked, whereabouts))));
            }
        }
        outcomes
    }

    /// Settles one object, whose rows stream.
    fn alone(&self, looked: &Looked<'_>, whereabouts: &Whereabouts) -> Result<Outcome> {
        // It is opened when its rows are wanted, which the index may have.
        let mut opened: Option<OpenSource> = None;
        let mut reading: Option<(usize, FileRows)> = None;
        let ended = self.settle(&[looked.settled()], &mut |_, place| {
            let Some(found) = &looked.found else { return Ok(None) };
            let opened = match &mut opened {
                Some(opened) => opened,
                none => none.insert(found.file.clone().open(&found.view.source, whereabouts)?),
            };
            let rows = match &mut reading {
                Some((current, rows)) if *current == place => rows,
                other => &mut other.insert((place, FileRows::of(opened, found.view, &found.view.entities[place])?)).1,
            };
            rows.next()
        })?;
        Ok(ended.into_iter().next().unwrap_or(Outcome::Nothing))
    }
}

/// Looks at the object of a job.
fn look<'a>(job: &'a Job, views: &'a [IndexedView], whereabouts: &Whereabouts) -> Result<Looked<'a>> {
    let view = views.iter().find(|view| view.name == job.view && has_path(view, &job.path, whereabouts));
    let Some(view) = view else { return Ok(Looked { job, found: None }) };
    let file = FileOfSource::look_for(&view.source, &job.path, whereabouts)?;
    let found = file.map(|file| Found { view, version: version(view, &file.version), file });
    Ok(Looked { job, found })
}

/// The rows of a small file, by the place of their entity.
fn rows(found: &Found<'_>, whereabouts: &Whereabouts) -> Result<Vec<Vec<EntityRows>>> {
    let opened = found.file.clone().open(&found.view.source, whereabouts)?;
    let of = |entity| {
        let (mut reading, mut all) = (FileRows::of(&opened, found.view, entity)?, Vec::new());
        while let Some(rows) = reading.next()? {
            all.push(rows);
        }
        Ok(all)
    };
    found.view.entities.iter().map(of).collect()
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
