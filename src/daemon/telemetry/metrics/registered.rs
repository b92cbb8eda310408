//! How right the server is about what is registered: the ages of that, and of the values of each view.

use std::{fmt, sync::Arc};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, gauge::ConstGauge},
};

use crate::{
    app::{Caller, FeatureStore, freshness::freshness},
    model::Timestamp,
};

/// What is registered of a store, as it is known without asking anybody.
pub(super) struct Registered {
    store: Arc<FeatureStore>,
    caller: Caller,
    /// Whether the ages of values are told.
    has_freshness: bool,
}

impl Registered {
    pub(super) const fn of(store: Arc<FeatureStore>, caller: Caller, has_freshness: bool) -> Self {
        Self { store, caller, has_freshness }
    }

    /// Seconds since a moment.
    #[expect(clippy::cast_precision_loss, reason = "metrics are floats")]
    fn since(&self, moment: Timestamp) -> ConstGauge<f64> {
        ConstGauge::new(self.store.now().micros().saturating_sub(moment.micros()) as f64 / 1e6)
    }
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registered").field("project", &self.store.project()).finish_non_exhaustive()
    }
}

impl Collector for Registered {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        if let Some(status) = self.store.registry_status() {
            let help = "Seconds since what is registered was last known to be so";
            let name = "feastr_registry_unconfirmed_seconds";
            let gauge = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            self.since(status.confirmed).encode(gauge)?;
        }
        let ends = if self.has_freshness { freshness(&self.store, &self.caller) } else { Vec::new() };
        if ends.is_empty() {
            return Ok(());
        }
        let help = "Seconds since the end of what was materialized last of each view";
        let mut family = encoder.encode_descriptor("feast_feature_freshness_seconds", help, None, MetricType::Gauge)?;
        for (view, end) in ends {
            let labels = [("feature_view", view.as_str()), ("project", self.store.project())];
            self.since(end).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
