//! A session at a server: one per command. What it names is gone when it ends.

use std::{ops::ControlFlow, sync::Arc};

use arrow::{
    array::RecordBatch,
    datatypes::{Schema, SchemaRef},
};
use uuid::Uuid;

use super::{
    client::{ANSWER, Client},
    execution::Execution,
    messages::{
        AnalyzePlanRequest, AnalyzePlanResponse, AnalyzeSchema, AnalyzeSparkVersion, ArrowBatch, ConfigOperation,
        ConfigRequest, ConfigResponse, ConfigSet, Done, ExecutionProgress, KeyValue, Plan, Relation,
        ReleaseSessionRequest, analyze_plan_request::Analyze, execute_plan_response::ResponseType,
    },
    plan,
    rows::Rows,
};
use crate::{
    clients::runtime::wait,
    config::SparkConfig,
    offline::{Cancel, Tasks, query::BatchSink},
    problem::{Kind, Problem},
};

/// What every session of feastr has: times in UTC, and casts that fail instead of giving null.
const OWN_SETTINGS: [(&str, &str); 2] = [("spark.sql.session.timeZone", "UTC"), ("spark.sql.ansi.enabled", "true")];

/// What sessions of feastr have as well where the server lets them, and people wish nothing else: Spark writes times as INT96
/// otherwise, which readers take for nanoseconds without a zone.
const OWN_WISH: (&str, &str) = ("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS");

/// A session at a Spark Connect server, which ends with this value.
pub struct Session {
    client: Client,
    cancel: Cancel,
    version: Option<String>,
    warnings: Vec<String>,
    /// What names end with where others take part in the session.
    mark: String,
}

impl Session {
    /// Begins a session with the settings that it is to have; its queries end when they are called off.
    ///
    /// # Errors
    /// When nothing says where the server is, or it is not there, does not know us, or refuses a setting that is needed.
    pub fn open(config: &SparkConfig, cancel: &Cancel) -> Result<Self, Problem> {
        let address = config.address.as_ref().ok_or_else(|| {
            let help = "write `spark_conf: {spark.remote: sc://host:15002}` in feature_store.yaml, or set SPARK_REMOTE";
            Problem::new(Kind::Invalid, "nothing says where the Spark Connect server is", help.to_owned())
        })?;
        let client = wait(cancel.over(Client::connect(config, address)))?;
        let mark = if client.is_shared { format!("_{}", Uuid::new_v4().simple()) } else { String::new() };
        let mut session = Self { client, cancel: cancel.clone(), version: None, warnings: Vec::new(), mark };
        session.version = session.ask_version()?;
        session.set(config)?;
        Ok(session)
    }

    /// The version of Spark, such as `4.3.0`; `None` for another server that speaks its protocol.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// What the server does not take of the settings.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Streams the rows that a statement gives, and says how many there are; `watch` is told how far it is.
    ///
    /// # Errors
    /// When the server refuses it, breaks off or loses rows, or it is called off.
    pub fn query(&self, statement: &str, sink: &mut dyn BatchSink, watch: &dyn Fn(Tasks)) -> Result<u64, Problem> {
        self.rows(plan::sql(statement), sink, watch)
    }

    /// The same for rows from elsewhere.
    pub(super) fn rows(&self, rows: Relation, sink: &mut dyn BatchSink, watch: &dyn Fn(Tasks)) -> Result<u64, Problem> {
        let mut came = Rows::default();
        self.carry_out(plan::root(rows), watch, &mut |part| {
            let is_first = came.schema().is_none();
            let batches = came.next(part, self.client.name())?;
            let is_wanted = !is_first || came.schema().is_none_or(|schema| sink.start(schema).is_continue());
            let mut batches = batches.iter().filter(|batch| batch.num_rows() > 0);
            Ok(is_wanted && batches.all(|batch| sink.batch(batch).is_continue()))
        })?;
        if came.schema().is_none() {
            let message = format!("{} gave no columns", self.client.name());
            return Err(Problem::new(Kind::Unavailable, message, "run the command again".to_owned()));
        }
        Ok(came.count())
    }

