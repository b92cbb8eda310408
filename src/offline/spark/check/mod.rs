//! Whether a server can do what feastr will ask of it: the smallest query of each kind, whose answer is known.

mod functions;
mod statements;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use arrow::{
    array::{Int64Array, RecordBatch, TimestampMicrosecondArray},
    datatypes::{DataType, Field, Schema, TimeUnit},
    util::display::array_value_to_string,
};
use uuid::Uuid;

use super::{plan, session::Session};
use crate::{
    config::SparkConfig,
    offline::{Cancel, Tasks},
    problem::{Kind, Problem},
};

/// What a server can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineReport {
    /// Where it is.
    pub address: String,
    /// The version of Spark; `None` for another server that speaks its protocol.
    pub version: Option<String>,
    /// What it does not take of the settings.
    pub warnings: Vec<String>,
    /// What was tried, in this order.
    pub checks: Vec<EngineCheck>,
    /// Functions of SQL that statements of feastr need and it does not have.
    pub missing_functions: Vec<&'static str>,
    /// The folder that was written, which holds nothing of use.
    pub written: Option<String>,
}

/// Something that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineCheck {
    /// Its name, in a word.
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
    /// How long it took, to and fro.
    pub latency: Duration,
    /// What is wrong, if something is.
    pub problem: Option<Problem>,
}

/// What goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineStep {
    /// Something is tried now.
    Begun(&'static str),
    /// The server says how far it is with it.
    Tasks(Tasks),
}

/// Connects to a server and tries what feastr will need; `watch` is told what goes on.
///
/// # Errors
/// When no session can be opened, or it is called off. What a server cannot do is in the report.
pub fn check_engine(
    config: &SparkConfig,
    cancel: &Cancel,
    watch: &dyn Fn(EngineStep),
) -> Result<EngineReport, Problem> {
    watch(EngineStep::Begun("connection"));
    let began = Instant::now();
    let session = Session::open(config, cancel)?;
    let connection = EngineCheck {
        name: "connection",
        what: "a session with its settings",
        latency: began.elapsed(),
        problem: None,
    };
    let mut trial = Trial { session: &session, cancel, watch, checks: vec![connection] };
    trial.all()?;
    let missing_functions = trial.functions()?;
    let written = match &config.staging_location {
        Some(staging) => trial.files(staging)?,
        None => None,
    };
    Ok(EngineReport {
        address: config.address.iter().map(ToString::to_string).collect(),
        version: session.version().map(str::to_owned),
        warnings: session.warnings().to_vec(),
        checks: trial.checks,
        missing_functions,
        written,
    })
}

/// What is tried in a session.
struct Trial<'a> {
    session: &'a Session,
    cancel: &'a Cancel,
    watch: &'a dyn Fn(EngineStep),
    checks: Vec<EngineCheck>,
}

