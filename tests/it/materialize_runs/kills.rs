use std::collections::BTreeMap;

use super::{END, Values, applied, intervals, values};
use crate::{killer::Killer, support::Project};

const TABLE: &str = "feastlocal_driver_hourly_stats";
const VIEW: &str = "driver_hourly_stats";
const KILLS: u32 = 50;

/// A run in chunks, over the days that have data and a first one that is the ttl before END.
const CATCH_UP: [&str; 4] = ["materialize-incremental", END, "--chunk", "3h"];

/// What the store holds after one run until a moment.
fn reference(end: &str, known: &mut BTreeMap<String, Values>) -> Values {
    let values = known.entry(end.to_owned()).or_insert_with(|| {
        let project = applied();
        project.feastr(&["materialize", "2026-10-31", end]).ok();
        values(&project, TABLE)
    });
    values.clone()
}

#[test]
fn what_is_recorded_is_there_whenever_a_run_is_killed() {
    let template = applied();
    let trial = copy_of(&template);
    let mut killer = Killer::new(&trial, &CATCH_UP);
    let (complete, chunks) = (values(&trial, TABLE), intervals(&trial, VIEW));
    assert_eq!((complete.len(), chunks.len()), (15, 8));
    let mut known = BTreeMap::new();
    let mut resumed = 0;
    while killer.cut_off < KILLS {
        let project = copy_of(&template);
        killer.kill(&mut project.command(&CATCH_UP));
        let online = ["get-online", "--feature-service", "driver_activity_v2", "--entity", "driver_id=1001"];
        project.feastr(&online).ok();
        let recorded = intervals(&project, VIEW);
        assert_eq!(recorded, chunks[..recorded.len()], "chunks are recorded in order");
        if let Some((_, end)) = recorded.last() {
            let there: BTreeMap<_, _> =
                values(&project, TABLE).into_iter().map(|(key, feature, _, event)| ((key, feature), event)).collect();
            for (key, feature, _, event) in reference(end, &mut known) {
                assert!(there[&(key, feature)] >= event, "recorded until {end}");
            }
            resumed += u32::from(recorded.len() < chunks.len());
        }
        project.feastr(&CATCH_UP).ok();
        assert_eq!(values(&project, TABLE), complete);
        // It went on behind what was recorded.
        let after = intervals(&project, VIEW);
        assert_eq!(after[..chunks.len()], chunks);
        let history = project.feastr(&["materialize", "history", "--json"]).ok().json();
        let states: Vec<&str> = history.as_array().unwrap().iter().map(|run| run["state"].as_str().unwrap()).collect();
        assert!(
            states[0] == "done" && states[1..].iter().all(|state| ["done", "interrupted"].contains(state)),
            "{states:?}"
        );
    }
    assert!(resumed > 0, "no run was killed between two chunks");
}

fn copy_of(template: &Project) -> Project {
    let project = Project::example();
    for file in ["data/registry.db", "data/online_store.db"] {
        project.copy(&template.path(file), file);
    }
    project
}
