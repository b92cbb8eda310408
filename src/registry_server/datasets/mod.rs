//! Datasets that are made of retrievals for clients, and their rows: asked for in both protocols, made one after the other.

pub(super) mod ask;
mod calls;
mod jobs;

pub(super) use calls::{create, data, job, jobs, status};
pub(super) use jobs::Jobs;
