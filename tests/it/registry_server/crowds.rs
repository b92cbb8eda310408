//! Many clients at once, servers that are killed, and registries that change meanwhile.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use feastr::{
    feast::{
        registry::messages::{self as wire, decode},
        registry_server as asked,
    },
    model::ObjectKind,
    registry::{Row, Write},
};
use prost::Message as _;

use super::{
    client::{Client, all},
    entity, repo,
};
use crate::{
    registries::{Backend, TestRegistry, on_every_backend},
    servers::{grpc::GrpcServer, redis::await_true},
    support::{Project, sqlite_registry},
};

pub fn names(client: &Client, project: &str) -> BTreeSet<String> {
    let (entities, _) = client.list("ListEntities", &all(project)).unwrap();
    entities.iter().map(|entity| decode::<wire::Entity>(entity).unwrap().spec.unwrap().name).collect()
}

on_every_backend!(@ sqlite Sqlite whatever_was_confirmed_to_a_crowd_is_there_after_a_kill);
on_every_backend!(@ postgres Postgres whatever_was_confirmed_to_a_crowd_is_there_after_a_kill);
on_every_backend!(@ mariadb MariaDb whatever_was_confirmed_to_a_crowd_is_there_after_a_kill);

/// How long crowds go on, through one kill after another: `FEASTR_CROWD` seconds, or until the first one.
fn crowded() -> Duration {
    let seconds = std::env::var("FEASTR_CROWD").ok().map(|seconds| seconds.parse().expect("seconds"));
    Duration::from_secs(seconds.unwrap_or_default())
}

fn whatever_was_confirmed_to_a_crowd_is_there_after_a_kill(backend: Backend) {
    const CLIENTS: usize = 32;
    let registry = TestRegistry::new(backend);
    let settings = format!("project: shop\nregistry: {}\nonline_store: null\n", registry.settings);
    let project = Project::new(&[("feature_store.yaml", &settings)]);
    let mut server = GrpcServer::registry(&project, &[]);
    let confirmed = Mutex::new(BTreeSet::new());
    let began = Instant::now();
    for kills in 1.. {
        let is_over = AtomicBool::new(false);
        let before = confirmed.lock().unwrap().len();
        thread::scope(|scope| {
            for number in 0..CLIENTS {
                let (server, confirmed, is_over) = (&server, &confirmed, &is_over);
                scope.spawn(move || {
                    let client = Client::of(server);
                    for round in 0.. {
                        let name = format!("e_{kills}_{number}_{round}");
                        let is_applied = || client.apply("ApplyEntity", "shop", &entity(&name)).is_ok();
                        if is_over.load(Ordering::SeqCst) || !is_applied() {
                            break;
                        }
                        confirmed.lock().unwrap().insert(name);
                    }
                });
            }
            // Each of them was answered at least once on average.
            while confirmed.lock().unwrap().len() < before + 2 * CLIENTS {
                thread::sleep(Duration::from_millis(20));
            }
            server.signal("-KILL");
            is_over.store(true, Ordering::SeqCst);
        });
        server = GrpcServer::registry(&project, &[]);
        let (there, confirmed) = (names(&Client::of(&server), "shop"), confirmed.lock().unwrap());
        let lost: Vec<&String> = confirmed.difference(&there).collect();
        assert!(lost.is_empty(), "{lost:?} after {kills} kills");
        // What was not confirmed may be there, but no more than one of each client.
        assert!(there.len() <= confirmed.len() + CLIENTS * kills, "{} {}", there.len(), confirmed.len());
        if began.elapsed() >= crowded() {
            break;
        }
    }
}

