//! Rows that the cluster writes to files itself.

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::{cluster::Cluster, newest, only::Only, plan, session::Session};
use crate::{
    config::SparkConfig,
    offline::{NewestQuery, Stage, Tasks},
    problem::{Kind, Problem},
    sources::Whereabouts,
    staging::{Filling, Manifest, StagedFile, StagedFolder},
};

/// Has the rows that a statement gives added to a folder; `watch` is told how many tasks are done and known.
///
/// # Errors
/// When the server refuses, breaks off or cannot write there, or it is called off.
pub(super) fn add(
    session: &Session,
    statement: &str,
    (filling, is_there): (&Filling, bool),
    watch: &dyn Fn(Tasks),
) -> Result<(), Problem> {
    let plan = plan::write(plan::sql(statement), filling.target(), is_there || filling.is_marked());
    session.command(plan, watch)
}

/// The files that the server has written.
///
/// # Errors
/// When none is seen here.
pub(super) fn files(session: &Session, filling: &Filling) -> Result<Vec<StagedFile>, Problem> {
    let files = filling.files()?;
    if files.is_empty() {
        let message = format!("{} has written files to {}, and none is there", session.server(), filling.target());
        let help = "name a bucket, or a folder of a disk that the cluster and feastr both see under this path";
        return Err(Problem::new(Kind::Unavailable, message, help.to_owned()));
    }
    Ok(files)
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
/// As those of [`add`] and [`files`], and when the source cannot be read or lacks a column.
pub(super) fn newest(
    cluster: &Cluster<'_>,
    query: &NewestQuery<'_>,
    (folder, stage): (StagedFolder, &Stage<'_>),
    watch: &dyn Fn(Tasks),
) -> Result<StagedFolder, Problem> {
    let rows = cluster.rows_of(query.view)?;
    rows.kinds(&(0..query.view.features.len()).collect::<Vec<_>>())?;
    let only = Only::send(query.entities, query.view, &cluster.session)?;
    let statement =
        newest::statement(&rows, query.interval, &only, &newest::Columns::in_files(query.view, stage.files));
    let filling = folder.begin()?;
    add(&cluster.session, &statement, (&filling, false), watch)?;
    let manifest = Manifest {
        format_version: Manifest::FORMAT_VERSION,
        id: stage.run.to_owned(),
        written: stage.now,
        rows: None,
        files: files(&cluster.session, &filling)?,
        view: stage.view.map(|view| BASE64_STANDARD.encode(view)),
    };
    filling.finish(&manifest)
}
