//! The log of changes: an object for each, so that nobody waits for anybody. Their keys sort from the newest to the oldest.

use futures_util::{StreamExt as _, TryStreamExt as _};

use crate::{
    clients::{
        buckets::{Bucket, Expected},
        runtime::wait,
    },
    model::ChangeRecord,
    problem::{Kind, Problem},
    registry::{change_log::WantedChanges, changes_file::Entry, digest::short_hex},
};
use sha2::{Digest as _, Sha256};

/// Objects that are read at a time.
const AT_ONCE: usize = 16;

/// Adds changes that were made. Their keys are nobody else's, whatever the store knows of conditions.
///
/// # Errors
/// When an object cannot be written; the registry itself is changed.
pub(super) fn add(bucket: &Bucket, registry: &str, project: &str, records: Vec<ChangeRecord>) -> Result<(), Problem> {
    for record in records {
        let before_the_end = i64::MAX.saturating_sub(record.at.micros());
        let key = format!("{}{before_the_end:019}-{}.json", folder(registry, project), record.id);
        let text = Entry::new(project, record).text();
        let text = text.map_err(|error| Problem::new(Kind::Internal, error.to_string(), None))?;
        wait(bucket.put(&key, text.into(), Expected::Anything)).map_err(|problem| Problem {
            message: format!("the registry is changed, but not its log of changes: {}", problem.message),
            ..problem
        })?;
    }
    Ok(())
}

/// The changes of a project that are wanted, the newest first.
///
/// # Errors
/// When they cannot be listed or read.
pub(super) fn of(
    bucket: &Bucket,
    registry: &str,
    project: &str,
    wanted: &WantedChanges,
) -> Result<Vec<ChangeRecord>, Problem> {
    let prefix = folder(registry, project);
    let read = async {
        let mut found = Vec::new();
        let objects = bucket.list(&prefix).map_ok(|object| async move { bucket.get(&object.key).await });
        let mut objects = std::pin::pin!(objects.try_buffered(AT_ONCE));
        while let Some(object) = objects.next().await {
            let Some((bytes, _)) = object? else { continue };
            found.extend(Entry::of_project(&bytes, project).into_iter().filter(|record| wanted.has(record)));
            if found.len() >= wanted.limit {
                break;
            }
        }
        Ok::<_, Problem>(found)
    };
    Ok(wanted.among(wait(read)?))
}

fn folder(registry: &str, project: &str) -> String {
    format!("{registry}.changes/{}/", short_hex(&Sha256::digest(project).into()))
}
