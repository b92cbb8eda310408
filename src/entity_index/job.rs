//! Jobs: what is to be done because something happened to an object, and what became of it.

use std::time::Duration;

use serde::Serialize;

use super::event::Change;
use crate::model::Timestamp;

/// A job that is to be noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NewJob {
    pub(super) view: String,
    pub(super) entity_names: String,
    /// The object, as the view's source knows it.
    pub(super) path: String,
    pub(super) change: Change,
    pub(super) identity: String,
    pub(super) time: Option<Timestamp>,
    pub(super) sequencer: Option<String>,
    pub(super) etag: Option<String>,
}

/// A job that somebody is at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its number.
    pub id: i64,
    /// The view that the object belongs to.
    pub view: String,
    /// The object, as the view's source knows it.
    pub path: String,
    /// How often it was begun.
    pub attempts: i64,
    /// Who is at it.
    pub(super) worker: String,
}

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It was noted, or failed and is tried again.
    Waiting,
    /// Somebody is at it.
    Running,
    /// It is done.
    Done,
    /// It failed too often, and is not tried again by itself.
    Dead,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Running, Self::Done, Self::Dead];

    /// The word that the table of jobs has.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }
}

/// A job as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JobRecord {
    /// Its number.
    pub id: i64,
    /// How it stands: see [`Status`].
    pub status: String,
    /// What came of it, or why it failed.
    pub status_msg: Option<String>,
    /// The view that the object belongs to.
    pub feature_view: String,
    /// The entities of the view.
    pub entity_names: String,
    /// The object.
    pub path: String,
    /// What happened to it: see [`Change`].
    pub event: String,
    /// How often it was begun.
    pub attempts: i64,
    /// When it was noted.
    pub noted: Option<String>,
    /// When it was last begun.
    pub started: Option<String>,
    /// When it was done, or failed last.
    pub ended: Option<String>,
}

/// How many events were noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Noted {
    /// Jobs that are new.
    pub new: u64,
    /// Jobs that had been noted before.
    pub known: u64,
    /// Events of objects that no view has.
    pub ignored: u64,
}

/// How many jobs stand in each way but done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// Those that were noted, or failed and are tried again.
    pub waiting: u64,
    /// Those that somebody is at.
    pub running: u64,
    /// Those that failed too often.
    pub dead: u64,
    /// How long the oldest has been waiting that can be done.
    pub lag: Duration,
}
