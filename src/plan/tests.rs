//! Plans over model values: what is found to break, who is named, what is refused.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::model::{
    DataSource, DataType, Entity, FeatureService, FeatureView, Field, FileSource, ForeignObject, Interval, LabelView,
    MaterializedView, Object, ObjectId, ObjectKind, OnlineTables, PROTECT_TAG, Project, Projection, RENAMED_FROM_TAG,
    RegistryState, Repo, SavedDataset, SourceKind, StreamFeatureView, Tags, Timestamp, Ttl, Use, ViewVersion,
};

const DAY: i64 = 86_400_000_000;

fn source(name: &str) -> DataSource {
    DataSource {
        name: name.to_owned(),
        kind: SourceKind::File(FileSource {
            path: format!("data/{name}.parquet"),
            format: None,
            s3_endpoint_override: String::new(),
        }),
        timestamp_field: "event_timestamp".to_owned(),
        created_timestamp_column: String::new(),
        field_mapping: BTreeMap::new(),
        date_partition_column: String::new(),
        description: String::new(),
        owner: String::new(),
        tags: Tags::new(),
    }
}

fn entity(name: &str) -> Entity {
    Entity {
        join_key: format!("{name}_id"),
        name: name.to_owned(),
        value_type: Some(DataType::Int64),
        ..Entity::dummy()
    }
}

fn view(name: &str, features: &[&str]) -> FeatureView {
    FeatureView {
        name: name.to_owned(),
        entities: vec!["driver".to_owned()],
        entity_columns: vec![Field::new("driver_id", DataType::Int64)],
        features: features.iter().map(|name| Field::new(*name, DataType::Float32)).collect(),
        ttl: Ttl::UNLIMITED,
        source: Some(source("stats")),
        stream_source: None,
        online: true,
        offline: false,
        enabled: true,
        enable_validation: false,
        mode: String::new(),
        version: ViewVersion::Latest,
        description: String::new(),
        owner: String::new(),
        org: String::new(),
        tags: Tags::new(),
    }
}

fn stream(view: &FeatureView) -> StreamFeatureView {
    StreamFeatureView {
        name: view.name.clone(),
        entities: view.entities.clone(),
        entity_columns: view.entity_columns.clone(),
        features: view.features.clone(),
        ttl: view.ttl,
        source: view.source.clone(),
        stream_source: None,
        aggregations: Vec::new(),
        timestamp_field: String::new(),
        enable_tiling: false,
        tiling_hop_size: None,
        online: view.online,
        enabled: true,
        enable_validation: false,
        mode: String::new(),
        version: ViewVersion::Latest,
        description: String::new(),
        owner: String::new(),
        org: String::new(),
        tags: Tags::new(),
    }
}

/// A service that selects all features of some views.
fn service(name: &str, views: &[&FeatureView]) -> FeatureService {
    let projection = |view: &&FeatureView| Projection {
        view: view.name.clone(),
        features: view.features.clone(),
        name_alias: None,
        join_key_map: BTreeMap::new(),
        source: view.source.clone(),
        labels: false,
    };
    FeatureService {
        name: name.to_owned(),
        features: views.iter().map(projection).collect(),
        logging_config: None,
        precompute_online: false,
        description: String::new(),
        owner: "models@example.com".to_owned(),
        tags: Tags::new(),
    }
}

/// A repo with one entity and one source.
fn repo(views: Vec<FeatureView>, services: Vec<FeatureService>) -> Repo {
    Repo {
        project: Project { name: "p".to_owned(), description: String::new(), owner: String::new(), tags: Tags::new() },
        data_sources: vec![source("stats")],
        entities: vec![entity("driver")],
        feature_views: views,
        on_demand_feature_views: Vec::new(),
        stream_feature_views: Vec::new(),
        label_views: Vec::new(),
        feature_services: services,
        permissions: Vec::new(),
        saved_datasets: Vec::new(),
        validation_references: Vec::new(),
        places: BTreeMap::new(),
    }
}

