//! Servers that go away and come back.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use feastr::{
    model::ViewId,
    problem::Kind,
    registry::{self, Locking, Registry, Write},
};

use super::{RegistryServer, client_of};
use crate::{
    registries::{contract::entity, impatient, read},
    servers::redis::await_true,
};

const VIEW: ViewId<'static> = ViewId { project: "p", name: "stats" };

fn open(server: &RegistryServer) -> Box<dyn Registry> {
    registry::open(&read(&server.settings()), Locking::default())
}

fn put(name: &str) -> Option<Vec<Write>> {
    Some(vec![Write::Put(entity(name, "text"))])
}

/// Stands between a client and a server. While it is deaf, answers do not arrive, and then connections end.
struct Relay {
    address: SocketAddr,
    is_deaf: Arc<AtomicBool>,
}

impl Relay {
    fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let relay = Self { address: listener.local_addr().unwrap(), is_deaf: Arc::default() };
        let is_deaf = Arc::clone(&relay.is_deaf);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(server) else { continue };
                let (up, down) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let is_deaf = Arc::clone(&is_deaf);
                thread::spawn(move || pass(up, down, &|| true));
                thread::spawn(move || pass(server, client, &|| !is_deaf.load(Ordering::SeqCst)));
            }
        });
        relay
    }
}

/// Passes on what comes, until `may_pass` says no, and a little later both ends are closed.
fn pass(mut from: TcpStream, mut to: TcpStream, may_pass: &dyn Fn() -> bool) {
    let mut bytes = [0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if !may_pass() {
            thread::sleep(Duration::from_millis(500));
            break;
        }
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

#[test]
fn a_change_whose_answer_is_lost_is_found_out_about() {
    let server = RegistryServer::start(&[]);
    let relay = Relay::before(server.address);
    let settings = format!("{{registry_type: remote, path: '{}'}}", relay.address);
    let registry = registry::open(&read(&settings), Locking::default());
    registry.update("p", &mut |_| put("first")).unwrap();
    let decisions = AtomicUsize::new(0);
    let is_deaf = Arc::clone(&relay.is_deaf);
    registry
        .update("p", &mut |_| {
            decisions.fetch_add(1, Ordering::SeqCst);
            is_deaf.store(true, Ordering::SeqCst);
            let is_deaf = Arc::clone(&is_deaf);
            // It is carried out by then.
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(400));
                is_deaf.store(false, Ordering::SeqCst);
            });
            put("second")
        })
        .unwrap();
    assert_eq!(decisions.load(Ordering::SeqCst), 1, "it was not decided again");
    assert_eq!(registry.snapshot("p").unwrap().rows.len(), 2);
}

#[test]
fn a_server_that_is_restarted_during_a_change_carries_it_out() {
    let server = Arc::new(Mutex::new(RegistryServer::start(&[])));
    let registry = open(&server.lock().unwrap());
    registry.update("p", &mut |_| put("first")).unwrap();
    registry
        .update("p", &mut |_| {
            server.lock().unwrap().kill();
            let server = Arc::clone(&server);
            thread::spawn(move || {
                thread::sleep(Duration::from_secs(1));
                server.lock().unwrap().restart();
            });
            put("second")
        })
        .unwrap();
    assert_eq!(registry.snapshot("p").unwrap().rows.len(), 2);
}

#[test]
fn a_server_that_does_not_come_back_leaves_doubt_that_is_told() {
    let mut server = RegistryServer::start(&[]);
    let registry = open(&server);
    registry.update("p", &mut |_| put("first")).unwrap();
    let lost = registry
        .update("p", &mut |_| {
            server.kill();
            put("second")
        })
        .unwrap_err();
    assert!(lost.message.contains("whether the changes were carried out is not known"), "{lost}");
    assert!(lost.message.contains("127.0.0.1:") && lost.help().is_some(), "{lost:?}");
    let away = registry.snapshot("p").unwrap_err();
    assert_eq!(away.kind, Kind::Unavailable);
    assert!(away.message.contains("cannot be reached"), "{away}");
    let project = client_of(&server);
    let away = project.feastr(&["feature-views", "list"]).failed().stderr;
    assert!(away.contains("the registry server at 127.0.0.1:") && away.contains("`path` under `registry`"), "{away}");
}

