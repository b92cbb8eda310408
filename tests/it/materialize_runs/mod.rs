//! Runs of materialize: what they record, what they say, and what is left when they are cut off.

mod cleanup;
mod definitions;
mod keys;
mod kills;
mod neighbours;
mod options;
mod records;
mod some;
mod teardown;
mod times;

use feastr::registry::Registry;
use rusqlite::Connection;

use crate::support::{Project, settings, sqlite_registry};

pub const START: &str = "2026-10-01";
pub const END: &str = "2026-11-01";

/// A repo whose views `good`, `better` and `bad` are over the example's data; the source of `bad` is missing.
pub fn three_views() -> Project {
    let view = |name: &str, path: &str| {
        format!(
            "feature_views:\n  - name: {name}\n    entities: [driver]\n    source: {{name: {name}_source, type: file, \
             path: {path}, timestamp_field: event_timestamp}}\n    schema: [{{name: conv_rate, dtype: Float32}}]\n"
        )
    };
    let project = Project::new(&[
        ("feature_store.yaml", &settings("shop")),
        ("driver.yaml", "entities:\n  - {name: driver, join_keys: [driver_id], value_type: INT64}\n"),
        ("good.yaml", &view("good", "data/driver_stats.parquet")),
        ("better.yaml", &view("better", "data/driver_stats.parquet")),
        ("bad.yaml", &view("bad", "data/gone.parquet")),
    ]);
    project.copy(&example_data(), "data/driver_stats.parquet");
    project.feastr(&["apply", "--skip-source-validation"]).ok();
    project
}

fn example_data() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/feature_repo/data/driver_stats.parquet")
}

/// The example repo, applied.
pub fn applied() -> Project {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    project
}

pub fn registry(project: &Project) -> Box<dyn Registry> {
    sqlite_registry(&project.path("data/registry.db"))
}

/// Key, feature, value, event in seconds.
pub type Values = Vec<(Vec<u8>, String, Vec<u8>, i64)>;

/// The online values of a view.
pub fn values(project: &Project, table: &str) -> Values {
    let store = Connection::open(project.path("data/online_store.db")).unwrap();
    let select = format!("SELECT entity_key, feature_name, value, event_ts FROM {table} ORDER BY 1, 2");
    let mut statement = store.prepare(&select).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

/// The recorded intervals of a view, as start and end.
pub fn intervals(project: &Project, view: &str) -> Vec<(String, String)> {
    let state = feastr::registry::read_objects(&registry(project).snapshot(&project_name(project)).unwrap());
    let recorded = state.materialized.get(view).map_or_else(Vec::new, |view| view.intervals.clone());
    recorded.iter().map(|interval| (interval.start.to_string(), interval.end.to_string())).collect()
}

fn project_name(project: &Project) -> String {
    let settings = project.read("feature_store.yaml");
    settings.lines().find_map(|line| line.strip_prefix("project: ")).unwrap().to_owned()
}