#[test]
fn changes_that_wait_for_the_lock_leave_room_for_those_who_read() {
    // As many threads as the process has for what waits, and more.
    const CLIENTS: usize = 80;
    let project = repo();
    let server = GrpcServer::registry(&project, &[]);
    let reader = Client::of(&server);
    reader.apply("ApplyEntity", "shop", &entity("first")).unwrap();
    let registry = sqlite_registry(&project.path("data/registry.db"));
    let applied = AtomicUsize::new(0);
    thread::scope(|scope| {
        registry
            .update("shop", &mut |_| {
                for number in 0..CLIENTS {
                    let (server, applied) = (&server, &applied);
                    scope.spawn(move || {
                        let name = format!("e{number}");
                        Client::of(server).apply("ApplyEntity", "shop", &entity(&name)).unwrap();
                        applied.fetch_add(1, Ordering::SeqCst);
                    });
                }
                // All of them wait by then.
                thread::sleep(Duration::from_secs(2));
                let began = Instant::now();
                assert_eq!(names(&reader, "shop"), BTreeSet::from(["first".to_owned()]));
                assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
                assert_eq!(applied.load(Ordering::SeqCst), 0);
                None
            })
            .unwrap();
    });
    assert_eq!((applied.into_inner(), names(&reader, "shop").len()), (CLIENTS, CLIENTS + 1));
}

#[test]
fn pages_are_taken_while_objects_change_in_a_file() {
    pages_are_taken_while_objects_change(Backend::Sqlite);
}

#[test]
fn pages_are_taken_while_objects_change_on_a_server() {
    pages_are_taken_while_objects_change(Backend::Postgres);
}

/// What was there all the time is on the pages once, in its order, however it changes; what comes and goes meanwhile does so
/// behind it.
fn pages_are_taken_while_objects_change(backend: Backend) {
    const COUNT: usize = 10_000;
    const LIMIT: i32 = 2_000;
    let registry = TestRegistry::new(backend);
    let name = |letter: char, number: usize| format!("{letter}{number:05}");
    let put = |number: usize| {
        let (name, proto) = (name('b', number), entity(&name('b', number)).encode_to_vec());
        Write::Put(Row { kind: ObjectKind::Entity, name, updated: 1, proto })
    };
    registry.open().update("shop", &mut |_| Some((0..COUNT).map(put).collect())).unwrap();
    let settings = format!("project: shop\nregistry: {}\nonline_store: null\n", registry.settings);
    let project = Project::new(&[("feature_store.yaml", &settings)]);
    let server = GrpcServer::registry(&project, &[]);
    let (client, is_over, changes) = (Client::of(&server), AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let client = Client::of(&server);
            for number in (0..).take_while(|_| !is_over.load(Ordering::SeqCst)) {
                let mut changed = entity(&name('b', number * 7919 % COUNT));
                changed.spec.as_mut().unwrap().description = format!("changed {number}");
                client.apply("ApplyEntity", "shop", &changed).unwrap();
                client.apply("ApplyEntity", "shop", &entity(&name('c', number))).unwrap();
                if number % 2 == 1 {
                    client.delete("DeleteEntity", "shop", &name('c', number - 1)).unwrap();
                }
                changes.fetch_add(1, Ordering::SeqCst);
            }
        });
        for allow_cache in [false, true] {
            let (before, mut found) = (changes.load(Ordering::SeqCst), Vec::new());
            for page in 1.. {
                let request = asked::ListObjects {
                    project: "shop".into(),
                    allow_cache,
                    pagination: Some(asked::Pagination { page, limit: LIMIT }),
                    sorting: Some(asked::Sorting { sort_by: "name".into(), sort_order: "asc".into() }),
                    ..asked::ListObjects::default()
                };
                let (entities, info) = client.list("ListEntities", &request).unwrap();
                assert!(info.page == page && info.limit == LIMIT && entities.len() <= 2_000, "{info:?}");
                found.extend(entities.iter().map(|entity| decode::<wire::Entity>(entity).unwrap().spec.unwrap().name));
                if !info.has_next {
                    break;
                }
                // Every page is of another state.
                let changed = changes.load(Ordering::SeqCst);
                await_true("something changes", || changes.load(Ordering::SeqCst) > changed);
            }
            assert!(changes.load(Ordering::SeqCst) > before + COUNT / 2_000 - 1);
            let expected: Vec<String> = (0..COUNT).map(|number| name('b', number)).collect();
            assert_eq!(found[..COUNT], expected);
            assert!(found[COUNT..].iter().all(|name| name.starts_with('c')));
        }
        is_over.store(true, Ordering::SeqCst);
        writer.join().unwrap();
    });
}
