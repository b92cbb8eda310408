//! The registry in Feast's protobuf file in a bucket: read whole, and replaced only where it still is what was read. Where the
//! store has no such condition, a lock of a database keeps others out.

mod changes;
mod conditions;
mod keeper;
mod lease;
mod runs;
mod turns;

use std::sync::{Mutex, PoisonError, Weak};

use uuid::Uuid;

use self::{
    conditions::Conditions,
    keeper::Keeper,
    turns::{Edit, Turns},
};
use super::{
    change_log::{ChangeLog, WantedChanges, records},
    locks::{Holder, LockName, Locking, Locks, ViewLock},
    message,
    objects::{Mark, Objects, Snapshot, VersionRow, Write},
    run_log::RunLog,
    sql::DatabaseLocks,
    traits::Registry,
};
use crate::{
    clients::{
        buckets::{Bucket, Buckets},
        runtime::wait,
    },
    config::{BucketRegistryConfig, BucketUrl},
    feast::registry::file::RegistryFile,
    model::{ChangeRecord, ObjectId, ObjectKind, RunRecord, Timestamp, ViewId},
    problem::{Kind, Problem},
};

/// Feast's registry in one object of a bucket.
pub(crate) struct BucketRegistry {
    url: BucketUrl,
    buckets: Buckets,
    locking: Locking,
    conditions: Conditions,
    /// Who keeps others out, where the store need not.
    locks: Option<DatabaseLocks>,
    /// The leases of views that are held through this.
    held: Mutex<Vec<Weak<Keeper>>>,
}

impl BucketRegistry {
    /// The registry in an object, which need not exist yet. Nobody is asked yet.
    pub(crate) fn new(config: &BucketRegistryConfig, locking: Locking) -> Self {
        let locks = config.lock.as_ref().map(DatabaseLocks::of);
        Self { locks, ..Self::of(config.url.clone(), Buckets::new(config.buckets.clone()), locking) }
    }

    fn of(url: BucketUrl, buckets: Buckets, locking: Locking) -> Self {
        Self { url, buckets, locking, conditions: Conditions::default(), locks: None, held: Mutex::default() }
    }

    fn bucket(&self) -> Result<Bucket, Problem> {
        self.buckets.open(&self.url, None)
    }

    /// The key of something beside the registry.
    fn beside(&self, more: &str) -> String {
        format!("{}{more}", self.url.key)
    }

    fn read(&self) -> Result<RegistryFile, Problem> {
        let found = wait(self.bucket()?.get(&self.url.key))?;
        self.parse(found.as_ref().map(|(bytes, _)| bytes.as_ref()))
    }

    fn parse(&self, bytes: Option<&[u8]>) -> Result<RegistryFile, Problem> {
        message::parse(bytes, &self.location(), || {
            "databases cannot be used in a bucket: name the URL of one on a disk or server".to_owned()
        })
    }

    /// How objects are changed: in turns that the store, or a lock, sees to.
    fn turns<'a>(&'a self, bucket: &'a Bucket) -> Turns<'a> {
        let lock = self.locks.as_ref().map(|locks| (locks, LockName::of_registry_in(&self.location())));
        Turns { bucket, locking: &self.locking, lock }
    }

    /// Whether the store keeps others out, unless a lock does.
    fn check_conditions(&self, bucket: &Bucket) -> Result<(), Problem> {
        match self.locks {
            Some(_) => Ok(()),
            None => self.conditions.check(bucket, &self.beside(".probe")),
        }
    }

    /// Whoever else changes it meanwhile: the decision is made about what is replaced, and is made again where that is not
    /// there any more. Leases of the project's views, or of the one that is named, must still be ours by then.
    fn change(
        &self,
        project: &str,
        view: Option<&str>,
        decide: &mut dyn FnMut(&RegistryFile) -> Option<Vec<Write>>,
    ) -> Result<(), Problem> {
        let bucket = self.bucket()?;
        let mut made = Vec::new();
        self.turns(&bucket).change(&self.url.key, |bytes| {
            let mut file = self.parse(bytes)?;
            made.clear();
            let Some(writes) = decide(&file) else { return Ok(Edit::Leave) };
            made = records(&writes);
            self.check_conditions(&bucket)?;
            for write in writes {
                message::carry_out(&mut file, project, write);
            }
            self.confirm_leases(project, view)?;
            Ok(Edit::Replace(file.encode(&Uuid::new_v4().to_string())))
        })?;
        changes::add(&bucket, &self.url.key, project, made)
    }

