//! What every registry does alike.

use std::{
    sync::{Arc, Barrier, Mutex, mpsc},
    time::Duration,
};

use feastr::{
    clients::runtime::wait,
    feast::registry::messages::{
        Entity, EntitySpecV2, FeatureView, FeatureViewSpec, Infra, InfraObject, Permission, PermissionSpec, Project,
        ProjectSpec, SqliteTable,
    },
    model::{
        Author, ChangeKind, Interval, ObjectChange, ObjectId, ObjectKind, RunCounts, RunRecord, RunState, Timestamp,
        ViewId,
    },
    registry::{
        KEPT_RUNS, Leftover, Locking, Registry, Row, Snapshot, VersionRow, Waiting, WantedChanges, Write,
        change_record, forget_leftover, forget_owner, forget_stale, leftovers, put_leftover, put_owner, put_stale,
        stale_until,
    },
};
use futures_util::TryStreamExt as _;
use prost::Message as _;

use super::{Backend, TestRegistry, impatient, on_every_backend, on_every_registry};
use crate::servers::redis::await_true;

on_every_registry!(
    rows_are_inserted_changed_and_removed,
    versions_infrastructure_and_notes_are_kept,
    projects_are_apart,
    nothing_is_written_unless_wanted,
    reading_creates_nothing,
    large_rows_and_any_names,
    many_rows_at_once,
    names_are_read_by_kind,
    one_view_is_read_and_changed_alone,
    one_object_is_changed_by_what_is_there_of_it,
    updates_of_views_from_threads_are_serial,
    changes_are_seen_without_reading,
    updates_from_threads_are_serial,
    a_removed_and_written_object_is_written,
    one_run_per_view_and_the_next_is_told,
    locks_can_be_waited_for_for_ages,
    runs_are_noted_and_bounded,
    changes_are_noted_and_outlive_the_project,
    leftovers_of_many_features_have_room,
);

// In a bucket nobody waits for anybody.
on_every_backend!(@ sqlite_locked Sqlite who_waits_is_told_for_whom);
on_every_backend!(@ file_locked File who_waits_is_told_for_whom);
on_every_backend!(@ postgres_locked Postgres who_waits_is_told_for_whom);
on_every_backend!(@ mariadb_locked MariaDb who_waits_is_told_for_whom);
on_every_backend!(@ memory_locked Memory who_waits_is_told_for_whom);

