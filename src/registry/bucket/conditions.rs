//! Whether a store keeps the conditions of writes. Without them, two who write at once would lose one another's changes.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use crate::{
    clients::{
        buckets::{Bucket, Expected, Put, Version},
        runtime::wait,
    },
    problem::{Kind, Problem},
};

/// What is known about the store of a registry.
#[derive(Default)]
pub(super) struct Conditions {
    are_kept: Mutex<bool>,
}

impl Conditions {
    /// Tries it with an object beside the registry, once; Amazon, Google and Azure need not prove it.
    ///
    /// # Errors
    /// When the store ignores the conditions, or gives no answer.
    pub(super) fn check(&self, bucket: &Bucket, probe: &str) -> Result<(), Problem> {
        let mut are_kept = self.are_kept.lock().unwrap_or_else(PoisonError::into_inner);
        if *are_kept || bucket.keeps_conditions() {
            return Ok(());
        }
        let refuses = |expected: Expected| -> Result<bool, Problem> {
            Ok(wait(bucket.put(probe, Bytes::from_static(b"a test of conditional writes\n"), expected))? == Put::Outrun)
        };
        // The first try of all makes it; it stays for all others.
        let is_kept = (refuses(Expected::Nothing)? || refuses(Expected::Nothing)?)
            && refuses(Expected::This(Version::of_nothing()))?;
        if !is_kept {
            return Err(missing(bucket, probe));
        }
        *are_kept = true;
        Ok(())
    }
}

/// The store does not do what a registry needs of it.
pub(super) fn missing(bucket: &Bucket, key: &str) -> Problem {
    Problem::new(
        Kind::Unsupported,
        format!(
            "the store of {} ignores the conditions of writes (If-Match and If-None-Match), so that two who change the \
             registry at once would lose one another's changes",
            bucket.url(key).root()
        ),
        "nothing was changed; use a store that knows them, a registry of type sql, or a database whose lock keeps others out: \
         `lock: postgresql://user:password@host/database` beside the registry's `path`"
            .to_owned(),
    )
}
