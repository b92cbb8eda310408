//! The messages of Spark Connect (package `spark.connect`), as far as they are needed: fields by their numbers, which are
//! those of Spark 4.3. What else servers send is skipped.

use std::collections::HashMap;

use prost::{Message, Oneof};

/// Who asks.
#[derive(Clone, PartialEq, Message)]
pub(super) struct UserContext {
    #[prost(string, tag = "1")]
    pub(super) user_id: String,
    #[prost(string, tag = "2")]
    pub(super) user_name: String,
}

/// Rows that are asked for, or something that is to be done.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Plan {
    #[prost(oneof = "plan::OpType", tags = "1, 2")]
    pub(super) op_type: Option<plan::OpType>,
}

pub(super) mod plan {
    use super::{Command, Oneof, Relation};

    #[derive(Clone, PartialEq, Oneof)]
    pub(in super::super) enum OpType {
        #[prost(message, tag = "1")]
        Root(Relation),
        #[prost(message, tag = "2")]
        Command(Command),
    }
}

/// Rows.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Relation {
    #[prost(message, optional, tag = "1")]
    pub(super) common: Option<RelationCommon>,
    #[prost(oneof = "relation::RelType", tags = "2, 10, 11")]
    pub(super) rel_type: Option<relation::RelType>,
}

pub(super) mod relation {
    use super::{LocalRelation, Oneof, Read, Sql};

    #[derive(Clone, PartialEq, Oneof)]
    pub(in super::super) enum RelType {
        #[prost(message, tag = "2")]
        Read(Read),
        #[prost(message, tag = "10")]
        Sql(Sql),
        #[prost(message, tag = "11")]
        LocalRelation(LocalRelation),
    }
}

/// What all relations have.
#[derive(Clone, PartialEq, Message)]
pub(super) struct RelationCommon {
    #[prost(int64, optional, tag = "2")]
    pub(super) plan_id: Option<i64>,
}

/// A `SELECT`, or a statement.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Sql {
    #[prost(string, tag = "1")]
    pub(super) query: String,
}

/// Rows that the server reads.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Read {
    #[prost(oneof = "read::ReadType", tags = "1, 2")]
    pub(super) read_type: Option<read::ReadType>,
}

pub(super) mod read {
    use super::{DataSource, NamedTable, Oneof};

    #[derive(Clone, PartialEq, Oneof)]
    pub(in super::super) enum ReadType {
        #[prost(message, tag = "1")]
        NamedTable(NamedTable),
        #[prost(message, tag = "2")]
        DataSource(DataSource),
    }
}

/// A table or view of a catalog.
#[derive(Clone, PartialEq, Message)]
pub(super) struct NamedTable {
    /// As SQL writes it, with its catalog and schema.
    #[prost(string, tag = "1")]
    pub(super) unparsed_identifier: String,
}

/// Files.
#[derive(Clone, PartialEq, Message)]
pub(super) struct DataSource {
    #[prost(string, optional, tag = "1")]
    pub(super) format: Option<String>,
    #[prost(map = "string, string", tag = "3")]
    pub(super) options: HashMap<String, String>,
    #[prost(string, repeated, tag = "4")]
    pub(super) paths: Vec<String>,
}

/// Rows that are sent along, as a stream of Arrow.
#[derive(Clone, PartialEq, Message)]
pub(super) struct LocalRelation {
    #[prost(bytes = "vec", optional, tag = "1")]
    pub(super) data: Option<Vec<u8>>,
}

/// Something that is to be done.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Command {
    #[prost(oneof = "command::CommandType", tags = "2, 3")]
    pub(super) command_type: Option<command::CommandType>,
}

pub(super) mod command {
    use super::{CreateDataFrameView, Oneof, WriteOperation};

    #[derive(Clone, PartialEq, Oneof)]
    pub(in super::super) enum CommandType {
        #[prost(message, tag = "2")]
        WriteOperation(WriteOperation),
        #[prost(message, tag = "3")]
        CreateDataframeView(CreateDataFrameView),
    }
}

