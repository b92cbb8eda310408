//! Metrics under Feast's names. Labels are routes, registered names and a few words: clients cannot make up others.

mod endpoint;
mod exposed;
mod index;
mod offline;
mod online;
mod process;
mod registered;

use std::{collections::HashMap, sync::Arc, time::Duration};

use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};

pub(super) use self::exposed::expose;
use self::{
    endpoint::Endpoint,
    offline::OfflineMetrics,
    online::OnlineMetrics,
    process::{CPU, MEMORY, Process},
    registered::Registered,
};
pub(crate) use self::{
    endpoint::{Endpoints, Shape},
    index::IndexMetrics,
};
use crate::{
    app::{Caller, FeatureStore},
    config::MetricsConfig,
    serving::Answer,
};

/// Two labels with their values.
type Labels<const N: usize> = [(&'static str, Arc<str>); N];

/// A histogram for each set of labels.
type Histograms<const N: usize> = Family<Labels<N>, Histogram, fn() -> Histogram>;

/// What a server serves, which says what there is to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Serves {
    /// Features, of the online or of the offline store.
    Features,
    /// The index of entities, to those who tell of events.
    EntityIndex,
}

/// Everything that is counted and measured. Groups that the settings leave out are not there.
pub(crate) struct Metrics {
    registry: Registry,
    bins: Vec<usize>,
    requests: Option<(Family<Labels<2>, Counter>, Histograms<3>)>,
    online: Option<OnlineMetrics>,
    offline: Option<OfflineMetrics>,
    pushes: Option<Family<Labels<2>, Counter>>,
    materializations: Option<(Family<Labels<2>, Counter>, Histograms<1>)>,
    /// The index of entities, of the server that keeps it.
    pub(crate) index: Option<IndexMetrics>,
    /// What became of rows for the logs of feature services.
    pub(super) logged: Family<Labels<1>, Counter>,
}

impl Metrics {
    /// The groups that are wanted, of a store's server.
    pub(super) fn new(config: &MetricsConfig, store: &Arc<FeatureStore>, caller: &Caller, serves: Serves) -> Self {
        let mut registry = Registry::default();
        let has = |group: bool| group && serves == Serves::Features;
        if config.resource {
            let process = Arc::new(Process::default());
            registry.register_collector(Box::new(process.of(CPU)));
            registry.register_collector(Box::new(process.of(MEMORY)));
        }
        let requests = config.request.then(|| {
            let total = Family::default();
            let latency = Histograms::new_with_constructor(|| Histogram::new(LATENCIES));
            let help = "Requests by their endpoint, and how they ended";
            registry.register("feast_feature_server_request", help, total.clone());
            let help = "Seconds until requests were answered";
            registry.register("feast_feature_server_request_latency_seconds", help, latency.clone());
            (total, latency)
        });
        let online = has(config.online_features).then(|| OnlineMetrics::registered(&mut registry));
        let offline = has(config.offline_features).then(|| OfflineMetrics::registered(&mut registry));
        let pushes = has(config.push).then(|| {
            let pushes = Family::default();
            registry.register("feast_push_request", "Pushes by their source and destination", pushes.clone());
            pushes
        });
        let materializations = has(config.materialization).then(|| {
            let results = Family::default();
            let durations = Histograms::new_with_constructor(|| Histogram::new(MATERIALIZATIONS));
            let help = "Materializations of each view, and how they ended";
            registry.register("feast_materialization_result", help, results.clone());
            let help = "Seconds that materializations of each view took";
            registry.register("feast_materialization_duration_seconds", help, durations.clone());
            (results, durations)
        });
        let registered = Registered::of(Arc::clone(store), caller.clone(), has(config.freshness));
        registry.register_collector(Box::new(registered));
        let index = (serves == Serves::EntityIndex).then(|| IndexMetrics::registered(&mut registry));
        let logged = Family::default();
        let help = "Rows for the logs of feature services: written, dropped for want of a place, or lost to a failure";
        registry.register("feastr_feature_log_rows", help, logged.clone());
        Self {
            registry,
            bins: config.feature_count_bins.clone(),
            requests,
            online,
            offline,
            pushes,
            materializations,
            index,
            logged,
        }
    }

    /// Where the requests to some routes are counted.
    pub(crate) fn endpoints(&self, routes: impl Iterator<Item = String>) -> Endpoints {
        let endpoint = |route: String| {
            let endpoint = Endpoint::new(&route, self.bins.clone(), self.requests.clone());
            (route, endpoint)
        };
        Endpoints(routes.map(endpoint).collect::<HashMap<_, _>>())
    }

    /// Somebody asks for the features of so many entities.
    pub(super) fn asked(&self, entities: usize) {
        if let Some(online) = &self.online {
            online.asked(entities);
        }
    }

    /// Somebody was answered.
    pub(super) fn answered(&self, answer: &Answer) {
        if let Some(online) = &self.online {
            online.answered(answer);
        }
    }

    /// Somebody was answered who asked the offline store, by the method of Feast that it was.
    pub(crate) fn retrieved(&self, method: &'static str, is_success: bool, rows: usize, took: Duration) {
        if let Some(offline) = &self.offline {
            offline.retrieved(method, is_success, rows, took);
        }
    }

    /// Rows were pushed to a source that is registered, `to` one of Feast's three words.
    pub(crate) fn pushed(&self, source: &str, to: &str) {
        if let Some(pushes) = &self.pushes {
            pushes.get_or_create(&[("push_source", source.into()), ("mode", to.into())]).inc();
        }
    }

    /// A registered view was materialized, or was not.
    pub(crate) fn materialized(&self, view: &str, is_done: bool, seconds: f64) {
        let Some((results, durations)) = &self.materializations else { return };
        let view: Arc<str> = view.into();
        let status = if is_done { "success" } else { "failure" };
        results.get_or_create(&[("feature_view", Arc::clone(&view)), ("status", status.into())]).inc();
        durations.get_or_create(&[("feature_view", view)]).observe(seconds);
    }

    /// All of them, in the text format of OpenMetrics.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // It is put together in memory, which does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// Upper limits in seconds, as in Feast.
const LATENCIES: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The same for materializations.
const MATERIALIZATIONS: [f64; 10] = [1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0];
