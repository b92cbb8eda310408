//! What is different where a registry is in a bucket: answers that get lost, stores that cannot be used, and all commands.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    process::Stdio,
    sync::{Arc, Mutex, OnceLock},
    thread,
    time::Duration,
};

use feastr::{
    clients::{buckets::Expected, runtime::wait},
    problem::{Kind, Problem},
    registry::{self, Locking, Registry, Write},
};

use futures_util::TryStreamExt as _;
use serde_json::{Value as Json, json};

use super::{
    Backend, TestRegistry,
    contract::{contents, entity, write},
    errors::says,
    read_in,
    repo::{Repo, registered},
};
use crate::{
    serve::server::FeatureServer,
    servers::{
        buckets::{READER, READER_SECRET, Store, shared},
        meddler::{Act, Meddler},
        redis::await_true,
    },
};

/// What happens to the next write of the registry on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Harm {
    /// The store carries it out, and nobody hears of it.
    LosesAnswer,
    /// The store never sees it.
    LosesRequest,
}

/// A way to a store.
pub struct Way {
    port: u16,
    harm: Arc<Mutex<Option<Harm>>>,
}

impl Way {
    /// Of a header that requests have another one is made, of the same length; then also the name of the store, which is not
    /// signed there, is as it should be.
    fn to(store: u16, header: Option<[&str; 2]>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let way = Self { port: listener.local_addr().unwrap().port(), harm: Arc::default() };
        let harm = Arc::clone(&way.harm);
        let host = [way.port, store].map(|port| format!("host: 127.0.0.1:{port}\r\n"));
        let pairs = header.map(|header| vec![header.map(str::to_owned), host]);
        let pairs: Arc<Vec<[String; 2]>> = Arc::new(pairs.unwrap_or_default());
        assert!(pairs.iter().all(|[old, new]| old.len() == new.len()), "{pairs:?}");
        // Ends with the process, as what it starts ends with the connections.
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(("127.0.0.1", store)).unwrap());
                let is_lost = Arc::<Mutex<bool>>::default();
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let (harm, lost, pairs) = (Arc::clone(&harm), Arc::clone(&is_lost), Arc::clone(&pairs));
                thread::spawn(move || ask(from, to, &harm, &lost, &pairs));
                thread::spawn(move || answer(server, client, &is_lost));
            }
        });
        way
    }

    /// Where it begins.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn open(&self, test: &TestRegistry) -> Box<dyn Registry> {
        let store = test.backend.store().unwrap();
        let environment = store.environment_at(&self.endpoint());
        registry::open(&read_in(&test.settings, &environment), Locking::default())
    }
}

/// A way on which the store in place of Google's never hears of conditions.
pub fn without_conditions() -> &'static Way {
    static WAY: OnceLock<Way> = OnceLock::new();
    let header = ["x-goog-if-generation-match", "x-goog-xx-generation-match"];
    WAY.get_or_init(|| Way::to(shared(Store::Gcs).port(), Some(header)))
}

fn ask(
    mut from: TcpStream,
    mut to: TcpStream,
    harm: &Mutex<Option<Harm>>,
    is_lost: &Mutex<bool>,
    pairs: &[[String; 2]],
) {
    let mut bytes = [0; 65_536];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        let text = String::from_utf8_lossy(&bytes[..count]);
        if text.starts_with("PUT ") && text.contains("registry.pb HTTP/1.1") {
            match harm.lock().unwrap().take() {
                Some(Harm::LosesAnswer) => *is_lost.lock().unwrap() = true,
                Some(Harm::LosesRequest) => break,
                None => {}
            }
        }
        let mut passed = bytes[..count].to_vec();
        for [old, new] in pairs {
            for at in 0..count.saturating_sub(old.len()) {
                if passed[at..].starts_with(old.as_bytes()) {
                    passed[at..at + old.len()].copy_from_slice(new.as_bytes());
                }
            }
        }
        if to.write_all(&passed).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

fn answer(mut from: TcpStream, mut to: TcpStream, is_lost: &Mutex<bool>) {
    let mut bytes = [0; 65_536];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if *is_lost.lock().unwrap() || to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

#[test]
fn what_is_lost_on_the_way_is_found_out() {
    for harm in [Harm::LosesAnswer, Harm::LosesRequest] {
        let test = TestRegistry::new(Backend::S3);
        let way = Way::to(test.backend.store().unwrap().port(), None);
        let registry = way.open(&test);
        for round in ["first", "second"] {
            let mut decided = 0;
            *way.harm.lock().unwrap() = Some(harm);
            registry
                .update("p", &mut |before| {
                    decided += 1;
                    let name = format!("{round} {}", before.rows.len());
                    Some(vec![Write::Put(entity(&name, ""))])
                })
                .unwrap();
            assert_eq!(*way.harm.lock().unwrap(), None);
            // Who asks again need not decide again, unless the store has not seen the first one.
            assert!(decided == 1 || harm == Harm::LosesRequest, "{harm:?}: {decided}");
        }
        let names: Vec<String> = registry.snapshot("p").unwrap().rows.into_iter().map(|row| row.name).collect();
        assert_eq!(names, ["first 0", "second 1"], "{harm:?}");
    }
}

#[test]
fn a_store_that_ignores_conditions_is_refused() {
    let test = TestRegistry::new(Backend::Gcs);
    let way = without_conditions();
    for registry in [way.open(&test), way.open(&test)] {
        let error = registry.update("p", &mut |_| Some(vec![Write::Put(entity("driver", ""))])).unwrap_err();
        assert_eq!(error.kind, Kind::Unsupported);
        says(&error, "ignores the conditions of writes");
        let help = error.help().unwrap_or_default();
        assert!(
            help.contains("`lock: postgresql://user:password@host/database` beside the registry's `path`"),
            "{help}"
        );
        assert_eq!(registry.mark("p").unwrap(), None);
        assert!(registry.snapshot("p").unwrap().rows.is_empty());
    }
    // The same store, asked directly.
    write(test.open().as_ref(), "p", &[Write::Put(entity("driver", ""))]);
}

#[test]
fn with_a_lock_all_changes_of_all_writers_are_in() {
    const WRITERS: usize = 8;
    const CHANGES: usize = 4;
    let test = TestRegistry::new(Backend::Locked);
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let test = &test;
            scope.spawn(move || {
                let registry = test.open();
                for change in 0..CHANGES {
                    let name = format!("{writer} {change}");
                    registry.update("p", &mut |_| Some(vec![Write::Put(entity(&name, ""))])).unwrap();
                }
            });
        }
    });
    assert_eq!(test.open().snapshot("p").unwrap().rows.len(), WRITERS * CHANGES);
}