/// The state after this repo was applied and its views were materialized.
fn applied(repo: &Repo) -> RegistryState {
    let mut state = RegistryState { objects: repo.objects(), ..RegistryState::default() };
    for view in &repo.feature_views {
        state.online_tables.insert(format!("p_{}", view.name), "online.db".to_owned());
        let interval = Interval { start: Timestamp::from_micros(0), end: Timestamp::from_micros(DAY) };
        let later = Interval { start: interval.end, end: Timestamp::from_micros(3 * DAY) };
        state.materialized.insert(view.name.clone(), MaterializedView { intervals: vec![later, interval] });
    }
    state
}

fn setting(repo_name: Option<&str>) -> Setting<'_> {
    let online = OnlineTables { store: "sqlite", file: "online.db", name: |project, view| format!("{project}_{view}") };
    Setting { repo_name, online: Some(online) }
}

fn planned(state: &RegistryState, repo: &Repo) -> Plan {
    diff(state, repo, setting(None)).unwrap()
}

fn change<'a>(plan: &'a Plan, kind: ObjectKind, name: &str) -> &'a Change {
    let id = ObjectId::new(kind, name);
    plan.changes.iter().find(|change| change.id == id).unwrap_or_else(|| panic!("no change of {id}: {plan:#?}"))
}

/// What changes of view `v` and what the plan says about it. A service of this repo selects all of
/// it.
#[test]
fn changes_of_a_view_are_assessed() {
    type Edit = fn(&mut FeatureView);
    let cases: &[(&str, Edit, Severity, &str)] = &[
        ("a description", |view| view.description = "new".to_owned(), Severity::Safe, ""),
        ("a ttl", |view| view.ttl = "1d".parse().unwrap(), Severity::Safe, ""),
        (
            "a new feature",
            |view| view.features.push(Field::new("c", DataType::Int64)),
            Severity::Rematerialize,
            "v must be materialized again: feature `c` is new",
        ),
        (
            "a source in another place",
            |view| view.source = Some(source("other")),
            Severity::Rematerialize,
            "v must be materialized again: its source changes",
        ),
        (
            "a source with another description",
            |view| view.source.as_mut().unwrap().description = "x".to_owned(),
            Severity::Safe,
            "",
        ),
        (
            "a removed feature",
            |view| drop(view.features.remove(0)),
            Severity::Breaking,
            "removing `v.a` breaks feature service `s` (owner models@example.com)",
        ),
        (
            "two removed features",
            |view| view.features.clear(),
            Severity::Breaking,
            "removing `v.a`, `v.b` breaks feature service `s` (owner models@example.com)",
        ),
        (
            "a retyped feature",
            |view| view.features[0].dtype = DataType::Float64,
            Severity::Breaking,
            "changing the type of `v.a` breaks feature service `s` (owner models@example.com); v must be materialized \
             again: feature `a` becomes Float64 (was Float32)",
        ),
        (
            "a retyped join key",
            |view| view.entity_columns[0].dtype = DataType::String,
            Severity::Rematerialize,
            "v must be materialized again: join key `driver_id` becomes String (was Int64)",
        ),
        (
            "another join key",
            |view| view.entity_columns[0].name = "id".to_owned(),
            Severity::Destructive,
            "changing the join keys of `v` breaks feature service `s` (owner models@example.com); loses the online \
             values of v under their present keys; v must be materialized again: its join keys change",
        ),
        ("taken offline", |view| view.online = false, Severity::Safe, ""),
        (
            "new SQL",
            |view| drop(view.tags.insert(crate::model::SQL_TAG.to_owned(), "SELECT 1".to_owned())),
            Severity::Rematerialize,
            "v must be materialized again: what is computed from its source changes",
        ),
    ];
    let old = view("v", &["a", "b"]);
    let state = applied(&repo(vec![old.clone()], vec![service("s", &[&old])]));
    for (what, edit, severity, reason) in cases {
        let mut new = old.clone();
        edit(&mut new);
        let mut repo = repo(vec![new.clone()], vec![service("s", &[&new])]);
        repo.data_sources.push(source("other"));
        let plan = planned(&state, &repo);
        let change = change(&plan, ObjectKind::FeatureView, "v");
        assert_eq!((change.severity, change.reason.as_str()), (*severity, *reason), "{what}");
        if let Some(again) = &change.impact.rematerialize {
            assert_eq!(
                again.interval,
                Interval { start: Timestamp::from_micros(0), end: Timestamp::from_micros(3 * DAY) }
            );
        }
    }
}

