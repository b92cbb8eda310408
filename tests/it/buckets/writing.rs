//! Stores that fail while something is written: it is all there at the end, or nothing is.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use feastr::clients::runtime::wait;
use futures_util::TryStreamExt as _;

use super::{
    results::{join, object, project},
    sources::feastr_at,
};
use crate::servers::{
    buckets::{Store, shared},
    meddler::{Act, Meddler},
};

pub const EXPIRED: &str = "<?xml version=\"1.0\"?><Error><Code>ExpiredToken</Code><Message>The provided token has \
                           expired.</Message></Error>";
const SLOW_DOWN: &str = "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>Reduce your request \
                         rate.</Message></Error>";

/// The kinds of requests of which a result is made.
const KINDS: [&str; 3] = ["uploads", "partNumber=", "POST uploadId="];

fn is_of(kind: &str, line: &str) -> bool {
    match kind.split_once(' ') {
        Some((method, part)) => line.starts_with(method) && line.contains(part),
        None => line.contains(kind),
    }
}

#[test]
fn what_passes_is_waited_for() {
    let server = shared(Store::SeaweedFs);
    let (project, bucket) = (project(server), server.create_bucket());
    let meddler = Meddler::before(server.port());
    let few = |output: &str, endpoint: &str| {
        feastr_at(&project, server, endpoint, &[&join(output)[..], &["--limit", "2000"]].concat()).ok();
    };
    few("here.csv", &server.endpoint());
    let here = project.read_bytes("here.csv");
    let acts = [Act::Answer("503 Slow Down", SLOW_DOWN), Act::Cut(0), Act::Cut(20)];
    for (number, act) in acts.into_iter().enumerate() {
        for kind in KINDS {
            let (mut asked, act) = (0, act.clone());
            meddler.meddle(move |line| {
                asked += usize::from(is_of(kind, line));
                if is_of(kind, line) && asked == 1 { act.clone() } else { Act::Pass }
            });
            let key = format!("{number}/{}.csv", kind.len());
            few(&format!("{bucket}/{key}"), &meddler.endpoint());
            assert!(object(server, &bucket, &key).is_some_and(|there| there == here), "{number} {kind}");
        }
    }
}

/// A store that forgets parts before they are an object, and a bucket that vanishes meanwhile.
#[test]
fn what_is_lost_before_it_appears_is_told() {
    let server = shared(Store::SeaweedFs);
    let (project, bucket) = (project(server), server.create_bucket());
    let meddler = Meddler::before(server.port());
    let output = format!("{bucket}/out.csv");
    for (answer, expected) in [
        ("<Error><Code>NoSuchUpload</Code><Message>No</Message></Error>", "the store does not know its parts any more"),
        ("<Error><Code>NoSuchBucket</Code><Message>No</Message></Error>", "there is no bucket `"),
    ] {
        meddler.meddle(move |line| match is_of("POST uploadId=", line) {
            true => Act::Answer("404 Not Found", answer),
            false => Act::Pass,
        });
        let few = [&join(&output)[..], &["--limit", "2000"]].concat();
        let said = feastr_at(&project, server, &meddler.endpoint(), &few).failed().stderr;
        assert!(said.contains(&format!("error: cannot write {output}: {expected}")), "{said}");
        assert_eq!(object(server, &bucket, "out.csv"), None);
    }
}

#[test]
fn what_does_not_pass_ends_with_the_reason_and_leaves_nothing() {
    let server = shared(Store::SeaweedFs);
    let (project, bucket) = (project(server), server.create_bucket());
    let meddler = Meddler::before(server.port());
    let output = format!("{bucket}/out.csv");
    for kind in KINDS {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        // Keys end in the middle of the parts.
        let first = usize::from(kind == "partNumber=");
        meddler.meddle(move |line| {
            let is_late = is_of(kind, line) && counter.fetch_add(1, Ordering::Relaxed) >= first;
            if is_late { Act::Answer("403 Forbidden", EXPIRED) } else { Act::Pass }
        });
        let said = feastr_at(&project, server, &meddler.endpoint(), &join(&output)).failed().stderr;
        let expected = format!("error: cannot write {output}: The provided token has expired (ExpiredToken)");
        assert!(said.contains(&expected), "{kind} {said}");
        assert!(said.contains("help: the key has ended; get a new one and run it again"), "{kind} {said}");
        assert!(asked.load(Ordering::Relaxed) > first, "{kind}");
        let left: Vec<_> = wait(server.open(&bucket).list("").try_collect()).unwrap();
        assert_eq!(left, [], "{kind}");
    }
}
