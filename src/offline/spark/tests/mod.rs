//! What the client does when servers and connections are not as they should be.

mod answers;
mod fake;
mod fields;
mod service;

use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    thread,
    time::{Duration, Instant},
};

use arrow::{
    array::{AsArray as _, RecordBatch},
    datatypes::{Int64Type, SchemaRef},
};
use prost::Message as _;
use tonic::Status;

use self::fake::{Fake, Step, complete, counted, error, part, rows, uncounted};
use super::{
    SparkSession,
    messages::{
        ConfigRequest, ErrorOfServer, ExecutePlanRequest, ExecutionProgress, FetchErrorDetailsResponse,
        InterruptRequest, ReattachExecuteRequest, ReleaseExecuteRequest, SparkThrowable, StageInfo,
        execute_plan_response::ResponseType, release_execute_request::Release,
    },
};
use crate::{
    config::{EngineAccess, Password, SparkAddress, SparkConfig},
    offline::{BatchSink, Cancel, Tasks},
    problem::{Kind, Problem},
};

const WAIT: Duration = Duration::from_millis(500);

fn config(fake: &Fake, parameters: &str) -> SparkConfig {
    SparkConfig {
        address: Some(SparkAddress::parse(&format!("sc://{}/;{parameters}", fake.address)).unwrap()),
        session: BTreeMap::new(),
        staging_location: None,
        access: EngineAccess { authorities: None, wait: WAIT },
    }
}

fn session(fake: &Fake) -> SparkSession {
    SparkSession::open(&config(fake, ""), &Cancel::default()).unwrap()
}

/// The numbers that came; of which no more than some are wanted.
struct Numbers(Vec<i64>, usize);

