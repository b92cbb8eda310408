//! Times at the ends of what Python knows: years 1 to 9999.

use std::{fs::File, sync::Arc};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, TimestampMicrosecondArray};
use parquet::arrow::ArrowWriter;

use super::{applied, intervals};
use crate::support::{Project, settings};

const VIEW: &str = "driver_hourly_stats";

#[test]
fn times_that_python_cannot_read_are_refused() {
    let project = applied();
    for (start, end) in [
        ("0000-01-01", "now"),
        ("-800000d", "now"),
        ("-0004-01-01", "now"),
        ("2026-01-01", "+3000000d"),
        ("2026-01-01", "+10000-01-01"),
        ("0000-12-31T23:59:59.999999", "0000-12-31T23:59:59.999999"),
        ("0001-01-01T00:00:00+01:00", "now"),
    ] {
        let refused = project.feastr(&["materialize", start, end, "--allow-future"]).failed();
        let told = refused.stderr.contains("outside of the years 1 to 9999, the only ones that Python Feast can read");
        assert!(told, "{start} {end}: {}", refused.stderr);
    }
    project.feastr(&["materialize-incremental", "0000-06-01"]).failed();
    assert_eq!(intervals(&project, VIEW), []);
    project.feastr(&["materialize", "0001-01-01", "now"]).ok();
    assert_eq!(intervals(&project, VIEW)[0].0, "0001-01-01T00:00:00Z");
}

/// A view without ttl starts at the first event of its source, one with a ttl at END minus that.
#[test]
fn a_first_incremental_run_starts_no_earlier_than_year_one() {
    let view = |name: &str, ttl: &str| {
        format!(
            "  - name: {name}\n    entities: [driver]\n    ttl: {ttl}\n    source: {{name: {name}_source, type: file, \
             path: data/rows.parquet, timestamp_field: event_timestamp}}\n    schema: [{{name: x, dtype: \
             Int64}}]\n"
        )
    };
    let definitions = format!(
        "entities:\n  - {{name: driver, join_keys: [driver_id], value_type: INT64}}\nfeature_views:\n{}{}",
        view("ever", "0"),
        view("long", "800000d")
    );
    let project = Project::new(&[("feature_store.yaml", &settings("shop")), ("views.yaml", &definitions)]);
    write_rows(&project, &[-62_153_222_400, 1_790_812_800]);
    project.feastr(&["apply"]).ok();
    let dry = project.feastr(&["materialize-incremental", "2026-11-01", "--dry-run"]).ok().stdout;
    assert_eq!(dry.matches("0001-01-01T00:00:00Z").count(), 2, "{dry}");
    project.feastr(&["materialize-incremental", "2026-11-01"]).ok();
    let recorded = ("0001-01-01T00:00:00Z".to_owned(), "2026-11-01T00:00:00Z".to_owned());
    for view in ["ever", "long"] {
        assert_eq!(intervals(&project, view), std::slice::from_ref(&recorded), "{view}");
    }
}

/// Rows of drivers at these seconds since 1970.
fn write_rows(project: &Project, seconds: &[i64]) {
    let numbers = Arc::new((1..=seconds.len()).map(|number| i64::try_from(number).ok()).collect::<Int64Array>());
    let events = seconds.iter().map(|second| second * 1_000_000).collect::<Vec<_>>();
    let columns: [(&str, ArrayRef); 3] = [
        ("driver_id", numbers.clone()),
        ("event_timestamp", Arc::new(TimestampMicrosecondArray::from(events).with_timezone("UTC"))),
        ("x", numbers),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    std::fs::create_dir_all(project.path("data")).unwrap();
    let file = File::create(project.path("data/rows.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}