/// Who changes something is noted in the same transaction, and found by object and by time.
fn changes_are_noted_and_outlive_the_project(backend: Backend) {
    let test = TestRegistry::new(backend);
    let registry = test.open();
    let any = WantedChanges { limit: 10, ..WantedChanges::default() };
    assert_eq!(registry.changes("p", &any).unwrap(), []);
    let change = |writes: Vec<Write>, by: &str, second: i64| {
        let author = Author { command: "apply".to_owned(), by: by.to_owned(), from: Some("10.0.0.7".to_owned()) };
        let at = Timestamp::from_micros(second * 1_000_000);
        let decide = &mut |snapshot: &Snapshot| {
            let mut record = change_record(snapshot, &writes, &author, at).unwrap();
            record.plan = Some(serde_json::json!({ "text": "ä".repeat(100_000) }));
            Some(writes.iter().cloned().chain([Write::Record(Box::new(record))]).collect())
        };
        registry.update("p", decide).unwrap();
    };
    change(vec![Write::Put(entity("a", "1")), Write::Put(entity("b", "1"))], "ann", 1);
    change(vec![Write::Put(entity("b", "2"))], "bob", 2);
    change(vec![Write::DeleteProject], "cem", 3);
    let told = |wanted: &WantedChanges| {
        let records = registry.changes("p", wanted).unwrap();
        records.into_iter().map(|record| record.author.by).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(told(&any), "cem bob ann");
    assert_eq!(told(&WantedChanges { limit: 1, ..any.clone() }), "cem");
    assert_eq!(told(&WantedChanges { name: Some("a".to_owned()), ..any.clone() }), "cem ann");
    assert_eq!(told(&WantedChanges { since: Some(Timestamp::from_micros(2_000_000)), ..any.clone() }), "cem bob");
    assert_eq!(told(&WantedChanges { kind: Some(ObjectKind::DataSource), ..any.clone() }), "");
    let bob = &registry.changes("p", &any).unwrap()[1];
    let updated = ObjectChange { id: ObjectId::new(ObjectKind::Entity, "b"), change: ChangeKind::Updated };
    assert_eq!((bob.changes.as_slice(), bob.author.from.as_deref()), ([updated].as_slice(), Some("10.0.0.7")));
    assert_eq!(bob.plan.as_ref().unwrap()["text"].as_str().map(str::len), Some(200_000));
    assert_eq!(registry.changes("q", &any).unwrap(), []);
    // Nothing of it is part of the project.
    assert_eq!(registry.snapshot("p").unwrap(), Snapshot::default());
}

pub fn entity(name: &str, text: &str) -> Row {
    let spec = EntitySpecV2 { name: name.to_owned(), description: text.to_owned(), ..EntitySpecV2::default() };
    let proto = Entity { spec: Some(spec), ..Entity::default() }.encode_to_vec();
    Row { kind: ObjectKind::Entity, name: name.to_owned(), updated: 1_700_000_000, proto }
}

fn view(name: &str, text: &str) -> Row {
    let spec = FeatureViewSpec { name: name.to_owned(), description: text.to_owned(), ..FeatureViewSpec::default() };
    let proto = FeatureView { spec: Some(spec), ..FeatureView::default() }.encode_to_vec();
    Row { kind: ObjectKind::FeatureView, name: name.to_owned(), updated: 1_700_000_000, proto }
}

fn version(view: &Row, number: i32) -> Write {
    Write::AddVersion(VersionRow {
        view: view.name.clone(),
        view_type: "feature_view".to_owned(),
        number,
        proto: view.proto.clone(),
        created: 1_700_000_000,
        id: format!("00000000-0000-0000-0000-{number:012}"),
    })
}

fn delete(row: &Row) -> Write {
    Write::Delete { kind: row.kind, name: row.name.clone() }
}

fn infra(tables: &[&str]) -> Vec<u8> {
    let object = |table: &&str| InfraObject {
        infra_object_class_type: "feast.infra.online_stores.sqlite.SqliteTable".to_owned(),
        sqlite_table: Some(SqliteTable { path: "/data/online.db".to_owned(), name: (*table).to_owned() }),
        ..InfraObject::default()
    };
    Infra { infra_objects: tables.iter().map(object).collect() }.encode_to_vec()
}

pub fn write(registry: &dyn Registry, project: &str, writes: &[Write]) {
    registry.update(project, &mut |_| Some(writes.to_vec())).unwrap();
}

/// Kind, name and message of each row; a file has no column for the last update.
pub fn contents(snapshot: &Snapshot) -> Vec<(ObjectKind, String, Vec<u8>)> {
    snapshot.rows.iter().map(|row| (row.kind, row.name.clone(), row.proto.clone())).collect()
}

fn expected(rows: &[&Row]) -> Vec<(ObjectKind, String, Vec<u8>)> {
    rows.iter().map(|row| (row.kind, row.name.clone(), row.proto.clone())).collect()
}

fn rows_are_inserted_changed_and_removed(backend: Backend) {
    let test = TestRegistry::new(backend);
    let registry = test.open();
    let [driver, customer, stats] = [entity("driver", "a"), entity("customer", "b"), view("stats", "c")];
    write(
        registry.as_ref(),
        "p",
        &[Write::Put(stats.clone()), Write::Put(driver.clone()), Write::Put(customer.clone())],
    );
    let snapshot = registry.snapshot("p").unwrap();
    assert_eq!(contents(&snapshot), expected(&[&customer, &driver, &stats]));
    if !backend.is_message() {
        assert_eq!(snapshot.rows[0].updated, 1_700_000_000);
        if backend.is_sql() {
            test.execute("UPDATE feature_views SET user_metadata = feature_view_proto");
        }
    }
    let changed = view("stats", "other");
    registry
        .update("p", &mut |before| {
            assert_eq!(contents(before), expected(&[&customer, &driver, &stats]));
            Some(vec![Write::Put(changed.clone()), delete(&driver), delete(&entity("never", ""))])
        })
        .unwrap();
    assert_eq!(contents(&registry.snapshot("p").unwrap()), expected(&[&customer, &changed]));
    if backend.is_sql() {
        // What feastr does not write stays: now it holds what the message was.
        test.execute("UPDATE feature_views SET feature_view_proto = user_metadata");
        assert_eq!(contents(&registry.snapshot("p").unwrap()), expected(&[&customer, &stats]));
    }
}

fn versions_infrastructure_and_notes_are_kept(backend: Backend) {
    let test = TestRegistry::new(backend);
    let registry = test.open();
    let [stats, other] = [view("stats", ""), view("other", "")];
    let note = |key: &'static str, value: &str| Write::PutMetadata {
        key: key.into(),
        value: value.to_owned(),
        updated: 1_700_000_000,
    };
    write(
        registry.as_ref(),
        "p",
        &[
            Write::Put(stats.clone()),
            version(&stats, 0),
            Write::Put(other.clone()),
            version(&other, 0),
            version(&stats, 1),
            Write::PutInfra { proto: infra(&["p_stats", "p_other"]), updated: 1 },
            note("project_uuid", "u-1"),
            note("feastr_owner", "repo é"),
        ],
    );
    let snapshot = registry.snapshot("p").unwrap();
    assert_eq!(
        snapshot.versions.iter().map(|(view, number)| (view.as_str(), *number)).collect::<Vec<_>>(),
        [("other", 0), ("stats", 1)]
    );
    assert_eq!(snapshot.infra, Some(infra(&["p_stats", "p_other"])));
    assert_eq!(
        (snapshot.metadata["project_uuid"].as_str(), snapshot.metadata["feastr_owner"].as_str()),
        ("u-1", "repo é")
    );
    // As it was written: where a backend names the project in it, the name is gone again.
    let history = registry.versions("p").unwrap();
    let history: Vec<_> =
        history.iter().map(|version| (version.view.as_str(), version.number, &version.proto)).collect();
    assert_eq!(history, [("other", 0, &other.proto), ("stats", 0, &stats.proto), ("stats", 1, &stats.proto)]);

    write(
        registry.as_ref(),
        "p",
        &[delete(&stats), Write::PutInfra { proto: infra(&["p_other"]), updated: 2 }, note("feastr_owner", "another")],
    );
    let snapshot = registry.snapshot("p").unwrap();
    assert_eq!(snapshot.versions.keys().collect::<Vec<_>>(), ["other"]);
    assert_eq!(snapshot.infra, Some(infra(&["p_other"])));
    assert_eq!(snapshot.metadata["feastr_owner"], "another");

    write(registry.as_ref(), "p", &[Write::DeleteProject]);
    assert_eq!(registry.snapshot("p").unwrap(), Snapshot::default());
}