/// Gives rows a name.
#[derive(Clone, PartialEq, Message)]
pub(super) struct CreateDataFrameView {
    #[prost(message, optional, tag = "1")]
    pub(super) input: Option<Relation>,
    #[prost(string, tag = "2")]
    pub(super) name: String,
    #[prost(bool, tag = "3")]
    pub(super) is_global: bool,
    #[prost(bool, tag = "4")]
    pub(super) replace: bool,
}

/// Writes rows into files of a folder.
#[derive(Clone, PartialEq, Message)]
pub(super) struct WriteOperation {
    #[prost(message, optional, tag = "1")]
    pub(super) input: Option<Relation>,
    #[prost(string, optional, tag = "2")]
    pub(super) source: Option<String>,
    #[prost(string, tag = "3")]
    pub(super) path: String,
    #[prost(int32, tag = "5")]
    pub(super) mode: i32,
    #[prost(map = "string, string", tag = "9")]
    pub(super) options: HashMap<String, String>,
}

impl WriteOperation {
    /// The mode that fails where something is there already.
    pub(super) const ERROR_IF_EXISTS: i32 = 3;
    /// The mode that adds to what is there.
    pub(super) const APPEND: i32 = 1;
}

/// Executes a plan; the answer comes in parts.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ExecutePlanRequest {
    #[prost(string, tag = "1")]
    pub(super) session_id: String,
    #[prost(message, optional, tag = "2")]
    pub(super) user_context: Option<UserContext>,
    #[prost(message, optional, tag = "3")]
    pub(super) plan: Option<Plan>,
    #[prost(string, optional, tag = "4")]
    pub(super) client_type: Option<String>,
    #[prost(message, repeated, tag = "5")]
    pub(super) request_options: Vec<RequestOption>,
    #[prost(string, optional, tag = "6")]
    pub(super) operation_id: Option<String>,
    #[prost(string, repeated, tag = "7")]
    pub(super) tags: Vec<String>,
    #[prost(string, optional, tag = "8")]
    pub(super) client_observed_server_side_session_id: Option<String>,
}

/// How a plan is executed.
#[derive(Clone, PartialEq, Message)]
pub(super) struct RequestOption {
    #[prost(message, optional, tag = "1")]
    pub(super) reattach_options: Option<ReattachOptions>,
}

/// Whether the answer may be taken up again.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ReattachOptions {
    #[prost(bool, tag = "1")]
    pub(super) reattachable: bool,
}

/// A part of an answer.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ExecutePlanResponse {
    #[prost(string, tag = "1")]
    pub(super) session_id: String,
    #[prost(string, tag = "12")]
    pub(super) operation_id: String,
    #[prost(string, tag = "13")]
    pub(super) response_id: String,
    #[prost(string, tag = "15")]
    pub(super) server_side_session_id: String,
    #[prost(oneof = "execute_plan_response::ResponseType", tags = "2, 14, 18")]
    pub(super) response_type: Option<execute_plan_response::ResponseType>,
}

pub(super) mod execute_plan_response {
    use super::{ArrowBatch, ExecutionProgress, Oneof, ResultComplete};

    #[derive(Clone, PartialEq, Oneof)]
    pub(in super::super) enum ResponseType {
        #[prost(message, tag = "2")]
        ArrowBatch(ArrowBatch),
        #[prost(message, tag = "14")]
        ResultComplete(ResultComplete),
        #[prost(message, tag = "18")]
        ExecutionProgress(ExecutionProgress),
    }
}

/// Some rows, as a whole stream of Arrow.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ArrowBatch {
    #[prost(int64, tag = "1")]
    pub(super) row_count: i64,
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) data: bytes::Bytes,
    /// How many rows come before.
    #[prost(int64, optional, tag = "3")]
    pub(super) start_offset: Option<i64>,
}

/// The whole answer was sent.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ResultComplete {}

/// How far the execution is.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ExecutionProgress {
    #[prost(message, repeated, tag = "1")]
    pub(super) stages: Vec<StageInfo>,
    #[prost(int64, tag = "2")]
    pub(super) num_inflight_tasks: i64,
}