#[test]
fn what_others_write_who_do_not_take_the_lock_is_seen() {
    let test = TestRegistry::new(Backend::Locked);
    let (bucket, key) = test.object();
    let registry = test.open();
    write(registry.as_ref(), "p", &[Write::Put(entity("before", ""))]);
    let other = TestRegistry::new(Backend::File);
    let mut decided = 0;
    registry
        .update("p", &mut |before| {
            decided += 1;
            if decided == 1 {
                // As Python Feast does: it replaces the object with what it makes of it.
                other.put_bytes(&test.bytes());
                write(other.open().as_ref(), "p", &[Write::Put(entity("of feast", ""))]);
                wait(bucket.put(&key, other.bytes().into(), Expected::Anything)).unwrap();
            }
            let names: Vec<&str> = before.rows.iter().map(|row| row.name.as_str()).collect();
            Some(vec![Write::Put(entity(&format!("after {}", names.join(" and ")), ""))])
        })
        .unwrap();
    let names: Vec<String> = registry.snapshot("p").unwrap().rows.into_iter().map(|row| row.name).collect();
    assert_eq!((decided, names.len()), (2, 3), "{names:?}");
    assert!(names.contains(&"after before and of feast".to_owned()), "{names:?}");
}

#[test]
fn the_lock_of_a_process_that_is_killed_is_free() {
    let mut test = TestRegistry::new(Backend::Locked);
    let repo = Repo::new(&test);
    repo.declare(1);
    // Its write is on its way for a while. That it reads nothing there does not matter.
    let meddler = Meddler::before(test.backend.store().unwrap().port());
    meddler.meddle(|line| match line.starts_with("PUT ") && line.contains("registry") {
        true => Act::Late(Duration::from_secs(60)),
        false => Act::Pass,
    });
    let slow = test.backend.store().unwrap().environment_at(&meddler.endpoint());
    let mut holder = repo.project.command(&["apply", "--yes"]).envs(slow).stderr(Stdio::null()).spawn().unwrap();
    await_true("a write under the lock", || meddler.seen().iter().any(|line| line.starts_with("PUT ")));
    let waiting = repo.project.feastr(&["apply", "--yes", "--lock-timeout", "300ms"]).failed().stderr;
    assert!(
        waiting.contains("the lock of the registry gs://") && waiting.contains("is held by apply of "),
        "{waiting}"
    );
    holder.kill().unwrap();
    holder.wait().unwrap();
    repo.project.feastr(&["apply", "--yes"]).ok();
    assert_eq!(registered(&test), Some(1));
    // Without its database nothing is changed.
    let (path, _) = test.settings.split_once(", lock:").unwrap();
    test.settings = format!("{path}, lock: \"postgresql://nobody:s3cret@127.0.0.1:1/x\"}}");
    let error = test.open().update("p", &mut |_| Some(vec![Write::Put(entity("x", ""))])).unwrap_err();
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    assert_eq!(error.kind, Kind::Unavailable);
}

