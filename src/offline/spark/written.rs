//! Rows that the cluster writes to files itself.

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::{cluster::Cluster, newest, only::Only, plan, session::Session};
use crate::{
    config::SparkConfig,
    offline::{NewestQuery, Stage},
    problem::{Kind, Problem},
    sources::Whereabouts,
    staging::{Manifest, StagedFile, StagedFolder},
};

/// Has the rows that a statement gives written into a folder, where nothing is yet; the manifest says of the files what it is to.
///
/// # Errors
/// When the server refuses, breaks off or cannot write there, what it writes is not seen here, or it is called off. Then
/// nothing is left.
pub(super) fn fill(
    session: &Session,
    statement: &str,
    folder: StagedFolder,
    (manifest, watch): (&dyn Fn(Vec<StagedFile>) -> Manifest, &dyn Fn(u64, u64)),
) -> Result<StagedFolder, Problem> {
    let filling = folder.begin()?;
    let plan = plan::write(plan::sql(statement), filling.target(), filling.is_marked());
    session.command(plan, &|tasks| watch(tasks.done, tasks.known))?;
    let files = filling.files()?;
    if files.is_empty() {
        let message = format!("{} has written files to {}, and none is there", session.server(), filling.target());
        let help = "name a bucket, or a folder of a disk that the cluster and feastr both see under this path";
        return Err(Problem::new(Kind::Unavailable, message, help.to_owned()));
    }
    filling.finish(&manifest(files))
}

/// A new folder below the staging location.
///
/// # Errors
/// When the settings name none, or one that is not reached from here.
pub(super) fn new_folder(config: &SparkConfig, whereabouts: &Whereabouts, name: &str) -> Result<StagedFolder, Problem> {
    let Some(staging) = &config.staging_location else {
        let help =
            "set `staging_location` beside `spark_conf`, to a bucket or to a folder that the cluster and feastr share";
        return Err(Problem::new(Kind::Invalid, "nothing says where the cluster may put files", help.to_owned()));
    };
    StagedFolder::at(&format!("{}/{name}", staging.trim_end_matches('/')), &whereabouts.buckets)
}

/// Has the newest rows of a view written.
///
/// # Errors
/// As those of [`fill`], and when the source cannot be read or lacks a column.
pub(super) fn newest(
    cluster: &Cluster<'_>,
    query: &NewestQuery<'_>,
    (folder, stage): (StagedFolder, &Stage<'_>),
    watch: &dyn Fn(u64, u64),
) -> Result<StagedFolder, Problem> {
    let rows = cluster.rows_of(query.view)?;
    rows.kinds(&(0..query.view.features.len()).collect::<Vec<_>>())?;
    let only = Only::send(query.entities, query.view, &cluster.session)?;
    let statement =
        newest::statement(&rows, query.interval, &only, &newest::Columns::in_files(query.view, stage.files));
    let manifest = |files| Manifest {
        format_version: Manifest::FORMAT_VERSION,
        id: stage.run.to_owned(),
        written: stage.now,
        rows: None,
        files,
        view: Some(BASE64_STANDARD.encode(stage.view)),
    };
    fill(&cluster.session, &statement, folder, (&manifest, watch))
}
