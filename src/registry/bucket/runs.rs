//! The history of materializations: an object of lines for each view, so that runs side by side do not wait for each other.

use futures_util::{StreamExt as _, TryStreamExt as _};

use super::turns::{Edit, Turns};
use crate::{
    clients::{buckets::Bucket, runtime::wait},
    model::{RunRecord, ViewId},
    problem::{Kind, Problem},
    registry::{
        digest::short_hex,
        locks::view_digest,
        run_lines::{Line, lines, newest_of_each_view},
        run_log::newest_first,
    },
};

/// Objects that are read at a time.
const AT_ONCE: usize = 16;

/// Notes a run, whoever else notes one.
///
/// # Errors
/// When the object cannot be read or written.
pub(super) fn record(turns: &Turns<'_>, registry: &str, project: &str, run: &RunRecord) -> Result<(), Problem> {
    let key = key(registry, ViewId { project, name: &run.view });
    turns.change(&key, |bytes| {
        let mut lines = lines(bytes.unwrap_or_default());
        lines.push(Line::of(project, run));
        let kept = newest_of_each_view(&lines).into_iter().map(Line::text).collect::<Result<Vec<_>, _>>();
        let kept = kept.map_err(|error| Problem::new(Kind::Internal, error.to_string(), None))?;
        Ok(Edit::Replace((kept.join("\n") + "\n").into_bytes()))
    })
}

/// The runs of views of a project, or of all, the newest first.
///
/// # Errors
/// When they cannot be read.
pub(super) fn of(bucket: &Bucket, registry: &str, project: &str, views: &[String]) -> Result<Vec<RunRecord>, Problem> {
    let keys = match views {
        [] => all(bucket, registry)?,
        named => named.iter().map(|name| key(registry, ViewId { project, name })).collect(),
    };
    let found = read(bucket, keys)?.into_iter().flat_map(|(_, lines)| lines);
    Ok(newest_first(found.filter(|line| line.project == project).map(|line| line.run).collect()))
}

/// Removes the runs of a project.
///
/// # Errors
/// When they cannot be removed.
pub(super) fn forget(bucket: &Bucket, registry: &str, project: &str) -> Result<(), Problem> {
    let found = read(bucket, all(bucket, registry)?)?;
    for (key, _) in found.iter().filter(|(_, lines)| lines.iter().any(|line| line.project == project)) {
        wait(bucket.delete(key))?;
    }
    Ok(())
}

/// What the objects say that are there, each with the last line of every run.
fn read(bucket: &Bucket, keys: Vec<String>) -> Result<Vec<(String, Vec<Line>)>, Problem> {
    let read = |key: String| async move { Ok::<_, Problem>((bucket.get(&key).await?, key)) };
    let found: Vec<_> = wait(futures_util::stream::iter(keys).map(read).buffered(AT_ONCE).try_collect())?;
    Ok(found.into_iter().filter_map(|(found, key)| Some((key, lines(&found?.0)))).collect())
}

fn all(bucket: &Bucket, registry: &str) -> Result<Vec<String>, Problem> {
    let listed = bucket.list(&folder(registry)).map_ok(|object| object.key);
    wait(listed.try_collect())
}

fn folder(registry: &str) -> String {
    format!("{registry}.runs")
}

fn key(registry: &str, view: ViewId<'_>) -> String {
    format!("{}/{}.jsonl", folder(registry), short_hex(&view_digest(view)))
}