#[test]
fn views_that_were_never_materialized_need_nothing() {
    let old = view("v", &["a"]);
    let mut state = applied(&repo(vec![old], Vec::new()));
    state.materialized.clear();
    let plan = planned(&state, &repo(vec![view("v", &["a", "b"])], Vec::new()));
    assert_eq!(change(&plan, ObjectKind::FeatureView, "v").severity, Severity::Safe);
}

#[test]
fn a_service_that_selects_less_breaks_by_itself() {
    let whole = view("v", &["a", "b"]);
    let part = view("v", &["a"]);
    let state = applied(&repo(vec![whole.clone()], vec![service("s", &[&whole])]));
    let plan = planned(&state, &repo(vec![whole], vec![service("s", &[&part])]));
    let change = change(&plan, ObjectKind::FeatureService, "s");
    assert_eq!(change.severity, Severity::Breaking);
    assert_eq!(
        change.reason,
        "no longer selecting `v.b` breaks what is built on feature service `s` (owner models@example.com)"
    );
}

#[test]
fn foreign_users_are_named_with_whom_to_ask() {
    let old = view("v", &["a", "b"]);
    let mut state = applied(&repo(vec![old], Vec::new()));
    let foreign = |kind, name: &str, owner: &str, uses| ForeignObject {
        id: ObjectId::new(kind, name),
        reason: "it holds Python code".to_owned(),
        owner: owner.to_owned(),
        uses,
    };
    let uses_a = vec![Use::Features { view: "v".to_owned(), features: vec!["a".to_owned()] }];
    state.foreign = vec![
        foreign(ObjectKind::OnDemandFeatureView, "odfv", "", uses_a.clone()),
        foreign(ObjectKind::FeatureService, "s1", "x@y", uses_a.clone()),
        foreign(ObjectKind::FeatureService, "s2", "x@y", uses_a),
        foreign(ObjectKind::FeatureService, "other", "", vec![Use::Entity("driver".to_owned())]),
    ];
    let plan = planned(&state, &repo(vec![view("v", &["b"])], Vec::new()));
    assert_eq!(
        change(&plan, ObjectKind::FeatureView, "v").reason,
        "removing `v.a` breaks on demand feature view `odfv` and feature services `s1`, `s2` (owner x@y)"
    );
    let mut none = repo(Vec::new(), Vec::new());
    none.entities.clear();
    let plan = planned(&state, &none);
    let deleted = change(&plan, ObjectKind::FeatureView, "v");
    assert_eq!(deleted.severity, Severity::Destructive);
    assert_eq!(
        deleted.reason,
        "removing `v` breaks on demand feature view `odfv` and feature services `s1`, `s2` (owner x@y); loses \
         sqlite table p_v with its values"
    );
    assert_eq!(change(&plan, ObjectKind::Entity, "driver").reason, "removing `driver` breaks feature service `other`");
    assert_eq!(plan.kept.len(), 4);
}

#[test]
fn saved_datasets_stay_and_are_users() {
    let old = view("v", &["a"]);
    let mut state = applied(&repo(vec![old], Vec::new()));
    let dataset = SavedDataset {
        name: "training".to_owned(),
        features: vec!["v:a".to_owned()],
        join_keys: Vec::new(),
        full_feature_names: false,
        storage: crate::model::DatasetStorage::File {
            path: "x".to_owned(),
            format: None,
            s3_endpoint_override: String::new(),
        },
        feature_service: String::new(),
        namespace: String::new(),
        collection: String::new(),
        description: String::new(),
        tags: Tags::new(),
    };
    state.objects.insert(ObjectId::new(ObjectKind::SavedDataset, "training"), Object::SavedDataset(dataset));
    let plan = planned(&state, &repo(vec![view("v", &["b"])], Vec::new()));
    assert_eq!(plan.changes.len(), 1);
    assert!(plan.kept.is_empty());
    assert!(plan.changes[0].reason.starts_with("removing `v.a` breaks saved dataset `training`"));
}

