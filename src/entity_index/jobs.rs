//! The table of jobs: noted before anybody is told that they are, and done by one worker at a time, who gives signs of life.

use std::time::Duration;

use super::{
    database::{Cell, Session, Value},
    index::{EntityIndex, first},
    job::{Job, JobRecord, NewJob, Noted, Status},
    schema::JOB,
};
use crate::problem::{Kind, Problem};

/// A worker that gave no sign of life for so many seconds is dead, and others do its jobs.
const LEASE: u64 = 30;

/// How often a worker gives one.
pub const BEAT: Duration = Duration::from_secs(10);

/// The longest time between two attempts, in seconds.
const LONGEST_PAUSE: u64 = 300;

/// Longer messages are cut off.
const LONGEST_MESSAGE: usize = 2_000;

impl EntityIndex {
    /// Notes jobs, each once, however often it comes; when this returns they are stored. With `most` jobs or more that are
    /// not done, none is noted.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when too many wait, or the database is away.
    pub(super) fn note(&self, jobs: &[NewJob], most: u64) -> Result<Noted, Problem> {
        let job = self.table(JOB);
        let count = format!(
            "SELECT count(*) FROM (SELECT 1 AS one FROM {job} WHERE status IN ('waiting', 'running') LIMIT $1) AS open"
        );
        self.write(|session| {
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            if first(session.run(&count, &[Value::from(most)])?).is_some_and(|open| open.integer() >= most) {
                let message = format!("{most} jobs of the entity index are not done yet");
                return Err(Problem::new(Kind::Unavailable, message, "tell of the event again later".to_owned()));
            }
            let mut noted = Noted::default();
            for new in jobs {
                match self.insert(session, new)? {
                    true => noted.new += 1,
                    false => noted.known += 1,
                }
            }
            Ok(noted)
        })
    }

    /// Whether the job is a new one.
    fn insert(&self, session: &mut dyn Session, new: &NewJob) -> Result<bool, Problem> {
        let mut values: Vec<Value<'_>> =
            [&new.entity_names, &new.view, &new.path, &new.identity].map(Value::from).to_vec();
        values.push(Value::from(new.change.word()));
        // What is not known is left out: values have types, and nulls have none.
        let mut columns = String::new();
        let known = [
            ("event_time", new.time.map(Value::from)),
            ("sequencer", new.sequencer.as_ref().map(Value::from)),
            ("etag", new.etag.as_ref().map(Value::from)),
        ];
        let mut places = String::new();
        for (column, value) in known {
            if let Some(value) = value {
                values.push(value);
                columns += &format!(", {column}");
                places += &format!(", ${}", values.len());
            }
        }
        let statement = format!(
            "INSERT INTO {} (entity_names, feature_view, path, event_id, event, noted, status, attempts, not_before{columns}) \
             VALUES ($1, $2, $3, $4, $5, {now}, 'waiting', 0, {now}{places}) \
             ON CONFLICT (path, feature_view, event_id) DO NOTHING RETURNING id",
            self.table(JOB),
            now = self.dialect().now,
        );
        Ok(!session.run(&statement, &values)?.is_empty())
    }

