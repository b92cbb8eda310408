//! Requests for features: for how many entities, how the values stood, and how long the online store was read.

use std::{fmt, sync::Arc};

use prometheus_client::{
    encoding::{EncodeLabel as _, EncodeLabelSet, LabelSetEncoder},
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};

use crate::serving::{Answer, AnsweredView, Status};

/// What requests for features count in.
pub(super) struct OnlineMetrics {
    requests: Counter,
    entities: Histogram,
    reads: Histogram,
    statuses: Family<ViewStatus, Counter>,
}

/// Values of a view that stand in one way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct ViewStatus {
    view: Arc<str>,
    status: &'static str,
}

impl EncodeLabelSet for ViewStatus {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), fmt::Error> {
        ("feature_view", &*self.view).encode(encoder.encode_label())?;
        ("status", self.status).encode(encoder.encode_label())
    }
}

impl OnlineMetrics {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Counter::default(),
            entities: Histogram::new(ENTITIES),
            reads: Histogram::new(READS),
            statuses: Family::default(),
        };
        let help = "Requests for features";
        registry.register("feast_online_features_request", help, metrics.requests.clone());
        let help = "Entities that requests for features asked about";
        registry.register("feast_online_features_entity_count", help, metrics.entities.clone());
        let help = "Seconds that the online store was read for a request";
        registry.register("feast_feature_server_online_store_read_duration_seconds", help, metrics.reads.clone());
        let help = "Values of the features of each view, by how they stood";
        registry.register("feast_online_features_status", help, metrics.statuses.clone());
        metrics
    }

    pub(super) fn asked(&self, entities: usize) {
        self.requests.inc();
        #[expect(clippy::cast_precision_loss, reason = "metrics are floats")]
        self.entities.observe(entities as f64);
    }

    pub(super) fn answered(&self, answer: &Answer) {
        self.reads.observe(answer.read.as_secs_f64());
        let mut columns = answer.columns.get(answer.keys..).unwrap_or_default().iter();
        for AnsweredView { name, columns: count } in &*answer.views {
            let mut counts = [0_u64; STATUSES.len()];
            for column in columns.by_ref().take(*count) {
                for answered in &column.values {
                    counts[place(answered.status)] += 1;
                }
            }
            for (count, status) in counts.into_iter().zip(STATUSES).filter(|(count, _)| *count > 0) {
                self.statuses.get_or_create(&ViewStatus { view: Arc::clone(name), status }).inc_by(count);
            }
        }
    }
}

/// How values stand: Feast's two words, and those that it does not tell apart.
const STATUSES: [&str; 5] = ["invalid", "present", "null_value", "not_found", "outside_max_age"];

/// The place of a status among them.
const fn place(status: Status) -> usize {
    match status {
        Status::Invalid => 0,
        Status::Present => 1,
        Status::NullValue => 2,
        Status::NotFound => 3,
        Status::OutsideMaxAge => 4,
    }
}

/// Upper limits, as in Feast.
const ENTITIES: [f64; 9] = [1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0];

/// The same in seconds.
const READS: [f64; 12] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