impl Trial<'_> {
    fn all(&mut self) -> Result<(), Problem> {
        self.check(("constant", "a constant"), |trial| trial.gives("SELECT 1L AS one", &["1"]))?;
        self.check(("times", "times in UTC, with microseconds"), Self::times)?;
        self.check(("upload", "rows sent along as Arrow"), |trial| {
            trial
                .is_same(&trial.session.collected(plan::upload(&entities()?)?, &|_| {})?, &statements::ENTITIES_AS_TEXT)
        })?;
        self.check(("view", "a temporary view"), |trial| {
            let session = trial.session;
            session.command(plan::view(statements::ENTITIES, plan::upload(&entities()?)?), &|_| {})?;
            session.command(plan::view(statements::SOURCE, plan::sql(statements::SOURCE_ROWS)), &|_| {})?;
            trial.gives(&format!("SELECT count(*) AS n FROM {}", statements::SOURCE), &["5"])
        })?;
        for (name, what, statement, answer) in statements::SHAPES {
            self.check((name, what), |trial| trial.gives(&statement(), answer))?;
        }
        Ok(())
    }

    /// Tries something. A problem is noted, unless it is that nobody wants to know.
    fn check(
        &mut self,
        (name, what): (&'static str, &'static str),
        act: impl FnOnce(&Self) -> Result<(), Failed>,
    ) -> Result<bool, Problem> {
        (self.watch)(EngineStep::Begun(name));
        let began = Instant::now();
        let result = act(self);
        let latency = began.elapsed();
        if self.cancel.is_cancelled() {
            return Err(result
                .err()
                .map_or_else(|| Problem::new(Kind::Cancelled, "it was called off", None), |failed| failed.0));
        }
        let problem = result.err().map(|failed| failed.0);
        let is_right = problem.is_none();
        self.checks.push(EngineCheck { name, what, latency, problem });
        Ok(is_right)
    }

    fn times(&self) -> Result<(), Failed> {
        let rows = self.session.collected(plan::sql(statements::TIMES), &self.told())?;
        let wanted = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        if let Some(batch) = rows.first()
            && batch.column(0).data_type() != &wanted
        {
            let found = batch.column(0).data_type();
            return Err(Problem::new(Kind::Unsupported, format!("times come as {found}, not as {wanted}"), None).into());
        }
        self.is_same(&rows, &statements::TIMES_AS_TEXT)
    }

    /// The functions that the server does not have.
    fn functions(&mut self) -> Result<Vec<&'static str>, Problem> {
        let mut missing = Vec::new();
        self.check(("functions", "functions of SQL"), |trial| {
            missing = functions::missing(trial.session)?;
            match missing.as_slice() {
                [] => Ok(()),
                missing => {
                    let message = format!("there is no {}", missing.join(", "));
                    Err(Problem::new(Kind::Unsupported, message, "a newer server may have it".to_owned()).into())
                }
            }
        })?;
        Ok(missing)
    }

    /// Has files written and read, in a folder of its own, which it gives.
    fn files(&mut self, staging: &str) -> Result<Option<String>, Problem> {
        let folder = format!("{}/feastr-check-{}", staging.trim_end_matches('/'), Uuid::new_v4());
        let mut is_written = false;
        self.check(("files", "parquet files written and read by the server"), |trial| {
            let rows = plan::sql(&format!("SELECT * FROM {}", statements::ENTITIES));
            trial.session.command(plan::write(rows, &folder, false), &trial.told())?;
            is_written = true;
            let rows = trial.session.collected(plan::files("parquet", &folder, &[]), &trial.told())?;
            let count: usize = rows.iter().map(RecordBatch::num_rows).sum();
            if count == statements::ENTITIES_AS_TEXT.len() {
                return Ok(());
            }
            let message = format!("{count} rows are read where {} were written", statements::ENTITIES_AS_TEXT.len());
            Err(Problem::new(Kind::Unsupported, message, None).into())
        })?;
        Ok(is_written.then_some(folder))
    }

    /// Whether a statement gives these rows, whose values stand beside each other with `|` between.
    fn gives(&self, statement: &str, wanted: &[&str]) -> Result<(), Failed> {
        self.is_same(&self.session.collected(plan::sql(statement), &self.told())?, wanted)
    }

    fn is_same(&self, rows: &[RecordBatch], wanted: &[&str]) -> Result<(), Failed> {
        let found = as_text(rows)?;
        if found == wanted {
            return Ok(());
        }
        let message = format!("the answer is {}, not {}", found.join(", "), wanted.join(", "));
        Err(Problem::new(
            Kind::Unsupported,
            message,
            "results of this server would be wrong: use another one".to_owned(),
        )
        .into())
    }

    fn told(&self) -> impl Fn(Tasks) + '_ {
        |tasks| (self.watch)(EngineStep::Tasks(tasks))
    }
}

/// Why something that was tried is not right.
struct Failed(Problem);

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<arrow::error::ArrowError> for Failed {
    fn from(error: arrow::error::ArrowError) -> Self {
        Self(Problem::new(Kind::Internal, error.to_string(), None))
    }
}

/// Entity rows, as they are uploaded.
fn entities() -> Result<RecordBatch, arrow::error::ArrowError> {
    let columns = statements::ENTITY_ROWS;
    let times = TimestampMicrosecondArray::from_iter_values(columns.iter().map(|(_, time)| *time)).with_timezone("UTC");
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let schema = Schema::new(vec![
        Field::new("driver", DataType::Int64, true),
        Field::new("event_timestamp", time, false),
        Field::new("__row", DataType::Int64, false),
    ]);
    let rows = (0_i64..).take(columns.len());
    RecordBatch::try_new(
        Arc::new(schema),
        vec![
            Arc::new(columns.iter().map(|(driver, _)| *driver).collect::<Int64Array>()),
            Arc::new(times),
            Arc::new(Int64Array::from_iter_values(rows)),
        ],
    )
}

/// The rows, each with its values beside each other.
fn as_text(batches: &[RecordBatch]) -> Result<Vec<String>, arrow::error::ArrowError> {
    let rows = batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)));
    rows.map(|(batch, row)| {
        let values = batch.columns().iter().map(|column| array_value_to_string(column, row));
        Ok(values.collect::<Result<Vec<_>, _>>()?.join("|"))
    })
    .collect()
}
