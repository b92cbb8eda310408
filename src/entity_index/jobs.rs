//! The table of jobs: noted before anybody is told that they are, and done by one worker at a time, who gives signs of life.

use std::{collections::HashSet, time::Duration};

use super::{
    database::{Cell, Session, Value},
    index::{EntityIndex, first, values_of},
    job::{Job, JobRecord, NewJob, Noted, Standing, Status},
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

    /// Takes the next jobs that can be done, `most` at most, in the order in which they were noted; of jobs about one object
    /// one at a time. Jobs of dead workers, and those that `worker` had not ended, are begun again.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn claim(&self, worker: &str, most: u32) -> Result<Vec<Job>, Problem> {
        let (job, now) = (self.table(JOB), self.dialect().now);
        let statement = format!(
            "UPDATE {job} SET status = 'running', started = {now}, ended = NULL, worker = $1, lease = {lease}, \
             attempts = attempts + 1 WHERE id IN (SELECT id FROM {job} AS next \
             WHERE (status = 'waiting' AND not_before <= {now} OR status = 'running' AND (lease < {now} OR worker = $1)) \
             AND NOT EXISTS (SELECT 1 FROM {job} AS other WHERE other.path = next.path \
             AND other.feature_view = next.feature_view AND other.id <> next.id AND (other.status = 'running' \
             AND (other.worker = $1 AND other.id < next.id OR other.worker <> $1 AND other.lease >= {now}) \
             OR other.status = 'waiting' AND other.not_before <= {now} AND other.id < next.id)) \
             ORDER BY id LIMIT {most}) RETURNING id, feature_view, path, attempts",
            lease = (self.dialect().later)(LEASE),
        );
        let claimed = self.write_again(|session| {
            session.execute(self.dialect().take_turns)?;
            session.run(&statement, &[Value::from(worker)])
        })?;
        let job = |row: Vec<Cell>| {
            let [id, view, path, attempts] = <[Cell; 4]>::try_from(row).ok()?;
            let (id, attempts) = (id.integer(), attempts.integer());
            Some(Job { id, view: view.text()?, path: path.text()?, attempts, worker: worker.to_owned() })
        };
        let mut jobs: Vec<Job> = claimed.into_iter().filter_map(job).collect();
        jobs.sort_by_key(|job| job.id);
        Ok(jobs)
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

    /// Jobs are done, each with a message, and with them all that were waiting for the same objects when they were begun: they
    /// have seen the objects as they were later. Part of the transaction that stores what was done.
    ///
    /// # Errors
    /// [`Kind::Conflict`] when somebody else is at one of them by now.
    pub(super) fn finish(&self, session: &mut dyn Session, ended: &[(&Job, String)]) -> Result<(), Problem> {
        if ended.is_empty() {
            return Ok(());
        }
        let (job, now) = (self.table(JOB), self.dialect().now);
        let own = format!(
            "WITH done (number, who, tries, message) AS (VALUES {}) UPDATE {job} SET status = 'done', status_msg = message, \
             ended = {now}, worker = NULL, lease = NULL FROM done \
             WHERE id = number AND worker = who AND attempts = tries AND status = 'running' RETURNING id",
            values_of(ended.len(), 4)
        );
        let values = ended.iter().flat_map(|(job, message)| {
            [Value::from(job.id), Value::from(&job.worker), Value::from(job.attempts), Value::from(message)]
        });
        let done = session.run(&own, &values.collect::<Vec<_>>())?;
        let done: HashSet<i64> = done.iter().flatten().map(Cell::integer).collect();
        if let Some((lost, _)) = ended.iter().find(|(job, _)| !done.contains(&job.id)) {
            let message = format!("job {} was taken over by another worker", lost.id);
            return Err(Problem::new(Kind::Conflict, message, None));
        }
        let others = format!(
            "WITH done (number, done_path, done_view) AS (VALUES {}) UPDATE {job} SET status = 'done', \
             status_msg = 'done by job ' || number, ended = {now}, worker = NULL, lease = NULL FROM done \
             WHERE path = done_path AND feature_view = done_view AND status = 'waiting' \
             AND noted <= (SELECT own.started FROM {job} AS own WHERE own.id = number) RETURNING id",
            values_of(ended.len(), 3)
        );
        let values =
            ended.iter().flat_map(|(job, _)| [Value::from(job.id), Value::from(&job.path), Value::from(&job.view)]);
        session.run(&others, &values.collect::<Vec<_>>()).map(drop)
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

    /// How many jobs stand in each way but done, and for how many seconds the oldest that can be done has been waiting.
    ///
    /// # Errors
    /// When the index cannot be read, or is that of another project.
    pub fn standing(&self) -> Result<Standing, Problem> {
        let (job, now) = (self.table(JOB), self.dialect().now);
        let counts = format!("SELECT status, count(*) FROM {job} WHERE status <> 'done' GROUP BY status");
        let oldest = format!("SELECT min(noted), {now} FROM {job} WHERE status = 'waiting' AND not_before <= {now}");
        let read = |session: &mut dyn Session| {
            let mut standing = Standing::default();
            for row in session.run(&counts, &[])? {
                let Ok([status, count]) = <[Cell; 2]>::try_from(row) else { continue };
                let count = u64::try_from(count.integer()).unwrap_or(0);
                match status.text().as_deref() {
                    Some("waiting") => standing.waiting = count,
                    Some("running") => standing.running = count,
                    _ => standing.dead += count,
                }
            }
            let moments = session.run(&oldest, &[])?.into_iter().flatten().map(|cell| cell.moment());
            if let [Some(noted), Some(now)] = moments.collect::<Vec<_>>().as_slice() {
                standing.lag = Duration::from_micros(u64::try_from(now.micros() - noted.micros()).unwrap_or(0));
            }
            Ok(standing)
        };
        Ok(self.looked_at(read)?.unwrap_or_default())
    }

    /// Forgets jobs that were done so long ago (microseconds). Says how many.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn forget(&self, age: i64) -> Result<u64, Problem> {
        /// Others wait while rows are deleted.
        const AT_ONCE: u64 = 10_000;
        if self.looked_at(|_| Ok(()))?.is_none() {
            return Ok(0);
        }
        let (job, seconds) = (self.table(JOB), u64::try_from(age / 1_000_000).unwrap_or(0));
        let statement = format!(
            "DELETE FROM {job} WHERE id IN (SELECT id FROM {job} WHERE status = 'done' AND ended < {} ORDER BY id \
             LIMIT {AT_ONCE}) RETURNING id",
            (self.dialect().earlier)(seconds)
        );
        let mut all = 0;
        loop {
            let count = self.write_again(|session| session.run(&statement, &[]))?.len() as u64;
            all += count;
            if count < AT_ONCE {
                return Ok(all);
            }
        }
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