#[test]
fn what_a_store_does_not_let_us_do_is_said() {
    let store = shared(Store::SeaweedFs);
    let settings = format!("{{path: {}/{}/registry.pb}}", store.create_named_bucket("features"), uuid::Uuid::new_v4());
    let open = |changed: &[(&'static str, &str)]| {
        let mut environment = store.environment();
        for (name, value) in changed {
            environment.retain(|(known, _)| known != name);
            environment.push((name, (*value).to_owned()));
        }
        registry::open(&read_in(&settings, &environment), Locking::default())
    };
    let driver = entity("driver", "");
    write(open(&[]).as_ref(), "p", &[Write::Put(driver.clone())]);

    let reader = open(&[("AWS_ACCESS_KEY_ID", READER), ("AWS_SECRET_ACCESS_KEY", READER_SECRET)]);
    assert_eq!(contents(&reader.snapshot("p").unwrap()), contents(&open(&[]).snapshot("p").unwrap()));
    let error = reader.update("p", &mut |_| Some(vec![Write::Put(driver.clone())])).unwrap_err();
    says(&error, "Access Denied");
    let hides = |error: &Problem| !format!("{error:?}").contains("wrong secret");
    let wrong = open(&[("AWS_SECRET_ACCESS_KEY", "wrong secret")]).snapshot("p").unwrap_err();
    says(&wrong, "SignatureDoesNotMatch");
    assert!(hides(&wrong));

    let nowhere = registry::open(&read_in("s3://there-is-none/r.pb", &store.environment()), Locking::default());
    for error in [
        nowhere.snapshot("p").unwrap_err(),
        nowhere.update("p", &mut |_| Some(vec![Write::Put(driver.clone())])).unwrap_err(),
    ] {
        assert_eq!(error.kind, Kind::NotFound);
        says(&error, "there is no bucket `there-is-none` at http://127.0.0.1:");
    }
}

#[test]
fn all_commands_work_on_a_registry_in_a_bucket() {
    for backend in [Backend::S3, Backend::Gcs, Backend::Azure] {
        let test = TestRegistry::new(backend);
        let repo = Repo::new(&test);
        repo.declare(1);
        let project = &repo.project;
        let feastr = |args: &[&str]| project.feastr(args).ok().stdout;
        assert!(feastr(&["plan"]).contains("Created feature view view_1"), "{backend:?}");
        feastr(&["apply", "--yes"]);
        feastr(&["plan", "--detailed-exitcode"]);
        feastr(&["materialize", "2020-01-01", "2030-01-01", "--allow-future"]);
        assert!(feastr(&["materialize", "history"]).contains("view_1"), "{backend:?}");
        let online = feastr(&["get-online", "--feature-service", "service", "--entity", "driver_id=1001", "--json"]);
        assert!(online.contains("PRESENT"), "{online}");
        feastr(&["drift"]);
        // Under another name, and to a file and back.
        let other = test.settings.trim_start_matches("{path: \"").replace("registry.pb\"}", "copy.pb");
        feastr(&["registry", "copy", ".", &other, "--to-project", "copied"]);
        feastr(&["registry", "copy", &other, "data/copy.db"]);
        let there = feastr(&["export", "--from", &other]);
        assert_eq!(there, feastr(&["export", "--from", "data/copy.db"]));
        assert!(there.contains("view_1"), "{there}");
        feastr(&["teardown", "--yes"]);
        assert!(feastr(&["materialize", "history"]).is_empty());
        assert_eq!(test.open().projects().unwrap(), Vec::<String>::new());
    }
}

#[test]
fn a_server_sees_what_is_applied() {
    let mut test = TestRegistry::new(Backend::S3);
    test.settings = test.settings_with("cache_ttl_seconds: 0");
    let repo = Repo::new(&test);
    let apply = |round: u32| {
        repo.declare(round);
        repo.project.feastr(&["apply", "--yes"]).ok();
    };
    apply(1);
    let server = FeatureServer::start(&repo.project, &[]);
    let asked = |view: &str| json!({ "features": [format!("{view}:conv_rate")], "entities": { "driver_id": [1001] } });
    server.features(&asked("view_1")).ok();
    apply(2);
    await_true("another view", || server.features(&asked("view_2")).status == 200);
    assert_eq!(server.features(&asked("view_1")).status, 404);
}

#[test]
fn what_a_dead_run_has_left_is_said_and_taken_over() {
    let test = TestRegistry::new(Backend::S3);
    let repo = Repo::new(&test);
    repo.declare(1);
    repo.project.feastr(&["apply", "--yes"]).ok();
    let run = ["materialize", "2020-01-01", "now", "--lock-timeout", "1s"];
    repo.project.feastr(&run).ok();
    let (bucket, key) = test.object();
    let leases: Vec<_> = wait(bucket.list(&format!("{key}.locks")).try_collect()).unwrap();
    let [lease] = &leases[..] else { panic!("{leases:?}") };
    let left = |expires: &str| {
        let (bytes, _) = wait(bucket.get(&lease.key)).unwrap().unwrap();
        let mut said: Json = serde_json::from_slice(&bytes).unwrap();
        said["is_over"] = false.into();
        said["holder"] = "materialize of somebody@dead (pid 1)".into();
        said["expires"] = expires.into();
        wait(bucket.put(&lease.key, said.to_string().into(), Expected::Anything)).unwrap();
    };
    left("2100-01-01T00:00:00Z");
    let error = repo.project.feastr(&run).failed().stderr;
    assert!(
        error.contains("the lock of view `view_1` (one run at a time) is held by materialize of somebody@dead (pid 1)"),
        "{error}"
    );
    left("2020-01-01T00:00:00Z");
    repo.project.feastr(&run).ok();
}
