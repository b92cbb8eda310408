//! From events to jobs: which views have the object.

use std::path::Path;

use super::{
    event::{BucketEvent, Change},
    index::EntityIndex,
    job::{NewJob, Noted},
    location::Location,
    views::IndexedView,
};
use crate::{config::EntityIndexConfig, problem::Problem};

impl EntityIndex {
    /// Notes what is to be done because of events; when this returns it is stored. With `most` jobs that are not done,
    /// nothing is.
    ///
    /// # Errors
    /// [`Kind::Unavailable`](crate::problem::Kind) when too many wait, or the database is away.
    pub fn note_events(
        &self,
        events: &[BucketEvent],
        views: &[IndexedView],
        (config, repo): (&EntityIndexConfig, &Path),
        most: u64,
    ) -> Result<Noted, Problem> {
        let places: Vec<(&IndexedView, Location)> = views.iter().filter_map(|view| placed(view, repo)).collect();
        let mut jobs = Vec::new();
        let mut ignored = 0;
        for event in events {
            let object = Location::of_event(event, config);
            let before = jobs.len();
            let of_view = |(view, place): &(&IndexedView, Location)| Some(job(view, place.path_of(&object)?, event));
            jobs.extend(places.iter().filter_map(of_view));
            ignored += u64::from(jobs.len() == before);
        }
        let noted = if jobs.is_empty() { Noted::default() } else { self.note(&jobs, most)? };
        Ok(Noted { ignored, ..noted })
    }

    /// Notes that objects are to be looked at, each with its view.
    ///
    /// # Errors
    /// When the database is away.
    pub(super) fn note_found(&self, found: &[(String, String, String)]) -> Result<Noted, Problem> {
        let jobs: Vec<NewJob> = found.iter().map(|(view, entities, path)| found_job(view, entities, path)).collect();
        self.note(&jobs, u64::MAX)
    }
}

fn placed<'a>(view: &'a IndexedView, repo: &Path) -> Option<(&'a IndexedView, Location)> {
    Some((view, Location::of_source(&view.files()?.path, repo)?))
}

fn job(view: &IndexedView, path: String, event: &BucketEvent) -> NewJob {
    NewJob {
        view: view.name.clone(),
        entity_names: view.entity_names(),
        path,
        change: event.change,
        identity: event.identity(),
        time: event.time,
        sequencer: event.sequencer.clone(),
        etag: event.etag.clone(),
    }
}

fn found_job(view: &str, entities: &str, path: &str) -> NewJob {
    NewJob {
        view: view.to_owned(),
        entity_names: entities.to_owned(),
        path: path.to_owned(),
        change: Change::Found,
        identity: uuid::Uuid::new_v4().simple().to_string(),
        time: None,
        sequencer: None,
        etag: None,
    }
}
