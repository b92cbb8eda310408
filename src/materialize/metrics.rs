//! The numbers of a run as OpenMetrics.

use std::fmt;

use prometheus_client::{
    encoding::text::encode,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

use super::report::{RunReport, ViewReport};

/// Which view a number is about.
type Labels = Vec<(&'static str, String)>;

/// What a run did, view by view, as OpenMetrics text: for the textfile collector of Prometheus' node
/// exporter. A view that failed has no time of success, so that the age of the last one shows.
///
/// # Errors
/// None that is known of: the text is put together in memory.
pub fn metrics(report: &RunReport) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("feastr_materialize");
    let done = |view: &ViewReport| view.outcome.is_right();
    let finished = seconds(report.finished.micros());
    let mut add = |name: &str, help: &str, value: &dyn Fn(&ViewReport) -> Option<f64>| {
        let family = Family::<Labels, Gauge<f64, std::sync::atomic::AtomicU64>>::default();
        for view in &report.views {
            if let Some(value) = value(view) {
                let labels = vec![("project", report.project.clone()), ("view", view.view.clone())];
                family.get_or_create(&labels).set(value);
            }
        }
        registry.register(name, help, family);
    };
    add("rows_read", "Rows of the source in the interval of the last run", &|view| Some(number(view.counts.read)));
    add("rows_written", "Entities whose values the last run stored", &|view| Some(number(view.counts.written)));
    add("rows_skipped", "Entities whose stored values were newer", &|view| Some(number(view.counts.skipped)));
    add("rows_without_key", "Rows in the interval left out because a join key is null", &|view| {
        Some(number(view.counts.without_key))
    });
    add("rows_without_time", "Rows of the source left out because they have no event time", &|view| {
        Some(number(view.counts.without_time))
    });
    add("values_out_of_range", "Values that became null because they do not fit their type", &|view| {
        Some(number(view.counts.out_of_range))
    });
    add("rows_in_future", "Rows of the source later than the last run, if they were looked for", &|view| {
        Some(number(view.counts.future))
    });
    add("rows_tied", "Rows as new as another one of their entity, which gave way to its values", &|view| {
        Some(number(view.counts.ties))
    });
    add("duration_seconds", "How long the last run took", &|view| Some(view.seconds));
    add("failed", "1 if the last run did not complete the view, else 0", &|view| {
        Some(f64::from(u8::from(!done(view))))
    });
    add("last_success_timestamp_seconds", "When the last run ended, if it completed the view", &|view| {
        done(view).then_some(finished)
    });
    add("last_end_timestamp_seconds", "Until when the view is materialized, if the last run completed it", &|view| {
        view.materialized_until.filter(|_| done(view)).map(|until| seconds(until.micros()))
    });
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

#[expect(clippy::cast_precision_loss, reason = "metrics are floats")]
fn number(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_precision_loss, reason = "metrics are floats")]
fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::materialize::Outcome;
    use crate::model::{Interval, RunCounts, Timestamp};
    use crate::problem::{Kind, Problem};

    fn report() -> RunReport {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let view = |name: &str, outcome| ViewReport {
            view: name.to_owned(),
            interval: Interval { start: at(0), end: at(1_767_225_600) },
            counts: RunCounts {
                read: 12,
                written: 3,
                skipped: 2,
                without_key: 1,
                without_time: 6,
                out_of_range: 4,
                future: 5,
                ties: 7,
            },
            seconds: 1.5,
            outcome,
            chunks: Vec::new(),
            materialized_until: Some(at(1_767_225_660)),
        };
        RunReport {
            format_version: 1,
            project: "shop".to_owned(),
            by: String::new(),
            started: at(1_767_225_700),
            finished: at(1_767_225_760),
            views: vec![
                view("with \"quotes\" and \\", Outcome::Done),
                view("bad", Outcome::Failed(Problem::new(Kind::Invalid, "no", None))),
            ],
            left_out: Vec::new(),
        }
    }

    #[test]
    fn every_line_is_a_comment_or_a_sample_of_a_declared_family() {
        let text = metrics(&report()).unwrap();
        let sample = regex::Regex::new(
            r#"^([a-zA-Z_:][a-zA-Z0-9_:]*)\{project="((?:[^"\\\n]|\\[\\"n])*)",view="((?:[^"\\\n]|\\[\\"n])*)"\} ([-+0-9.eE]+)$"#,
        )
        .unwrap();
        let (mut declared, mut samples) = (Vec::new(), Vec::new());
        let mut lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.pop(), Some("# EOF"));
        for line in lines {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                declared.push(rest.strip_suffix(" gauge").unwrap().to_owned());
            } else if !line.starts_with("# HELP ") {
                let parts = sample.captures(line).unwrap_or_else(|| panic!("{line}"));
                assert_eq!(declared.last().unwrap(), &parts[1], "samples follow their family");
                samples.push((parts[1].to_owned(), parts[3].to_owned(), parts[4].parse::<f64>().unwrap()));
            }
        }
        let value = |name: &str, view: &str| {
            let found = samples.iter().find(|(of, at, _)| *of == format!("feastr_materialize_{name}") && at == view);
            found.map(|(_, _, value)| *value)
        };
        let good = r#"with \"quotes\" and \\"#;
        assert_eq!(value("rows_written", good), Some(3.0));
        assert_eq!((value("failed", good), value("failed", "bad")), (Some(0.0), Some(1.0)));
        assert_eq!(value("last_success_timestamp_seconds", good), Some(1_767_225_760.0));
        assert_eq!(value("last_end_timestamp_seconds", good), Some(1_767_225_660.0));
        assert_eq!(value("last_success_timestamp_seconds", "bad"), None);
        assert_eq!((declared.len(), samples.len()), (12, 22));
    }
}