fn project_row(name: &str) -> Row {
    use feastr::feast::registry::messages::{Project, ProjectSpec};
    let spec = ProjectSpec { name: name.to_owned(), ..ProjectSpec::default() };
    let proto = Project { spec: Some(spec), ..Project::default() }.encode_to_vec();
    Row { kind: ObjectKind::Project, name: name.to_owned(), updated: 1, proto }
}

fn projects_are_apart(backend: Backend) {
    let test = TestRegistry::new(backend);
    let registry = test.open();
    for project in ["rides", "rides_eu", "ärger"] {
        let stats = view("stats", project);
        let writes = [
            Write::Put(project_row(project)),
            Write::Put(stats.clone()),
            version(&stats, 0),
            Write::PutInfra { proto: infra(&[&format!("{project}_stats")]), updated: 1 },
        ];
        write(registry.as_ref(), project, &writes);
    }
    assert_eq!(registry.projects().unwrap(), ["rides", "rides_eu", "ärger"]);
    let before = registry.snapshot("rides_eu").unwrap();
    write(registry.as_ref(), "rides", &[delete(&view("stats", "")), Write::PutInfra { proto: Vec::new(), updated: 1 }]);
    write(registry.as_ref(), "ärger", &[Write::DeleteProject]);
    let after = registry.snapshot("rides_eu").unwrap();
    assert_eq!(after, before);
    assert_eq!(contents(&after), expected(&[&project_row("rides_eu"), &view("stats", "rides_eu")]));
    assert_eq!(after.infra, Some(infra(&["rides_eu_stats"])));
    assert_eq!(registry.projects().unwrap(), ["rides", "rides_eu"]);
}

fn nothing_is_written_unless_wanted(backend: Backend) {
    let test = TestRegistry::new(backend);
    let registry = test.open();
    let driver = entity("driver", "");
    write(registry.as_ref(), "p", &[Write::Put(driver.clone())]);
    let bytes = || if backend.is_message() { test.bytes() } else { Vec::new() };
    let before = (registry.snapshot("p").unwrap(), bytes());
    registry.update("p", &mut |_| None).unwrap();
    assert_eq!((registry.snapshot("p").unwrap(), bytes()), before);
    // An update that cannot be carried out to its end leaves nothing: its first half is undone.
    if !backend.is_message() {
        let stats = view("stats", "");
        let twice = vec![Write::Put(stats.clone()), version(&stats, 0), version(&stats, 0)];
        registry.update("p", &mut |_| Some(twice.clone())).unwrap_err();
        assert_eq!(registry.snapshot("p").unwrap(), before.0);
    }
}

