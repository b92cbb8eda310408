mod kinds;

use std::collections::{BTreeMap, HashSet};

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::write;
use crate::{
    config::{
        AuthConfig, BucketSettings, FeatureServerConfig, MemoryLimit, OfflineStoreConfig, RegistryConfig, StoreConfig,
    },
    definitions::{LoadOptions, load},
    diagnostics::Diagnostics,
    model::{
        DUMMY_ENTITY, DUMMY_JOIN_KEY, DataSource, DataType, Entity, FeatureService, FeatureView, Field, LogDestination,
        LoggingConfig, Object, ObjectId, Project, Projection, SourceKind, Tags, Ttl, VectorIndex,
    },
    problem::{Kind, Problem},
};

/// Entities of a view with their columns.
type Keys = (Vec<String>, Vec<Field>);

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

/// The name of a view, which has no comma.
fn view_name(prefix: &'static str) -> impl Strategy<Value = String> {
    name(prefix).prop_map(|name| name.replace(',', ""))
}

fn tags() -> impl Strategy<Value = Tags> {
    proptest::collection::btree_map(text(), text(), 0..3)
}

fn dtype() -> impl Strategy<Value = DataType> {
    let texts = ["Int64", "Float32", "String", "Array(Int64)", "Set(String)", "Struct(a: Int64, b: Array(String))"];
    select(texts.to_vec()).prop_map(|text| text.parse().unwrap())
}

/// Description, owner and tags.
fn labels() -> impl Strategy<Value = (String, String, Tags)> {
    (text(), text(), kinds::kept_tags())
}

prop_compose! {
    fn field(index: usize)(
        name in name("f"), dtype in dtype(), description in text(), tags in tags(),
        // Only one column of a view may have an index.
        vector in option::of((1..9i32, text())),
    ) -> Field {
        let vector = vector.map(|(length, search_metric)| VectorIndex { index: false, length, search_metric });
        Field { name: format!("{name}_{index}"), dtype, description, tags, vector }
    }
}

prop_compose! {
    fn entity(index: usize)(
        name in name("e"), key in name("k"), labels in labels(),
        value_type in option::of(select(vec![DataType::Int64, DataType::String, DataType::UnixTimestamp])),
    ) -> Entity {
        let (description, owner, tags) = labels;
        Entity { name: format!("{name}{index}"), join_key: format!("{key}{index}"), value_type, description, owner, tags }
    }
}

/// The entities of a view and their columns: typed by the entity, or said in the schema.
fn keys(entities: Vec<Entity>) -> impl Strategy<Value = Keys> {
    let count = entities.len();
    (proptest::sample::subsequence(entities, 0..=count), any::<bool>()).prop_map(|(entities, declared)| {
        if entities.is_empty() {
            return (vec![DUMMY_ENTITY.to_owned()], vec![Field::new(DUMMY_JOIN_KEY, DataType::String)]);
        }
        let columns = entities.iter().map(|entity| {
            let column = Field::new(&entity.join_key, entity.value_type.clone().unwrap_or(DataType::Int32));
            if declared { Field { description: "said in the schema".to_owned(), ..column } } else { column }
        });
        (entities.iter().map(|entity| entity.name.clone()).collect(), columns.collect())
    })
}

prop_compose! {
    fn view(index: usize, entities: Vec<Entity>, sources: Vec<DataSource>)(
        name in view_name("v"), labels in labels(), org in text(), ttl in 0..10_000_000_000_000i64, mode in text(),
        source in option::weighted(0.9, select(sources)), keys in keys(entities), version in kinds::version(),
        features in (1..4usize).prop_flat_map(|count| (0..count).map(field).collect::<Vec<_>>()),
        flags in any::<[bool; 4]>(), transformation in option::of(kinds::transformation()),
        checks in kinds::checks(),
    ) -> FeatureView {
        let (description, owner, mut tags) = labels;
        let (source, stream_source) = match source {
            Some(stream) if stream.kind.is_stream() => (stream.kind.batch_source().cloned(), Some(stream)),
            batch => (batch, None),
        };
        let transformation = transformation.filter(|_| source.is_some() && stream_source.is_none());
        // Of batch views Feast keeps no mode.
        let mode = if transformation.is_some() { String::new() } else { mode };
        tags.extend(transformation.into_iter().flatten());
        tags.extend(checks);
        let (entities, entity_columns) = keys;
        let [online, offline, enabled, enable_validation] = flags;
        FeatureView {
            name: format!("{name}{index}"), entities, entity_columns, features, ttl: Ttl::from_micros(ttl), source,
            stream_source, online, offline, enabled, enable_validation, mode, version, description, owner, org, tags,
        }
    }
}

