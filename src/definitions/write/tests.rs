use std::collections::{BTreeMap, HashSet};

use proptest::{collection::vec, prelude::*, sample::select};

use super::write;
use crate::{
    config::{OfflineStoreConfig, RegistryConfig, StoreConfig},
    definitions::{LoadOptions, load},
    diagnostics::Diagnostics,
    model::{
        DUMMY_ENTITY, DUMMY_JOIN_KEY, DataSource, DataType, Entity, FeatureService, FeatureView, Field, FileFormat,
        FileSource, LogDestination, LoggingConfig, Object, ObjectId, Project, Projection, SourceKind, SourceProblem,
        Tags, Ttl, VectorIndex, ViewVersion,
    },
};

/// Any text: words, and what means something to YAML.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just(String::new()),
        3 => "[a-zA-Z0-9 _.,:#'\"{}\\[\\]&*!|>%@`?-]{1,12}",
        1 => "[^\\x00]{1,8}",
        2 => select(vec!["yes", "null", "1e3", "0x1", "2026-01-01", "two\nlines\n", "\n", " a ", "- b", "a: b", "${A}"])
            .prop_map(str::to_owned),
    ]
}

/// A text that a definition may have as a name, in a way that is unique ignoring case with `prefix`.
fn name(prefix: &'static str) -> impl Strategy<Value = String> {
    let rest = prop_oneof![4 => "[a-z0-9_]{0,6}", 1 => "[a-z #'\",{}\\[\\]!-]{0,5}[a-z]", 1 => "[äöü\u{1f600}]{1,3}"];
    rest.prop_map(move |rest| format!("{prefix}{rest}"))
}

fn tags() -> impl Strategy<Value = Tags> {
    proptest::collection::btree_map(text(), text(), 0..3)
}

fn dtype() -> impl Strategy<Value = DataType> {
    let texts = ["Int64", "Float32", "String", "Array(Int64)", "Set(String)", "Struct(a: Int64, b: Array(String))"];
    select(texts.to_vec()).prop_map(|text| text.parse().unwrap())
}

prop_compose! {
    fn field(index: usize)(
        name in name("f"), dtype in dtype(), description in text(), tags in tags(),
        vector in proptest::option::of((any::<bool>(), 1..9i32, text())),
    ) -> Field {
        let vector = vector.map(|(index, length, search_metric)| VectorIndex { index, length, search_metric });
        Field { name: format!("{name}_{index}"), dtype, description, tags, vector }
    }
}

prop_compose! {
    fn entity(index: usize)(
        name in name("e"), key in name("k"), labels in (text(), text(), tags()),
        value_type in proptest::option::of(select(vec![DataType::Int64, DataType::String, DataType::UnixTimestamp])),
    ) -> Entity {
        let (description, owner, tags) = labels;
        Entity { name: format!("{name}{index}"), join_key: format!("{key}{index}"), value_type, description, owner, tags }
    }
}

prop_compose! {
    fn source(index: usize)(
        name in name("s"), path in name("data/"), labels in (text(), text(), tags()), endpoint in text(),
        format in proptest::option::of(select(FileFormat::ALL.to_vec())),
        mapping in proptest::collection::btree_map("m[a-z]{1,4}", text(), 0..3), created in any::<bool>(),
    ) -> DataSource {
        let (description, owner, tags) = labels;
        DataSource {
            name: format!("{name}{index}"),
            kind: SourceKind::File(FileSource { path, format, s3_endpoint_override: endpoint }),
            timestamp_field: "time".to_owned(),
            created_timestamp_column: if created { "created".to_owned() } else { String::new() },
            field_mapping: mapping,
            date_partition_column: String::new(),
            description,
            owner,
            tags,
        }
    }
}

prop_compose! {
    fn view(index: usize, entities: Vec<Entity>, sources: Vec<DataSource>)(
        name in name("v"), labels in (text(), text(), text(), tags()), ttl in 0..10_000_000_000_000i64, mode in text(),
        source in select(sources), entities in proptest::sample::subsequence(entities.clone(), 0..=entities.len()),
        features in (1..4usize).prop_flat_map(|count| (0..count).map(field).collect::<Vec<_>>()),
        flags in any::<[bool; 4]>(), declared in any::<bool>(),
    ) -> FeatureView {
        let (description, owner, org, tags) = labels;
        let columns = entities.iter().map(|entity| {
            let column = Field::new(&entity.join_key, entity.value_type.clone().unwrap_or(DataType::Int32));
            if declared { Field { description: "said in the schema".to_owned(), ..column } } else { column }
        });
        let [online, offline, enabled, enable_validation] = flags;
        FeatureView {
            name: format!("{name}{index}"),
            entity_columns: if entities.is_empty() {
                vec![Field::new(DUMMY_JOIN_KEY, DataType::String)]
            } else {
                columns.collect()
            },
            entities: if entities.is_empty() {
                vec![DUMMY_ENTITY.to_owned()]
            } else {
                entities.iter().map(|entity| entity.name.clone()).collect()
            },
            features, ttl: Ttl::from_micros(ttl), source: Some(source), stream_source: None, online, offline, enabled,
            enable_validation, mode, version: ViewVersion::Latest, description, owner, org, tags,
        }
    }
}

