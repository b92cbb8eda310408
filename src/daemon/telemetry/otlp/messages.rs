//! The message with all metrics, made of the text that Prometheus reads, so that both are told the same.

use std::{collections::BTreeMap, time::SystemTime};

use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value},
    metrics::v1::{
        AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics,
        ScopeMetrics, Sum, metric::Data, number_data_point,
    },
    resource::v1::Resource,
};

/// The message of metrics that are counted from the first moment to the second.
pub(super) fn message(text: &str, resource: Resource, times: [SystemTime; 2]) -> ExportMetricsServiceRequest {
    let scope = InstrumentationScope {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    };
    let metrics = families(text).into_iter().map(|family| family.metric(times.map(nanos))).collect();
    let scope_metrics = vec![ScopeMetrics { scope: Some(scope), metrics, schema_url: String::new() }];
    let resource = Some(resource);
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics { resource, scope_metrics, schema_url: String::new() }],
    }
}

fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// A family as the text has it: its samples follow the lines that describe it.
struct Family<'a> {
    name: &'a str,
    help: &'a str,
    kind: &'a str,
    samples: Vec<Sample<'a>>,
}

/// A line: what stands behind the name of the family, the labels, and the value.
struct Sample<'a> {
    suffix: &'a str,
    labels: Vec<(String, String)>,
    value: f64,
}

fn families(text: &str) -> Vec<Family<'_>> {
    let mut families: Vec<Family<'_>> = Vec::new();
    let mut help = "";
    for line in text.lines() {
        if let Some(described) = line.strip_prefix("# HELP ") {
            help = described.split_once(' ').map_or("", |(_, help)| help.trim_end_matches('.'));
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            families.push(Family { name, help, kind, samples: Vec::new() });
        } else if let Some(family) = families.last_mut()
            && let Some(sample) = line.strip_prefix(family.name).and_then(sample)
        {
            family.samples.push(sample);
        }
    }
    families
}

/// `_bucket{name="value",…} 5`
fn sample(rest: &str) -> Option<Sample<'_>> {
    let (suffix, labels, value) = match rest.split_once('{') {
        Some((suffix, rest)) => {
            let (labels, value) = rest.rsplit_once('}')?;
            (suffix, labels, value)
        }
        None => {
            let (suffix, value) = rest.split_once(' ')?;
            (suffix, "", value)
        }
    };
    Some(Sample { suffix, labels: pairs(labels)?, value: value.trim().parse().ok()? })
}

/// `name="value",name="value"`, where a backslash escapes.
fn pairs(mut text: &str) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    while !text.is_empty() {
        let (name, rest) = text.split_once("=\"")?;
        let (mut value, mut rest) = (String::new(), rest.chars());
        loop {
            match rest.next()? {
                '"' => break,
                '\\' => value.push(match rest.next()? {
                    'n' => '\n',
                    other => other,
                }),
                other => value.push(other),
            }
        }
        pairs.push((name.to_owned(), value));
        text = rest.as_str().trim_start_matches(',');
    }
    Some(pairs)
}

impl Family<'_> {
    fn metric(self, times: [u64; 2]) -> Metric {
        let aggregation_temporality = AggregationTemporality::Cumulative.into();
        let unit = if self.name.ends_with("_seconds") { "s" } else { "" }.to_owned();
        let (mut name, description) = (self.name.to_owned(), self.help.to_owned());
        let data = match self.kind {
            "histogram" => Data::Histogram(Histogram { data_points: self.histograms(times), aggregation_temporality }),
            "counter" => {
                name.push_str("_total");
                Data::Sum(Sum { data_points: self.numbers(times), aggregation_temporality, is_monotonic: true })
            }
            _ => Data::Gauge(Gauge { data_points: self.numbers(times) }),
        };
        Metric { name, description, unit, metadata: Vec::new(), data: Some(data) }
    }

    fn numbers(self, times: [u64; 2]) -> Vec<NumberDataPoint> {
        self.samples.into_iter().map(|sample| sample.number(times)).collect()
    }

    /// Those with the same labels make one.
    fn histograms(self, [start, now]: [u64; 2]) -> Vec<HistogramDataPoint> {
        let mut points: BTreeMap<Vec<(String, String)>, HistogramDataPoint> = BTreeMap::new();
        for Sample { suffix, mut labels, value } in self.samples {
            let limit = labels.iter().position(|(name, _)| name == "le").map(|place| labels.remove(place).1);
            let point = points.entry(labels).or_default();
            match (suffix, limit) {
                ("_sum", _) => point.sum = Some(value),
                ("_count", _) => point.count = whole(value),
                ("_bucket", Some(limit)) => {
                    // Each one counts those below it as well.
                    let before: u64 = point.bucket_counts.iter().sum();
                    point.bucket_counts.push(whole(value).saturating_sub(before));
                    point.explicit_bounds.extend(limit.parse::<f64>().ok().filter(|limit| limit.is_finite()));
                }
                _ => {}
            }
        }
        let finish = |(labels, mut point): (Vec<_>, HistogramDataPoint)| {
            (point.attributes, point.start_time_unix_nano, point.time_unix_nano) = (attributes(labels), start, now);
            point
        };
        points.into_iter().map(finish).collect()
    }
}

