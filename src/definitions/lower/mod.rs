//! Definitions as they are written into the model: every reference resolved, every value checked.

mod entity;
mod expression;
mod feature_service;
mod inner_span;
mod lowering;
mod names;
mod permission;
mod repo;
mod saved_dataset;
mod source;
mod tags;
mod view;

pub(crate) use repo::lower;
