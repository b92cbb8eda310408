use std::{
    sync::atomic::{AtomicBool, AtomicI64, AtomicUsize},
    thread,
};

use super::*;
use crate::{
    model::{ObjectId, ObjectKind, ViewId},
    registry::{Memory, Row, Snapshot, VersionRow, Write},
};

/// A registry in memory that counts how often it is read and can be away.
#[derive(Default)]
struct Watched {
    memory: Memory,
    looks: AtomicUsize,
    readings: AtomicUsize,
    is_away: AtomicBool,
}

impl Watched {
    fn put(&self, name: &str) {
        let row = Row { kind: ObjectKind::Entity, name: name.to_owned(), updated: 0, proto: Vec::new() };
        self.memory.update("p", &mut |_| Some(vec![Write::Put(row.clone())])).unwrap();
    }

    fn here(&self) -> Result<(), Problem> {
        match self.is_away.load(Ordering::SeqCst) {
            true => Err(Problem::new(Kind::Unavailable, "the registry is away", None)),
            false => Ok(()),
        }
    }

    fn asked(&self) -> (usize, usize) {
        (self.looks.load(Ordering::SeqCst), self.readings.load(Ordering::SeqCst))
    }
}

impl Objects for Watched {
    fn snapshot(&self, project: &str) -> Result<Snapshot, Problem> {
        self.readings.fetch_add(1, Ordering::SeqCst);
        self.here()?;
        self.memory.snapshot(project)
    }

    fn mark(&self, project: &str) -> Result<Option<Mark>, Problem> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        self.here()?;
        self.memory.mark(project)
    }

    fn view(&self, view: ViewId<'_>) -> Result<Snapshot, Problem> {
        self.memory.view(view)
    }

    fn versions(&self, project: &str) -> Result<Vec<VersionRow>, Problem> {
        self.memory.versions(project)
    }

    fn projects(&self) -> Result<Vec<String>, Problem> {
        self.memory.projects()
    }

    fn update(&self, _: &str, _: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>) -> Result<(), Problem> {
        unreachable!()
    }

    fn update_view(&self, _: ViewId<'_>, _: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>) -> Result<(), Problem> {
        unreachable!()
    }
}

struct Setting {
    registry: Arc<Watched>,
    seconds: Arc<AtomicI64>,
    cached: Cached,
}

fn setting(period: u64, by_itself: bool) -> Setting {
    let (registry, seconds) = (Arc::new(Watched::default()), Arc::new(AtomicI64::new(1_000)));
    let time = Arc::clone(&seconds);
    let clock: Clock = Arc::new(move || Timestamp::from_micros(time.load(Ordering::SeqCst) * 1_000_000));
    let freshness = RegistryCache { period: Duration::from_secs(period), by_itself };
    let cached = Cached::new(Arc::clone(&registry) as Arc<dyn Objects>, "p", freshness, clock).unwrap();
    Setting { registry, seconds, cached }
}

impl Setting {
    fn pass(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    fn names(&self) -> Vec<String> {
        self.cached.state().unwrap().objects.keys().map(|ObjectId { name, .. }| name.clone()).collect()
    }

    /// Waits for what happens in another thread.
    fn until(&self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        for _ in 0..2_000 {
            if is_so(self) {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("not in time: {what}");
    }
}

#[test]
fn who_asks_within_the_period_gets_what_is_kept() {
    let it = setting(60, false);
    it.registry.put("a");
    assert_eq!(it.cached.status(), None);
    assert_eq!(it.names(), ["a"]);
    it.registry.put("b");
    it.pass(59);
    assert_eq!(it.names(), ["a"]);
    assert_eq!(it.registry.asked(), (1, 1));
}

#[test]
fn after_the_period_the_next_state_is_read_while_the_old_one_is_given() {
    let it = setting(60, false);
    it.registry.put("a");
    let old = it.cached.state().unwrap();
    it.registry.put("b");
    it.pass(60);
    assert_eq!(it.names(), ["a"]);
    it.until("the next state", |it| it.names() == ["a", "b"]);
    assert_eq!((it.registry.asked(), old.objects.len()), ((2, 2), 1));
    // Nothing has changed: a look is enough, and the state is the same one.
    let state = it.cached.state().unwrap();
    it.pass(60);
    it.cached.state().unwrap();
    it.until("a look", |it| it.cached.status().unwrap().confirmed == (it.cached.shared.clock)());
    assert!(Arc::ptr_eq(&state, &it.cached.state().unwrap()));
    assert_eq!(it.registry.asked(), (3, 2));
    assert_eq!(it.cached.status().unwrap().read, Timestamp::from_micros(1_060_000_000));
}

#[test]
fn without_a_period_each_who_asks_looks() {
    let it = setting(0, false);
    it.registry.put("a");
    assert_eq!(it.names(), ["a"]);
    it.registry.put("b");
    assert_eq!(it.names(), ["a", "b"]);
    assert_eq!(it.names(), ["a", "b"]);
    assert_eq!(it.registry.asked(), (3, 2));
}

#[test]
fn the_old_state_is_given_while_the_registry_is_away() {
    let it = setting(0, false);
    it.registry.put("a");
    it.registry.is_away.store(true, Ordering::SeqCst);
    assert_eq!(it.cached.state().unwrap_err().kind, Kind::Unavailable);
    it.registry.is_away.store(false, Ordering::SeqCst);
    assert_eq!(it.names(), ["a"]);
    it.registry.put("b");
    it.registry.is_away.store(true, Ordering::SeqCst);
    it.pass(5);
    let looks = it.registry.asked().0;
    for _ in 0..10 {
        assert_eq!(it.names(), ["a"]);
    }
    // It is left alone for a while.
    assert_eq!(it.registry.asked().0, looks + 1);
    let status = it.cached.status().unwrap();
    assert_eq!((status.confirmed.micros(), status.problem.unwrap().kind), (1_000_000_000, Kind::Unavailable));
    it.registry.is_away.store(false, Ordering::SeqCst);
    it.pass(1);
    assert_eq!(it.names(), ["a", "b"]);
    assert_eq!(it.cached.status().unwrap().problem, None);
}

#[test]
fn many_who_ask_first_are_one_reading() {
    let it = setting(60, false);
    it.registry.put("a");
    thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| assert_eq!(it.names(), ["a"]));
        }
    });
    assert_eq!(it.registry.asked(), (1, 1));
}

#[test]
fn it_looks_by_itself_and_leaves_no_thread() {
    let registry = Arc::new(Watched::default());
    let clock: Clock = Arc::new(|| Timestamp::from_micros(0));
    let freshness = RegistryCache { period: Duration::from_millis(10), by_itself: true };
    let cached = Cached::new(Arc::clone(&registry) as Arc<dyn Objects>, "p", freshness, clock).unwrap();
    registry.put("a");
    let count = || cached.state().unwrap().objects.len();
    assert_eq!(count(), 1);
    registry.put("b");
    for _ in 0..2_000 {
        if count() == 2 {
            break;
        }
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(count(), 2);
    drop(cached);
    // Nobody else holds it any more.
    assert_eq!(Arc::strong_count(&registry), 1);
}
