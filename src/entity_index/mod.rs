//! The index of entities: who was seen when, in which view and file, so that people can ask without knowing ids. Buckets
//! feed it with their events; the files themselves say what is in it.

mod compare;
mod database;
mod event;
mod index;
mod job;
mod jobs;
mod location;
mod lookup;
mod notice;
mod noting;
mod objects;
mod outcome;
mod rows;
mod schema;
mod views;
mod work;

#[cfg(test)]
mod tests;

pub use compare::{Compared, Difference, DifferenceKind};
pub use event::{BucketEvent, Change};
pub use index::EntityIndex;
pub use job::{Job, JobRecord, Noted, Standing, Status};
pub use jobs::BEAT;
pub use lookup::Seen;
pub use notice::{CloudHeaders, Handshake, events};
pub use outcome::Outcome;
pub use views::{IndexedEntity, IndexedView, indexed_views};
