use bytes::Bytes;

use super::*;
use crate::{
    clients::buckets::{Expected, Put},
    registry::bucket::lease::Lease,
};

const VIEW: ViewId<'_> = ViewId { project: "p", name: "stats" };

/// A bucket in memory, and registries in it.
struct Test {
    url: BucketUrl,
    buckets: Buckets,
}

impl Test {
    fn new() -> Self {
        let url = BucketUrl::parse("s3://features/team/registry.pb").unwrap().unwrap();
        Self { buckets: Buckets::in_memory(&url), url }
    }

    fn open(&self, who: &str) -> BucketRegistry {
        let locking = Locking { who: who.to_owned(), timeout: std::time::Duration::ZERO, ..Locking::default() };
        BucketRegistry::of(self.url.clone(), self.buckets.clone(), locking)
    }

    fn bytes(&self, key: &str) -> Option<Bytes> {
        wait(self.buckets.open(&self.url, None).unwrap().get(key)).unwrap().map(|(bytes, _)| bytes)
    }

    fn put(&self, key: &str, bytes: Vec<u8>) {
        let put = self.buckets.open(&self.url, None).unwrap();
        assert!(matches!(wait(put.put(key, bytes.into(), Expected::Anything)), Ok(Put::Done(_))));
    }
}

/// An object that feastr needs not understand to keep it.
fn note(value: &str) -> Write {
    Write::PutMetadata { key: "note".into(), value: value.to_owned(), updated: 1 }
}

fn noted(registry: &BucketRegistry) -> Option<String> {
    registry.snapshot("p").unwrap().metadata.get("note").cloned()
}

#[test]
fn who_was_outrun_decides_again() {
    let test = Test::new();
    let (one, other) = (test.open("one"), test.open("other"));
    let one = BucketRegistry { locking: Locking::default(), ..one };
    let mut seen = Vec::new();
    one.update("p", &mut |before| {
        seen.push(before.metadata.get("note").cloned());
        if seen.len() == 1 {
            other.update("p", &mut |_| Some(vec![note("of the other")])).unwrap();
        }
        Some(vec![note("of one")])
    })
    .unwrap();
    assert_eq!(seen, [None, Some("of the other".to_owned())]);
    assert_eq!(noted(&one).as_deref(), Some("of one"));

    // Not for ever.
    let mut round = 0;
    let error = test.open("third").update("p", &mut |_| {
        round += 1;
        other.update("p", &mut |_| Some(vec![note(&round.to_string())])).unwrap();
        Some(vec![note("never")])
    });
    let error = error.unwrap_err();
    assert_eq!((error.kind, round), (Kind::Conflict, 1));
    assert_eq!(error.message, "others keep changing s3://features/team/registry.pb at the same time");
}

#[test]
fn a_lease_that_was_lost_lets_nothing_be_recorded() {
    let test = Test::new();
    let ours = test.open("materialize of alice");
    ours.update("p", &mut |_| Some(vec![note("before")])).unwrap();
    let lock = ours.lock_view(VIEW).unwrap();
    ours.update_view(VIEW, &mut |_| Some(vec![note("held")])).unwrap();

    let theirs = Lease::begin("materialize of bob", "their token", lease::PERIOD);
    let key = lease::key(&test.url.key, VIEW);
    test.put(&key, theirs.bytes());
    let before = test.bytes(&test.url.key);
    for _ in 0..2 {
        let error = ours.update_view(VIEW, &mut |_| Some(vec![note("lost")])).unwrap_err();
        assert_eq!(error.kind, Kind::Conflict);
        let start = "the lock of view `stats` (one run at a time) was taken over by materialize of bob, because";
        assert!(error.message.starts_with(start), "{error}");
        ours.update("p", &mut |_| Some(vec![note("lost")])).unwrap_err();
    }
    assert_eq!(test.bytes(&test.url.key), before);
    // What one has not a lease for goes on, and giving back what is not ours harms nobody.
    ours.update_view(ViewId { name: "other", ..VIEW }, &mut |_| Some(vec![note("other")])).unwrap();
    drop(lock);
    assert_eq!(Lease::read(&test.bytes(&key).unwrap()), Some(theirs));
    ours.update_view(VIEW, &mut |_| Some(vec![note("no lock")])).unwrap();
}

