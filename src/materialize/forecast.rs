use serde::Serialize;

use super::{
    computed,
    context::Stores,
    interval::{ViewRun, chunks},
};
use crate::{
    model::{Interval, RegistryState},
    offline::NewestQuery,
    retrieval::Entities,
};

/// What a run would do about one view.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ViewForecast {
    /// The view.
    pub view: String,
    /// What would be read, in turn.
    pub chunks: Vec<ChunkForecast>,
    /// Why it would fail.
    pub problem: Option<String>,
}

/// What there is to read for one part of a view's interval.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChunkForecast {
    /// Which values would be written.
    pub interval: Interval,
    /// Rows of the source.
    pub rows: u64,
    /// About how many entities these rows are of: at most one row of each is written.
    pub entities: u64,
}

/// What a run would do now, for some entities or all. Reads registry and sources and writes nothing.
pub fn forecast(
    stores: &Stores<'_>,
    state: &RegistryState,
    runs: &[ViewRun],
    (chunk, entities): (Option<i64>, Option<&Entities>),
) -> Vec<ViewForecast> {
    let forecast = |run: &ViewRun| {
        let mut forecast = ViewForecast { view: run.view.name.clone(), chunks: Vec::new(), problem: None };
        if let Err(problem) = look(stores, state, run, (chunk, entities), &mut forecast.chunks) {
            forecast.problem = Some(problem);
        }
        forecast
    };
    runs.iter().map(forecast).collect()
}

fn look(
    stores: &Stores<'_>,
    state: &RegistryState,
    run: &ViewRun,
    (chunk, entities): (Option<i64>, Option<&Entities>),
    found: &mut Vec<ChunkForecast>,
) -> Result<(), String> {
    let offline = stores.offline.keeping();
    let stores = &Stores { offline: offline.as_ref(), ..*stores };
    let (view, end) = (&run.view, run.end());
    let materialized = state.materialized.get(&view.name).map_or(&[][..], |view| &view.intervals);
    let first = match &run.computed {
        Some(inputs) => computed::first_event(stores, inputs),
        None => stores.offline.first_event(view),
    };
    let Some(first) = first.map_err(|error| error.message)? else {
        return Err("its source is empty".to_owned());
    };
    let start = run.start(materialized).unwrap_or_else(|| run.start_at(first));
    if start > end {
        let is_done = run.is_done(start, (stores.clock)());
        return if is_done { Ok(()) } else { Err(format!("it is already materialized until {start}")) };
    }
    for interval in chunks(Interval { start, end }, chunk).map_err(|error| error.message)? {
        let counted = match &run.computed {
            Some(inputs) => computed::count(stores, inputs, interval),
            None => stores.offline.count(&NewestQuery { view, interval, entities }),
        };
        let counted = counted.map_err(|error| error.message)?;
        found.push(ChunkForecast { interval, rows: counted.rows, entities: counted.entities });
    }
    Ok(())
}
