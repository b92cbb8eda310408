//! Objects that get another name, through to the rows of the registry.

use std::{path::Path, sync::Arc};

use feastr::{
    apply::{ApplyOptions, Approval, apply},
    config::{self, StoreConfig},
    definitions::{self, LoadOptions},
    diagnostics::{Diagnostics, SourceText},
    feast::registry::messages::{FeatureView, decode},
    model::{self, Author, Object, ObjectKind, RENAMED_FROM_TAG, Repo, Timestamp},
    offline,
    plan::ActionKind,
    registry,
};

use crate::support::{Project, online_store};

#[test]
fn a_renamed_view_takes_its_place_in_registry_and_online_store() {
    let project = Project::example();
    let (config, repo) = load(&project.folder.path().canonicalize().unwrap());
    let (registry, online) = (
        registry::open(&config.registry, registry::Locking::default()),
        online_store(config.online_store.as_ref().unwrap()),
    );
    let now = Timestamp::parse("2026-11-02", Timestamp::from_micros(0)).unwrap();
    let run_at = |repo: &Repo, repo_name, now| {
        let options = ApplyOptions { repo_name, approval: Approval::Named(&[]), author: Author::NOBODY, now };
        apply(repo, registry.as_ref(), Some(online.as_ref()), options)
    };
    let run = |repo: &Repo, repo_name| run_at(repo, repo_name, now);
    run(&repo, Some("team")).unwrap();
    project.feastr(&["materialize", "2026-10-01", "2026-11-01"]).ok();
    let created = |view: &str| {
        let snapshot = registry.snapshot("feastlocal").unwrap();
        let view: FeatureView = decode(snapshot.proto(ObjectKind::FeatureView, view).unwrap()).unwrap();
        view.meta.unwrap().created_timestamp.unwrap()
    };
    let first = created("driver_hourly_stats");

    let new_name = "driver_stats";
    let renamed = repo.objects().values().cloned().map(|mut object| {
        match &mut object {
            Object::FeatureView(view) => {
                let old_name = std::mem::replace(&mut view.name, new_name.to_owned());
                view.tags.insert(RENAMED_FROM_TAG.to_owned(), old_name);
            }
            Object::FeatureService(service) => {
                service.features.iter_mut().for_each(|projection| projection.view = new_name.to_owned());
            }
            _ => {}
        }
        object
    });
    let repo = Repo::new(repo.all::<model::Project>().next().unwrap().clone()).with(renamed);
    let later = Timestamp::from_micros(now.micros() + 5_000_000);
    let plan = run_at(&repo, Some("team"), later).unwrap();
    assert_eq!(plan.count(ActionKind::Rename), 1);
    assert_eq!(created(new_name), first);
    let again = plan.changes.iter().find_map(|change| change.impact.rematerialize.as_ref()).unwrap();
    assert_eq!(again.interval.end.to_string(), "2026-11-01T00:00:00Z");
    assert!(run(&repo, Some("team")).unwrap().is_empty());

    let snapshot = registry.snapshot("feastlocal").unwrap();
    let state = registry::read_objects(&snapshot);
    assert!(state.materialized[new_name].intervals.is_empty(), "its online values have to come again");
    assert_eq!(state.online_tables.keys().collect::<Vec<_>>(), ["feastlocal_driver_stats"]);
    assert!(state.owners.keys().all(|id| id.name != "driver_hourly_stats"), "{:?}", state.owners);
    assert_eq!(state.owners.len(), state.objects.len());
}

#[test]
fn renamed_from_makes_one_rename_of_a_delete_and_a_create() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    let services = project.read("services.yaml").replace("driver_hourly_stats", "driver_stats");
    project.write("services.yaml", services);
    project.edit("drivers.yaml", "  - name: driver_hourly_stats\n", "  - name: driver_stats\n");
    let plan = project.feastr(&["plan"]).refused().stdout;
    assert!(plan.contains("Deleted feature view driver_hourly_stats"), "{plan}");
    project.edit(
        "drivers.yaml",
        "  - name: driver_stats\n",
        "  - name: driver_stats\n    renamed_from: driver_hourly_stats\n",
    );
    let plan = project.feastr(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, 2, "{}", plan.stdout);
    assert!(plan.stdout.contains("Renamed feature view driver_hourly_stats to driver_stats"), "{}", plan.stdout);
    assert!(!plan.stdout.contains("Deleted feature view"), "{}", plan.stdout);
    assert!(!plan.stdout.contains("Will be lost"), "{}", plan.stdout);
    for selection in [
        "features.driver_hourly_stats: - [conv_rate, acc_rate, avg_daily_trips]\n",
        "features.driver_stats: + [conv_rate, acc_rate, avg_daily_trips]\n",
    ] {
        assert!(plan.stdout.contains(selection), "{}", plan.stdout);
    }
    project.feastr(&["apply"]).ok();
    project.feastr(&["plan", "--detailed-exitcode"]).ok();
    // What remains of the rename in the definitions does no harm.
    project.edit("drivers.yaml", "    renamed_from: driver_hourly_stats\n", "");
    project.feastr(&["apply"]).ok();
    project.feastr(&["plan", "--detailed-exitcode"]).ok();
}

/// To SQLite, tables whose names differ in case only are one.
#[test]
fn another_case_of_letters_keeps_the_table() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", "2026-10-01", "2026-11-01", "--quiet"]).ok();
    let services = project.read("services.yaml").replace("driver_hourly_stats", "Driver_Hourly_Stats");
    project.write("services.yaml", services);
    project.edit(
        "drivers.yaml",
        "  - name: driver_hourly_stats\n",
        "  - name: Driver_Hourly_Stats\n    renamed_from: driver_hourly_stats\n",
    );
    project.feastr(&["apply"]).ok();
    project.feastr(&["drift"]).ok();
    project.feastr(&["plan", "--detailed-exitcode"]).ok();
    let read = ["get-online", "--features", "Driver_Hourly_Stats:conv_rate", "--entity", "driver_id=1001", "--json"];
    let online = project.feastr(&read).ok();
    assert!(online.stdout.contains("PRESENT") || online.stdout.contains("OUTSIDE_MAX_AGE"), "{}", online.stdout);
    project.feastr(&["materialize", "2026-10-01", "2026-11-01", "--quiet"]).ok();
}

fn load(folder: &Path) -> (StoreConfig, Repo) {
    let path = folder.join("feature_store.yaml");
    let file = SourceText::new(path.clone(), std::fs::read_to_string(&path).unwrap());
    let mut diagnostics = Diagnostics::default();
    let config = config::load(&file.into(), [folder, &path], &|_| None, &mut diagnostics).unwrap();
    let store = offline::open(&config, |_| None, &Arc::default());
    let options = LoadOptions {
        validate_sources: true,
        skip_view_names: false,
        looks_at: &|kind| store.looks_at(kind),
        inspect: &|source| store.inspect(source),
        misfits: &|_| Ok(Vec::new()),
        check_transformation: &|_, _| Ok(()),
        display_path: &Path::to_owned,
    };
    let repo = definitions::load(&config, &options, &mut diagnostics).unwrap().unwrap();
    (config, repo)
}
