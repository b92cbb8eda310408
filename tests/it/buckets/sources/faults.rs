//! Stores that fail, and objects that change: rows are right, or there are none.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{JOIN, day, define, feastr, feastr_at, put, upload, write};
use crate::{
    servers::{
        buckets::{ObjectStore, Store, shared},
        meddler::{Act, Meddler},
    },
    support::Project,
};

const SLOW_DOWN: &str = "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>Reduce your request \
                         rate.</Message></Error>";
const EXPIRED: &str = "<?xml version=\"1.0\"?><Error><Code>ExpiredToken</Code><Message>The provided token has \
                       expired.</Message></Error>";

struct Faulty {
    project: Project,
    server: &'static ObjectStore,
    bucket: String,
    meddler: Meddler,
    expected: String,
}

impl Faulty {
    /// A folder of files that are applied, and what is joined from them.
    fn new() -> Self {
        let project = Project::new(&[]);
        for (index, name) in ["2026-01-01", "2026-01-02", "2026-01-03"].into_iter().enumerate() {
            write(&project.path(&format!("data/d/{index}.parquet")), &day(0..2_000, name, index as f64), 500);
        }
        let server = shared(Store::SeaweedFs);
        let bucket = server.create_bucket();
        upload(&project.path("data"), &server.open(&bucket));
        define(&project, &format!("{bucket}/d/"), "");
        project.write("entities.csv", "id,event_timestamp\n7,2026-01-02T12:00:00Z\n1999,2026-02-01T00:00:00Z\n");
        feastr(&project, server, &["apply", "--yes"]).ok();
        let expected = feastr(&project, server, &JOIN).ok().stdout;
        Self { project, server, bucket, meddler: Meddler::before(server.port()), expected }
    }

    /// What is joined while the requests are meddled with.
    fn joined(&self, meddling: impl FnMut(&str) -> Act + Send + 'static) -> String {
        self.meddler.meddle(meddling);
        feastr_at(&self.project, self.server, &self.meddler.endpoint(), &JOIN).ok().stdout
    }

    /// What is said when it fails, as it must.
    fn refused(&self, meddling: impl FnMut(&str) -> Act + Send + 'static) -> String {
        self.meddler.meddle(meddling);
        let failed = feastr_at(&self.project, self.server, &self.meddler.endpoint(), &JOIN).failed();
        // No more than the heading.
        assert!(failed.stdout.lines().count() <= 1, "{}", failed.stdout);
        failed.stderr
    }
}

/// Meddles with every third request for bytes.
fn every_third(act: Act) -> impl FnMut(&str) -> Act + Send + 'static {
    let mut count = 0;
    move |line: &str| {
        count += usize::from(line.contains("bytes="));
        if line.contains("bytes=") && count % 3 == 0 { act.clone() } else { Act::Pass }
    }
}

#[test]
fn what_passes_is_waited_for() {
    let faulty = Faulty::new();
    let slow = Act::Answer("503 Slow Down", SLOW_DOWN);
    for act in [slow, Act::Cut(0), Act::Cut(100), Act::Late(Duration::from_millis(20))] {
        assert_eq!(faulty.joined(every_third(act.clone())), faulty.expected, "{act:?}");
    }
}

#[test]
fn what_does_not_pass_ends_with_the_reason() {
    let faulty = Faulty::new();
    let said = faulty.refused(|line| if line.contains("bytes=") { Act::Cut(10) } else { Act::Pass });
    assert!(said.contains(&format!("error: cannot read {}/d/", faulty.bucket)), "{said}");
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let said = faulty.refused(move |line| {
        let is_late = counter.fetch_add(usize::from(line.contains("bytes=")), Ordering::Relaxed) >= 4;
        if is_late { Act::Answer("403 Forbidden", EXPIRED) } else { Act::Pass }
    });
    assert!(said.contains("The provided token has expired (ExpiredToken)"), "{said}");
    assert!(said.contains("help: the key has ended; get a new one and run it again"), "{said}");
    assert_eq!(faulty.joined(|_| Act::Pass), faulty.expected);
}

#[test]
fn states_of_an_object_are_not_mixed() {
    let faulty = Faulty::new();
    let bucket = faulty.server.open(&faulty.bucket);
    let other = faulty.project.path("other.parquet");
    write(&other, &day(0..2_000, "2026-01-03", 50.0), 500);
    let bytes = std::fs::read(&other).unwrap();
    let mut looked_at = 0;
    let said = faulty.refused(move |line| {
        // When the footers are read, somebody writes one of the files anew.
        looked_at += usize::from(line.contains("bytes="));
        if looked_at == 4 {
            put(&bucket, "d/2.parquet", bytes.clone());
        }
        Act::Pass
    });
    let expected = format!("cannot read {}/d/2.parquet: it was replaced while it was being used", faulty.bucket);
    assert!(said.contains(&expected), "{said}");
    let again = faulty.joined(|_| Act::Pass);
    assert!(again.contains("1999,2026-02-01T00:00:00Z,1999.5"), "{again}");
}

#[test]
fn objects_that_vanish_are_told() {
    let faulty = Faulty::new();
    let bucket = faulty.server.open(&faulty.bucket);
    let mut looked_at = 0;
    let said = faulty.refused(move |line| {
        looked_at += usize::from(line.contains("bytes="));
        if looked_at == 4 {
            feastr::clients::runtime::wait(bucket.delete("d/2.parquet")).unwrap();
        }
        Act::Pass
    });
    assert!(said.contains(&format!("{}/d/2.parquet: it", faulty.bucket)), "{said}");
}