prop_compose! {
    fn service(index: usize, views: Vec<FeatureView>)(
        name in name("x"), labels in (text(), text(), tags()), precompute_online in any::<bool>(),
        members in proptest::sample::subsequence(views.clone(), 0..=views.len())
            .prop_flat_map(|views| views.into_iter().map(member).collect::<Vec<_>>()),
        logging in proptest::option::of((0..=100u8, name("log"), text(), vec(text(), 0..3))),
    ) -> FeatureService {
        let (description, owner, tags) = labels;
        let logging_config = logging.map(|(percent, path, s3_endpoint_override, partition_by)| LoggingConfig {
            sample_rate: f32::from(percent) / 100.0,
            destination: LogDestination::File { path, s3_endpoint_override, partition_by },
        });
        FeatureService {
            name: format!("{name}{index}"), features: members, logging_config, precompute_online, description, owner, tags,
        }
    }
}

prop_compose! {
    fn member(view: FeatureView)(
        features in proptest::sample::subsequence(view.features.clone(), 0..=view.features.len()).prop_shuffle(),
        alias in proptest::option::of(name("a")), mapped in any::<bool>(), to in text(), view in Just(view),
    ) -> Projection {
        let keys = view.join_keys().iter().filter(|_| mapped).map(|key| (key.name.clone(), to.clone()));
        Projection {
            // An alias may not be that of another member.
            name_alias: alias.map(|alias| format!("{alias} of {}", view.name)),
            join_key_map: keys.collect(), features, source: view.source.clone(), view: view.name, labels: false,
        }
    }
}

fn objects() -> impl Strategy<Value = BTreeMap<ObjectId, Object>> {
    let many = |count: std::ops::Range<usize>| count;
    let base = (many(0..4), many(1..4), (text(), text(), tags())).prop_flat_map(|(entities, sources, project)| {
        let entities = (0..entities).map(entity).collect::<Vec<_>>();
        let sources = (0..sources).map(source).collect::<Vec<_>>();
        (entities, sources, Just(project))
    });
    let with_views = base.prop_flat_map(move |(entities, sources, project)| {
        let views = (0..3).map(|index| view(index, entities.clone(), sources.clone())).collect::<Vec<_>>();
        (Just(entities), Just(sources), views, Just(project))
    });
    let with_services = with_views.prop_flat_map(|(entities, sources, views, project)| {
        let services = (0..2).map(|index| service(index, views.clone())).collect::<Vec<_>>();
        (Just(entities), Just(sources), Just(views), services, Just(project))
    });
    with_services.prop_map(|(entities, sources, views, services, (description, owner, tags))| {
        let project = Project { name: "p".to_owned(), description, owner, tags };
        std::iter::once(Object::Project(project))
            .chain(entities.into_iter().map(Object::Entity))
            .chain(sources.into_iter().map(Object::DataSource))
            .chain(views.into_iter().map(Object::FeatureView))
            .chain(services.into_iter().map(Object::FeatureService))
            .map(|object| (object.id(), object))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn written_definitions_declare_the_same(objects in objects()) {
        let folder = tempfile::tempdir().unwrap();
        let mut texts = String::new();
        for (name, text) in write(&objects).texts() {
            texts.push_str(&text);
            std::fs::write(folder.path().join(format!("{name}.yaml")), text).unwrap();
        }
        let config = StoreConfig {
            repo: folder.path().to_owned(),
            file: folder.path().join("feature_store.yaml"),
            project: "p".to_owned(),
            project_description: None,
            provider: "local".to_owned(),
            registry: RegistryConfig::Sqlite { path: folder.path().join("registry.db") },
            online_store: None,
            offline_store: OfflineStoreConfig::DuckDb,
        };
        let options = LoadOptions {
            validate_sources: false,
            inspect: &|_| Err(SourceProblem::new("nothing has to be inferred", None)),
            display_path: &|path| path.to_owned(),
        };
        let mut diagnostics = Diagnostics::default();
        let repo = load(&config, &options, &mut diagnostics).unwrap();
        prop_assert!(repo.is_some(), "{:?}\n{texts}", diagnostics.into_sorted());
        let read = repo.unwrap().objects();
        let ids = |objects: &BTreeMap<ObjectId, Object>| objects.keys().cloned().collect::<HashSet<_>>();
        prop_assert_eq!(ids(&read), ids(&objects));
        for (id, object) in &objects {
            prop_assert_eq!(&read[id], object, "{}", texts);
        }
    }
}
