//! Several pushes at once lose nothing and undo nothing.

use std::{process::Child, thread};

use serde_json::json;

use super::{applied, csv, files, historical, online};

const PUSHES: usize = 8;
const EACH: usize = 4;

#[test]
fn rows_of_all_pushes_are_there() {
    let project = applied();
    let time = |number: usize| format!("2026-11-20T10:{number:02}:00Z");
    for push in 0..PUSHES * EACH {
        // Each has a row of its own, and one of the driver that all are about; the last in time is not the last to run.
        let at = time((push * 7) % (PUSHES * EACH));
        let (own, trips) = (2_000 + push as i64, ((push * 7) % (PUSHES * EACH)) as i64);
        project.write(&format!("rows_{push}.csv"), csv(&[(own, &at, trips), (1001, &at, trips)]));
    }
    thread::scope(|scope| {
        for first in 0..PUSHES {
            let project = &project;
            scope.spawn(move || {
                for push in (first..PUSHES * EACH).step_by(PUSHES) {
                    let rows = format!("rows_{push}.csv");
                    let both = ["--quiet", "push", "stats_push", "-i", &rows, "--to", "online_and_offline"];
                    let mut child: Child = project.command(&both).spawn().unwrap();
                    assert!(child.wait().unwrap().success());
                }
            });
        }
        // Who reads meanwhile sees whole files only.
        for _ in 0..10 {
            historical(&project, "fresh", 1001, "2026-11-20T13:00:00Z");
        }
    });
    let last = (PUSHES * EACH - 1) as i64;
    assert_eq!(json!(online(&project, 1001)), json!({ "fresh": last, "trips": last }));
    let added = files(&project.path("data/driver_stats.parquet.d"));
    assert_eq!(added.len(), PUSHES * EACH, "{added:?}");
    let all = ["get-historical", "--start", "2026-11-20", "--end", "2026-11-21", "--format", "jsonl"];
    let rows = project.feastr(&[&all[..], &["--features", "fresh:avg_daily_trips"]].concat()).ok().stdout;
    assert_eq!(rows.lines().count(), 2 * PUSHES * EACH);
    for push in [0, 1, PUSHES * EACH - 1] {
        let trips = ((push * 7) % (PUSHES * EACH)) as i64;
        assert_eq!(online(&project, 2_000 + push as i64)["trips"], json!(trips));
    }
}
