use std::{
    sync::atomic::{AtomicBool, AtomicI64, AtomicUsize},
    thread,
};

use super::*;
use crate::{
    model::{ObjectId, ObjectKind},
    registry::{
        Row, Write,
        watched::{Call, Watched},
    },
};

/// How often a registry is asked, and whether it is away.
#[derive(Default)]
struct Asked {
    looks: AtomicUsize,
    readings: AtomicUsize,
    is_away: AtomicBool,
    /// Held while it does not answer.
    silence: Mutex<()>,
}

impl Asked {
    fn registry(self: &Arc<Self>) -> Watched {
        let asked = Arc::clone(self);
        Watched::new(move |_, call| {
            match call {
                Call::Mark => asked.looks.fetch_add(1, Ordering::SeqCst),
                Call::Snapshot => asked.readings.fetch_add(1, Ordering::SeqCst),
                _ => unreachable!(),
            };
            drop(guard(&asked.silence));
            match asked.is_away.load(Ordering::SeqCst) {
                true => Err(Problem::new(Kind::Unavailable, "the registry is away", None)),
                false => Ok(()),
            }
        })
    }

    /// Looks and readings.
    fn counts(&self) -> (usize, usize) {
        (self.looks.load(Ordering::SeqCst), self.readings.load(Ordering::SeqCst))
    }
}

fn put(registry: &Watched, name: &str) {
    let row = Row { kind: ObjectKind::Entity, name: name.to_owned(), updated: 0, proto: Vec::new() };
    registry.memory.update("p", &mut |_| Some(vec![Write::Put(row.clone())])).unwrap();
}

struct Setting {
    registry: Arc<Watched>,
    asked: Arc<Asked>,
    seconds: Arc<AtomicI64>,
    cached: Cached,
}

fn setting(period: u64, by_itself: bool) -> Setting {
    let (asked, seconds) = (Arc::new(Asked::default()), Arc::new(AtomicI64::new(1_000)));
    let registry = Arc::new(asked.registry());
    let time = Arc::clone(&seconds);
    let clock: Clock = Arc::new(move || Timestamp::from_micros(time.load(Ordering::SeqCst) * 1_000_000));
    let freshness = RegistryCache { period: Duration::from_secs(period), by_itself };
    let cached = Cached::new(Arc::clone(&registry) as Arc<dyn Objects>, "p", freshness, clock).unwrap();
    Setting { registry, asked, seconds, cached }
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
    put(&it.registry, "a");
    assert_eq!(it.cached.status(), None);
    assert_eq!(it.names(), ["a"]);
    put(&it.registry, "b");
    it.pass(59);
    assert_eq!(it.names(), ["a"]);
    assert_eq!(it.asked.counts(), (1, 1));
}

#[test]
fn after_the_period_the_next_state_is_read_while_the_old_one_is_given() {
    let it = setting(60, false);
    put(&it.registry, "a");
    let old = it.cached.state().unwrap();
    put(&it.registry, "b");
    it.pass(60);
    assert_eq!(it.names(), ["a"]);
    it.until("the next state", |it| it.names() == ["a", "b"]);
    assert_eq!((it.asked.counts(), old.objects.len()), ((2, 2), 1));
    // Nothing has changed: a look is enough, and the state is the same one.
    let state = it.cached.state().unwrap();
    it.pass(60);
    it.cached.state().unwrap();
    it.until("a look", |it| it.cached.status().unwrap().confirmed == (it.cached.shared.clock)());
    assert!(Arc::ptr_eq(&state, &it.cached.state().unwrap()));
    assert_eq!(it.asked.counts(), (3, 2));
    assert_eq!(it.cached.status().unwrap().read, Timestamp::from_micros(1_060_000_000));
}

#[test]
fn without_a_period_each_who_asks_looks() {
    let it = setting(0, false);
    put(&it.registry, "a");
    assert_eq!(it.names(), ["a"]);
    put(&it.registry, "b");
    assert_eq!(it.names(), ["a", "b"]);
    assert_eq!(it.names(), ["a", "b"]);
    assert_eq!(it.asked.counts(), (3, 2));
}

