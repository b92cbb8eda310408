//! Definitions that change between the planning of a run and its end.

use std::{collections::BTreeSet, sync::Arc};

use feastr::{
    config::{self, StoreConfig},
    diagnostics::{Diagnostics, SourceText},
    materialize::{Event, Outcome, Range, RunOptions, Stores, ViewReport, ViewRun, plan_runs, run},
    model::{Interval, Timestamp},
    offline::{self, StagedRows},
    online::Replace,
    registry::read_objects,
    sources::Whereabouts,
};

use super::{END, START, applied, intervals, registry, values};
use crate::support::{Project, online_store};

const TABLE: &str = "feastlocal_driver_hourly_stats";
const VIEW: &str = "driver_hourly_stats";
const FEATURE: &str = "      - {name: acc_rate, dtype: Float32, description: Share of trips without complaint}\n";

fn config(project: &Project) -> StoreConfig {
    let folder = project.folder.path().canonicalize().unwrap();
    let path = folder.join("feature_store.yaml");
    let file = SourceText::new(path.clone(), std::fs::read_to_string(&path).unwrap());
    config::load(&file.into(), [&folder, &path], &|_| None, &mut Diagnostics::default()).unwrap()
}

fn moment(text: &str) -> Timestamp {
    Timestamp::parse(text, Timestamp::from_micros(0)).unwrap()
}

/// A run as it is planned from what the registry holds now.
fn planned(project: &Project, names: &[&str]) -> Vec<ViewRun> {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let range = Range::Fixed(Interval { start: moment(START), end: moment(END) });
    plan_runs(&read_objects(&registry(project).snapshot("feastlocal").unwrap()), &names, range).unwrap().0
}

fn carried_out(project: &Project, runs: &[ViewRun], on_event: &(dyn Fn(&Event<'_>) + Sync)) -> ViewReport {
    let (config, registry) = (config(project), registry(project));
    let (offline, online) =
        (offline::open(&config, |_| None, &Arc::default()), online_store(config.online_store.as_ref().unwrap()));
    let whereabouts = Whereabouts::of(&config, |_| None);
    let stores = Stores {
        project: "feastlocal",
        registry: registry.as_ref(),
        offline: offline.as_ref(),
        staged: StagedRows::of(&whereabouts),
        expressions: &Arc::default(),
        online: online.as_ref(),
        clock: Timestamp::now,
    };
    let options = RunOptions {
        chunk: None,
        replace: Replace::Outdated,
        shards: None,
        jobs: 1,
        fail_fast: false,
        entities: None,
        by: "tests",
    };
    run(&stores, runs, &options, on_event).remove(0)
}

fn features(project: &Project) -> BTreeSet<String> {
    values(project, TABLE).into_iter().map(|(_, feature, _, _)| feature).collect()
}

#[track_caller]
fn failure(report: &ViewReport) -> String {
    let Outcome::Failed(problem) = &report.outcome else { panic!("{report:?}") };
    let (message, help) = (&problem.message, problem.help());
    format!("{message}; {}", help.as_deref().unwrap_or_default())
}

#[test]
fn what_was_written_for_another_definition_is_not_recorded() {
    for (from, to) in [
        (FEATURE, ""),
        (FEATURE, "      - {name: acc_rate, dtype: Float64}\n"),
        ("    created_timestamp_column: created\n", ""),
    ] {
        let project = applied();
        let change = |event: &Event<'_>| {
            if let Event::ViewStarted { .. } = event {
                project.edit("drivers.yaml", from, to);
                let apply = project.feastr(&["apply", "--yes", "--lock-timeout", "1s"]);
                if to.is_empty() && from == FEATURE {
                    // Values of the removed feature wait until the run is over.
                    assert!(apply.failed().stderr.contains("the registry is up to date"));
                } else {
                    apply.ok();
                }
            }
        };
        let said = failure(&carried_out(&project, &planned(&project, &[]), &change));
        assert!(said.contains("changed while it was materialized"), "{said}");
        assert!(said.contains("run again"), "{said}");
        assert_eq!(intervals(&project, VIEW), []);
        project.feastr(&["materialize", START, END]).ok();
        assert_eq!(intervals(&project, VIEW).len(), 1);
        project.feastr(&["apply"]).ok();
        assert_eq!(features(&project).contains("acc_rate"), project.read("drivers.yaml").contains("acc_rate"));
    }
}