    /// Takes the next job that can be done, in the order in which they were noted; of jobs about one object one at a time.
    /// Jobs of dead workers, and those that `worker` had not ended, are begun again.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn claim(&self, worker: &str) -> Result<Option<Job>, Problem> {
        let (job, now) = (self.table(JOB), self.dialect().now);
        let statement = format!(
            "UPDATE {job} SET status = 'running', started = {now}, ended = NULL, worker = $1, lease = {lease}, \
             attempts = attempts + 1 WHERE id = (SELECT id FROM {job} AS next \
             WHERE (status = 'waiting' AND not_before <= {now} OR status = 'running' AND (lease < {now} OR worker = $1)) \
             AND NOT EXISTS (SELECT 1 FROM {job} AS other WHERE other.status = 'running' AND other.path = next.path \
             AND other.feature_view = next.feature_view AND other.id <> next.id AND other.lease >= {now} \
             AND other.worker <> $1) ORDER BY id LIMIT 1) RETURNING id, feature_view, path, attempts",
            lease = (self.dialect().later)(LEASE),
        );
        let claimed = self.write_again(|session| {
            session.execute(self.dialect().take_turns)?;
            session.run(&statement, &[Value::from(worker)])
        })?;
        Ok(claimed.into_iter().next().and_then(|row| {
            let [id, view, path, attempts] = <[Cell; 4]>::try_from(row).ok()?;
            let (id, attempts) = (id.integer(), attempts.integer());
            Some(Job { id, view: view.text()?, path: path.text()?, attempts, worker: worker.to_owned() })
        }))
    }

    /// Workers whose names begin so give a sign of life.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn beat(&self, process: &str) -> Result<(), Problem> {
        let lease = (self.dialect().later)(LEASE);
        self.of_process(process, &format!("lease = {lease}"))
    }

    /// Jobs of workers whose names begin so may be done by others.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn release(&self, process: &str) -> Result<(), Problem> {
        self.of_process(process, "status = 'waiting', attempts = attempts - 1, worker = NULL, lease = NULL")
    }

    fn of_process(&self, process: &str, change: &str) -> Result<(), Problem> {
        let job = self.table(JOB);
        let statement = format!(
            "UPDATE {job} SET {change} WHERE status = 'running' AND substr(worker, 1, CAST($1 AS integer)) = $2 RETURNING id"
        );
        let length = i64::try_from(process.chars().count()).unwrap_or(i64::MAX);
        self.write_again(|session| session.run(&statement, &[Value::from(length), Value::from(process)]))?;
        Ok(())
    }

    /// The job is done, and with it all that were waiting for the same object when it was begun: it has seen the object as
    /// it was later. Part of the transaction that stores what was done.
    ///
    /// # Errors
    /// [`Kind::Conflict`] when somebody else is at it by now.
    pub(super) fn finish(&self, session: &mut dyn Session, job: &Job, message: &str) -> Result<(), Problem> {
        let statement = format!(
            "UPDATE {table} SET status = 'done', status_msg = CASE WHEN id = $2 THEN $1 ELSE $5 END, ended = {now}, \
             worker = NULL, lease = NULL \
             WHERE id = $2 AND worker = $3 AND attempts = $4 AND status = 'running' OR path = $6 AND feature_view = $7 \
             AND status = 'waiting' AND noted <= (SELECT started FROM {table} WHERE id = $2) RETURNING id",
            table = self.table(JOB),
            now = self.dialect().now
        );
        let with = format!("done by job {}", job.id);
        let own = [Value::from(message), Value::from(job.id), Value::from(&job.worker), Value::from(job.attempts)];
        let others = [&with, &job.path, &job.view].map(Value::from);
        let ended = session.run(&statement, &[own.as_slice(), &others].concat())?;
        if ended.iter().flatten().any(|id| id.integer() == job.id) {
            return Ok(());
        }
        Err(Problem::new(Kind::Conflict, format!("job {} was taken over by another worker", job.id), None))
    }

    /// The job has failed: it is done again after a while, or never by itself after so many attempts. Says which; `None` if
    /// somebody else is at it by now.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn fail(&self, job: &Job, problem: &Problem, most_attempts: u32) -> Result<Option<Status>, Problem> {
        let status = if job.attempts >= i64::from(most_attempts) { Status::Dead } else { Status::Waiting };
        let exponent = u32::try_from(job.attempts.clamp(1, 16) - 1).unwrap_or(0);
        let pause = 2_u64.saturating_pow(exponent).min(LONGEST_PAUSE);
        let statement = format!(
            "UPDATE {} SET status = $1, status_msg = $2, ended = {}, not_before = {}, worker = NULL, lease = NULL \
             WHERE id = $3 AND worker = $4 AND attempts = $5 AND status = 'running' RETURNING id",
            self.table(JOB),
            self.dialect().now,
            (self.dialect().later)(pause),
        );
        let help = problem.help().map_or_else(String::new, |help| format!(" ({help})"));
        let message: String =
            format!("{}{help}", problem.message).chars().filter(|c| *c != '\0').take(LONGEST_MESSAGE).collect();
        let values = [Value::from(status.word()), Value::from(&message), Value::from(job.id)];
        let values = [values.as_slice(), &[Value::from(&job.worker), Value::from(job.attempts)]].concat();
        let failed = self.write_again(|session| session.run(&statement, &values))?;
        Ok((!failed.is_empty()).then_some(status))
    }

    /// Jobs, the latest first: those of a status, or all.
    ///
    /// # Errors
    /// When the index cannot be read, or is that of another project.
    pub fn jobs(&self, status: Option<Status>, most: u32) -> Result<Vec<JobRecord>, Problem> {
        let condition = if status.is_some() { "WHERE status = $2" } else { "" };
        let statement = format!(
            "SELECT id, status, status_msg, feature_view, entity_names, path, event, attempts, noted, started, ended \
             FROM {} {condition} ORDER BY id DESC LIMIT $1",
            self.table(JOB)
        );
        let values: Vec<Value<'_>> =
            [Value::from(i64::from(most))].into_iter().chain(status.map(|status| status.word().into())).collect();
        let rows = self.looked_at(|session| session.run(&statement, &values))?.unwrap_or_default();
        Ok(rows.into_iter().filter_map(record).collect())
    }

    /// Reads the index; `None` if there is none yet.
    pub(super) fn looked_at<T>(
        &self,
        act: impl FnOnce(&mut dyn Session) -> Result<T, Problem>,
    ) -> Result<Option<T>, Problem> {
        if !self.is_there() {
            return Ok(None);
        }
        self.read(|session| match self.is_readable(session)? {
            true => act(session).map(Some),
            false => Ok(None),
        })
    }

    /// Lets dead jobs be tried again: those with these numbers, or all. Says how many.
    ///
    /// # Errors
    /// When the index cannot be written, or is that of another project.
    pub fn retry(&self, ids: Option<&[i64]>) -> Result<u64, Problem> {
        if self.looked_at(|_| Ok(()))?.is_none() {
            return Ok(0);
        }
        let set = format!(
            "UPDATE {} SET status = 'waiting', attempts = 0, not_before = {} WHERE status = 'dead'",
            self.table(JOB),
            self.dialect().now
        );
        self.write(|session| {
            let Some(ids) = ids else { return Ok(session.run(&format!("{set} RETURNING id"), &[])?.len() as u64) };
            let mut count = 0;
            for id in ids {
                count += session.run(&format!("{set} AND id = $1 RETURNING id"), &[Value::from(*id)])?.len() as u64;
            }
            Ok(count)
        })
    }
}

fn record(row: Vec<Cell>) -> Option<JobRecord> {
    let [id, status, message, view, entities, path, event, attempts, noted, started, ended] =
        <[Cell; 11]>::try_from(row).ok()?;
    let moment = |cell: &Cell| cell.moment().map(|moment| moment.to_string());
    Some(JobRecord {
        id: id.integer(),
        status: status.text()?,
        status_msg: message.text(),
        feature_view: view.text()?,
        entity_names: entities.text()?,
        path: path.text()?,
        event: event.text()?,
        attempts: attempts.integer(),
        noted: moment(&noted),
        started: moment(&started),
        ended: moment(&ended),
    })
}