#[test]
fn a_lease_that_nobody_renews_is_taken_and_its_holder_hears_of_it() {
    let test = Test::new();
    let ours = test.open("materialize of alice");
    ours.update("p", &mut |_| Some(vec![note("before")])).unwrap();
    let key = lease::key(&test.url.key, VIEW);
    let begun = Lease::begin("materialize of bob", "their token", lease::PERIOD);
    test.put(&key, begun.bytes());
    let error = ours.lock_view(VIEW).map(drop).unwrap_err();
    assert!(error.message.contains("held by materialize of bob for 0 s"), "{error}");
    assert_eq!(ours.view_holder(VIEW).unwrap().unwrap().who.as_deref(), Some("materialize of bob"));

    let two_hours_ago = Timestamp::from_micros(Timestamp::now().micros() - 7_200_000_000);
    let left = Lease { expires: two_hours_ago, ..begun };
    test.put(&key, left.bytes());
    assert_eq!(ours.view_holder(VIEW).unwrap(), None);
    let before = test.bytes(&test.url.key).unwrap();
    let lock = ours.lock_view(VIEW).unwrap();
    // Another state of the same: whoever read the former one does not replace it.
    let after = test.bytes(&test.url.key).unwrap();
    assert_ne!(before, after);
    assert_eq!(noted(&ours).as_deref(), Some("before"));
    assert_eq!(ours.view_holder(VIEW).unwrap().unwrap().who.as_deref(), Some("materialize of alice"));
    drop(lock);
    assert_eq!(ours.view_holder(VIEW).unwrap(), None);
    drop(ours.lock_view(VIEW).unwrap());
    assert_eq!(test.bytes(&test.url.key).unwrap(), after);
}

#[test]
fn a_lease_is_renewed_while_it_is_held_and_taken_when_it_is_not() {
    let test = Test::new();
    let bucket = test.buckets.open(&test.url, None).unwrap();
    let period = std::time::Duration::from_millis(30);
    let alice = Locking { who: "alice".to_owned(), ..Locking::default() };
    let (held, was_left) = keeper::take(&bucket, "lease", VIEW, &alice, period).unwrap();
    assert!(!was_left);
    let taken = Lease::read(&test.bytes("lease").unwrap()).unwrap();
    let renewed = || Lease::read(&test.bytes("lease").unwrap()).unwrap().renewed > taken.renewed;
    while !renewed() {
        std::thread::yield_now();
    }
    drop(held);
    assert!(Lease::read(&test.bytes("lease").unwrap()).unwrap().is_over);
    // A holder that has ended, by a clock that is wrong.
    let future = Timestamp::from_micros(Timestamp::now().micros() + 7_200_000_000);
    test.put("lease", Lease { expires: future, renewed: future, ..taken }.bytes());
    let (_, was_left) = keeper::take(&bucket, "lease", VIEW, &alice, period).unwrap();
    assert!(was_left);
}

#[test]
fn what_is_no_registry_is_said_with_its_place() {
    let test = Test::new();
    let registry = test.open("tests");
    for (bytes, kind) in
        [(&b""[..], Kind::Internal), (b"not a message", Kind::Internal), (b"SQLite format 3\0", Kind::Unavailable)]
    {
        test.put(&test.url.key, bytes.to_vec());
        let error = registry.update("p", &mut |_| Some(vec![note("x")])).unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.contains("s3://features/team/registry.pb"), "{error}");
        assert_eq!(test.bytes(&test.url.key).unwrap(), bytes);
    }
}
