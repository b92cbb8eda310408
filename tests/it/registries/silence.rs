//! Servers that take connections and do not answer, and connections that end while nobody uses them.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use feastr::{
    model::{ObjectKind, ViewId},
    problem::{self, Problem},
    registry::{self, Locking, Registry, Write},
};

use super::{
    Backend, TestRegistry,
    contract::{entity, write},
    errors::{SERVERS, cut_others, says},
    impatient, read,
    runs::run,
};
use crate::servers::{Kind, shared};

/// A way to a server that can fall silent: what the server says then gets lost, its goodbye, too.
struct Way {
    port: u16,
    silent: Arc<AtomicBool>,
}

impl Way {
    fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let way = Self { port: listener.local_addr().unwrap().port(), silent: Arc::default() };
        let silent = Arc::clone(&way.silent);
        // Ends with the process, as what it starts ends with the connections.
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(("127.0.0.1", server)).unwrap());
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || pass_on(from, to, &AtomicBool::new(false)));
                let silent = Arc::clone(&silent);
                thread::spawn(move || pass_on(server, client, &silent));
            }
        });
        way
    }

    fn open(&self, test: &TestRegistry, locking: Locking) -> Box<dyn Registry> {
        let port = test.backend.server().unwrap().port;
        registry::open(&read(&test.settings.replace(&format!(":{port}/"), &format!(":{}/", self.port))), locking)
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, silent: &AtomicBool) {
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if !silent.load(Ordering::SeqCst) && to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    if !silent.load(Ordering::SeqCst) {
        let _ = to.shutdown(Shutdown::Write);
    }
}

/// Does something with each kind of server, at once, because it takes long.
fn with_servers(act: impl Fn(Backend, Kind) + Sync) {
    thread::scope(|scope| {
        for (backend, kind, _) in SERVERS {
            let act = &act;
            scope.spawn(move || act(backend, kind));
        }
    });
}

#[test]
fn a_server_that_takes_connections_and_says_nothing_is_given_up() {
    with_servers(|_, kind| {
        // The system takes connections for every port that is listened at.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = shared(kind).url("any").replace(&format!(":{}/", shared(kind).port), &format!(":{port}/"));
        let registry =
            registry::open_to_read(&read(&format!("{{registry_type: sql, path: \"{url}\"}}")), &Arc::default());
        says(&registry.snapshot("p").unwrap_err(), "does not answer in time");
    });
}

#[test]
fn a_server_that_falls_silent_while_it_is_written_is_given_up() {
    with_servers(|backend, kind| {
        let test = TestRegistry::new(backend);
        write(test.open().as_ref(), "p", &[Write::Put(entity("driver", "old"))]);
        let way = Way::to(shared(kind).port);
        let registry = way.open(&test, impatient());
        let error = registry
            .update("p", &mut |_| {
                way.silent.store(true, Ordering::SeqCst);
                Some(vec![Write::Put(entity("driver", "new"))])
            })
            .unwrap_err();
        says(&error, "does not answer in time");
    });
}

/// A call of a registry.
type Ask = fn(&dyn Registry) -> Result<(), Problem>;

const STATS: ViewId<'_> = ViewId { project: "p", name: "stats" };

/// Everything that a registry can be asked.
const CALLS: [(&str, Ask); 14] = [
    ("snapshot", |registry| registry.snapshot("p").map(drop)),
    ("view", |registry| registry.view(STATS).map(drop)),
    ("names", |registry| registry.names("p", &ObjectKind::VIEWS).map(drop)),
    ("mark", |registry| registry.mark("p").map(drop)),
    ("versions", |registry| registry.versions("p").map(drop)),
    ("projects", |registry| registry.projects().map(drop)),
    ("update", |registry| registry.update("p", &mut |_| None)),
    ("update_view", |registry| registry.update_view(STATS, &mut |_| None)),
    ("lock_view", |registry| registry.lock_view(STATS).map(drop)),
    ("view_holder", |registry| registry.view_holder(STATS).map(drop)),
    ("create_run_log", |registry| registry.create_run_log()),
    ("record_run", |registry| registry.record_run("p", &run("1"))),
    ("runs", |registry| registry.runs("p", &[], 1).map(drop)),
    ("forget_runs", |registry| registry.forget_runs("p")),
];

#[test]
fn whatever_a_server_is_asked_that_fell_silent_ends() {
    with_servers(|backend, kind| {
        let test = TestRegistry::new(backend);
        let first = test.open();
        write(first.as_ref(), "p", &[Write::Put(entity("driver", ""))]);
        first.record_run("p", &run("0")).unwrap();
        thread::scope(|scope| {
            for (name, call) in CALLS {
                let test = &test;
                scope.spawn(move || {
                    let way = Way::to(shared(kind).port);
                    let registry = way.open(test, impatient());
                    // With a connection that is kept. That the table of runs is there is not asked twice.
                    let first = if name == "create_run_log" { CALLS[0].1 } else { call };
                    first(registry.as_ref()).unwrap();
                    way.silent.store(true, Ordering::SeqCst);
                    let error = call(registry.as_ref()).expect_err(name);
                    assert_eq!(error.kind, problem::Kind::Deadline, "{kind:?}, {name}: {error:?}");
                    says(&error, "does not answer in time");
                });
            }
        });
    });
}

#[test]
fn a_connection_that_ended_between_two_readings_is_replaced() {
    for (backend, kind, _) in SERVERS {
        let test = TestRegistry::new(backend);
        let registry = test.open();
        write(registry.as_ref(), "p", &[Write::Put(entity("driver", ""))]);
        assert_eq!(registry.snapshot("p").unwrap().rows.len(), 1);
        cut_others(shared(kind), &test.database);
        assert_eq!(registry.snapshot("p").unwrap().rows.len(), 1);
        cut_others(shared(kind), &test.database);
        assert_eq!(registry.projects().unwrap(), Vec::<String>::new());
    }
}