fn reading_creates_nothing(backend: Backend) {
    let test = TestRegistry::new(backend);
    let registry = test.open();
    assert_eq!(registry.snapshot("p").unwrap(), Snapshot::default());
    assert_eq!(registry.projects().unwrap(), Vec::<String>::new());
    assert!(!test.path().exists());
    assert_eq!(std::fs::read_dir(test.folder.path()).unwrap().count(), 0);
    let tables = match backend.server() {
        Some(server) if matches!(backend, Backend::Postgres | Backend::Locked) => {
            let count = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
            server.postgres(&test.database).query_one(count, &[]).unwrap().get::<_, i64>(0)
        }
        Some(server) => {
            use mysql::prelude::Queryable as _;
            server.mysql(&test.database).query::<String, _>("SHOW TABLES").unwrap().len() as i64
        }
        None if backend.store().is_some() => {
            let (bucket, key) = test.object();
            let folder = key.split_once('/').unwrap().0;
            wait(bucket.list(folder).try_collect::<Vec<_>>()).unwrap().len() as i64
        }
        None => 0,
    };
    assert_eq!(tables, 0);
}

fn large_rows_and_any_names(backend: Backend) {
    let test = TestRegistry::new(backend);
    let registry = test.open();
    let large = entity("large", &"x".repeat(5 << 20));
    let strange = entity("名前 'quoted\" \\ % ; 🚗", "ünïcode");
    let longest = entity(&"n".repeat(255), "");
    write(registry.as_ref(), "проект", &[&large, &strange, &longest].map(|row| Write::Put(row.clone())));
    assert_eq!(contents(&registry.snapshot("проект").unwrap()), expected(&[&large, &longest, &strange]));
    write(registry.as_ref(), "проект", &[delete(&strange), delete(&large)]);
    assert_eq!(contents(&registry.snapshot("проект").unwrap()), expected(&[&longest]));
}

fn many_rows_at_once(backend: Backend) {
    let test = TestRegistry::new(backend);
    let registry = test.open();
    let text = "t".repeat(1_000);
    let rows: Vec<Row> = (0..5_000).map(|number| view(&format!("view_{number:04}"), &text)).collect();
    let writes: Vec<Write> = rows.iter().flat_map(|row| [Write::Put(row.clone()), version(row, 0)]).collect();
    write(registry.as_ref(), "p", &writes);
    assert_eq!(contents(&registry.snapshot("p").unwrap()), expected(&rows.iter().collect::<Vec<_>>()));
    // Changed, removed and new ones in one update.
    let changed: Vec<Row> = (0..5_000).step_by(2).map(|number| view(&format!("view_{number:04}"), "new")).collect();
    let mut writes: Vec<Write> = changed.iter().map(|row| Write::Put(row.clone())).collect();
    writes.extend((1..5_000).step_by(2).map(|number| delete(&rows[number])));
    write(registry.as_ref(), "p", &writes);
    let snapshot = registry.snapshot("p").unwrap();
    assert_eq!(contents(&snapshot), expected(&changed.iter().collect::<Vec<_>>()));
    assert_eq!(snapshot.versions.len(), 2_500);
}

fn id<'a>(project: &'a str, name: &'a str) -> ViewId<'a> {
    ViewId { project, name }
}

fn names_are_read_by_kind(backend: Backend) {
    let test = TestRegistry::new(backend);
    let registry = test.open();
    assert_eq!(registry.names("p", &ObjectKind::VIEWS).unwrap(), []);
    let rows = [view("stats", "a"), view("Other", "b"), entity("driver", "c")];
    write(registry.as_ref(), "p", &rows.map(Write::Put));
    write(registry.as_ref(), "q", &[Write::Put(view("of another project", "d"))]);
    let [stats, other] = ["stats", "Other"].map(|name| ObjectId::new(ObjectKind::FeatureView, name));
    let driver = ObjectId::new(ObjectKind::Entity, "driver");
    assert_eq!(registry.names("p", &ObjectKind::VIEWS).unwrap(), [other.clone(), stats.clone()]);
    let both = [ObjectKind::FeatureView, ObjectKind::Entity, ObjectKind::Permission];
    assert_eq!(registry.names("p", &both).unwrap(), [driver, other, stats]);
    assert_eq!(registry.names("p", &[]).unwrap(), []);
}

