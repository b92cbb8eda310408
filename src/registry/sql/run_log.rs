//! The history of runs in a table of feastr's own.

use std::{fmt::Write as _, sync::atomic::Ordering};

use super::{
    dialect::{Columns, Dialect},
    registry::{SqlRegistry, retrying},
    schema::RUNS,
    session::{Session, SqlFailure},
    value::{Cell, Parameter},
};
use crate::{
    config::SchemaMode,
    model::{RunRecord, RunState, ViewId},
    problem::{Advice, Kind, Problem},
    registry::run_log::{KEPT_RUNS, RunLog, newest_first},
};

impl RunLog for SqlRegistry {
    fn create_run_log(&self) -> Result<(), Problem> {
        retrying(|| self.try_create_run_log())
    }

    fn record_run(&self, project: &str, run: &RunRecord) -> Result<(), Problem> {
        retrying(|| self.try_record_run(project, run))
    }

    fn runs(&self, project: &str, views: &[String], limit: usize) -> Result<Vec<RunRecord>, Problem> {
        self.read(|session| {
            let here = self.columns_and_runs(session)?;
            read(session, self.database.dialect(), &here, project, views, limit)
        })
    }

    fn forget_runs(&self, project: &str) -> Result<(), Problem> {
        retrying(|| self.try_forget_runs(project))
    }
}

impl SqlRegistry {
    /// Sees to it that the table is there, and its index.
    fn prepare_run_log(&self, session: &mut dyn Session) -> Result<(), SqlFailure> {
        if self.run_log_is_ready.load(Ordering::Relaxed) {
            return Ok(());
        }
        let dialect = self.database.dialect();
        if !self.columns_and_runs(session)?.has_table(RUNS.name) {
            if self.schema_mode != SchemaMode::Auto {
                let message = format!("the registry has no table {}, which keeps the history of runs", RUNS.name);
                let problem = Problem::new(Kind::Unavailable, message, None);
                return Err(problem.advise(Advice::CreateRunLog).into());
            }
            for statement in dialect.create(&RUNS) {
                session.run(&statement, &[])?;
            }
        } else if self.schema_mode == SchemaMode::Auto && !has_index(session, dialect)? {
            // Who may not create it does without.
            let _ = session.run(&dialect.create_index(&RUNS), &[]);
        }
        self.run_log_is_ready.store(self.database.stays(), Ordering::Relaxed);
        Ok(())
    }

    fn try_create_run_log(&self) -> Result<(), SqlFailure> {
        let (session, ()) = self.writer(|session| self.prepare_run_log(session))?;
        self.keep_writer(session);
        Ok(())
    }

    /// Each statement is a transaction of its own, and carrying them out twice does no harm.
    fn try_record_run(&self, project: &str, run: &RunRecord) -> Result<(), SqlFailure> {
        let dialect = self.database.dialect();
        // A record always has a JSON form.
        let record = serde_json::to_string(run).unwrap_or_default();
        let row = [
            Parameter::Text(&run.id),
            Parameter::Text(project),
            Parameter::Text(&run.view),
            Parameter::Integer(run.started.micros()),
            Parameter::Text(&record),
        ];
        let (mut session, _) = self.writer(|session| {
            self.prepare_run_log(session)?;
            session.run(&dialect.note(&RUNS), &row)
        })?;
        if run.state != RunState::Started {
            remove_old(session.as_mut(), dialect, ViewId { project, name: &run.view })?;
        }
        self.keep_writer(session);
        Ok(())
    }

    fn try_forget_runs(&self, project: &str) -> Result<(), SqlFailure> {
        let (session, ()) = self.writer(|session| {
            if self.columns_and_runs(session)?.has_table(RUNS.name) {
                session.run(&self.database.dialect().delete_project(RUNS.name), &[Parameter::Text(project)])?;
            }
            Ok(())
        })?;
        self.keep_writer(session);
        Ok(())
    }
}

/// An older feastr made the table without.
fn has_index(session: &mut dyn Session, dialect: &Dialect) -> Result<bool, SqlFailure> {
    let names = session.run(dialect.indexes, &[])?.into_iter().flatten().map(Cell::text);
    Ok(names.into_iter().any(|name| name == RUNS.index.name))
}

/// Two statements, because MySQL does not select from the table it deletes from.
fn remove_old(session: &mut dyn Session, dialect: &Dialect, view: ViewId<'_>) -> Result<(), SqlFailure> {
    let ours = format!(
        "FROM {} WHERE project_id = {} AND feature_view_name = {}",
        RUNS.name,
        (dialect.placeholder)(1),
        (dialect.placeholder)(2)
    );
    let of_view = [Parameter::Text(view.project), Parameter::Text(view.name)];
    let oldest = format!("SELECT started {ours} ORDER BY started DESC LIMIT 1 OFFSET {KEPT_RUNS}");
    let Some(oldest) = session.run(&oldest, &of_view)?.into_iter().flatten().next() else { return Ok(()) };
    let delete = format!("DELETE {ours} AND started <= {}", (dialect.placeholder)(3));
    session.run(&delete, &[of_view[0], of_view[1], Parameter::Integer(oldest.integer())]).map(drop)
}

/// The newest runs of these views of a project, or of all. What cannot be read is left out.
fn read(
    session: &mut dyn Session,
    dialect: &Dialect,
    here: &Columns,
    project: &str,
    views: &[String],
    limit: usize,
) -> Result<Vec<RunRecord>, SqlFailure> {
    if !here.has_table(RUNS.name) {
        return Ok(Vec::new());
    }
    let mut statement = format!("SELECT record FROM {} WHERE project_id = {}", RUNS.name, (dialect.placeholder)(1));
    if !views.is_empty() {
        let names: Vec<String> = (2..views.len() + 2).map(dialect.placeholder).collect();
        let _ = write!(statement, " AND feature_view_name IN ({})", names.join(", "));
    }
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let _ = write!(statement, " ORDER BY started DESC, feature_view_name, run_id LIMIT {limit}");
    let parameters: Vec<Parameter<'_>> =
        std::iter::once(project).chain(views.iter().map(String::as_str)).map(Parameter::Text).collect();
    let records = session.run(&statement, &parameters)?.into_iter().flatten().map(Cell::text);
    Ok(newest_first(records.filter_map(|record| serde_json::from_str(&record).ok()).collect()))
}
