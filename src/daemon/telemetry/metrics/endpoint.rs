//! Requests by their route, and by how much they ask for. What a request counts in is found without a lock.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
    time::Duration,
};

use prometheus_client::metrics::{counter::Counter, family::Family, histogram::Histogram};

use super::{Histograms, Labels};

/// How much a request asked for, and was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// How many features.
    pub(crate) features: usize,
    /// Of how many views.
    pub(crate) views: usize,
}

/// Where the requests to each route are counted.
pub(crate) struct Endpoints(pub(super) HashMap<String, Endpoint>);

impl Endpoints {
    /// A request to a route was answered.
    pub(crate) fn answered(&self, route: &str, is_success: bool, shape: Option<Shape>, took: Duration) {
        if let Some(endpoint) = self.0.get(route) {
            endpoint.answered(is_success, shape, took);
        }
    }
}

/// Where the requests to a route are counted.
pub(super) struct Endpoint {
    name: Arc<str>,
    /// The greatest number of features of each group, rising.
    bins: Vec<usize>,
    families: Option<(Family<Labels<2>, Counter>, Histograms<3>)>,
    failed: OnceLock<Counter>,
    succeeded: OnceLock<Counter>,
    /// First that of requests without a shape, then for each group of features one for each number of views.
    latencies: Box<[OnceLock<Histogram>]>,
}

/// More views than this fall under one label.
const MOST_VIEWS: usize = 20;

/// How many labels there are for numbers of views.
const VIEWS: usize = MOST_VIEWS + 2;

impl Endpoint {
    pub(super) fn new(
        route: &str,
        bins: Vec<usize>,
        families: Option<(Family<Labels<2>, Counter>, Histograms<3>)>,
    ) -> Self {
        // No features, those of the groups, and more.
        let groups = bins.len() + 2;
        let latencies = (0..=groups * VIEWS).map(|_| OnceLock::new()).collect();
        Self { name: route.into(), bins, families, failed: OnceLock::new(), succeeded: OnceLock::new(), latencies }
    }

    fn answered(&self, is_success: bool, shape: Option<Shape>, took: Duration) {
        let Some((total, latency)) = &self.families else { return };
        let (count, status) = if is_success { (&self.succeeded, "success") } else { (&self.failed, "error") };
        let endpoint = || ("endpoint", Arc::clone(&self.name));
        count.get_or_init(|| total.get_or_create_owned(&[endpoint(), ("status", status.into())])).inc();
        let group = shape.map(|shape| self.group(shape.features));
        let views = shape.map(|shape| shape.views.min(MOST_VIEWS + 1));
        let position = group.zip(views).map_or(0, |(group, views)| 1 + group * VIEWS + views);
        let labels = || {
            let features = group.map(|group| self.label(group)).unwrap_or_default();
            let views = views.map(label_of_views).unwrap_or_default();
            [endpoint(), ("feature_count", features.into()), ("feature_view_count", views.into())]
        };
        if let Some(histogram) = self.latencies.get(position) {
            histogram.get_or_init(|| latency.get_or_create_owned(&labels())).observe(took.as_secs_f64());
        }
    }

    /// The group of a number of features: 0 of none, then those of the bins, then one more.
    fn group(&self, features: usize) -> usize {
        if features == 0 { 0 } else { 1 + self.bins.partition_point(|most| *most < features) }
    }

    /// Its label, as Feast writes it.
    fn label(&self, group: usize) -> String {
        let Some(bin) = group.checked_sub(1) else { return "0".to_owned() };
        let least = bin.checked_sub(1).map_or(1, |before| self.bins[before] + 1);
        self.bins.get(bin).map_or_else(|| format!("{least}+"), |most| format!("{least}-{most}"))
    }
}

fn label_of_views(views: usize) -> String {
    if views > MOST_VIEWS { format!("{}+", MOST_VIEWS + 1) } else { views.to_string() }
}

#[cfg(test)]
mod tests {
    use prometheus_client::{encoding::text::encode, registry::Registry};

    use super::*;

    #[test]
    fn numbers_fall_into_groups_as_in_feast() {
        let endpoint = Endpoint::new("/x", vec![10, 50, 200], None);
        let label = |features: usize| endpoint.label(endpoint.group(features));
        let counts = [0, 1, 10, 11, 50, 51, 200, 201, 9_999];
        assert_eq!(counts.map(label), ["0", "1-10", "1-10", "11-50", "11-50", "51-200", "51-200", "201+", "201+"]);
        let none = Endpoint::new("/x", Vec::new(), None);
        assert_eq!([0, 1, 7].map(|count| none.label(none.group(count))), ["0", "1+", "1+"]);
        assert_eq!([0, 20, 21, 400].map(label_of_views), ["0", "20", "21+", "21+"]);
    }

    #[test]
    fn however_much_is_asked_for_labels_are_few() {
        let (total, latency) = (Family::default(), Histograms::new_with_constructor(|| Histogram::new([1.0])));
        let mut registry = Registry::default();
        registry.register("asked", "", total.clone());
        registry.register("took", "", latency.clone());
        let endpoint = Endpoint::new("/x", vec![10], Some((total, latency)));
        for features in 0..100 {
            for views in 0..100 {
                endpoint.answered(views % 2 == 0, Some(Shape { features, views }), Duration::from_millis(1));
            }
        }
        endpoint.answered(false, None, Duration::ZERO);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        let count = |name: &str| text.lines().filter(|line| line.starts_with(name)).count();
        assert_eq!([count("asked_total{"), count("took_count{")], [2, 3 * VIEWS + 1]);
    }
}
