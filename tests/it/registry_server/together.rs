//! A client of Feast and one of feastr that change one registry at the same time.

use std::{collections::BTreeSet, thread};

use super::{client::Client, crowds::names, repo};
use crate::{
    interop::python,
    registry_remote::point_at_address,
    servers::grpc::GrpcServer,
    support::{Project, settings},
};

const ROUNDS: usize = 8;

/// What a team declares after so many rounds; its repo has a name, so that it deletes nothing of others.
fn declare(project: &Project, round: usize) {
    let entities =
        (0..=round).map(|number| format!("  - {{name: yaml_{number}, join_keys: [id], value_type: INT64}}\n"));
    project.write("entities.yaml", format!("entities:\n{}", entities.collect::<String>()));
}

#[test]
fn what_python_feast_and_feastr_apply_at_once_is_all_there() {
    let project = repo();
    let server = GrpcServer::registry(&project, &["--host", "localhost"]);
    let address = format!("localhost:{}", server.address.port());
    let python_client = Project::new(&[("feature_store.yaml", &settings("shop"))]);
    point_at_address(&python_client, &address);
    let ours = Project::new(&[("feature_store.yaml", &(settings("shop") + "feastr: {name: ours}\n"))]);
    point_at_address(&ours, &address);
    thread::scope(|scope| {
        let theirs = scope.spawn(|| python("registry_together.py", &[python_client.path("").into()]));
        for round in 0..ROUNDS {
            declare(&ours, round);
            ours.feastr(&["apply", "--yes"]).ok();
        }
        let read = theirs.join().unwrap();
        assert_eq!(read.trim(), "40", "it reads what it has written");
    });
    let there = names(&Client::of(&server), "shop");
    let of_python = (0..40).map(|number| format!("python_{number}"));
    let expected: BTreeSet<String> =
        of_python.chain((0..ROUNDS).map(|number| format!("yaml_{number}"))).chain(["__dummy".to_owned()]).collect();
    assert_eq!(there, expected);
    // Each is in the log of changes once.
    let log = project.feastr(&["registry", "log", "--json", "-n", "200"]).ok().stdout;
    assert_eq!(
        log.matches("\"command\":\"ApplyEntity\"").count() + log.matches("\"command\": \"ApplyEntity\"").count(),
        40
    );
}