#[test]
fn a_rename_is_one_change_and_its_tag_means_nothing_afterwards() {
    let old = view("old", &["a"]);
    let state = applied(&repo(vec![old.clone()], vec![service("s", &[&old])]));
    let mut new = view("new", &["a"]);
    new.tags.insert(RENAMED_FROM_TAG.to_owned(), "old".to_owned());
    let renamed = repo(vec![new.clone()], vec![service("s", &[&new])]);
    let plan = planned(&state, &renamed);
    let words: Vec<_> = plan.changes.iter().map(|change| (change.action.word(), change.id.name.as_str())).collect();
    assert_eq!(words, [("rename", "new"), ("update", "s")]);
    let rename = &plan.changes[0];
    assert_eq!((rename.severity, rename.action.edits().len()), (Severity::Rematerialize, 0));
    assert_eq!(
        rename.reason,
        "loses sqlite table p_old with its values; new must be materialized again: its values are stored under `old`"
    );
    assert_eq!(plan.changes[1].severity, Severity::Safe, "the service selects the same features");
    assert!(plan.blocked(Permission::Named(&[])).is_empty());

    let after = carried_out(state.clone(), &plan);
    assert!(planned(&after, &renamed).is_empty());
    // Whoever still uses the old name is broken.
    let mut used = state.clone();
    used.foreign.push(ForeignObject {
        id: ObjectId::new(ObjectKind::FeatureService, "python"),
        reason: String::new(),
        owner: String::new(),
        uses: vec![Use::Features { view: "old".to_owned(), features: Vec::new() }],
    });
    let plan = planned(&used, &renamed);
    assert_eq!(plan.changes[0].severity, Severity::Breaking);
    assert!(plan.changes[0].reason.starts_with("renaming `old` breaks feature service `python`"));
    // While the old one is declared, too, there is nothing to rename.
    let both = planned(&state, &repo(vec![old, new], Vec::new()));
    assert_eq!(change(&both, ObjectKind::FeatureView, "new").action.word(), "create");
}

#[test]
fn a_view_of_another_kind_is_one_change() {
    let old = view("v", &["a"]);
    let state = applied(&repo(vec![old.clone()], vec![service("s", &[&old])]));
    let mut declared = repo(Vec::new(), vec![service("s", &[&old])]);
    declared.stream_feature_views = vec![stream(&view("v", &["a", "b"]))];
    let plan = planned(&state, &declared);
    assert_eq!(plan.changes.len(), 1, "{:#?}", plan.changes);
    let replaced = change(&plan, ObjectKind::StreamFeatureView, "v");
    assert_eq!((replaced.action.word(), replaced.severity), ("replace", Severity::Rematerialize));
    let paths: Vec<&str> = replaced.action.edits().iter().map(|edit| edit.path.as_str()).collect();
    assert_eq!(paths, ["features.b"]);
    assert!(plan.tables.is_empty(), "both kinds keep their values in the same table");
}