impl BatchSink for Numbers {
    fn start(&mut self, _: &SchemaRef) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn batch(&mut self, batch: &RecordBatch) -> ControlFlow<()> {
        self.0.extend(batch.column(0).as_primitive::<Int64Type>().values());
        if self.0.len() < self.1 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

/// What a query gives at a server.
fn numbers(fake: &Fake) -> Result<Vec<i64>, Problem> {
    let mut numbers = Numbers(Vec::new(), usize::MAX);
    session(fake).query("SELECT id", &mut numbers, &|_| {}).map(|_| numbers.0)
}

#[test]
fn an_answer_that_is_cut_is_taken_up_where_it_was() {
    let fake = Fake::spark(vec![
        vec![rows("a", 0, &[1, 2]), rows("b", 2, &[3])],
        vec![Step::Fail(Status::unavailable("gone"))],
        vec![rows("c", 3, &[]), rows("d", 3, &[4, 5]), complete("e")],
    ]);
    assert_eq!(numbers(&fake).unwrap(), [1, 2, 3, 4, 5]);
    let begun: Vec<ExecutePlanRequest> = fake.messages("ExecutePlan");
    let again: Vec<ReattachExecuteRequest> = fake.messages("ReattachExecute");
    assert_eq!((begun.len(), again.len()), (1, 2));
    assert!(begun[0].request_options[0].reattach_options.as_ref().unwrap().reattachable);
    for question in &again {
        assert_eq!(question.last_response_id.as_deref(), Some("b"));
        assert_eq!(Some(&question.operation_id), begun[0].operation_id.as_ref());
        assert_eq!(question.client_observed_server_side_session_id.as_deref(), Some("server-session"));
    }
    let released: Vec<ReleaseExecuteRequest> = fake.messages("ReleaseExecute");
    assert!(matches!(&released[0].release, Some(Release::ReleaseUntil(until)) if until.response_id == "b"));
    assert!(matches!(&released.last().unwrap().release, Some(Release::ReleaseAll(_))));
    assert_eq!(fake.methods().last().unwrap(), "ReleaseSession");
}

#[test]
fn rows_that_are_lost_are_an_error() {
    for (steps, part) in [
        (vec![rows("a", 0, &[1, 2]), rows("b", 3, &[4])], "2 came, and the next part begins after 3"),
        (vec![rows("a", 0, &[1, 2]), rows("b", 1, &[2])], "2 came, and the next part begins after 1"),
        (vec![counted("a", (0, 3), &[1, 2])], "has 2 instead of 3"),
    ] {
        let fake = Fake::spark(vec![steps.into_iter().chain([complete("z")]).collect()]);
        let problem = numbers(&fake).unwrap_err();
        assert!(problem.message.contains("lost rows") && problem.message.contains(part), "{problem:?}");
        assert_eq!(problem.kind, Kind::Unavailable);
        assert!(fake.methods().contains(&"Interrupt".to_owned()), "{:?}", fake.methods());
    }
}

#[test]
fn a_plan_that_never_came_there_is_sent_again() {
    let forgotten = || Step::Fail(error("[X] no", &[("errorClass", "INVALID_HANDLE.OPERATION_NOT_FOUND")]));
    let fake = Fake::spark(vec![
        vec![Step::Fail(Status::unavailable("gone"))],
        vec![forgotten()],
        vec![rows("a", 0, &[7]), complete("b")],
    ]);
    assert_eq!(numbers(&fake).unwrap(), [7]);
    assert_eq!(fake.messages::<ExecutePlanRequest>("ExecutePlan").len(), 2);

    // What has begun is not begun again: rows would come twice.
    let fake = Fake::spark(vec![vec![rows("a", 0, &[7])], vec![forgotten()]]);
    let problem = numbers(&fake).unwrap_err();
    assert!(problem.message.contains("does not know our session or query any more"), "{problem:?}");
    assert_eq!(fake.messages::<ExecutePlanRequest>("ExecutePlan").len(), 1);
}

#[test]
fn sessions_that_ended_are_told() {
    for class in ["INVALID_HANDLE.SESSION_CHANGED", "INVALID_HANDLE.SESSION_CLOSED"] {
        let fake =
            Fake::spark(vec![vec![rows("a", 0, &[1]), Step::Fail(error("[X] other", &[("errorClass", class)]))]]);
        let problem = numbers(&fake).unwrap_err();
        assert_eq!(problem.kind, Kind::Unavailable);
        assert!(problem.help().unwrap().contains("run the command again"), "{problem:?}");
    }
}

#[test]
fn a_token_that_ends_meanwhile_is_told() {
    let ended = || Step::Fail(Status::unauthenticated("the token has expired"));
    for streams in [
        vec![vec![rows("a", 0, &[1]), ended()]],
        // It ended while the connection was away.
        vec![vec![rows("a", 0, &[1]), Step::Fail(Status::unavailable("gone"))], vec![ended()]],
    ] {
        let fake = Fake::spark(streams);
        let problem = numbers(&fake).unwrap_err();
        assert!(problem.kind == Kind::Unauthenticated && problem.message.contains("has expired"), "{problem:?}");
        assert!(problem.help().unwrap().contains("SPARK_CONNECT_AUTHENTICATE_TOKEN"), "{problem:?}");
        assert_eq!(fake.messages::<ExecutePlanRequest>("ExecutePlan").len(), 1);
    }
}

#[test]
fn a_server_that_has_no_room_yet_is_waited_for() {
    // Longer than for a connection that is lost: this one is there.
    let progress = || part("p", ResponseType::ExecutionProgress(ExecutionProgress::default()));
    for queue in [vec![Step::Rest(WAIT * 3)], vec![Step::Rest(WAIT * 2), progress(), Step::Rest(WAIT * 2), progress()]]
    {
        let fake = Fake::spark(vec![[queue, vec![rows("a", 0, &[7]), complete("b")]].concat()]);
        assert_eq!(numbers(&fake).unwrap(), [7]);
        assert_eq!(fake.messages::<ExecutePlanRequest>("ExecutePlan").len(), 1);
        assert!(!fake.methods().contains(&"ReattachExecute".to_owned()));
    }
}

#[test]
fn one_who_waits_in_a_queue_may_leave_it() {
    let fake = Fake::spark(vec![vec![Step::Silence]]);
    let cancel = Cancel::default();
    let session = SparkSession::open(&config(&fake, ""), &cancel).unwrap();
    let began = Instant::now();
    let problem = thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(WAIT);
            cancel.cancel();
        });
        session.query("SELECT id", &mut Numbers(Vec::new(), 9), &|_| {}).unwrap_err()
    });
    assert!(problem.kind == Kind::Cancelled && began.elapsed() < WAIT * 10, "{problem:?} {:?}", began.elapsed());
    assert_eq!(fake.methods(), ["ExecutePlan", "Interrupt", "ReleaseExecute"]);
}

