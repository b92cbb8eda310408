//! What `get-historical` writes besides single files: folders, tables of PostgreSQL, a part of the rows, or nothing.

mod folders;
mod parts;
mod tables;

use crate::support::Project;

/// The example repo, applied, with these entity rows in `rows.jsonl`.
fn applied_with(rows: &str) -> Project {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    project.write("rows.jsonl", rows);
    project
}

/// A retrieval of the features of the example, without what is said about the output.
const RETRIEVAL: [&str; 5] = [
    "get-historical",
    "--entities",
    "rows.jsonl",
    "--features",
    "driver_hourly_stats:conv_rate,driver_hourly_stats:avg_daily_trips",
];

/// Entity rows with cities of all kinds.
const CITIES: &str = r#"{"driver_id": 1001, "event_timestamp": "2026-10-30T22:41:00Z", "city": "Köln/Bonn: 50%", "day": "2026-10-30"}
{"driver_id": 1002, "event_timestamp": "2026-10-31T21:12:00Z", "city": null, "day": "2026-10-31"}
{"driver_id": 1003, "event_timestamp": "2026-10-31T21:12:00Z", "city": "Rom", "day": "2026-10-31"}
{"driver_id": 1001, "event_timestamp": "2026-10-31T23:00:00Z", "city": "Rom", "day": "2026-10-31"}
{"driver_id": 9999, "event_timestamp": "2026-10-31T23:00:00Z", "city": "", "day": null}
"#;

fn run(project: &Project, args: &[&str]) -> crate::support::Output {
    project.feastr(&[&RETRIEVAL[..], args].concat())
}
