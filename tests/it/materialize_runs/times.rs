//! Times at the ends of what Python knows: years 1 to 9999.

use super::{applied, intervals};

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