#[test]
fn answers_of_other_servers_are_not_taken_up_again() {
    let fake = Fake::other(vec![vec![rows("a", 0, &[1]), complete("b")]]);
    assert_eq!(session(&fake).version(), None);
    for (fake, part) in [
        (
            Fake::other(vec![vec![rows("a", 0, &[1]), Step::Fail(Status::unavailable("gone"))]]),
            "cannot be reached: gone",
        ),
        (Fake::other(vec![vec![rows("a", 0, &[1])]]), "the answer broke off"),
        // Whatever it says it is: rows that are not counted could be lost.
        (Fake::spark(vec![vec![uncounted("a", &[1])]]), "the answer broke off"),
    ] {
        let problem = numbers(&fake).unwrap_err();
        assert!(problem.message.contains(part), "{problem:?}");
        assert!(!fake.methods().iter().any(|method| method == "ReattachExecute"), "{:?}", fake.methods());
    }
    let whole = Fake::other(vec![vec![uncounted("a", &[1]), uncounted("b", &[2]), complete("c")]]);
    assert_eq!(numbers(&whole).unwrap(), [1, 2]);
}

#[test]
fn lost_connections_are_waited_for_as_long_as_the_settings_say() {
    let fake = Fake::spark(Vec::new()).with("Config", Err(Status::unavailable("gone")));
    assert_eq!(session(&fake).version(), Some("4.3.0"));
    assert_eq!(fake.messages::<ConfigRequest>("Config").len(), 2);

    let away = (0..20).fold(Fake::spark(Vec::new()), |fake, _| fake.with("Config", Err(Status::unavailable("gone"))));
    let began = Instant::now();
    let problem = SparkSession::open(&config(&away, ""), &Cancel::default()).err().unwrap();
    assert_eq!(problem.kind, Kind::Unavailable);
    assert!(began.elapsed() >= WAIT && began.elapsed() < WAIT * 10, "{:?}", began.elapsed());
    assert!(away.messages::<ConfigRequest>("Config").len() > 2);
}

