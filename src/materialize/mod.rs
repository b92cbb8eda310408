//! Moves the newest values of views from their sources into the online store.

mod encode;
mod event;
mod interval;
mod run;

pub use event::{Event, Outcome, RunReport, ViewReport};
pub use interval::{Range, SelectionError, ViewRun, plan_runs};
pub use run::{Stores, run};
