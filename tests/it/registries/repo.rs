//! A repo whose definitions say of which round they are, in every kind of object.

use feastr::{
    feast::registry::messages::{Entity, FeatureService, decode},
    model::ObjectKind,
};

use super::TestRegistry;
use crate::support::Project;

pub struct Repo {
    pub project: Project,
}

impl Repo {
    /// A repo over a registry, with an online store of its own.
    pub fn new(test: &TestRegistry) -> Self {
        let settings = format!(
            "project: p\nregistry: {}\nonline_store: {{type: sqlite, path: online.db}}\noffline_store: duckdb\n\
             entity_key_serialization_version: 3\n",
            test.settings
        );
        let mut project = Project::new(&[("feature_store.yaml", &settings)]);
        project.environment = test.environment();
        let example = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/feature_repo/data");
        project.copy(&example.join("driver_stats.parquet"), "data/driver_stats.parquet");
        Self { project }
    }

    /// Declares another view, and changes everything else.
    pub fn declare(&self, round: u32) {
        self.project.write(
            "repo.yaml",
            format!(
                "entities:\n  - {{name: driver, join_keys: [driver_id], value_type: INT64, description: {round} times}}\n\
                 feature_views:\n  - name: view_{round}\n    entities: [driver]\n    source: {{name: stats, type: file, \
                 path: data/driver_stats.parquet, timestamp_field: event_timestamp, description: {round} times}}\n    \
                 schema: [{{name: conv_rate, dtype: Float32}}]\nfeature_services:\n  - {{name: service, features: \
                 [view_{round}]}}\n"
            ),
        );
    }

    pub fn online_tables(&self) -> Vec<String> {
        let store = rusqlite::Connection::open(self.project.path("online.db")).unwrap();
        let mut statement = store.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }
}

/// The round that all objects of the registry are of; `None` when they differ or are not there.
pub fn registered(test: &TestRegistry) -> Option<u32> {
    let snapshot = test.open().snapshot("p").unwrap();
    let entity: Entity = decode(snapshot.proto(ObjectKind::Entity, "driver")?).unwrap();
    let views: Vec<&str> =
        snapshot.rows.iter().filter(|row| row.kind == ObjectKind::FeatureView).map(|row| row.name.as_str()).collect();
    let [view] = views[..] else { return None };
    let round: u32 = view.strip_prefix("view_")?.parse().ok()?;
    let service: FeatureService = decode(snapshot.proto(ObjectKind::FeatureService, "service")?).unwrap();
    let service = service.spec?;
    let selected = &service.features.first()?.feature_view_name;
    let same = entity.spec?.description == format!("{round} times")
        && selected == view
        && snapshot.versions.keys().collect::<Vec<_>>() == [view];
    same.then_some(round)
}