fn one_view_is_read_and_changed_alone(backend: Backend) {
    let test = TestRegistry::new(backend);
    let registry = test.open();
    assert_eq!(registry.view(id("p", "stats")).unwrap(), Snapshot::default());
    let [stats, other, driver] = [view("stats", "a"), view("other", "b"), entity("stats", "of the same name")];
    let (moment, now) = (Timestamp::from_micros(7), Timestamp::from_micros(9_000_000));
    let stale = put_stale("stats", moment, now);
    let puts = [&stats, &other, &driver].map(|row| Write::Put(row.clone()));
    let notes = [version(&stats, 0), stale, put_stale("other", moment, now)];
    write(registry.as_ref(), "p", &[&puts[..], &notes[..]].concat());
    write(registry.as_ref(), "q", &[Write::Put(view("stats", "of another project"))]);
    let before = registry.snapshot("p").unwrap();
    let read = registry.view(id("p", "stats")).unwrap();
    assert_eq!(contents(&read), expected(&[&stats]));
    assert_eq!((stale_until(&read.metadata, "stats"), stale_until(&read.metadata, "other")), (Some(moment), None));
    assert_eq!(registry.view(id("p", "none")).unwrap().rows, []);

    let changed = view("stats", "changed");
    let noted = Write::PutMetadata { key: "last_updated_timestamp".into(), value: "9".to_owned(), updated: 9 };
    for round in 0..2 {
        registry
            .update_view(id("p", "stats"), &mut |before| {
                assert_eq!(contents(before), expected(&[if round == 0 { &stats } else { &changed }]));
                Some(vec![Write::Put(changed.clone()), noted.clone(), forget_stale("stats")])
            })
            .unwrap();
    }
    let after = registry.snapshot("p").unwrap();
    assert_eq!(contents(&after), expected(&[&driver, &other, &changed]));
    assert_eq!((after.versions, after.infra), (before.versions, before.infra));
    assert_eq!(stale_until(&after.metadata, "stats"), None);
    assert_eq!(stale_until(&after.metadata, "other"), Some(moment));
    registry.update_view(id("p", "other"), &mut |_| None).unwrap();
    // The first writing of all makes tables, if there are to be some.
    let empty = TestRegistry::new(backend);
    let added = Write::Put(view("stats", "new"));
    empty.open().update_view(id("p", "stats"), &mut |_| Some(vec![added.clone()])).unwrap();
    assert_eq!(contents(&empty.open().snapshot("p").unwrap()), expected(&[&view("stats", "new")]));
}

fn one_object_is_changed_by_what_is_there_of_it(backend: Backend) {
    let test = TestRegistry::new(backend);
    let registry = test.open();
    let [stats, other, driver] = [view("stats", "a"), view("other", "b"), entity("stats", "of the same name")];
    let of_kind = |kind: ObjectKind, name: &str| Row { kind, name: name.to_owned(), ..entity(name, "") };
    let spec = PermissionSpec { name: "all".to_owned(), ..PermissionSpec::default() };
    let proto = Permission { spec: Some(spec), ..Permission::default() }.encode_to_vec();
    let permission = Row { proto, ..of_kind(ObjectKind::Permission, "all") };
    let spec = ProjectSpec { name: "p".to_owned(), ..ProjectSpec::default() };
    let proto = Project { spec: Some(spec), ..Project::default() }.encode_to_vec();
    let project = Row { proto, ..of_kind(ObjectKind::Project, "p") };
    let stats_id = stats.id();
    let (now, note) = (Timestamp::from_micros(9_000_000), |key: &'static str| Write::PutMetadata {
        key: key.into(),
        value: "9".to_owned(),
        updated: 9,
    });
    let puts = [&stats, &other, &driver, &permission, &project].map(|row| Write::Put(row.clone()));
    let owned = [put_owner("mine", &stats_id, now), put_owner("mine", &other.id(), now)];
    let rest = [version(&stats, 3), version(&other, 4), note("project_uuid"), note("last_updated_timestamp")];
    let infra = Write::PutInfra { proto: infra(&["p_stats"]), updated: 9 };
    write(registry.as_ref(), "p", &[&puts[..], &owned, &rest, &[put_stale("stats", now, now), infra.clone()]].concat());
    write(registry.as_ref(), "q", &[Write::Put(view("stats", "of another project"))]);
    let before = registry.snapshot("p").unwrap();

    let changed = view("stats", "changed");
    registry
        .update_object("p", &stats_id, &mut |seen| {
            for row in [&stats, &permission, &project] {
                assert_eq!(seen.proto(row.kind, &row.name), Some(row.proto.as_slice()), "{}", row.id());
            }
            assert_eq!(seen.versions.get("stats"), Some(&3));
            let notes = [forget_owner(&stats_id), forget_stale("stats")];
            let keys = notes.iter().filter_map(Write::note_key).chain(["project_uuid"]);
            keys.for_each(|key| assert!(seen.metadata.contains_key(key), "{key}: {:?}", seen.metadata));
            if backend.is_sql() {
                assert_eq!((seen.rows.len(), seen.versions.len(), seen.metadata.len()), (3, 1, 4));
            }
            let writes = [Write::Put(changed.clone()), version(&changed, 4), forget_owner(&stats_id)];
            Some(writes.into_iter().chain([note("last_updated_timestamp")]).collect())
        })
        .unwrap();
    let after = registry.snapshot("p").unwrap();
    let (mut expected, forgotten) = (before, forget_owner(&stats_id));
    expected.rows.iter_mut().filter(|row| row.id() == stats_id).for_each(|row| row.proto.clone_from(&changed.proto));
    expected.versions.insert("stats".to_owned(), 4);
    expected.metadata.remove(forgotten.note_key().unwrap());
    assert_eq!(contents(&after), contents(&expected));
    assert_eq!((after.versions, after.infra, after.metadata), (expected.versions, expected.infra, expected.metadata));

    // A project is changed with its record of infrastructure, and what is new is inserted.
    registry
        .update_object("p", &project.id(), &mut |seen| {
            assert!(seen.infra.is_some());
            Some(vec![infra.clone()])
        })
        .unwrap();
    let added = view("added", "");
    registry
        .update_object("p", &added.id(), &mut |_| Some(vec![Write::Put(added.clone()), version(&added, 0)]))
        .unwrap();
    assert_eq!(registry.snapshot("p").unwrap().proto(added.kind, "added"), Some(added.proto.as_slice()));
    registry.update_object("p", &added.id(), &mut |_| Some(vec![delete(&added)])).unwrap();
    assert_eq!(registry.snapshot("p").unwrap().versions.get("added"), None);
}

