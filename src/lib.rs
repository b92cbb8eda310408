//! feastr: a feature store in one binary, on the registry and online layouts of Feast.
//!
//! `ARCHITECTURE.md` shows the way of the data through these modules.

pub mod app;
pub mod apply;
pub mod auth;
pub mod cli;
pub mod clients;
pub mod config;
pub mod daemon;
pub mod definitions;
pub mod diagnostics;
pub mod discovery;
pub mod drift;
mod embedded;
pub mod entity_index;
pub mod expression;
pub mod feast;
pub mod feature_log;
pub mod flight;
pub mod materialize;
pub mod model;
pub mod offline;
pub mod online;
pub mod permissions;
pub mod plan;
pub mod problem;
pub mod push;
pub mod python;
pub mod registry;
pub mod registry_server;
pub mod retrieval;
pub mod server;
pub mod serving;
mod side_by_side;
pub mod sink;
pub mod sources;
pub mod spill;
mod sql_name;
pub mod staging;
pub mod transform;
pub mod ui;
pub mod webhook;
pub mod yaml;