impl Sample<'_> {
    fn number(self, [start, now]: [u64; 2]) -> NumberDataPoint {
        NumberDataPoint {
            attributes: attributes(self.labels),
            start_time_unix_nano: start,
            time_unix_nano: now,
            value: Some(number_data_point::Value::AsDouble(self.value)),
            ..NumberDataPoint::default()
        }
    }
}

fn attributes(labels: Vec<(String, String)>) -> Vec<KeyValue> {
    let attribute = |(key, value)| KeyValue {
        key,
        value: Some(AnyValue { value: Some(any_value::Value::StringValue(value)) }),
        ..KeyValue::default()
    };
    labels.into_iter().map(attribute).collect()
}

/// Counts are whole numbers.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was one")]
const fn whole(value: f64) -> u64 {
    value as u64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use prometheus_client::{
        encoding::text::encode,
        metrics::{counter::Counter, family::Family as Metrics, gauge::Gauge, histogram::Histogram as Measured},
        registry::Registry,
    };

    use super::*;

    type Labels = Vec<(&'static str, String)>;

    fn data(registry: &Registry) -> Vec<Metric> {
        let mut text = String::new();
        encode(&mut text, registry).unwrap();
        let times = [1, 2].map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        let mut message = message(&text, Resource::default(), times);
        message.resource_metrics.remove(0).scope_metrics.remove(0).metrics
    }

    #[test]
    fn a_collector_is_told_what_prometheus_is_told() {
        let mut registry = Registry::default();
        let counts = Metrics::<Labels, Counter>::default();
        let odd = "a \"quoted\" {name}, with \\ and\nlines".to_owned();
        counts.get_or_create(&vec![("view", odd.clone()), ("status", "x".to_owned())]).inc_by(7);
        registry.register("requests", "Requests there were", counts);
        registry.register("memory", "Memory", Gauge::<f64, std::sync::atomic::AtomicU64>::default());
        let measured = Measured::new([0.5, 1.0]);
        [0.25, 0.75, 0.75, 9.0].into_iter().for_each(|value| measured.observe(value));
        registry.register("took_seconds", "Time", measured);
        let [requests, memory, took] = data(&registry).try_into().unwrap();
        assert_eq!((requests.name.as_str(), requests.description.as_str()), ("requests_total", "Requests there were"));
        let Some(Data::Sum(Sum { data_points, is_monotonic: true, aggregation_temporality: 2 })) = requests.data else {
            panic!("{requests:?}")
        };
        assert_eq!(data_points[0].value, Some(number_data_point::Value::AsDouble(7.0)));
        let times = (data_points[0].start_time_unix_nano, data_points[0].time_unix_nano);
        assert_eq!(times, (1_000_000_000, 2_000_000_000));
        let expected = attributes(vec![("view".to_owned(), odd), ("status".to_owned(), "x".to_owned())]);
        assert_eq!(data_points[0].attributes, expected);
        assert!(matches!(memory.data, Some(Data::Gauge(gauge)) if gauge.data_points.len() == 1));
        let Some(Data::Histogram(histogram)) = took.data else { panic!("{took:?}") };
        let point = &histogram.data_points[0];
        assert_eq!((point.count, point.sum, took.unit.as_str()), (4, Some(10.75), "s"));
        assert_eq!(
            (point.bucket_counts.as_slice(), point.explicit_bounds.as_slice()),
            (&[1, 2, 1][..], &[0.5, 1.0][..])
        );
    }
}