    /// The columns that a statement gives, without carrying more of it out than that takes.
    ///
    /// # Errors
    /// As [`Self::query`].
    pub(super) fn columns(&self, statement: &str) -> Result<SchemaRef, Problem> {
        let mut columns = Columns(None);
        self.rows(plan::sql(&format!("SELECT * FROM ({statement}) LIMIT 0")), &mut columns, &|_| {})?;
        Ok(columns.0.unwrap_or_else(|| Arc::new(Schema::empty())))
    }

    /// Gives rows a name in the session, which is this one with what keeps it apart from names of others who take part.
    ///
    /// # Errors
    /// When the server cannot find them, or does not understand what they are.
    pub(super) fn name(&self, name: &str, rows: Relation) -> Result<String, Problem> {
        let name = format!("{name}{}", self.mark);
        self.command(plan::view(&name, rows), &|_| {})?;
        Ok(name)
    }

    /// What messages call the server.
    pub(super) fn server(&self) -> &str {
        self.client.name()
    }

    /// All rows, for few of them.
    ///
    /// # Errors
    /// As [`Self::query`].
    pub(super) fn collected(&self, rows: Relation, watch: &dyn Fn(Tasks)) -> Result<Vec<RecordBatch>, Problem> {
        let mut collected = Collected::default();
        self.rows(rows, &mut collected, watch)?;
        Ok(collected.0)
    }

    /// Does something that gives no rows.
    ///
    /// # Errors
    /// When the server refuses it or breaks off, or it is called off.
    pub(super) fn command(&self, plan: Plan, watch: &dyn Fn(Tasks)) -> Result<(), Problem> {
        self.carry_out(plan, watch, &mut |_| Ok(true))
    }

    /// Whether a statement is understood; it is not carried out.
    ///
    /// # Errors
    /// When the server is away.
    pub(super) fn understands(&self, statement: &str) -> Result<bool, Problem> {
        let schema = AnalyzeSchema { plan: Some(plan::root(plan::sql(statement))) };
        let question = self.analysis(Analyze::Schema(Box::new(schema)));
        // The tables that it names may be in catalogs that take their time.
        let asked = async {
            match self.client.ask::<_, AnalyzePlanResponse>("AnalyzePlan", question, None).await {
                Ok(_) => Ok(true),
                Err(refusal) if refusal.is_about_access() => Err(refusal.problem(self.client.name())),
                Err(_) => Ok(false),
            }
        };
        wait(self.cancel.over(asked))
    }

    /// The server's version, which only Spark tells.
    fn ask_version(&self) -> Result<Option<String>, Problem> {
        let question = self.analysis(Analyze::SparkVersion(AnalyzeSparkVersion {}));
        let asked = async {
            // The first answer may be that of a cluster that has to be started for it.
            match self.client.ask::<_, AnalyzePlanResponse>("AnalyzePlan", question, None).await {
                Ok(answer) => Ok(answer.spark_version.map(|spark| spark.version)),
                Err(refusal) if refusal.is_about_access() => Err(refusal.problem(self.client.name())),
                Err(_) => Ok(None),
            }
        };
        wait(self.cancel.over(asked))
    }

    /// Gives the session its settings: what people wish, as far as the server takes it, and what feastr needs.
    fn set(&mut self, config: &SparkConfig) -> Result<(), Problem> {
        let own = |key: &str| OWN_SETTINGS.iter().find(|(name, _)| *name == key);
        let mut wishes: Vec<(&str, &str)> =
            config.session.iter().map(|(key, value)| (key.as_str(), value.0.as_str())).collect();
        for (key, _) in wishes.extract_if(.., |(key, value)| own(key).is_some_and(|(_, own)| own != value)) {
            self.warnings.push(format!("`{key}` is not as `spark_conf` says: feastr needs another value"));
        }
        if !config.session.contains_key(OWN_WISH.0) {
            wishes.push(OWN_WISH);
        }
        loop {
            let pairs: Vec<_> = wishes.iter().copied().chain(OWN_SETTINGS).collect();
            let asked = async {
                let asked = self.client.ask::<_, ConfigResponse>("Config", self.settings(&pairs), Some(ANSWER));
                Ok::<_, Problem>(asked.await)
            };
            let refusal = match wait(self.cancel.over(asked))? {
                Ok(answer) => {
                    self.warnings.extend(answer.warnings);
                    return Ok(());
                }
                Err(refusal) => refusal,
            };
            let forbidden = refusal.forbidden_setting().and_then(|key| wishes.iter().position(|wish| wish.0 == key));
            let Some(forbidden) = forbidden else { return Err(refusal.problem(self.client.name())) };
            let wish = wishes.remove(forbidden);
            if wish == OWN_WISH {
                continue;
            }
            let (key, _) = wish;
            self.warnings.push(format!("`{key}` of `spark_conf` has no effect: the server lets no session set it"));
        }
    }