#[test]
fn settings_that_the_server_does_not_take_are_told() {
    let refusal = error(
        "[CANNOT_MODIFY_CONFIG] Cannot modify.",
        &[
            ("errorClass", "CANNOT_MODIFY_CONFIG"),
            ("messageParameters", r#"{"key":"\"spark.driver.memory\"","docroot":"x"}"#),
        ],
    );
    let fake = Fake::spark(Vec::new()).with("Config", Err(refusal));
    let wishes =
        [("spark.driver.memory", "1g"), ("spark.sql.shuffle.partitions", "4"), ("spark.sql.session.timeZone", "CET")];
    let wishes = wishes.map(|(key, value)| (key.to_owned(), Password(value.to_owned())));
    let config = SparkConfig { session: wishes.into(), ..config(&fake, "") };
    let session = SparkSession::open(&config, &Cancel::default()).unwrap();
    assert_eq!(session.warnings().len(), 2, "{:?}", session.warnings());
    assert!(session.warnings()[1].contains("`spark.driver.memory` of `spark_conf` has no effect"));
    let set = fake.messages::<ConfigRequest>("Config")[1].operation.clone().unwrap().set.unwrap().pairs;
    let set: Vec<_> = set.into_iter().map(|pair| (pair.key, pair.value.unwrap())).collect();
    let of =
        |key: &str| set.iter().filter(|(name, _)| name == key).map(|(_, value)| value.as_str()).collect::<Vec<_>>();
    assert_eq!(of("spark.sql.session.timeZone"), ["UTC"]);
    assert_eq!((of("spark.sql.shuffle.partitions"), of("spark.driver.memory")), (vec!["4"], vec![]));
}

#[test]
fn errors_are_told_in_their_words_without_plans_and_stacks() {
    let plan = "[SOME_CLASS] It is\nso. SQLSTATE: 42000\n'Project [*]\n+- 'UnresolvedRelation [t]";
    let refused = |status: Status| numbers(&Fake::spark(vec![vec![Step::Fail(status)]])).unwrap_err();
    let unknown = refused(error(plan, &[("errorClass", "SOME_CLASS"), ("sqlState", "42000")]));
    assert!(unknown.message.ends_with(": It is so (SOME_CLASS, 42000)"), "{unknown:?}");
    let column = [
        ("errorClass", "UNRESOLVED_COLUMN.WITH_SUGGESTION"),
        ("messageParameters", r#"{"objectName":"`rat`","proposal":"`rating`"}"#),
    ];
    let column = refused(error("[X] long", &column));
    assert!(column.message.ends_with("there is no column `rat`"), "{column:?}");
    assert_eq!((column.kind, column.help().as_deref()), (Kind::Invalid, Some("there are `rating`")));
    let token = refused(Status::unauthenticated("Invalid token"));
    assert_eq!(token.kind, Kind::Unauthenticated);
    assert!(token.help().unwrap().contains("SPARK_CONNECT_AUTHENTICATE_TOKEN"));
    let scheme = refused(Status::internal(
        "org.apache.hadoop.fs.UnsupportedFileSystemException: No FileSystem for scheme \"s3\"\n\tat java.x",
    ));
    assert!(scheme.help().unwrap().contains("s3a://") && !scheme.message.contains("java.x"), "{scheme:?}");
    let large = "Job aborted due to stage failure: Total size of serialized results of 1 tasks (1842.7 KiB) is bigger than \
                 spark.driver.maxResultSize (1024.0 KiB)";
    let large = refused(Status::internal(large));
    assert!(large.help().unwrap().contains("written into a folder") && large.message.ends_with("KiB)"), "{large:?}");
}

#[test]
fn servers_are_asked_for_what_an_error_came_from() {
    let throwable = SparkThrowable {
        error_class: Some("PATH_NOT_FOUND".to_owned()),
        message_parameters: [("path".to_owned(), "file:/nowhere".to_owned())].into(),
        sql_state: None,
    };
    let caused = |message: &str, cause_idx: Option<i32>| ErrorOfServer {
        message: message.to_owned(),
        cause_idx,
        spark_throwable: None,
    };
    let details = |first: ErrorOfServer, second| {
        let answer = FetchErrorDetailsResponse { root_error_idx: Some(0), errors: vec![first, second] };
        Ok(answer.encode_to_vec().into())
    };
    let failing = || Fake::spark(vec![vec![Step::Fail(error("Job aborted", &[("errorId", "e1")]))]]);
    let fake =
        failing().with("FetchErrorDetails", details(caused("Job aborted", Some(1)), caused("disk full\n\tat x", None)));
    assert!(numbers(&fake).unwrap_err().message.ends_with("Job aborted: disk full"));
    // Errors that name each other have no end.
    let fake = failing().with("FetchErrorDetails", details(caused("Job aborted", Some(1)), caused("again", Some(0))));
    assert!(numbers(&fake).unwrap_err().message.contains("Job aborted"));
    let known = ErrorOfServer { spark_throwable: Some(throwable), ..caused("Job aborted", None) };
    let fake = failing().with("FetchErrorDetails", details(known, caused("", None)));
    assert_eq!(numbers(&fake).unwrap_err().kind, Kind::NotFound);
}

/// Calls a query off with the first rows.
struct CallsOff<'a>(&'a Cancel);

impl BatchSink for CallsOff<'_> {
    fn start(&mut self, _: &SchemaRef) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn batch(&mut self, _: &RecordBatch) -> ControlFlow<()> {
        self.0.cancel();
        ControlFlow::Continue(())
    }
}