/// A stage of it.
#[derive(Clone, PartialEq, Message)]
pub(super) struct StageInfo {
    #[prost(int64, tag = "1")]
    pub(super) stage_id: i64,
    #[prost(int64, tag = "2")]
    pub(super) num_tasks: i64,
    #[prost(int64, tag = "3")]
    pub(super) num_completed_tasks: i64,
    #[prost(int64, tag = "4")]
    pub(super) input_bytes_read: i64,
    #[prost(bool, tag = "5")]
    pub(super) done: bool,
}

/// Takes up an answer after a part of it.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ReattachExecuteRequest {
    #[prost(string, tag = "1")]
    pub(super) session_id: String,
    #[prost(message, optional, tag = "2")]
    pub(super) user_context: Option<UserContext>,
    #[prost(string, tag = "3")]
    pub(super) operation_id: String,
    #[prost(string, optional, tag = "4")]
    pub(super) client_type: Option<String>,
    #[prost(string, optional, tag = "5")]
    pub(super) last_response_id: Option<String>,
    #[prost(string, optional, tag = "6")]
    pub(super) client_observed_server_side_session_id: Option<String>,
}

/// Says that an answer is here, to a part of it or in whole.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ReleaseExecuteRequest {
    #[prost(string, tag = "1")]
    pub(super) session_id: String,
    #[prost(message, optional, tag = "2")]
    pub(super) user_context: Option<UserContext>,
    #[prost(string, tag = "3")]
    pub(super) operation_id: String,
    #[prost(string, optional, tag = "4")]
    pub(super) client_type: Option<String>,
    #[prost(oneof = "release_execute_request::Release", tags = "5, 6")]
    pub(super) release: Option<release_execute_request::Release>,
}

pub(super) mod release_execute_request {
    use super::{Oneof, ReleaseAll, ReleaseUntil};

    #[derive(Clone, PartialEq, Oneof)]
    pub(in super::super) enum Release {
        #[prost(message, tag = "5")]
        ReleaseAll(ReleaseAll),
        #[prost(message, tag = "6")]
        ReleaseUntil(ReleaseUntil),
    }
}

/// All of it.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ReleaseAll {}

/// What came until a part.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ReleaseUntil {
    #[prost(string, tag = "1")]
    pub(super) response_id: String,
}

/// What a plan or the server is.
#[derive(Clone, PartialEq, Message)]
pub(super) struct AnalyzePlanRequest {
    #[prost(string, tag = "1")]
    pub(super) session_id: String,
    #[prost(message, optional, tag = "2")]
    pub(super) user_context: Option<UserContext>,
    #[prost(string, optional, tag = "3")]
    pub(super) client_type: Option<String>,
    #[prost(oneof = "analyze_plan_request::Analyze", tags = "4, 10")]
    pub(super) analyze: Option<analyze_plan_request::Analyze>,
}

pub(super) mod analyze_plan_request {
    use super::{AnalyzeSchema, AnalyzeSparkVersion, Oneof};

    #[derive(Clone, PartialEq, Oneof)]
    pub(in super::super) enum Analyze {
        #[prost(message, tag = "4")]
        Schema(Box<AnalyzeSchema>),
        #[prost(message, tag = "10")]
        SparkVersion(AnalyzeSparkVersion),
    }
}

/// Which columns a plan gives.
#[derive(Clone, PartialEq, Message)]
pub(super) struct AnalyzeSchema {
    #[prost(message, optional, tag = "1")]
    pub(super) plan: Option<Plan>,
}

/// Which version the server has.
#[derive(Clone, PartialEq, Message)]
pub(super) struct AnalyzeSparkVersion {}

/// The answer; that there is one says that a plan is understood.
#[derive(Clone, PartialEq, Message)]
pub(super) struct AnalyzePlanResponse {
    #[prost(message, optional, tag = "8")]
    pub(super) spark_version: Option<SparkVersion>,
}

/// The version.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SparkVersion {
    #[prost(string, tag = "1")]
    pub(super) version: String,
}