    fn settings(&self, pairs: &[(&str, &str)]) -> ConfigRequest {
        let pair = |(key, value): &(&str, &str)| KeyValue { key: (*key).to_owned(), value: Some((*value).to_owned()) };
        ConfigRequest {
            session_id: self.client.session.clone(),
            user_context: self.client.user(),
            operation: Some(ConfigOperation { set: Some(ConfigSet { pairs: pairs.iter().map(pair).collect() }) }),
            client_type: Some(self.client.agent.clone()),
        }
    }

    fn analysis(&self, analyze: Analyze) -> AnalyzePlanRequest {
        AnalyzePlanRequest {
            session_id: self.client.session.clone(),
            user_context: self.client.user(),
            client_type: Some(self.client.agent.clone()),
            analyze: Some(analyze),
        }
    }

    /// Carries out a plan and hands rows on, as long as more are wanted. What is not wanted any more ends at the server.
    fn carry_out(
        &self,
        plan: Plan,
        watch: &dyn Fn(Tasks),
        take: &mut dyn FnMut(ArrowBatch) -> Result<bool, Problem>,
    ) -> Result<(), Problem> {
        // Sail was seen to lose rows of answers that were taken up.
        let mut execution = Execution::new(&self.client, plan, self.version.is_some());
        let ended = loop {
            let next = async { execution.next().await.map_err(|refusal| refusal.problem(self.client.name())) };
            match wait(self.cancel.over(next)) {
                Ok(Some(ResponseType::ArrowBatch(part))) => match take(part) {
                    Ok(true) => {}
                    Ok(false) => break Ok(()),
                    Err(problem) => break Err(problem),
                },
                Ok(Some(ResponseType::ExecutionProgress(progress))) => watch(tasks(&progress)),
                Ok(Some(ResponseType::ResultComplete(_)) | None) => return Ok(()),
                Err(problem) if problem.kind == Kind::Cancelled => break Err(problem),
                Err(problem) => return Err(problem),
            }
        };
        wait(async {
            execution.interrupt().await;
            ended
        })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.client.is_shared {
            return;
        }
        let question = ReleaseSessionRequest {
            session_id: self.client.session.clone(),
            user_context: self.client.user(),
            client_type: Some(self.client.agent.clone()),
        };
        // Else the server forgets it after a while.
        let _: Result<Option<Done>, Problem> =
            wait(async { Ok(self.client.mention("ReleaseSession", question).await) });
    }
}

/// How far the stages of a query are together.
fn tasks(progress: &ExecutionProgress) -> Tasks {
    let sum = |count: fn(&super::messages::StageInfo) -> i64| {
        progress.stages.iter().map(|stage| u64::try_from(count(stage)).unwrap_or(0)).sum()
    };
    Tasks {
        done: sum(|stage| stage.num_completed_tasks),
        known: sum(|stage| stage.num_tasks),
        bytes: sum(|stage| stage.input_bytes_read),
    }
}

/// The columns of an answer.
struct Columns(Option<SchemaRef>);

impl BatchSink for Columns {
    fn start(&mut self, schema: &SchemaRef) -> ControlFlow<()> {
        self.0 = Some(Arc::clone(schema));
        ControlFlow::Continue(())
    }

    fn batch(&mut self, _: &RecordBatch) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Rows in memory.
#[derive(Default)]
struct Collected(Vec<RecordBatch>);

impl BatchSink for Collected {
    fn start(&mut self, _: &SchemaRef) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn batch(&mut self, batch: &RecordBatch) -> ControlFlow<()> {
        self.0.push(batch.clone());
        ControlFlow::Continue(())
    }
}