fn changes_are_seen_without_reading(backend: Backend) {
    let test = TestRegistry::new(backend);
    let registry = test.open();
    assert_eq!(registry.mark("p").unwrap(), None);
    assert!(!test.path().exists());
    let put = |text: &str, seconds: i64| {
        let noted =
            Write::PutMetadata { key: "last_updated_timestamp".into(), value: seconds.to_string(), updated: seconds };
        let puts = [Write::Put(view("stats", text)), noted];
        registry.update_view(id("p", "stats"), &mut |_| Some(puts.to_vec())).unwrap();
        registry.mark("p").unwrap().unwrap()
    };
    let first = put("a", 1_700_000_000);
    let second = put("b", 1_700_000_001);
    assert_ne!(first.text, second.text);
    registry.snapshot("p").unwrap();
    assert_eq!(test.open().mark("p").unwrap(), Some(second.clone()));
    if backend == Backend::Postgres {
        // Its rows know by which transaction they were written.
        let third = put("c", 1_700_000_001);
        assert!(third.text != second.text && third.settled == Timestamp::FIRST, "{third:?}");
    }
}

/// Runs record their intervals side by side, while somebody applies.
fn updates_of_views_from_threads_are_serial(backend: Backend) {
    const THREADS: usize = 8;
    let test = TestRegistry::new(backend);
    let names = ["even", "odd"];
    write(test.open().as_ref(), "p", &names.map(|name| Write::Put(view(name, ""))));
    let registry = test.open();
    let barrier = Barrier::new(THREADS);
    // Each adds a letter: a lost update would be a missing one.
    let longer = |before: &Snapshot, name: &str| {
        let row = before.rows.iter().find(|row| row.name == name).unwrap();
        let text = FeatureView::decode(row.proto.as_slice()).unwrap().spec.unwrap().description + "x";
        Write::Put(view(name, &text))
    };
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (registry, barrier, longer) = (registry.as_ref(), &barrier, &longer);
            scope.spawn(move || {
                barrier.wait();
                for round in 0..5 {
                    if thread == 0 {
                        registry
                            .update("p", &mut |before| Some(names.map(|name| longer(before, name)).to_vec()))
                            .unwrap();
                    } else {
                        let name = names[(thread + round) % 2];
                        let noted = |value: &str| Write::PutMetadata {
                            key: "last_updated_timestamp".into(),
                            value: value.to_owned(),
                            updated: 1,
                        };
                        registry
                            .update_view(id("p", name), &mut |before| Some(vec![longer(before, name), noted("1")]))
                            .unwrap();
                    }
                }
            });
        }
    });
    let after = registry.snapshot("p").unwrap();
    let letters = |name: &str| {
        let row = after.rows.iter().find(|row| row.name == name).unwrap();
        FeatureView::decode(row.proto.as_slice()).unwrap().spec.unwrap().description.len()
    };
    assert_eq!(letters("even") + letters("odd"), 10 + 5 * (THREADS - 1));
}