#[test]
fn a_query_that_is_called_off_ends_at_the_server_before_its_session() {
    let fake = Fake::spark(vec![vec![rows("a", 0, &[1]), Step::Silence]]);
    let cancel = Cancel::default();
    let session = SparkSession::open(&config(&fake, ""), &cancel).unwrap();
    let problem = session.query("SELECT id", &mut CallsOff(&cancel), &|_| {}).unwrap_err();
    assert_eq!(problem.kind, Kind::Cancelled);
    drop(session);
    let begun: Vec<ExecutePlanRequest> = fake.messages("ExecutePlan");
    let ended: Vec<InterruptRequest> = fake.messages("Interrupt");
    assert_eq!((ended[0].interrupt_type, &ended[0].operation_id), (3, &begun[0].operation_id));
    assert_eq!(fake.methods(), ["ExecutePlan", "Interrupt", "ReleaseExecute", "ReleaseSession"]);
}

#[test]
fn what_is_wanted_no_more_ends_at_the_server() {
    let fake = Fake::spark(vec![vec![rows("a", 0, &[1, 2]), rows("b", 2, &[3]), Step::Silence]]);
    let mut some = Numbers(Vec::new(), 2);
    assert_eq!(session(&fake).query("SELECT id", &mut some, &|_| {}).unwrap(), 2);
    assert!(fake.methods().contains(&"Interrupt".to_owned()));
}

#[test]
fn how_far_a_query_is_is_told() {
    let stage =
        |done: i64| StageInfo { num_tasks: 4, num_completed_tasks: done, input_bytes_read: 10, ..StageInfo::default() };
    let progress = ExecutionProgress { stages: vec![stage(4), stage(1)], num_inflight_tasks: 2 };
    let steps = vec![part("p", ResponseType::ExecutionProgress(progress)), rows("a", 0, &[1]), complete("b")];
    let told = std::cell::Cell::new(Tasks::default());
    session(&Fake::spark(vec![steps]))
        .query("SELECT id", &mut Numbers(Vec::new(), 9), &|tasks| told.set(tasks))
        .unwrap();
    assert_eq!(told.get(), Tasks { done: 5, known: 8, bytes: 20 });
}

#[test]
fn who_asks_is_told_in_headers_and_in_requests() {
    let fake = Fake::spark(vec![vec![rows("a", 0, &[1]), complete("b")]]);
    let parameters = "token=s3cret;use_ssl=false;x-cluster=0301-a;user_id=ann;user_agent=nightly";
    let session = SparkSession::open(&config(&fake, parameters), &Cancel::default()).unwrap();
    session.query("SELECT id", &mut Numbers(Vec::new(), 9), &|_| {}).unwrap();
    drop(session);
    for asked in fake.asked() {
        let header = |name: &str| asked.headers.get(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!([header("authorization"), header("x-cluster")], ["Bearer s3cret", "0301-a"], "{}", asked.method);
    }
    let question: ExecutePlanRequest = fake.messages("ExecutePlan").remove(0);
    assert_eq!(question.user_context.unwrap().user_id, "ann");
    assert!(question.client_type.unwrap().ends_with(" nightly"));
}

#[test]
fn a_session_of_others_goes_on() {
    let fake = Fake::spark(Vec::new());
    let parameters = "session_id=00112233-4455-6677-8899-aabbccddeeff";
    drop(SparkSession::open(&config(&fake, parameters), &Cancel::default()).unwrap());
    assert!(fake.methods().is_empty(), "{:?}", fake.methods());
}
