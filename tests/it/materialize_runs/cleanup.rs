//! Values that belong to nothing any more, in stores without a record of tables.

use std::{collections::BTreeSet, sync::mpsc, thread};

use feastr::{
    apply::{apply, clean_up},
    config::OnlineStoreConfig,
    model::{self, OfKind, Repo, Timestamp, ViewId},
    online::OnlineStore,
    registry::{Leftover, Locking, Registry, Waiting, Write, leftovers, put_leftover, read_objects},
};
use serde_json::json;

use super::{END, START, applied, registry, values};
use crate::{
    online_sql::{Backend, TestStore},
    registries::{self, TestRegistry},
    servers::{PASSWORD, USER},
    support::{Project, approving, online_store},
};

pub const TABLE: &str = "feastlocal_driver_hourly_stats";

/// Makes a repo keep its values in this PostgreSQL database instead of a file.
pub fn keep_values_in(project: &Project, test: &TestStore) {
    let OnlineStoreConfig::Postgres(config) = &test.config else { panic!("PostgreSQL") };
    let (port, database) = (config.connection.server.port.unwrap(), &config.connection.server.database);
    project.edit(
        "feature_store.yaml",
        "  type: sqlite\n  path: data/online_store.db\n",
        &format!(
            "  type: postgres\n  host: 127.0.0.1\n  port: {port}\n  database: {database}\n  user: {USER}\n  \
             password: {PASSWORD}\n"
        ),
    );
}

/// The example repo with its values in a PostgreSQL database, applied and materialized.
pub fn in_postgres() -> (Project, TestStore) {
    let (project, test) = (Project::example(), TestStore::new(Backend::Postgres));
    keep_values_in(&project, &test);
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", START, END]).ok();
    (project, test)
}

fn features(test: &TestStore) -> BTreeSet<String> {
    test.rows(TABLE).into_iter().map(|row| row.1).collect()
}

pub fn noted(project: &Project) -> Vec<String> {
    let snapshot = registry(project).snapshot("feastlocal").unwrap();
    leftovers(&snapshot.metadata).into_iter().map(|leftover| leftover.view).collect()
}

pub fn exists(test: &TestStore) -> bool {
    test.postgres().query_one("SELECT to_regclass($1) IS NOT NULL", &[&TABLE]).unwrap().get(0)
}

/// Definitions without the view and what is made from it.
fn remove_view(project: &Project) {
    let text = project.read("drivers.yaml");
    project.write("drivers.yaml", &text[..text.find("feature_views:").unwrap()]);
    project.write("services.yaml", "");
}

/// An apply that was killed after its commit: everything but the cleaning.
fn apply_and_die(project: &Project, test: &TestStore) {
    apply_without_views(registry(project).as_ref(), test.open().as_ref());
}

/// An apply of an empty repo, without the cleaning of stores whose tables are not recorded.
fn apply_without_views(registry: &dyn Registry, online: &dyn OnlineStore) {
    let objects = read_objects(&registry.snapshot("feastlocal").unwrap()).objects;
    let project = objects.values().find_map(model::Project::of).unwrap();
    let repo = Repo::new(model::Project { description: String::new(), ..project.clone() });
    let options = approving(Timestamp::now());
    apply(&repo, registry, Some(online), options).unwrap();
}

#[test]
fn values_of_a_removed_feature_go_and_the_others_stay() {
    let (project, test) = in_postgres();
    assert_eq!(features(&test).len(), 3);
    let before = test.rows(TABLE);
    project.edit(
        "drivers.yaml",
        "      - {name: acc_rate, dtype: Float32, description: Share of trips without complaint}\n",
        "",
    );
    let output = project.feastr(&["apply", "--yes"]).ok();
    assert!(output.stderr.contains("Removed online values of 5 entities"), "{}", output.stderr);
    let kept: Vec<_> = before.into_iter().filter(|row| row.1 != "acc_rate").collect();
    assert_eq!(test.rows(TABLE), kept);
    assert_eq!(noted(&project), Vec::<String>::new());
}

#[test]
fn values_of_a_removed_view_go() {
    let (project, test) = in_postgres();
    remove_view(&project);
    let plan = project.feastr(&["plan"]).refused().stdout;
    assert!(plan.contains("the online values of driver_hourly_stats, which are removed from the store"), "{plan}");
    assert!(project.feastr(&["apply"]).refused().stderr.contains("driver_hourly_stats"));
    assert!(exists(&test));
    project.feastr(&["apply", "--yes"]).ok();
    assert!(!exists(&test));
    assert_eq!(noted(&project), Vec::<String>::new());
}

#[test]
fn what_a_killed_apply_left_is_removed_by_the_next_or_by_a_cleanup() {
    for command in [&["apply", "--yes"][..], &["online", "cleanup"]] {
        let (project, test) = in_postgres();
        remove_view(&project);
        apply_and_die(&project, &test);
        assert_eq!((noted(&project), exists(&test)), (vec!["driver_hourly_stats".to_owned()], true));
        let dry = project.feastr(&["online", "cleanup", "--dry-run", "--json"]).ok().json();
        assert_eq!(dry, json!({"dry_run": true, "expired": [], "leftovers": ["driver_hourly_stats"]}));
        assert!(exists(&test));
        project.feastr(command).ok();
        assert_eq!((noted(&project), exists(&test)), (Vec::new(), false));
    }
}