/// Settings of a session.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ConfigRequest {
    #[prost(string, tag = "1")]
    pub(super) session_id: String,
    #[prost(message, optional, tag = "2")]
    pub(super) user_context: Option<UserContext>,
    #[prost(message, optional, tag = "3")]
    pub(super) operation: Option<ConfigOperation>,
    #[prost(string, optional, tag = "4")]
    pub(super) client_type: Option<String>,
}

/// What is done with them.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ConfigOperation {
    #[prost(message, optional, tag = "1")]
    pub(super) set: Option<ConfigSet>,
}

/// They are set.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ConfigSet {
    #[prost(message, repeated, tag = "1")]
    pub(super) pairs: Vec<KeyValue>,
}

/// A setting.
#[derive(Clone, PartialEq, Message)]
pub(super) struct KeyValue {
    #[prost(string, tag = "1")]
    pub(super) key: String,
    #[prost(string, optional, tag = "2")]
    pub(super) value: Option<String>,
}

/// The answer.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ConfigResponse {
    #[prost(string, repeated, tag = "3")]
    pub(super) warnings: Vec<String>,
}

/// Ends an operation.
#[derive(Clone, PartialEq, Message)]
pub(super) struct InterruptRequest {
    #[prost(string, tag = "1")]
    pub(super) session_id: String,
    #[prost(message, optional, tag = "2")]
    pub(super) user_context: Option<UserContext>,
    #[prost(string, optional, tag = "3")]
    pub(super) client_type: Option<String>,
    #[prost(int32, tag = "4")]
    pub(super) interrupt_type: i32,
    #[prost(string, optional, tag = "6")]
    pub(super) operation_id: Option<String>,
}

impl InterruptRequest {
    /// An operation by its id.
    pub(super) const OPERATION_ID: i32 = 3;
}

/// Ends a session.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ReleaseSessionRequest {
    #[prost(string, tag = "1")]
    pub(super) session_id: String,
    #[prost(message, optional, tag = "2")]
    pub(super) user_context: Option<UserContext>,
    #[prost(string, optional, tag = "3")]
    pub(super) client_type: Option<String>,
}

/// Asks for more about an error.
#[derive(Clone, PartialEq, Message)]
pub(super) struct FetchErrorDetailsRequest {
    #[prost(string, tag = "1")]
    pub(super) session_id: String,
    #[prost(message, optional, tag = "2")]
    pub(super) user_context: Option<UserContext>,
    #[prost(string, tag = "3")]
    pub(super) error_id: String,
    #[prost(string, optional, tag = "4")]
    pub(super) client_type: Option<String>,
}

/// The error, and what it came from.
#[derive(Clone, PartialEq, Message)]
pub(super) struct FetchErrorDetailsResponse {
    #[prost(int32, optional, tag = "1")]
    pub(super) root_error_idx: Option<i32>,
    #[prost(message, repeated, tag = "2")]
    pub(super) errors: Vec<ErrorOfServer>,
}

/// One of them.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ErrorOfServer {
    #[prost(string, tag = "2")]
    pub(super) message: String,
    #[prost(int32, optional, tag = "4")]
    pub(super) cause_idx: Option<i32>,
    #[prost(message, optional, tag = "5")]
    pub(super) spark_throwable: Option<SparkThrowable>,
}

/// What Spark says of an error of its own.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SparkThrowable {
    #[prost(string, optional, tag = "1")]
    pub(super) error_class: Option<String>,
    #[prost(map = "string, string", tag = "2")]
    pub(super) message_parameters: HashMap<String, String>,
    #[prost(string, optional, tag = "4")]
    pub(super) sql_state: Option<String>,
}

/// An answer that says nothing that is needed.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Done {}

/// `google.rpc.Status`, in the details of a status of gRPC.
#[derive(Clone, PartialEq, Message)]
pub(super) struct RpcStatus {
    #[prost(message, repeated, tag = "3")]
    pub(super) details: Vec<Detail>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Detail {
    #[prost(string, tag = "1")]
    pub(super) type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) value: Vec<u8>,
}

/// `google.rpc.ErrorInfo`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ErrorInfo {
    #[prost(string, tag = "1")]
    pub(super) reason: String,
    #[prost(map = "string, string", tag = "3")]
    pub(super) metadata: HashMap<String, String>,
}