#[test]
fn everything_that_was_confirmed_is_there_after_kills() {
    const CLIENTS: usize = 6;
    let server = Mutex::new(RegistryServer::start(&[]));
    let settings = server.lock().unwrap().settings();
    let confirmed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (settings, confirmed) = (&settings, &confirmed);
            scope.spawn(move || {
                let registry = registry::open(&read(settings), Locking::default());
                for round in 0..6 {
                    let name = format!("of_{client}_{round}");
                    // Reading may fall into the moment in which the server is away.
                    if registry.update("p", &mut |_| put(&name)).is_ok() {
                        confirmed.lock().unwrap().push(name);
                    }
                    thread::sleep(Duration::from_millis(100));
                }
            });
        }
        for _ in 0..2 {
            thread::sleep(Duration::from_millis(700));
            server.lock().unwrap().restart();
        }
    });
    let names: Vec<String> =
        open(&server.lock().unwrap()).snapshot("p").unwrap().rows.into_iter().map(|row| row.name).collect();
    let confirmed = confirmed.into_inner().unwrap();
    assert!(confirmed.len() >= CLIENTS, "{confirmed:?}");
    for name in &confirmed {
        assert!(names.contains(name), "{name} was confirmed");
    }
}

#[test]
fn locks_survive_the_restart_of_a_server() {
    let mut server = RegistryServer::start(&[]);
    let registry = open(&server);
    registry.update("p", &mut |_| put("first")).unwrap();
    let lock = registry.lock_view(VIEW).unwrap();
    server.restart();
    let other = registry::open(&read(&server.settings()), impatient());
    await_true("the lock is taken again", || other.view_holder(VIEW).unwrap().is_some());
    assert!(other.lock_view(VIEW).map(drop).unwrap_err().message.contains("the lock of view `stats`"));
    // It is ours as before.
    registry.update_view(VIEW, &mut |_| put("second")).unwrap();
    drop(lock);
    drop(other.lock_view(VIEW).unwrap());
}

#[test]
fn so_many_locks_are_held_as_the_server_has_room_for() {
    let server = RegistryServer::start(&["--max-held-locks", "2"]);
    let registry = open(&server);
    let lock = |name: &str| registry.lock_view(ViewId { project: "p", name });
    let (first, _second) = (lock("a").unwrap(), lock("b").unwrap());
    let busy = lock("c").map(drop).unwrap_err();
    assert_eq!((busy.kind, busy.help().as_deref()), (Kind::Unavailable, Some("ask again later")));
    assert!(busy.message.contains("2 locks of views are held through this server"), "{busy}");
    // Others find room.
    registry.update("p", &mut |_| put("first")).unwrap();
    drop(first);
    drop(lock("c").unwrap());
}

#[test]
fn who_lost_a_lock_to_somebody_else_is_told() {
    let mut server = RegistryServer::start(&[]);
    let registry = open(&server);
    registry.update("p", &mut |_| put("first")).unwrap();
    let lock = registry.lock_view(VIEW).unwrap();
    server.kill();
    // Somebody who needs no server is faster.
    let direct = crate::support::sqlite_registry(&server.project.path("data/registry.db"));
    let theirs = direct.lock_view(VIEW).unwrap();
    server.restart();
    let refused =
        || registry.update_view(VIEW, &mut |_| put("second")).err().filter(|lost| lost.kind == Kind::Conflict);
    await_true("it is known", || refused().is_some());
    let lost = refused().unwrap();
    assert!(lost.message.contains("was lost with the connection"), "{lost}");
    drop((theirs, lock));
}
