//! The index of entities: what was told, how its jobs stand, and what came of them.

use std::{sync::atomic::AtomicU64, time::Duration};

use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use super::Labels;

/// What the server of the index counts in.
pub(crate) struct IndexMetrics {
    events: Family<Labels<1>, Counter>,
    standing: Family<Labels<1>, Gauge>,
    lag: Gauge<f64, AtomicU64>,
    ended: Family<Labels<1>, Counter>,
    rows: Counter,
}

impl IndexMetrics {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let metrics = Self {
            events: Family::default(),
            standing: Family::default(),
            lag: Gauge::default(),
            ended: Family::default(),
            rows: Counter::default(),
        };
        let help = "Events by what became of them: new jobs, known ones, or ignored, because no view has the object";
        registry.register("feastr_entity_index_events", help, metrics.events.clone());
        let help = "Jobs that are not done, by how they stand";
        registry.register("feastr_entity_index_jobs", help, metrics.standing.clone());
        let help = "Seconds that the oldest job has been waiting that can be done";
        registry.register("feastr_entity_index_lag_seconds", help, metrics.lag.clone());
        let help = "Jobs of this server that ended, by what came of them";
        registry.register("feastr_entity_index_jobs_ended", help, metrics.ended.clone());
        let help = "Rows of entities that this server added";
        registry.register("feastr_entity_index_rows", help, metrics.rows.clone());
        metrics
    }

    /// Events were noted: so many made new jobs, known ones, or are of no view.
    pub(crate) fn noted(&self, counts: [u64; 3]) {
        for (result, count) in ["new", "known", "ignored"].into_iter().zip(counts).filter(|(_, count)| *count > 0) {
            self.events.get_or_create(&[("result", result.into())]).inc_by(count);
        }
    }

    /// So many jobs stand in each way, and the oldest has been waiting for so long.
    pub(crate) fn stands(&self, counts: [(&'static str, u64); 3], lag: Duration) {
        for (status, count) in counts {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.standing.get_or_create(&[("status", status.into())]).set(count);
        }
        self.lag.set(lag.as_secs_f64());
    }

    /// A job has ended in one of a few words, and so many rows were added.
    pub(crate) fn ended(&self, how: &'static str, rows: u64) {
        self.ended.get_or_create(&[("outcome", how.into())]).inc();
        self.rows.inc_by(rows);
    }
}