prop_compose! {
    fn service(index: usize, views: Vec<FeatureView>)(
        name in name("x"), labels in labels(), precompute_online in any::<bool>(),
        members in proptest::sample::subsequence(views.clone(), 0..=views.len())
            .prop_flat_map(|views| views.into_iter().map(member).collect::<Vec<_>>()),
        logging in option::of((0..=100u8, name("log"), text(), vec(text(), 0..3))),
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
        alias in option::of(name("a")), mapped in any::<bool>(), to in text(), view in Just(view),
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
    let base = (0..4usize, 1..4usize).prop_flat_map(|(entities, sources)| {
        let entities = (0..entities).map(entity).collect::<Vec<_>>();
        let sources = (0..sources).map(kinds::batch_source).collect::<Vec<_>>();
        (entities, sources, kinds::request_source(0))
    });
    let with_streams = base.prop_flat_map(|(entities, sources, request)| {
        let streams = (0..2).map(|index| kinds::stream_source(index, sources.clone())).collect::<Vec<_>>();
        (Just(entities), Just(sources), streams, Just(request))
    });
    let with_views = with_streams.prop_flat_map(|(entities, batch, streams, request)| {
        let sources = [batch, streams.clone()].concat();
        let views = (0..3).map(|index| view(index, entities.clone(), sources.clone())).collect::<Vec<_>>();
        // Feast refuses stream views over Kinesis.
        let pushed = streams.into_iter().filter(|stream| !matches!(stream.kind, SourceKind::Kinesis(_))).collect();
        let around = kinds::around(entities.clone(), sources.clone(), pushed);
        (Just(entities), Just([sources, vec![request]].concat()), views, around)
    });
    let with_services = with_views.prop_flat_map(|(entities, sources, views, around)| {
        let services = (0..2).map(|index| service(index, views.clone())).collect::<Vec<_>>();
        let request = sources[sources.len() - 1].clone();
        let on_demand = select(views.clone()).prop_flat_map(member).prop_flat_map(move |projection| {
            // Nothing is selected from a view under another name here.
            let projection = Projection { name_alias: None, ..projection };
            kinds::on_demand_view(0, projection, request.clone())
        });
        (Just(entities), Just(sources), Just(views), Just(around), services, on_demand)
    });
    let project = (text(), text(), tags());
    (with_services, project).prop_map(|(objects, (description, owner, tags))| {
        let (entities, sources, views, around, services, on_demand) = objects;
        let project = Project { name: "p".to_owned(), description, owner, tags };
        [Object::Project(project), Object::OnDemandFeatureView(on_demand)]
            .into_iter()
            .chain(around)
            .chain(entities.into_iter().map(Object::Entity))
            .chain(sources.into_iter().map(Object::DataSource))
            .chain(views.into_iter().map(Object::FeatureView))
            .chain(services.into_iter().map(Object::FeatureService))
            .map(|object| (object.id(), object))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 60, ..ProptestConfig::default() })]
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
            repo_name: None,
            provider: "local".to_owned(),
            registry_cache: crate::config::RegistryCache::default(),
            registry: RegistryConfig::File { path: folder.path().join("registry.db") },
            online_store: None,
            offline_store: OfflineStoreConfig::DuckDb,
            batch_engine: None,
            buckets: BucketSettings::default(),
            auth: AuthConfig::default(),
            entity_index: crate::config::EntityIndexConfig::default(),
            registry_server: crate::config::RegistryServerConfig::default(),
            feature_server: FeatureServerConfig::default(),
            strict: false,
            memory_limit: MemoryLimit::default(),
        };
        let options = LoadOptions {
            validate_sources: false,
            looks_at: &|kind| matches!(kind, SourceKind::File(_) | SourceKind::Postgres(_)),
            inspect: &|_| Err(Problem::new(Kind::Invalid, "nothing has to be inferred", None)),
            misfits: &|_| Ok(Vec::new()),
            check_transformation: &|_, _| Ok(()),
            display_path: &|path| path.to_owned(),
            skip_view_names: false,
        };
        let mut diagnostics = Diagnostics::default();
        let repo = load(&config, &options, &mut diagnostics).unwrap();
        prop_assert!(repo.is_some(), "{:?}\n{texts}", diagnostics.into_sorted());
        let repo = repo.unwrap();
        let read = repo.objects();
        let ids = |objects: &BTreeMap<ObjectId, Object>| objects.keys().cloned().collect::<HashSet<_>>();
        prop_assert_eq!(ids(read), ids(&objects));
        for (id, object) in &objects {
            prop_assert_eq!(&read[id], object, "{}", texts);
        }
    }
}
