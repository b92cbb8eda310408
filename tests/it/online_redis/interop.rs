//! Python Feast and feastr on the same Redis.

use std::{process::Child, thread};

use feastr::feast::values::feature_hash::feature_field;
use serde_json::{Value as Json, json};

use crate::{
    interop::{
        EARLIER, LATER, MATERIALIZED_BY_PYTHON, MIDDLE, assert_nothing_to_do, feast, online_requests, online_steps,
        shop,
    },
    servers::redis::RedisServer,
    support::Project,
};

/// The repo of the interop tests with its values in a database of a server.
fn shop_in_redis(server: &RedisServer, db: u8) -> Project {
    let project = shop(crate::registries::Backend::Sqlite);
    project.edit(
        "feature_store.yaml",
        "online_store:\n  type: sqlite\n  path: data/online_store.db\n",
        &server.settings(db),
    );
    project
}

/// Asserts that values and times are alike. Statuses cannot be: to Feast on Redis everything is present.
#[track_caller]
fn assert_same_values(project: &Project, answers: &[Json]) {
    let requests = online_requests();
    assert_eq!(requests.len(), answers.len());
    for (request, feast) in requests.iter().zip(answers) {
        let feastr = request.online(project);
        for (name, theirs) in feast.as_object().unwrap() {
            assert_eq!(feastr[name]["values"], theirs["values"], "{name}: {}", request.step("online"));
            let times = "event_timestamps";
            assert_eq!(feastr[name][times], theirs[times], "{name}: {}", request.step("online"));
        }
    }
}

#[test]
fn python_feast_reads_what_feastr_wrote() {
    let server = RedisServer::shared();
    let project = shop_in_redis(server, 6);
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", EARLIER, MIDDLE]).ok();
    assert_same_values(&project, &feast(&project, &online_steps()));
    // Python Feast finds nothing to add to what is there, and goes on from there.
    let before = server.dump(6);
    let materialize = |start: &str, end: &str| json!({ "materialize": { "start": start, "end": end, "views": MATERIALIZED_BY_PYTHON } });
    feast(&project, &[materialize(EARLIER, MIDDLE)]);
    assert_eq!(server.dump(6), before);
    let mut steps = vec![materialize(MIDDLE, LATER)];
    steps.extend(online_steps());
    assert_same_values(&project, &feast(&project, &steps)[1..]);
    assert_ne!(server.dump(6), before);
    assert_nothing_to_do(&project);
    // A view that goes takes its values along, and a teardown all of them.
    let definitions = project.read("definitions.yaml");
    let place = |text: &str| definitions.find(text).unwrap();
    let (views, next) = (&definitions[..place("  - name: weather")], place("  - name: customer_city"));
    project.write("definitions.yaml", format!("{views}{}", &definitions[next..place("feature_services:")]));
    let holds = |view: &str, feature: &str| {
        server.dump(6).values().any(|(fields, _)| fields.contains_key(feature_field(view, feature).as_slice()))
    };
    assert!(holds("weather", "temperature") && holds("customer_profile", "visits"));
    project.feastr(&["apply", "--yes"]).ok();
    assert!(!holds("weather", "temperature") && holds("customer_profile", "visits"));
    project.feastr(&["teardown", "--yes"]).ok();
    assert!(server.dump(6).is_empty());
}

#[test]
fn feastr_reads_what_python_feast_wrote() {
    let server = RedisServer::shared();
    let project = shop_in_redis(server, 7);
    let mut steps = vec![
        json!({ "apply": {} }),
        json!({ "materialize": { "start": EARLIER, "end": MIDDLE, "views": MATERIALIZED_BY_PYTHON } }),
    ];
    steps.extend(online_steps());
    assert_same_values(&project, &feast(&project, &steps)[2..]);
    assert_nothing_to_do(&project);
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", MIDDLE, LATER]).ok();
    assert_same_values(&project, &feast(&project, &online_steps()));
}

#[test]
fn two_feastr_and_a_python_feast_at_once_leave_the_newest() {
    let server = RedisServer::shared();
    let expected = shop_in_redis(server, 8);
    expected.feastr(&["apply"]).ok();
    expected.feastr(&["materialize", EARLIER, LATER]).ok();
    // Each with a registry of its own, where nobody waits for another's lock. Python looks first and
    // writes then, so that it can only be trusted with the newest rows.
    let projects = [0; 3].map(|_| shop_in_redis(server, 9));
    projects.iter().for_each(|project| drop(project.feastr(&["apply"]).ok()));
    thread::scope(|scope| {
        let python = scope.spawn(|| {
            feast(
                &projects[2],
                &[json!({ "materialize": { "start": EARLIER, "end": LATER, "views": MATERIALIZED_BY_PYTHON } })],
            )
        });
        for end in [MIDDLE, LATER] {
            let mut running: Vec<Child> = projects[..2]
                .iter()
                .map(|project| project.command(&["--quiet", "materialize", EARLIER, end]).spawn().unwrap())
                .collect();
            assert!(running.iter_mut().all(|child| child.wait().unwrap().success()));
        }
        python.join().unwrap();
    });
    assert_eq!(server.dump(9), server.dump(8));
}
