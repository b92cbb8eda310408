//! Many clients at once, servers that are killed, and registries that change meanwhile.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use feastr::feast::{
    registry::messages::{self as wire, decode},
    registry_server as asked,
};

use super::{
    client::{Client, all},
    entity, repo,
};
use crate::{
    registries::{Backend, TestRegistry, on_every_backend},
    servers::grpc::GrpcServer,
    support::Project,
};

pub fn names(client: &Client, project: &str) -> BTreeSet<String> {
    let (entities, _) = client.list("ListEntities", &all(project)).unwrap();
    entities.iter().map(|entity| decode::<wire::Entity>(entity).unwrap().spec.unwrap().name).collect()
}

on_every_backend!(@ sqlite Sqlite whatever_was_confirmed_to_a_crowd_is_there_after_a_kill);
on_every_backend!(@ postgres Postgres whatever_was_confirmed_to_a_crowd_is_there_after_a_kill);
on_every_backend!(@ mariadb MariaDb whatever_was_confirmed_to_a_crowd_is_there_after_a_kill);

fn whatever_was_confirmed_to_a_crowd_is_there_after_a_kill(backend: Backend) {
    const CLIENTS: usize = 32;
    let registry = TestRegistry::new(backend);
    let settings = format!("project: shop\nregistry: {}\nonline_store: null\n", registry.settings);
    let project = Project::new(&[("feature_store.yaml", &settings)]);
    let server = GrpcServer::registry(&project, &[]);
    let confirmed = Mutex::new(BTreeSet::new());
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (server, confirmed, is_over) = (&server, &confirmed, &is_over);
            scope.spawn(move || {
                let client = Client::of(server);
                for round in 0.. {
                    let name = format!("e_{number}_{round}");
                    if is_over.load(Ordering::SeqCst) || client.apply("ApplyEntity", "shop", &entity(&name)).is_err() {
                        break;
                    }
                    confirmed.lock().unwrap().insert(name);
                }
            });
        }
        // Each of them was answered at least once on average.
        while confirmed.lock().unwrap().len() < 2 * CLIENTS {
            thread::sleep(Duration::from_millis(20));
        }
        server.signal("-KILL");
        is_over.store(true, Ordering::SeqCst);
    });
    let again = GrpcServer::registry(&project, &[]);
    let there = names(&Client::of(&again), "shop");
    let confirmed = confirmed.into_inner().unwrap();
    let lost: Vec<&String> = confirmed.difference(&there).collect();
    assert!(lost.is_empty(), "{lost:?}");
    // What was not confirmed may be there, but no more than one of each client.
    assert!(there.len() <= confirmed.len() + CLIENTS, "{} {}", there.len(), confirmed.len());
}

#[test]
fn pages_are_taken_while_objects_come() {
    const COUNT: usize = 300;
    let project = repo();
    let server = GrpcServer::registry(&project, &[]);
    let client = Client::of(&server);
    for number in 0..COUNT {
        client.apply("ApplyEntity", "shop", &entity(&format!("b{number:05}"))).unwrap();
    }
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let client = Client::of(&server);
            for number in (0..).take_while(|_| !is_over.load(Ordering::SeqCst)) {
                client.apply("ApplyEntity", "shop", &entity(&format!("c{number:05}"))).unwrap();
            }
        });
        // What was there is on the pages, once, in its order: what comes meanwhile comes behind it.
        let mut found = Vec::new();
        for page in 1.. {
            let request = asked::ListObjects {
                project: "shop".into(),
                pagination: Some(asked::Pagination { page, limit: 40 }),
                sorting: Some(asked::Sorting { sort_by: "name".into(), sort_order: "asc".into() }),
                ..asked::ListObjects::default()
            };
            let (entities, info) = client.list("ListEntities", &request).unwrap();
            assert!(info.page == page && info.limit == 40 && entities.len() <= 40, "{info:?}");
            found.extend(entities.iter().map(|entity| decode::<wire::Entity>(entity).unwrap().spec.unwrap().name));
            if found.len() >= COUNT || !info.has_next {
                break;
            }
        }
        is_over.store(true, Ordering::SeqCst);
        writer.join().unwrap();
        let expected: Vec<String> = (0..COUNT).map(|number| format!("b{number:05}")).collect();
        assert_eq!(found[..COUNT], expected);
    });
}
