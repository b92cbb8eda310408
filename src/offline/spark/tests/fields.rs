//! The numbers of fields are those of Spark: its own descriptors read what feastr writes.

use std::{
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
};

use prost::Message;

use crate::offline::spark::{
    messages::{
        AnalyzePlanRequest, AnalyzePlanResponse, AnalyzeSchema, AnalyzeSparkVersion, ArrowBatch, ConfigOperation,
        ConfigRequest, ConfigResponse, ConfigSet, DataSource, Detail, ErrorInfo, ErrorOfServer, ExecutePlanRequest,
        ExecutePlanResponse, ExecutionProgress, FetchErrorDetailsRequest, FetchErrorDetailsResponse, InterruptRequest,
        KeyValue, LocalRelation, NamedTable, Plan, Read, ReattachExecuteRequest, ReattachOptions, Relation,
        RelationCommon, ReleaseAll, ReleaseExecuteRequest, ReleaseSessionRequest, ReleaseUntil, RequestOption,
        ResultComplete, RpcStatus, SparkThrowable, SparkVersion, StageInfo, UserContext, analyze_plan_request::Analyze,
        execute_plan_response::ResponseType, plan::OpType, read::ReadType, relation::RelType,
        release_execute_request::Release,
    },
    plan::{sql, view, write},
};

/// The folder of pyspark that the tests use, and the Python beside it.
fn pyspark() -> (PathBuf, PathBuf) {
    let home = std::env::var_os("FEASTR_SPARK_HOME")
        .expect("FEASTR_SPARK_HOME names no folder of pyspark: run scripts/test.sh, which installs it");
    let home = PathBuf::from(home);
    let python = home.ancestors().nth(4).unwrap().join("bin/python");
    (home, python)
}