    fn confirm_leases(&self, project: &str, view: Option<&str>) -> Result<(), Problem> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|keeper| keeper.strong_count() > 0);
        let ours: Vec<_> = held.iter().filter_map(Weak::upgrade).collect();
        drop(held);
        ours.iter().filter(|keeper| keeper.is_for(project, view)).try_for_each(|keeper| keeper.confirm())
    }

    /// Makes everybody who is about to write the registry look again.
    fn touch(&self, bucket: &Bucket) -> Result<(), Problem> {
        self.turns(bucket).change(&self.url.key, |bytes| match bytes {
            Some(bytes) => Ok(Edit::Replace(self.parse(Some(bytes))?.encode(&Uuid::new_v4().to_string()))),
            None => Ok(Edit::Leave),
        })
    }
}

impl Objects for BucketRegistry {
    fn snapshot(&self, project: &str) -> Result<Snapshot, Problem> {
        Ok(message::snapshot(&self.read()?, project))
    }

    fn view(&self, view: ViewId<'_>) -> Result<Snapshot, Problem> {
        Ok(message::view(&self.read()?, view))
    }

    fn names(&self, project: &str, kinds: &[ObjectKind]) -> Result<Vec<ObjectId>, Problem> {
        Ok(message::names(&self.read()?, project, kinds))
    }

    /// Every change is another state of the object.
    fn mark(&self, _: &str) -> Result<Option<Mark>, Problem> {
        let found = wait(self.bucket()?.head(&self.url.key))?;
        let known = found.filter(|object| object.version.is_known());
        Ok(known.map(|object| Mark { text: object.version.text().to_owned(), settled: Timestamp::FIRST }))
    }

    fn versions(&self, project: &str) -> Result<Vec<VersionRow>, Problem> {
        Ok(message::versions(&self.read()?, project))
    }

    fn projects(&self) -> Result<Vec<String>, Problem> {
        Ok(message::projects(&self.read()?))
    }

    fn update(&self, project: &str, decide: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>) -> Result<(), Problem> {
        self.change(project, None, &mut |file| decide(&message::snapshot(file, project)))
    }

    fn update_view(
        &self,
        view: ViewId<'_>,
        decide: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>,
    ) -> Result<(), Problem> {
        self.change(view.project, Some(view.name), &mut |file| decide(&message::view(file, view)))
    }
}

impl Locks for BucketRegistry {
    fn lock_view(&self, view: ViewId<'_>) -> Result<ViewLock, Problem> {
        if let Some(locks) = &self.locks {
            return locks.take(&LockName::of_view_in(&self.location(), view), &self.locking);
        }
        let bucket = self.bucket()?;
        self.check_conditions(&bucket)?;
        let key = lease::key(&self.url.key, view);
        let (keeper, was_left) = keeper::take(&bucket, &key, view, &self.locking, lease::PERIOD)?;
        if was_left {
            // Who had it may be about to record what it did, and must find out that it has it no more.
            self.touch(&bucket)?;
        }
        self.held.lock().unwrap_or_else(PoisonError::into_inner).push(keeper.weak());
        Ok(ViewLock::new(keeper))
    }

    fn view_holder(&self, view: ViewId<'_>) -> Result<Option<Holder>, Problem> {
        if let Some(locks) = &self.locks {
            return locks.holder(&LockName::of_view_in(&self.location(), view));
        }
        lease::holder(&self.bucket()?, &lease::key(&self.url.key, view))
    }
}

impl RunLog for BucketRegistry {
    /// The first run that is noted makes its object.
    fn create_run_log(&self) -> Result<(), Problem> {
        Ok(())
    }

    fn record_run(&self, project: &str, run: &RunRecord) -> Result<(), Problem> {
        let bucket = self.bucket()?;
        self.check_conditions(&bucket)?;
        runs::record(&self.turns(&bucket), &self.url.key, project, run)
    }

    fn runs(&self, project: &str, views: &[String], limit: usize) -> Result<Vec<RunRecord>, Problem> {
        let mut runs = runs::of(&self.bucket()?, &self.url.key, project, views)?;
        runs.truncate(limit);
        Ok(runs)
    }

    fn forget_runs(&self, project: &str) -> Result<(), Problem> {
        runs::forget(&self.bucket()?, &self.url.key, project)
    }
}

impl ChangeLog for BucketRegistry {
    fn changes(&self, project: &str, wanted: &WantedChanges) -> Result<Vec<ChangeRecord>, Problem> {
        changes::of(&self.bucket()?, &self.url.key, project, wanted)
    }
}

impl Registry for BucketRegistry {
    fn location(&self) -> String {
        self.url.to_string()
    }
}

/// Somebody else changed an object again and again.
fn outrun(location: &str) -> Problem {
    Problem::new(
        Kind::Conflict,
        format!("others keep changing {location} at the same time"),
        "nothing was changed; try again when they are done".to_owned(),
    )
}

#[cfg(test)]
mod tests;