#[test]
fn the_old_state_is_given_while_the_registry_is_away() {
    let it = setting(0, false);
    put(&it.registry, "a");
    it.asked.is_away.store(true, Ordering::SeqCst);
    assert_eq!(it.cached.state().unwrap_err().kind, Kind::Unavailable);
    it.asked.is_away.store(false, Ordering::SeqCst);
    assert_eq!(it.names(), ["a"]);
    put(&it.registry, "b");
    it.asked.is_away.store(true, Ordering::SeqCst);
    it.pass(5);
    let looks = it.asked.counts().0;
    for _ in 0..10 {
        assert_eq!(it.names(), ["a"]);
    }
    // It is left alone for a while.
    assert_eq!(it.asked.counts().0, looks + 1);
    let status = it.cached.status().unwrap();
    assert_eq!((status.confirmed.micros(), status.problem.unwrap().kind), (1_000_000_000, Kind::Unavailable));
    it.asked.is_away.store(false, Ordering::SeqCst);
    it.pass(1);
    assert_eq!(it.names(), ["a", "b"]);
    assert_eq!(it.cached.status().unwrap().problem, None);
}

#[test]
fn a_registry_that_is_silent_is_told_and_holds_nobody() {
    let it = setting(60, false);
    put(&it.registry, "a");
    it.names();
    let silence = it.asked.silence.lock().unwrap();
    it.pass(60);
    assert_eq!(it.names(), ["a"]);
    it.until("a look", |it| it.asked.counts().0 == 2);
    assert_eq!(it.cached.status().unwrap().problem, None);
    it.pass(2);
    assert_eq!(it.names(), ["a"]);
    assert_eq!(it.cached.status().unwrap().problem.unwrap().kind, Kind::Deadline);
    drop(silence);
    it.until("an answer", |it| it.cached.status().unwrap().problem.is_none());
    // Nobody waits for it at the end, either.
    let Setting { asked, cached, .. } = it;
    let silence = asked.silence.lock().unwrap();
    cached.shared.want(Wanted::Look);
    while asked.counts().0 == 2 {
        thread::yield_now();
    }
    drop(cached);
    drop(silence);
}

#[test]
fn many_who_ask_first_are_one_reading() {
    let it = setting(60, false);
    put(&it.registry, "a");
    thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| assert_eq!(it.names(), ["a"]));
        }
    });
    assert_eq!(it.asked.counts(), (1, 1));
}

#[test]
fn it_looks_by_itself_and_leaves_no_thread() {
    let registry = Arc::new(Arc::new(Asked::default()).registry());
    let clock: Clock = Arc::new(|| Timestamp::from_micros(0));
    let freshness = RegistryCache { period: Duration::from_millis(10), by_itself: true };
    let cached = Cached::new(Arc::clone(&registry) as Arc<dyn Objects>, "p", freshness, clock).unwrap();
    put(&registry, "a");
    let count = || cached.state().unwrap().objects.len();
    assert_eq!(count(), 1);
    put(&registry, "b");
    for _ in 0..2_000 {
        if count() == 2 {
            break;
        }
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(count(), 2);
    drop(cached);
    // Nobody else holds it any more, once a look that had begun has ended.
    for _ in 0..2_000 {
        if Arc::strong_count(&registry) == 1 {
            break;
        }
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(Arc::strong_count(&registry), 1);
}

#[test]
fn what_was_changed_here_is_given_without_being_read_again() {
    let Setting { registry, asked, cached, .. } = setting(60, false);
    put(&registry, "a");
    cached.state().unwrap();
    let mark = registry.memory.mark("p").unwrap();
    put(&registry, "b");
    let change = |state: &RegistryState| Some(RegistryState { revision: "with b".to_owned(), ..state.clone() });
    assert!(!cached.changed(None, change), "nobody knows what it was made on");
    assert!(!cached.changed(mark.as_ref(), |_| None));
    assert!(cached.changed(mark.as_ref(), change));
    assert_eq!((cached.state().unwrap().revision.as_str(), asked.counts().1), ("with b", 1));
    // Others may have changed it as well: it is looked at before it is changed again.
    assert!(!cached.changed(mark.as_ref(), change));
    assert_ne!(cached.fresh().unwrap().revision, "with b");
    assert_eq!(asked.counts().1, 2);
}
