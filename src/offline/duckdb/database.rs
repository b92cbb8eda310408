//! The one DuckDB of a store: it starts with the first query, and every query has a connection of its own.
//! Memory, threads and the folder to spill to are shared.

use std::sync::{Arc, Mutex, PoisonError};

use duckdb::{Config, Connection};

use super::{
    error::explain,
    memory::Memory,
    scans::{FUNCTION, ScanFunction},
    session::DuckdbSession,
};
use crate::{config::MemoryLimit, offline::Cancel, problem::Problem, spill::SpillFolder};

/// A DuckDB in memory, with a folder to spill to.
pub(crate) struct Database {
    memory: Arc<Memory>,
    /// Others are made from it; nothing is asked through it.
    started: Mutex<Option<Connection>>,
    /// To spill to; there as long as the connection is.
    spill: Arc<SpillFolder>,
}

impl Database {
    /// One that has not started.
    pub(crate) fn new(limit: MemoryLimit, spill: Arc<SpillFolder>) -> Self {
        Self { memory: Arc::new(Memory::new(limit)), started: Mutex::new(None), spill }
    }

    /// Begins a query, which `cancel` calls off. The first one starts DuckDB, which takes about 20 ms.
    ///
    /// # Errors
    /// When there is no folder for temporary files, or DuckDB does not start.
    pub(crate) fn session(&self, cancel: &Cancel) -> Result<DuckdbSession, Problem> {
        cancel.check()?;
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        let started = match &mut *started {
            Some(started) => started,
            none => none.insert(self.start()?),
        };
        let connection = started.try_clone().map_err(|error| self.not_started(&error))?;
        Ok(DuckdbSession::begin(connection, Arc::clone(&self.memory), cancel.clone()))
    }

    /// A query of a database of its own, under the same limit.
    pub(crate) fn session_of(&self, connection: Connection, cancel: &Cancel) -> DuckdbSession {
        DuckdbSession::begin(connection, Arc::clone(&self.memory), cancel.clone())
    }

    fn start(&self) -> Result<Connection, Problem> {
        let spill = self.spill.path()?;
        let open = || {
            let config = Config::default()
                // Without these a missing extension is first looked for in the network, for seconds.
                .with("autoinstall_known_extensions", "false")?
                .with("autoload_known_extensions", "false")?
                .max_memory(&self.memory.limit.to_string())?
                // Values of a megabyte fill the offsets of small buffers with a few thousand rows.
                .with("arrow_large_buffer_size", "true")?
                .with("temp_directory", spill.display().to_string())?;
            let connection = Connection::open_in_memory_with_flags(config)?;
            connection.register_table_function::<ScanFunction>(FUNCTION)?;
            // Rows come from scans; what people write in SQL reaches nothing else. Spilling goes on.
            connection.execute_batch("SET enable_external_access = false")?;
            Ok(connection)
        };
        open().map_err(|error| self.not_started(&error))
    }

    fn not_started(&self, error: &duckdb::Error) -> Problem {
        explain("cannot start DuckDB", error, &self.memory.limit)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        thread,
        time::{Duration, Instant},
    };

    use super::{super::session::Work, *};
    use crate::problem::Kind;

    const WORK: Work<'_> = Work { what: "cannot count", scans: &[] };
    /// More than anybody waits for.
    const ENDLESS: &str =
        "SELECT sum(one.range + other.range) :: BIGINT FROM range(10000000) one, range(10000000) other";

    fn connections(session: &DuckdbSession) -> Option<i64> {
        let [count] = session.integers(WORK, "SELECT count :: BIGINT FROM duckdb_connection_count()").unwrap();
        count
    }

    #[test]
    fn sessions_share_a_database_and_no_temporary_table() {
        let database = Database::new(MemoryLimit::default(), Arc::default());
        assert!(database.started.lock().unwrap().is_none(), "it starts with the first query");
        let [one, other] = [(); 2].map(|()| database.session(&Cancel::default()).unwrap());
        one.execute(WORK, "CREATE TABLE shared AS SELECT 7 :: BIGINT AS x; CREATE TEMP TABLE own AS SELECT 1").unwrap();
        assert_eq!(other.integers(WORK, "SELECT x FROM shared").unwrap(), [Some(7)]);
        assert!(other.integers::<1>(WORK, "SELECT * FROM own").is_err());
        assert_eq!(connections(&one), Some(3));
        drop(other);
        assert_eq!(connections(&one), Some(2));
    }

    #[test]
    fn a_query_that_is_called_off_ends_and_others_go_on() {
        let database = Database::new(MemoryLimit::default(), Arc::default());
        let cancel = Cancel::default();
        let began = Instant::now();
        thread::scope(|scope| {
            let called_off = scope.spawn(|| {
                database.session(&cancel).and_then(|session| session.integers::<1>(WORK, ENDLESS)).unwrap_err().kind
            });
            // Interrupting has an effect only while a statement runs.
            while !called_off.is_finished() {
                thread::sleep(Duration::from_millis(20));
                cancel.cancel();
            }
            assert_eq!(called_off.join().unwrap(), Kind::Cancelled);
        });
        assert!(began.elapsed() < Duration::from_secs(30));
        assert_eq!(database.session(&cancel).err().map(|problem| problem.kind), Some(Kind::Cancelled));
        let session = database.session(&Cancel::default()).unwrap();
        assert_eq!(connections(&session), Some(2));
    }
}