#[test]
fn protected_objects_are_not_harmed() {
    let protect = |tags: &mut Tags| drop(tags.insert(PROTECT_TAG.to_owned(), "true".to_owned()));
    let mut guarded = view("v", &["a", "b"]);
    protect(&mut guarded.tags);
    let mut user = service("s", &[&guarded]);
    protect(&mut user.tags);
    let state = applied(&repo(vec![guarded.clone()], vec![user.clone()]));
    let everything = |plan: &Plan| plan.blocked(Permission::Everything).len();
    let allow = ["*/*".parse().unwrap()];

    let plan = planned(&state, &repo(Vec::new(), Vec::new()));
    assert_eq!((everything(&plan), plan.blocked(Permission::Named(&allow)).len()), (2, 2));
    assert!(plan.blocked(Permission::Everything).iter().all(|blocked| blocked.permission().is_none()));

    // The service is broken by what happens to the view.
    let mut less = guarded.clone();
    less.features.pop();
    let mut smaller = service("s", &[&less]);
    protect(&mut smaller.tags);
    let plan = planned(&state, &repo(vec![less], vec![smaller]));
    assert_eq!(plan.blocked(Permission::Everything)[0].protected.len(), 2);

    // A rename is harm, too; more features are none.
    let mut renamed = guarded.clone();
    renamed.name = "w".to_owned();
    renamed.tags.insert(RENAMED_FROM_TAG.to_owned(), "v".to_owned());
    let plan = planned(
        &state,
        &repo(vec![renamed.clone()], vec![FeatureService { tags: user.tags.clone(), ..service("s", &[&renamed]) }]),
    );
    assert_eq!(everything(&plan), 1);
    let mut more = guarded.clone();
    more.features.push(Field::new("c", DataType::Int64));
    assert_eq!(everything(&planned(&state, &repo(vec![more], vec![user.clone()]))), 0);

    // Without the tag in the registry everything is as usual.
    let mut free = guarded.clone();
    free.tags.clear();
    let unprotected = planned(&state, &repo(vec![free.clone()], vec![user]));
    assert_eq!((unprotected.changes.len(), everything(&unprotected)), (1, 0));
    let state = applied(&repo(vec![free], Vec::new()));
    assert_eq!(everything(&planned(&state, &repo(Vec::new(), Vec::new()))), 0);
}

#[test]
fn repos_with_names_delete_only_what_they_applied() {
    let id = |name: &str| ObjectId::new(ObjectKind::FeatureView, name);
    let mut state =
        applied(&repo(vec![view("ours", &["a"]), view("theirs", &["a"]), view("nobodys", &["a"])], Vec::new()));
    state.owners = [(id("ours"), "team-a".to_owned()), (id("theirs"), "team-b".to_owned())].into();
    let empty = repo(Vec::new(), Vec::new());

    let plan = diff(&state, &empty, setting(Some("team-a"))).unwrap();
    let deleted: Vec<&str> = plan.changes.iter().map(|change| change.id.name.as_str()).collect();
    assert_eq!(deleted, ["ours"]);
    let kept: Vec<_> = plan.kept.iter().map(|kept| (kept.id.name.as_str(), kept.reason.as_str())).collect();
    assert_eq!(kept, [("nobodys", "it was not applied by this repo"), ("theirs", "it was applied by repo `team-b`")]);
    let dropped: Vec<&str> = plan.tables.iter().map(|table| table.table.as_str()).collect();
    assert_eq!(dropped, ["p_ours"]);

    let plan = diff(&state, &empty, setting(None)).unwrap();
    let deleted: Vec<&str> = plan.changes.iter().map(|change| change.id.name.as_str()).collect();
    assert_eq!(deleted, ["nobodys"], "without a name what others own is kept");

    let changed = repo(vec![view("theirs", &["b"])], Vec::new());
    for name in [Some("team-a"), None] {
        let conflicts = diff(&state, &changed, setting(name)).unwrap_err();
        assert_eq!(
            conflicts[0].to_string(),
            "feature view theirs cannot be applied: the registry holds feature view theirs, and it was applied by repo `team-b`"
        );
        assert_eq!(conflicts[0].owner.as_deref(), Some("team-b"));
    }
    // The same name in another kind, or in other letters, is in the way as well.
    let mut namesakes = repo(Vec::new(), Vec::new());
    namesakes.stream_feature_views = vec![stream(&view("theirs", &["a"]))];
    assert_eq!(diff(&state, &namesakes, setting(Some("team-a"))).unwrap_err().len(), 1);
    assert_eq!(
        diff(&state, &repo(vec![view("Theirs", &["a"])], Vec::new()), setting(Some("team-a"))).unwrap_err().len(),
        1
    );

    let plan = diff(&state, &repo(vec![view("nobodys", &["b"])], Vec::new()), setting(Some("team-a"))).unwrap();
    assert!(plan.taken_over.contains(&id("nobodys")), "{:?}", plan.taken_over);
    // An equal declaration of what another repo applied changes nothing.
    let plan =
        diff(&state, &repo(vec![view("theirs", &["a"]), view("ours", &["a"])], Vec::new()), setting(Some("team-a")))
            .unwrap();
    assert!(plan.changes.is_empty() && !plan.taken_over.contains(&id("theirs")));
}

