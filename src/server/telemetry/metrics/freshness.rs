//! How long ago the values of each view end, looked up whenever somebody asks.

use std::{fmt, sync::Arc};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, gauge::ConstGauge},
};

use crate::app::{Caller, FeatureStore, freshness::freshness};

/// The age of the values of a store's views.
pub(super) struct Freshness {
    store: Arc<FeatureStore>,
    caller: Caller,
}

impl Freshness {
    pub(super) const fn of(store: Arc<FeatureStore>, caller: Caller) -> Self {
        Self { store, caller }
    }
}

impl fmt::Debug for Freshness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Freshness").field("project", &self.store.project()).finish_non_exhaustive()
    }
}

impl Collector for Freshness {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let ends = freshness(&self.store, &self.caller);
        if ends.is_empty() {
            return Ok(());
        }
        let help = "Seconds since the end of what was materialized last of each view";
        let mut family = encoder.encode_descriptor("feast_feature_freshness_seconds", help, None, MetricType::Gauge)?;
        let now = self.store.now();
        for (view, end) in ends {
            let labels = [("feature_view", view.as_str()), ("project", self.store.project())];
            #[expect(clippy::cast_precision_loss, reason = "metrics are floats")]
            let seconds = now.micros().saturating_sub(end.micros()) as f64 / 1e6;
            ConstGauge::new(seconds).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
