//! Tests of the whole program and over recordings of real Feast. One binary, because each one
//! links DuckDB.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    unreachable_pub,
    reason = "tests"
)]

mod auth;
mod batch_views;
mod buckets;
mod checks;
mod ci;
mod cli;
mod definitions;
mod discovery;
mod entities;
mod entity_index;
mod entity_questions;
mod example;
mod faults;
mod feature_log;
mod flight;
mod fuzz;
mod get_online;
mod golden;
mod held_store;
mod imports;
mod init;
mod interop;
mod interop_changes;
mod interop_kinds;
mod interop_on_demand;
mod interop_retrieval;
mod json_sources;
mod killer;
mod kubernetes;
mod login;
mod materialize_runs;
#[cfg(target_os = "linux")]
mod offline_queries;
mod offline_remote;
mod old_registries;
mod online;
mod online_redis;
mod online_sql;
#[cfg(unix)]
mod output_files;
#[cfg(unix)]
mod outputs;
mod pages;
mod permissions;
mod plan;
mod point_in_time;
mod porting;
mod postgres_source;
mod push;
mod python_views;
mod reference;
mod registries;
mod registry_log;
mod registry_remote;
mod registry_rest;
mod registry_server;
mod remote;
mod saved_datasets;
mod serve;
mod servers;
mod source_times;
mod sources;
mod spark;
mod suite;
mod support;
mod template;
mod terminal;