fn updates_from_threads_are_serial(backend: Backend) {
    const THREADS: usize = 16;
    let test = TestRegistry::new(backend);
    let barrier = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (test, barrier) = (&test, &barrier);
            scope.spawn(move || {
                let registry = test.open();
                barrier.wait();
                // Each takes the next number: a lost update would be a missing one.
                registry
                    .update("p", &mut |before| {
                        let row = entity(&format!("entity_{:02}", before.rows.len()), &thread.to_string());
                        Some(vec![Write::Put(row)])
                    })
                    .unwrap();
            });
        }
    });
    let snapshot = test.open().snapshot("p").unwrap();
    let names: Vec<String> = (0..THREADS).map(|number| format!("entity_{number:02}")).collect();
    assert_eq!(snapshot.rows.iter().map(|row| row.name.clone()).collect::<Vec<_>>(), names);
}

fn who_waits_is_told_for_whom(backend: Backend) {
    let test = TestRegistry::new(backend);
    write(test.open().as_ref(), "p", &[Write::Put(entity("driver", ""))]);
    let (inside, is_inside) = mpsc::channel();
    let (leave, may_leave) = mpsc::channel::<()>();
    let tested = &test;
    std::thread::scope(move |scope| {
        let test = tested;
        scope.spawn(move || {
            let who = "apply of alice@ci-7 (pid 412)".to_owned();
            let registry = test.open_with(Locking { who, ..Locking::default() });
            registry
                .update("p", &mut |_| {
                    inside.send(()).unwrap();
                    let _ = may_leave.recv();
                    None
                })
                .unwrap();
        });
        // Gone with this closure, so that a failure ends the other thread, too.
        let leave = leave;
        is_inside.recv().unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let words = Arc::clone(&told);
        let on_wait = Box::new(move |waiting: &Waiting<'_>| words.lock().unwrap().push(waiting.to_string()));
        let locking = Locking { timeout: Duration::from_millis(1_500), on_wait, ..Locking::default() };
        let error = test.open_with(locking).update("p", &mut |_| panic!("not while it is locked")).unwrap_err();
        let holder = if backend == Backend::MariaDb {
            "held by feast@127.0.0.1"
        } else {
            "held by apply of alice@ci-7 (pid 412) for "
        };
        assert!(error.message.contains(holder), "{error}");
        assert!(error.help().unwrap().contains("feastr waited 1 s"), "{error:?}");
        assert!(told.lock().unwrap()[0].contains(holder), "{told:?}");
        // Reading is always possible; and on servers, other projects are not locked.
        assert_eq!(test.open().snapshot("p").unwrap().rows.len(), 1);
        if backend.is_sql() && backend.server().is_some() {
            write(test.open_with(impatient()).as_ref(), "q", &[Write::Put(entity("driver", ""))]);
        }
        leave.send(()).unwrap();
    });
    write(test.open_with(impatient()).as_ref(), "p", &[Write::Put(entity("customer", ""))]);
}

fn locks_can_be_waited_for_for_ages(backend: Backend) {
    let test = TestRegistry::new(backend);
    let days = |days: u64| Locking { timeout: Duration::from_secs(days * 86_400), ..Locking::default() };
    for (days, name) in [(days(30), "driver"), (days(100_000_000), "customer")] {
        let registry = test.open_with(days);
        write(registry.as_ref(), "p", &[Write::Put(entity(name, ""))]);
        registry.lock_view(id("p", "stats")).unwrap();
    }
    assert_eq!(test.open().snapshot("p").unwrap().rows.len(), 2);
}

fn a_removed_and_written_object_is_written(backend: Backend) {
    let test = TestRegistry::new(backend);
    let registry = test.open();
    let [old, new] = [view("stats", "old"), view("stats", "new")];
    write(registry.as_ref(), "p", &[Write::Put(old.clone()), version(&old, 0), version(&old, 1)]);
    write(registry.as_ref(), "p", &[delete(&old), Write::Put(new.clone()), version(&new, 0)]);
    let snapshot = registry.snapshot("p").unwrap();
    assert_eq!((contents(&snapshot), snapshot.versions["stats"]), (expected(&[&new]), 0));
    write(registry.as_ref(), "p", &[Write::Put(old.clone()), delete(&old)]);
    assert_eq!(registry.snapshot("p").unwrap().rows, []);
}

fn one_run_per_view_and_the_next_is_told(backend: Backend) {
    let test = TestRegistry::new(backend);
    write(test.open().as_ref(), "p", &[]);
    let alice = test.open_with(Locking { who: "materialize of alice@ci-7 (pid 412)".to_owned(), ..impatient() });
    let held = alice.lock_view(id("p", "stats")).unwrap();
    std::thread::sleep(Duration::from_millis(1_100));
    let bob = test.open_with(impatient());
    let who = if backend == Backend::MariaDb { "feast@127.0.0.1" } else { "materialize of alice@ci-7 (pid 412)" };
    let error = bob.lock_view(id("p", "stats")).map(drop).unwrap_err().message;
    assert!(error.contains("the lock of view `stats`") && error.contains(who), "{error}");
    let holder = bob.view_holder(id("p", "stats")).unwrap().unwrap();
    assert!(holder.who.unwrap().contains(who));
    let age = holder.since.unwrap();
    assert!(age >= Duration::from_secs(1) && age < Duration::from_secs(60), "{age:?}");
    // Other views, other projects and the registry itself are free.
    drop([bob.lock_view(id("p", "other")).unwrap(), bob.lock_view(id("q", "stats")).unwrap()]);
    write(bob.as_ref(), "p", &[Write::Put(entity("driver", ""))]);
    drop(held);
    drop(bob.lock_view(id("p", "stats")).unwrap());
    // A server may need a moment to see that a connection has ended.
    await_true("the lock is free", || bob.view_holder(id("p", "stats")).unwrap().is_none());
}

fn runs_are_noted_and_bounded(backend: Backend) {
    let test = TestRegistry::new(backend);
    let registry = test.open();
    assert_eq!(registry.runs("p", &[], 1_000).unwrap(), []);
    registry.forget_runs("p").unwrap();
    let at = |second: i64| Timestamp::from_micros(1_700_000_000_000_000 + second * 1_000_000);
    let run = |view: &str, second: i64| RunRecord {
        id: format!("00000000-0000-0000-{second:04}-{:0>12}", view.len()),
        view: view.to_owned(),
        interval: Interval { start: at(0), end: at(second) },
        started: at(second),
        by: "materialize of Zoë".to_owned(),
        shards: None,
        counts: RunCounts {
            read: 5,
            written: 3,
            skipped: 1,
            without_key: 1,
            without_time: 3,
            out_of_range: 2,
            future: 4,
            ties: 5,
        },
        state: RunState::Started,
    };
    registry.record_run("p", &run("rare", 1)).unwrap();
    registry.record_run("q", &run("stats of q", 1)).unwrap();
    let more = i64::try_from(KEPT_RUNS).unwrap() + 5;
    for second in 2..2 + more {
        registry.record_run("p", &run("stats", second)).unwrap();
    }
    let failed = RunState::Failed { finished: at(9_000), message: "it said \"no\"".to_owned() };
    let last = RunRecord { state: failed, ..run("stats", 1 + more) };
    registry.record_run("p", &last).unwrap();
    let runs = registry.runs("p", &[], 1_000).unwrap();
    assert_eq!((runs.len(), &runs[0], &runs[KEPT_RUNS]), (KEPT_RUNS + 1, &last, &run("rare", 1)));
    assert_eq!(registry.runs("p", &[], 7).unwrap(), runs[..7]);
    assert_eq!(registry.runs("p", &["rare".to_owned(), "none".to_owned()], 7).unwrap(), [run("rare", 1)]);
    // An update of the registry neither sees nor harms them.
    write(registry.as_ref(), "p", &[Write::DeleteProject]);
    assert_eq!(registry.runs("p", &[], 1_000).unwrap().len(), KEPT_RUNS + 1);
    registry.forget_runs("p").unwrap();
    assert_eq!((registry.runs("p", &[], 1_000).unwrap().len(), registry.runs("q", &[], 1_000).unwrap().len()), (0, 1));
}

fn leftovers_of_many_features_have_room(backend: Backend) {
    let test = TestRegistry::new(backend);
    let registry = test.open();
    let features: Vec<String> = (0..2_000).map(|number| format!("feature_{number:0>60}")).collect();
    let all = Leftover { view: "wide".to_owned(), features, join_keys: vec!["driver_id".to_owned()], whole: true };
    write(registry.as_ref(), "p", &put_leftover(&all, Timestamp::from_micros(0)));
    let noted = leftovers(&registry.snapshot("p").unwrap().metadata);
    assert_eq!(noted.iter().map(|piece| piece.features.len()).sum::<usize>(), 2_000);
    write(registry.as_ref(), "p", &noted.iter().map(forget_leftover).collect::<Vec<_>>());
    assert_eq!(leftovers(&registry.snapshot("p").unwrap().metadata), []);
}