#[test]
fn what_another_repo_uses_is_broken_in_its_name() {
    let old = view("v", &["a", "b"]);
    let mut state = applied(&repo(vec![old.clone()], vec![service("s", &[&old])]));
    state.owners = [(ObjectId::new(ObjectKind::FeatureService, "s"), "team-b".to_owned())].into();
    let plan = diff(&state, &repo(vec![view("v", &["b"])], Vec::new()), setting(Some("team-a"))).unwrap();
    assert_eq!(
        change(&plan, ObjectKind::FeatureView, "v").reason,
        "removing `v.a` breaks feature service `s` (owner models@example.com, applied by repo team-b)"
    );
}

#[test]
fn an_entity_with_another_join_key_breaks_views_of_others() {
    let mut state = applied(&repo(vec![view("v", &["a"])], Vec::new()));
    state.foreign.push(ForeignObject {
        id: ObjectId::new(ObjectKind::FeatureView, "python"),
        reason: String::new(),
        owner: String::new(),
        uses: vec![Use::Entity("driver".to_owned())],
    });
    let mut declared = repo(vec![view("v", &["a"])], Vec::new());
    declared.entities[0].join_key = "id".to_owned();
    let plan = planned(&state, &declared);
    let change = change(&plan, ObjectKind::Entity, "driver");
    assert_eq!(change.reason, "changing the join keys of `driver` breaks feature view `python`");
}

/// Two features whose names have the same hash, found by trying.
fn colliding() -> [String; 2] {
    let mut seen = std::collections::HashMap::new();
    for number in 0u32.. {
        let name = format!("f{number}");
        if let Some(other) = seen.insert(crate::feast::feature_hash::feature_field("v", &name), name.clone()) {
            return [other, name];
        }
    }
    unreachable!("there are only so many hashes")
}

#[test]
fn collisions_are_reported_when_a_change_brings_them() {
    let [one, other] = colliding();
    let state = applied(&repo(vec![view("v", &[&one])], Vec::new()));
    let both = repo(vec![view("v", &[&one, &other])], Vec::new());
    let plan = planned(&state, &both);
    let found = &change(&plan, ObjectKind::FeatureView, "v").impact.collisions;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].join_keys, ["driver_id"]);
    assert!(found[0].features.contains(&format!("v:{one}")) && found[0].features.contains(&format!("v:{other}")));

    let mut later = both.clone();
    later.feature_views[0].features.push(Field::new("harmless", DataType::Int64));
    let plan = planned(&applied(&both), &later);
    assert!(change(&plan, ObjectKind::FeatureView, "v").impact.collisions.is_empty());
}

#[test]
fn label_views_have_tables_while_they_are_online() {
    let label = |online| LabelView {
        name: "l".to_owned(),
        entities: vec!["driver".to_owned()],
        entity_columns: vec![Field::new("driver_id", DataType::Int64)],
        features: vec![Field::new("good", DataType::Bool)],
        ttl: Ttl::UNLIMITED,
        source: Some(source("stats")),
        online,
        labeler_field: "labeler".to_owned(),
        conflict_policy: Default::default(),
        retain_history: false,
        reference_feature_view: String::new(),
        description: String::new(),
        owner: String::new(),
        tags: Tags::new(),
    };
    let with = |online| Repo { label_views: vec![label(online)], ..repo(Vec::new(), Vec::new()) };
    let mut state = applied(&with(true));
    state.online_tables.insert("p_l".to_owned(), "online.db".to_owned());
    let plan = planned(&state, &with(false));
    assert_eq!(change(&plan, ObjectKind::LabelView, "l").reason, "loses sqlite table p_l with its values");
    assert_eq!(plan.changes[0].severity, Severity::Destructive);
}

