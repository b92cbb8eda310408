//! Many who apply different things at once: what each of them did is there, and once.

use std::sync::Barrier;

use super::{Backend, TestRegistry, on_every_backend};
use crate::support::Project;

on_every_backend!(@ s3 S3 what_many_apply_at_once_is_in_the_history_once);
on_every_backend!(@ gcs Gcs what_many_apply_at_once_is_in_the_history_once);
on_every_backend!(@ azure Azure what_many_apply_at_once_is_in_the_history_once);

/// Repos that share a project, each with a view of its own, to which each round adds a feature.
fn repo(test: &TestRegistry, number: usize) -> Project {
    let settings =
        format!("project: p\nregistry: {}\nonline_store: null\nfeastr: {{name: repo-{number}}}\n", test.settings);
    let mut project = Project::new(&[("feature_store.yaml", &settings)]);
    project.environment = test.environment();
    project
}

fn declare(project: &Project, number: usize, round: usize) {
    let fields: Vec<String> = (0..=round).map(|field| format!("{{name: f{field}, dtype: Float32}}")).collect();
    project.write(
        "repo.yaml",
        format!(
            "entities:\n  - {{name: entity_{number}, join_keys: [id], value_type: INT64}}\nfeature_views:\n  - name: \
             view_{number}\n    entities: [entity_{number}]\n    source: {{name: source_{number}, type: file, path: \
             none.parquet, timestamp_field: event_timestamp}}\n    schema: [{}]\n",
            fields.join(", ")
        ),
    );
}

fn what_many_apply_at_once_is_in_the_history_once(backend: Backend) {
    const REPOS: usize = 8;
    const ROUNDS: usize = 7;
    let test = TestRegistry::new(backend);
    let barrier = Barrier::new(REPOS);
    std::thread::scope(|scope| {
        for number in 0..REPOS {
            let (test, barrier) = (&test, &barrier);
            scope.spawn(move || {
                let project = repo(test, number);
                for round in 0..ROUNDS {
                    declare(&project, number, round);
                    barrier.wait();
                    project.feastr(&["apply", "--yes", "--skip-source-validation"]).ok();
                }
                project.feastr(&["plan", "--detailed-exitcode", "--skip-source-validation"]).ok();
            });
        }
    });
    let versions = test.open().versions("p").unwrap();
    let found: Vec<(String, i32)> = versions.into_iter().map(|version| (version.view, version.number)).collect();
    let rounds = i32::try_from(ROUNDS).unwrap();
    let all = (0..REPOS).flat_map(|number| (0..rounds).map(move |round| (format!("view_{number}"), round)));
    assert_eq!(found, all.collect::<Vec<_>>());
}
