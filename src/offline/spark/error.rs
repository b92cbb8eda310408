//! What a server says when it does not do what it was asked for: its class and its words, and what that means for people.
//! Plans and stacks of calls, which it sends along, are left out.

use std::{collections::BTreeMap, error::Error as _};

use prost::Message as _;
use tonic::{Code, Status};

use super::messages::{ErrorInfo, FetchErrorDetailsResponse, RpcStatus};
use crate::{
    clients::grpc::{kind_of, one_line},
    model::printable,
    problem::{Kind, Problem},
};

/// Where a server that is away is named.
const SETTING: &str = "correct `spark.remote` under `spark_conf` in feature_store.yaml, or SPARK_REMOTE";

/// What to do about an answer that is more than the server gives.
const TOO_LARGE: &str = "have results written into a folder, which the cluster does itself; newest rows go through files with a \
                         `staging_location`, if they are many; or have `spark.driver.maxResultSize` raised where the server is \
                         started";

/// Why a server does not do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    code: Code,
    /// Whether the connection broke, so that nobody knows whether it was done.
    is_lost: bool,
    /// Its words, in one line.
    said: String,
    /// Spark's class of errors, such as `PATH_NOT_FOUND`.
    class: Option<String>,
    /// The state of SQL that goes with it.
    sql_state: Option<String>,
    /// What the class is about.
    parameters: BTreeMap<String, String>,
    /// By which the server tells more.
    pub(super) id: Option<String>,
    /// What it came from, at the end.
    cause: Option<String>,
}

impl Refusal {
    /// What a status says.
    pub(super) fn of(status: &Status) -> Self {
        let mut info = error_info(status.details()).map(|info| info.metadata).unwrap_or_default();
        let parameters = info.remove("messageParameters");
        let parameters = parameters.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
        let innermost = std::iter::successors(status.source(), |cause| (*cause).source()).last();
        let said = innermost.map_or_else(|| without_plan(status.message()), |cause| one_line(&cause.to_string()));
        let class = info.remove("errorClass");
        Self {
            code: status.code(),
            is_lost: class.is_none() && (innermost.is_some() || status.code() == Code::Unavailable),
            said,
            class,
            sql_state: info.remove("sqlState"),
            parameters,
            id: info.remove("errorId"),
            cause: None,
        }
    }

    /// The same for an answer that broke off without a word.
    pub(super) fn broken_off() -> Self {
        Self { is_lost: true, ..Self::of(&Status::unavailable("the answer broke off")) }
    }

    /// The same, with what the server tells when it is asked for more.
    #[must_use]
    pub(super) fn with(mut self, details: FetchErrorDetailsResponse) -> Self {
        let index = |index: Option<i32>| usize::try_from(index?).ok();
        let Some(root) = index(details.root_error_idx).and_then(|root| details.errors.get(root)) else { return self };
        let of_root = root.spark_throwable.clone().unwrap_or_default();
        self.class = self.class.or(of_root.error_class);
        self.sql_state = self.sql_state.or(of_root.sql_state);
        if self.parameters.is_empty() {
            self.parameters = of_root.message_parameters.into_iter().collect();
        }
        // No more steps than there are errors, whatever they point at.
        let causes = std::iter::successors(Some(root), |error| details.errors.get(index(error.cause_idx)?));
        let innermost = causes.take(details.errors.len()).last().map(|error| without_plan(&error.message));
        self.cause = innermost.filter(|cause| !cause.is_empty() && !self.said.contains(cause.as_str()));
        self
    }

    /// Whether the connection broke, so that asking again may help.
    pub(super) fn is_lost(&self) -> bool {
        self.is_lost || self.is_of("INVALID_CURSOR.DISCONNECTED")
    }

    /// Whether the server knows nothing of the operation that it is asked about.
    pub(super) fn is_forgotten(&self) -> bool {
        self.is_of("INVALID_HANDLE.OPERATION_NOT_FOUND")
    }

    /// The setting that the server does not let sessions have.
    pub(super) fn forbidden_setting(&self) -> Option<&str> {
        let key = self.parameters.get("key").or_else(|| self.parameters.get("config"));
        key.filter(|_| self.is_of("CANNOT_MODIFY")).map(|key| bare(key))
    }

    /// Whether the server may not be asked this by us, or nobody answers.
    pub(super) fn is_about_access(&self) -> bool {
        self.is_lost() || matches!(self.code, Code::Unauthenticated | Code::PermissionDenied | Code::DeadlineExceeded)
    }

    fn is_of(&self, class: &str) -> bool {
        self.class.as_ref().is_some_and(|own| own.starts_with(class))
    }

    fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("…", |value| bare(value))
    }

    /// The problem that it is; `server` is what messages call the server.
    pub(super) fn problem(&self, server: &str) -> Problem {
        let problem = |kind: Kind, message: String, help: Option<&str>| {
            Problem::new(kind, printable(&message), help.map(|help| printable(help).into_owned()))
        };
        let known =
            self.known().map(|(kind, message, help)| problem(kind, format!("{server}: {message}"), help.as_deref()));
        known.unwrap_or_else(|| {
            let said = if self.said.is_empty() { self.code.description() } else { &self.said };
            if self.is_lost() {
                return problem(Kind::Unavailable, format!("{server} cannot be reached: {said}"), Some(SETTING));
            }
            let names: Vec<&str> = self.class.iter().chain(&self.sql_state).map(String::as_str).collect();
            let names = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
            let cause = self.cause.as_ref().map(|cause| format!(": {cause}")).unwrap_or_default();
            let help = match self.code {
                Code::Unimplemented => Some("is it a Spark Connect server?"),
                _ => self.advice().or(Some("the log of the server may say more")),
            };
            // A failure of what it was asked for has no code of its own.
            let kind = if self.code == Code::Internal { Kind::Unavailable } else { kind_of(self.code) };
            problem(kind, format!("{server}: {said}{cause}{names}"), help)
        })
    }

    /// What classes mean that people meet: the kind, what is wrong, and what to do.
    fn known(&self) -> Option<(Kind, String, Option<String>)> {
        let text = |text: &str| Some(text.to_owned());
        match self.code {
            Code::Unauthenticated => {
                let help = "give a token: `token=…` in its address, or SPARK_CONNECT_AUTHENTICATE_TOKEN";
                return Some((Kind::Unauthenticated, self.said.clone(), text(help)));
            }
            Code::PermissionDenied => {
                let help = "ask those who look after it for the permission";
                return Some((Kind::Denied, self.said.clone(), text(help)));
            }
            _ => {}
        }
        let class = self.class.as_deref()?;
        let classes: [(&str, Kind, String, Option<String>); 11] = [
            (
                "UNRESOLVED_COLUMN",
                Kind::Invalid,
                format!("there is no column {}", self.parameter("objectName")),
                self.parameters.get("proposal").map(|proposal| format!("there are {proposal}")),
            ),
            (
                "UNRESOLVED_ROUTINE",
                Kind::Unsupported,
                format!("there is no function {}", self.parameter("routineName")),
                text("a newer server may have it"),
            ),
            (
                "TABLE_OR_VIEW_NOT_FOUND",
                Kind::NotFound,
                format!("there is no table or view {}", self.parameter("relationName")),
                text("name it with its catalog and schema, as the server knows it"),
            ),
            (
                "PARSE_SYNTAX_ERROR",
                Kind::Unsupported,
                format!("it does not understand the statement near {}", self.parameter("error")),
                text("feastr is made for Spark 3.5 and newer"),
            ),
            (
                "PATH_NOT_FOUND",
                Kind::NotFound,
                format!("there is nothing at {}", self.parameter("path")),
                text("it is looked for from the cluster, not from this machine"),
            ),
            (
                "PARQUET_TYPE_ILLEGAL",
                Kind::Unsupported,
                format!("it does not read columns of parquet files that are {}", self.parameter("parquetType")),
                text("times are read in microseconds: write the files so (in pandas `coerce_timestamps=\"us\"`)"),
            ),
            (
                "PATH_ALREADY_EXISTS",
                Kind::Conflict,
                format!("there is something at {} already", self.parameter("outputPath")),
                text("choose another folder"),
            ),
            (
                "CAST_INVALID_INPUT",
                Kind::Invalid,
                format!("{} is no {}", self.parameter("expression"), self.parameter("targetType")),
                None,
            ),
            ("OPERATION_CANCELED", Kind::Cancelled, "the query was ended at the server".to_owned(), None),
            (
                "INVALID_HANDLE",
                Kind::Unavailable,
                format!("it does not know our session or query any more: {}", self.said),
                text("it was started again, or the session rested for too long: run the command again"),
            ),
            ("OPERATION_FAILED_MAX_RESULT_SIZE", Kind::Unavailable, self.said.clone(), text(TOO_LARGE)),
        ];
        classes
            .into_iter()
            .find(|(name, ..)| class.starts_with(name))
            .map(|(_, kind, message, help)| (kind, message, help))
    }

    /// What to do about errors that have no class, by their words.
    fn advice(&self) -> Option<&'static str> {
        let words = [&self.said].into_iter().chain(&self.cause);
        let has = |part: &str| words.clone().any(|said| said.contains(part));
        if has("No FileSystem for scheme \"s3\"") {
            Some(
                "write s3a:// for open-source Spark, or set spark.hadoop.fs.s3.impl: \
                 org.apache.hadoop.fs.s3a.S3AFileSystem on the server",
            )
        } else if has("spark.driver.maxResultSize") {
            Some(TOO_LARGE)
        } else {
            None
        }
    }
}

/// What a status of gRPC has about its error.
fn error_info(details: &[u8]) -> Option<ErrorInfo> {
    let status = RpcStatus::decode(details).ok()?;
    let detail = status.details.into_iter().find(|detail| detail.type_url.ends_with("/google.rpc.ErrorInfo"))?;
    ErrorInfo::decode(detail.value.as_slice()).ok()
}

/// The words of a message: without the name of its class in front, and without what follows for developers.
fn without_plan(message: &str) -> String {
    let is_for_developers = |line: &str| {
        let line = line.trim_start();
        line.starts_with(['\'', '+'])
            || line.starts_with("at ")
            || line.starts_with("JVM stacktrace")
            || line.starts_with("== ")
            || line.starts_with(":-")
    };
    let words: Vec<&str> = message.lines().take_while(|line| !is_for_developers(line)).collect();
    let words = one_line(&words.join(" "));
    let words = words.strip_prefix('[').and_then(|rest| rest.split_once("] ")).map_or(words.as_str(), |(_, rest)| rest);
    words.split_once(" SQLSTATE: ").map_or(words, |(words, _)| words).trim_end_matches('.').to_owned()
}

/// A parameter without the quotes around it.
fn bare(value: &str) -> &str {
    value.trim_matches('"')
}
