//! Registries of Feast before 0.21, in which sources need no names.

use feastr::feast::registry::messages::{
    BigQueryOptions, DataSource, Entity, EntitySpecV2, FeatureSpecV2, FeatureView, FeatureViewSpec, FileOptions,
    Registry, SourceType, ValueTypeEnum,
};
use prost::Message as _;

use crate::support::{Project, settings};

const INT64: i32 = ValueTypeEnum::Int64 as i32;

/// A source that reads a file, as old versions stored it.
fn file(path: &str, timestamp_field: &str) -> DataSource {
    DataSource {
        r#type: SourceType::BatchFile as i32,
        timestamp_field: timestamp_field.to_owned(),
        file_options: Some(FileOptions { uri: path.to_owned(), ..FileOptions::default() }),
        ..DataSource::default()
    }
}

/// A repo without definitions over a registry with views of these names and sources.
fn repo(views: &[(&str, DataSource)], rows: Vec<DataSource>) -> Project {
    let project = "demo".to_owned();
    let column = |name: &str| FeatureSpecV2 { name: name.to_owned(), value_type: INT64, ..FeatureSpecV2::default() };
    let entity = EntitySpecV2 {
        name: "e".to_owned(),
        join_key: "id".to_owned(),
        value_type: INT64,
        project: project.clone(),
        ..EntitySpecV2::default()
    };
    let view = |(name, source): &(&str, DataSource)| FeatureView {
        spec: Some(FeatureViewSpec {
            name: (*name).to_owned(),
            project: project.clone(),
            entities: vec!["e".to_owned()],
            features: vec![column("p")],
            entity_columns: vec![column("id")],
            batch_source: Some(source.clone()),
            online: true,
            ..FeatureViewSpec::default()
        }),
        meta: None,
    };
    let registry = Registry {
        registry_schema_version: "1".to_owned(),
        version_id: "1".to_owned(),
        entities: vec![Entity { spec: Some(entity), meta: None }],
        feature_views: views.iter().map(view).collect(),
        data_sources: rows.into_iter().map(|row| DataSource { project: project.clone(), ..row }).collect(),
        ..Registry::default()
    };
    let settings = settings("demo").replace("\n  registry_type: sql\n  path: sqlite:///", " ");
    let repo = Project::new(&[("feature_store.yaml", &settings)]);
    repo.write("data/registry.db", registry.encode_to_vec());
    repo
}

/// The names and paths that an import declares, after a plan that shows nothing about sources and views.
#[track_caller]
fn imported(repo: &Project) -> Vec<(String, String)> {
    repo.feastr(&["import"]);
    let plan = repo.feastr(&["plan", "--skip-source-validation", "--json"]).ok().json();
    let changes = plan["changes"].as_array().unwrap();
    // Old versions had no objects for projects.
    let quiet = changes.iter().all(|change| change["id"]["kind"] == "project");
    assert!(quiet, "{changes:#?}");
    let text = repo.read("data_sources.yaml");
    let values = |key: &str| {
        let lines = text.lines().filter_map(|line| line.trim_start_matches([' ', '-']).strip_prefix(key));
        lines.map(|value| value.trim().to_owned()).collect::<Vec<_>>()
    };
    values("name:").into_iter().zip(values("timestamp_field:")).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, time)| ((*name).to_owned(), (*time).to_owned())).collect()
}

#[test]
fn sources_are_named_by_their_path_or_table() {
    let table = DataSource {
        r#type: SourceType::BatchBigQuery as i32,
        timestamp_field: "ts".to_owned(),
        bigquery_options: Some(BigQueryOptions { table: "d.t".to_owned(), ..BigQueryOptions::default() }),
        ..DataSource::default()
    };
    let repo = repo(&[("a", file("data/a.parquet", "ts")), ("b", file("data/b.parquet", "ts")), ("c", table)], vec![]);
    let expected = [("d.t", "ts"), ("data/a.parquet", "ts"), ("data/b.parquet", "ts")];
    assert_eq!(imported(&repo), pairs(&expected));
    // A view that changes gets the names, and its source a row of its own.
    repo.edit("feature_views.yaml", "    entities: [e]\n", "    entities: [e]\n    ttl: 1d\n");
    repo.feastr(&["apply", "--skip-source-validation", "--yes"]).ok();
    let plan = repo.feastr(&["plan", "--skip-source-validation", "--detailed-exitcode"]);
    assert_eq!(plan.code, 0, "{}", plan.stdout);
    let registry = Registry::decode(&*repo.read_bytes("data/registry.db")).unwrap();
    let rows: Vec<_> = registry.data_sources.iter().map(|source| source.name.as_str()).collect();
    assert_eq!(rows, ["data/a.parquet"]);
}

#[test]
fn sources_that_differ_are_never_one() {
    let views = [
        ("a", file("data/x.parquet", "ts")),
        ("b", file("data/x.parquet", "other")),
        ("c", file("data/x.parquet", "ts")),
        ("d", file("data/x.parquet", "other")),
    ];
    let repo = repo(&views, vec![]);
    assert_eq!(imported(&repo), pairs(&[("data/x.parquet", "ts"), ("data/x.parquet (b)", "other")]));
}

#[test]
fn sources_of_the_registry_need_no_names_either() {
    let named = DataSource { name: "data/y.parquet".to_owned(), ..file("data/z.parquet", "ts") };
    let rows = vec![file("data/x.parquet", "ts"), named];
    let repo = repo(&[("a", file("data/x.parquet", "ts")), ("b", file("data/y.parquet", "ts"))], rows);
    let listed = repo.feastr(&["data-sources", "list"]).ok().stdout;
    assert!(listed.contains("data/x.parquet  file") && listed.contains("data/y.parquet  file"), "{listed}");
    let expected = [("data/x.parquet", "ts"), ("data/y.parquet", "ts"), ("data/y.parquet (b)", "ts")];
    assert_eq!(imported(&repo), pairs(&expected));
    // What is changed takes the place of the one without a name.
    repo.edit("data_sources.yaml", "timestamp_field: ts", "timestamp_field: at");
    repo.feastr(&["apply", "--skip-source-validation", "--yes"]).ok();
    let rest = repo.feastr(&["plan", "--skip-source-validation", "--detailed-exitcode"]);
    assert_eq!(rest.code, 0, "{}", rest.stdout);
    let registry = Registry::decode(&*repo.read_bytes("data/registry.db")).unwrap();
    let names: Vec<_> = registry.data_sources.iter().map(|source| source.name.as_str()).collect();
    assert_eq!(names, ["data/x.parquet", "data/y.parquet"]);
}