/// What an apply does, on model values.
fn carried_out(mut state: RegistryState, plan: &Plan) -> RegistryState {
    for change in &plan.changes {
        if let Some(before) = change.before_id() {
            state.objects.remove(before);
            state.owners.remove(before);
        }
        if let Some(after) = change.action.after() {
            state.objects.insert(change.id.clone(), after.clone());
            state.owners.extend(plan.repo.clone().map(|repo| (change.id.clone(), repo)));
        }
    }
    for id in &plan.taken_over {
        state.owners.extend(plan.repo.clone().map(|repo| (id.clone(), repo)));
    }
    for table in &plan.tables {
        match table.action {
            TableAction::Create => drop(state.online_tables.insert(table.table.clone(), "online.db".to_owned())),
            TableAction::Delete => drop(state.online_tables.remove(&table.table)),
        }
    }
    state
}

fn any_repo() -> impl Strategy<Value = Repo> {
    let names = || prop::sample::subsequence(vec!["a", "b", "c", "d"], 0..4);
    let any_view = (names(), any::<bool>(), prop::option::of("[vw][0-3]"), any::<bool>(), any::<bool>());
    let views = prop::collection::btree_map("[vw][0-3]", any_view, 0..6);
    let services =
        prop::collection::btree_map("s[0-3]", prop::collection::vec(any::<prop::sample::Index>(), 0..3), 0..3);
    (views, services).prop_map(|(views, services)| {
        let (mut plain, mut streams) = (Vec::new(), Vec::new());
        for (name, (features, online, renamed_from, protected, is_stream)) in views {
            let mut view = view(&name, &features);
            view.online = online;
            view.tags.extend(renamed_from.map(|old| (RENAMED_FROM_TAG.to_owned(), old)));
            view.tags.extend(protected.then(|| (PROTECT_TAG.to_owned(), "true".to_owned())));
            if is_stream {
                streams.push(StreamFeatureView { tags: view.tags.clone(), ..stream(&view) })
            } else {
                plain.push(view)
            }
        }
        let select = |picks: Vec<prop::sample::Index>| -> Vec<&FeatureView> {
            if plain.is_empty() { Vec::new() } else { picks.iter().map(|pick| pick.get(&plain)).collect() }
        };
        let services = services.into_iter().map(|(name, picks)| service(&name, &select(picks))).collect();
        Repo { stream_feature_views: streams, ..repo(plain.clone(), services) }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever there was, after a plan was carried out nothing is left to do.
    #[test]
    fn a_carried_out_plan_leaves_nothing_to_do(before in any_repo(), after in any_repo(), named in any::<bool>()) {
        let name = named.then_some("team-a");
        let first = diff(&RegistryState::default(), &before, setting(name)).unwrap();
        let state = carried_out(RegistryState::default(), &first);
        prop_assert!(diff(&state, &before, setting(name)).unwrap().is_empty());

        let plan = diff(&state, &after, setting(name)).unwrap();
        prop_assert_eq!(plan.to_json().unwrap(), diff(&state, &after, setting(name)).unwrap().to_json().unwrap());
        let saved = SavedPlan::parse(&plan.to_json().unwrap()).unwrap();
        prop_assert_eq!(saved.differences(&SavedPlan::of(&plan).unwrap()), []);
        let state = carried_out(state, &plan);
        let rest = diff(&state, &after, setting(name)).unwrap();
        prop_assert!(rest.is_empty(), "{:#?}", rest);
        prop_assert_eq!(state.objects, after.objects());
    }

    /// What one repo with a name does leaves the objects of another alone.
    #[test]
    fn two_repos_with_names_leave_each_other_alone(one in any_repo(), two in any_repo(), later in any_repo()) {
        let state = carried_out(RegistryState::default(), &diff(&RegistryState::default(), &one, setting(Some("one"))).unwrap());
        let Ok(second) = diff(&state, &two, setting(Some("two"))) else { return Ok(()) };
        let state = carried_out(state, &second);
        let Ok(third) = diff(&state, &later, setting(Some("two"))) else { return Ok(()) };
        let state = carried_out(state, &third);
        for (id, object) in one.objects() {
            prop_assert_eq!(state.objects.get(&id), Some(&object));
        }
        prop_assert!(diff(&state, &one, setting(Some("one"))).unwrap().is_empty());
    }
}