/// Every message with all of its fields, each of another value; texts are the names of their fields.
fn messages() -> Vec<(&'static str, Vec<u8>)> {
    let text = str::to_owned;
    let some = |name: &str| Some(name.to_owned());
    let user_context = || Some(UserContext { user_id: text("user_id"), user_name: text("user_name") });
    let request = |plan: Plan| ExecutePlanRequest {
        session_id: text("session_id"),
        user_context: user_context(),
        plan: Some(plan),
        client_type: some("client_type"),
        request_options: vec![RequestOption { reattach_options: Some(ReattachOptions { reattachable: true }) }],
        operation_id: some("operation_id"),
        tags: vec![text("tags")],
        client_observed_server_side_session_id: some("client_observed_server_side_session_id"),
    };
    let relation = |rel_type| Relation { common: Some(RelationCommon { plan_id: Some(9) }), rel_type: Some(rel_type) };
    let root = |rel_type| request(Plan { op_type: Some(OpType::Root(relation(rel_type))) });
    let source = DataSource {
        format: some("format"),
        options: [(text("key"), text("options"))].into(),
        paths: vec![text("paths")],
    };
    let table = NamedTable { unparsed_identifier: text("unparsed_identifier") };
    let local = LocalRelation { data: Some(b"data".to_vec()) };
    let response = |response_type| ExecutePlanResponse {
        session_id: text("session_id"),
        operation_id: text("operation_id"),
        response_id: text("response_id"),
        server_side_session_id: text("server_side_session_id"),
        response_type: Some(response_type),
    };
    let batch = ArrowBatch { row_count: 1, data: "data".into(), start_offset: Some(2) };
    let stage = StageInfo { stage_id: 1, num_tasks: 2, num_completed_tasks: 3, input_bytes_read: 4, done: true };
    let progress = ExecutionProgress { stages: vec![stage], num_inflight_tasks: 5 };
    let release = |release| ReleaseExecuteRequest {
        session_id: text("session_id"),
        user_context: user_context(),
        operation_id: text("operation_id"),
        client_type: some("client_type"),
        release: Some(release),
    };
    let analyze = |analyze| AnalyzePlanRequest {
        session_id: text("session_id"),
        user_context: user_context(),
        client_type: some("client_type"),
        analyze: Some(analyze),
    };
    let pairs = vec![KeyValue { key: text("key"), value: some("value") }];
    let throwable = SparkThrowable {
        error_class: some("error_class"),
        message_parameters: [(text("key"), text("message_parameters"))].into(),
        sql_state: some("sql_state"),
    };
    let error = ErrorOfServer { message: text("message"), cause_idx: Some(1), spark_throwable: Some(throwable) };
    let written = |name: &'static str, message: &dyn DynMessage| (name, message.bytes());
    vec![
        written("ExecutePlanRequest", &root(sql("query").rel_type.unwrap())),
        written("ExecutePlanRequest", &root(RelType::Read(Read { read_type: Some(ReadType::DataSource(source)) }))),
        written("ExecutePlanRequest", &root(RelType::Read(Read { read_type: Some(ReadType::NamedTable(table)) }))),
        written("ExecutePlanRequest", &root(RelType::LocalRelation(local))),
        written("ExecutePlanRequest", &request(view("name", sql("query")))),
        written("ExecutePlanRequest", &request(write(sql("query"), "path", false))),
        written("ExecutePlanResponse", &response(ResponseType::ArrowBatch(batch))),
        written("ExecutePlanResponse", &response(ResponseType::ExecutionProgress(progress))),
        written("ExecutePlanResponse", &response(ResponseType::ResultComplete(ResultComplete {}))),
        written(
            "ReattachExecuteRequest",
            &ReattachExecuteRequest {
                session_id: text("session_id"),
                user_context: user_context(),
                operation_id: text("operation_id"),
                client_type: some("client_type"),
                last_response_id: some("last_response_id"),
                client_observed_server_side_session_id: some("client_observed_server_side_session_id"),
            },
        ),
        written("ReleaseExecuteRequest", &release(Release::ReleaseAll(ReleaseAll {}))),
        written(
            "ReleaseExecuteRequest",
            &release(Release::ReleaseUntil(ReleaseUntil { response_id: text("response_id") })),
        ),
        written("AnalyzePlanRequest", &analyze(Analyze::SparkVersion(AnalyzeSparkVersion {}))),
        written(
            "AnalyzePlanRequest",
            &analyze(Analyze::Schema(Box::new(AnalyzeSchema {
                plan: Some(Plan { op_type: Some(OpType::Root(sql("query"))) }),
            }))),
        ),
        written(
            "AnalyzePlanResponse",
            &AnalyzePlanResponse { spark_version: Some(SparkVersion { version: text("version") }) },
        ),
        written(
            "ConfigRequest",
            &ConfigRequest {
                session_id: text("session_id"),
                user_context: user_context(),
                operation: Some(ConfigOperation { set: Some(ConfigSet { pairs }) }),
                client_type: some("client_type"),
            },
        ),
        written("ConfigResponse", &ConfigResponse { warnings: vec![text("warnings")] }),
        written(
            "InterruptRequest",
            &InterruptRequest {
                session_id: text("session_id"),
                user_context: user_context(),
                client_type: some("client_type"),
                interrupt_type: InterruptRequest::OPERATION_ID,
                operation_id: some("operation_id"),
            },
        ),
        written(
            "ReleaseSessionRequest",
            &ReleaseSessionRequest {
                session_id: text("session_id"),
                user_context: user_context(),
                client_type: some("client_type"),
            },
        ),
        written(
            "FetchErrorDetailsRequest",
            &FetchErrorDetailsRequest {
                session_id: text("session_id"),
                user_context: user_context(),
                error_id: text("error_id"),
                client_type: some("client_type"),
            },
        ),
        written(
            "FetchErrorDetailsResponse",
            &FetchErrorDetailsResponse { root_error_idx: Some(3), errors: vec![error] },
        ),
        written(
            "google.rpc.Status",
            &RpcStatus { details: vec![Detail { type_url: text("type_url"), value: b"value".to_vec() }] },
        ),
        written(
            "google.rpc.ErrorInfo",
            &ErrorInfo { reason: text("reason"), metadata: [(text("key"), text("metadata"))].into() },
        ),
    ]
}

/// A message of any kind.
trait DynMessage {
    fn bytes(&self) -> Vec<u8>;
}

impl<M: Message> DynMessage for M {
    fn bytes(&self) -> Vec<u8> {
        self.encode_to_vec()
    }
}

#[test]
fn sparks_descriptors_read_every_field_under_its_name() {
    let (home, python) = pyspark();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/spark_fields.py");
    let mut reader = Command::new(python)
        .arg(script)
        .arg(home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = reader.stdin.take().unwrap();
    for (name, bytes) in messages() {
        let hexadecimal: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(stdin, "{name}\t{hexadecimal}").unwrap();
    }
    drop(stdin);
    let output = reader.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    insta::assert_json_snapshot!(read);
}