#[test]
fn a_table_whose_view_is_back_before_it_is_dropped_stays() {
    let project = applied();
    project.feastr(&["materialize", START, END]).ok();
    let before = values(&project, TABLE);
    let path = project.path("data/online_store.db").canonicalize().unwrap();
    let online = online_store(&OnlineStoreConfig::Sqlite { path, numbers: false });
    // A run on the view holds up an apply that wants to drop its table.
    let run = registry(&project).lock_view(ViewId { project: "feastlocal", name: "driver_hourly_stats" }).unwrap();
    let (waits, waiting) = mpsc::channel();
    thread::scope(|scope| {
        let (project, online) = (&project, online.as_ref());
        let dropping = scope.spawn(move || {
            let on_wait = Box::new(move |_: &Waiting<'_>| waits.send(()).unwrap_or_default());
            let locking = Locking { on_wait, ..Locking::default() };
            let path = project.path("data/registry.db");
            let settings = format!("{{registry_type: sql, path: sqlite:///{}}}", path.display());
            let registry = feastr::registry::open(&registries::read(&settings), locking);
            apply_without_views(registry.as_ref(), online);
        });
        waiting.recv().expect("nothing is dropped under a run");
        project.feastr(&["apply"]).ok();
        drop(run);
        dropping.join().unwrap();
    });
    assert_eq!(values(&project, TABLE), before);
    let recorded = read_objects(&registry(&project).snapshot("feastlocal").unwrap()).online_tables;
    assert_eq!(recorded.into_keys().collect::<Vec<_>>(), [TABLE]);
}

#[test]
fn many_removed_views_take_few_connections() {
    let test = TestRegistry::new(registries::Backend::MariaDb);
    let grant = format!(
        "GRANT ALL ON {0}.* TO few_{0}@'%' IDENTIFIED BY '{PASSWORD}' WITH MAX_USER_CONNECTIONS 12",
        test.database
    );
    test.execute(&grant);
    let settings = test.settings.replace("feast:", &format!("few_{}:", test.database));
    let registry = feastr::registry::open(&registries::read(&settings), Locking::default());
    let leftover = |number: usize| Leftover {
        view: format!("view_{number}"),
        features: vec!["f".to_owned()],
        join_keys: vec!["k".to_owned()],
        whole: true,
    };
    let notes: Vec<Write> = (0..40).flat_map(|number| put_leftover(&leftover(number), Timestamp::now())).collect();
    registry.update("p", &mut |_| Some(notes.clone())).unwrap();
    let online = TestStore::new(Backend::Sqlite).open();
    clean_up("p", registry.as_ref(), online.as_ref(), &mut |_| {}).unwrap();
    assert_eq!(leftovers(&registry.snapshot("p").unwrap().metadata), []);
}

#[test]
fn expired_values_are_removed() {
    let project = applied();
    project.feastr(&["materialize", START, END]).ok();
    project.feastr(&["materialize-incremental", "now"]).ok();
    let before = values(&project, TABLE);
    assert_eq!(before.len(), 15);
    // The newest event of the example's data is older than a day.
    let dry = project.feastr(&["online", "cleanup", "--dry-run"]).ok().stdout;
    assert!(dry.contains("driver_hourly_stats  older than 1d, before 20") && !dry.contains("REMOVED"), "{dry}");
    let dry = project.feastr(&["online", "cleanup", "--dry-run", "--json"]).ok().json();
    assert_eq!((&dry["dry_run"], dry["expired"][0].get("removed"), dry.get("removed")), (&json!(true), None, None));
    let help = project.feastr(&["online", "cleanup", "--help"]).ok().stdout;
    assert!(help.contains("not counted"), "{help}");
    assert_eq!(values(&project, TABLE), before);
    let unknown = project.feastr(&["online", "cleanup", "--views", "driver_hourly_stat"]).failed().stderr;
    assert!(unknown.contains("did you mean `driver_hourly_stats`?"), "{unknown}");
    let done = project.feastr(&["online", "cleanup", "--views", "driver_hourly_stats", "--json"]).ok().json();
    assert_eq!((&done["removed"], &done["expired"][0]["removed"]), (&json!(5), &json!(5)));
    assert_eq!(values(&project, TABLE), []);
    project.edit("drivers.yaml", "ttl: 1d", "ttl: 0");
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", START, END]).ok();
    let without = project.feastr(&["online", "cleanup", "--views", "driver_hourly_stats"]).failed().stderr;
    assert!(without.contains("do not expire"), "{without}");
    assert_eq!(project.feastr(&["online", "cleanup", "--json"]).ok().json()["removed"], json!(0));
    for args in [&["online", "cleanup"][..], &["online", "cleanup", "--dry-run"]] {
        let output = project.feastr(args).ok();
        assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", "Nothing to remove\n"));
    }
}
