//! The one error of the library: what is wrong, of which kind, and what to do.
//!
//! Rooms decide about kind, message and advice. Faces decide what that means to the caller: an exit code, an HTTP or
//! gRPC status, and how advice is worded.

use std::{fmt, io};

use serde::{Serialize, Serializer, ser::SerializeStruct as _};

/// Why something cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// Whose fault it is and whether asking again helps; what REST, gRPC and exit codes go by.
    pub kind: Kind,
    /// What is wrong and where: a sentence without a full stop, never with a password.
    pub message: String,
    /// What to do about it.
    pub advice: Option<Advice>,
    /// What it is about, where clients tell such problems apart.
    pub subject: Option<Subject>,
}

/// What a problem is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A feature view that is named.
    FeatureView,
    /// A feature service that is named.
    FeatureService,
    /// A feature of a view.
    Feature,
    /// The names that features have in an answer.
    FeatureNames,
    /// What requests bring for on-demand features.
    RequestData,
    /// A push source that is named.
    PushSource,
    /// A data source that is named.
    DataSource,
    /// How much a server does at a time.
    Room,
}

/// The kinds of problems, each with one place in every protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// What was asked or given is wrong, and stays wrong.
    Invalid,
    /// What was named does not exist.
    NotFound,
    /// It does not go together with what is there, or somebody else was faster.
    Conflict,
    /// It could be done, and a guard forbids it.
    Refused,
    /// It is right and feastr cannot do it, here or yet.
    Unsupported,
    /// A store or file is away, busy, full, or not as feastr needs it; asking again later may help.
    Unavailable,
    /// A store did not answer in time.
    Deadline,
    /// Nobody knows who the caller is: there is no token, or it is not right.
    Unauthenticated,
    /// The caller may not do this. What a store does not let feastr do is [`Unavailable`](Self::Unavailable).
    Denied,
    /// The caller called it off.
    Cancelled,
    /// What is stored is damaged, or feastr is wrong.
    Internal,
}

/// What to do about a problem. What depends on how one talks to feastr is left to the face, which has flags, fields of
/// a request or nothing of the kind; [`Display`](fmt::Display) words it for those that have no words of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advice {
    /// A sentence that is right everywhere.
    Text(String),
    /// Apply the definitions first.
    Apply,
    /// Apply definitions, because the registry has nothing of the kind.
    FillRegistry,
    /// Apply the service again: it was applied before a view changed, of which this is now wrong.
    ApplyService(String),
    /// Apply the definitions, which creates tables that are missing.
    ApplyForTables,
    /// Compare the definitions with the registry: changes are in it in whole or not at all.
    LookWhetherChanged,
    /// Create the table of runs, which the settings must allow.
    CreateRunLog,
    /// Write the settings that a repo needs.
    WriteSettings,
    /// Ask for some features, or for a service.
    NameFeatures,
    /// Ask for full feature names, or for each feature once.
    QualifyNames,
    /// Ask for full feature names, or rename the column of the entity rows.
    QualifyOrRename,
    /// Call the column with the times as Feast does, or give one moment for all rows.
    GiveMoment,
    /// Give a value of this join key for each entity.
    GiveJoinKey(String),
    /// Look whether SQL can compute what a Python function does.
    TranslatePython,
    /// Give a value of this field of the request for each entity.
    GiveRequestField(String),
    /// Cut the interval into longer parts, so that there are no more than this.
    LongerChunks(i64),
    /// Write the whole run here, or name an engine that writes rows to files.
    WholeRunOrEngine,
    /// Name one view, whose run is divided.
    OneView,
    /// Begin a run in shards, or look which are open.
    OpenRun,
    /// Wait for the shards of a run, or end it.
    EndRun(String),
    /// Name a shard of so many, from 0.
    NameShard(u32),
    /// Have the result written to one file, or divided by columns.
    OneFile,
    /// Say that an end in the future is meant.
    AllowFuture,
    /// Correct the time of a row, or say that rows may be in the future.
    AllowFutureRows,
    /// Give a start that is past.
    PastStart,
    /// Give the end as the start, and the start as the end.
    SwapEnds,
    /// Give a later end, or write exactly this range again.
    LaterEndOrRange,
    /// Copy under another name, or to another registry.
    CopyElsewhere,
    /// Write to another folder, or say that files may be overwritten.
    OtherFolder,
    /// Say that what is there may be replaced.
    Replace,
    /// Choose another name or place, or say that what is there may be overwritten.
    Overwrite,
    /// Log in at the identity provider of the settings.
    LogIn,
    /// Name the folder of the repo.
    NameRepo,
    /// Write the data of the source, or leave out looking at it.
    WriteData,
    /// Declare what the files of the source would tell, and leave out looking at them.
    SkipUnreadable,
    /// Let queries have more memory.
    MoreMemory,
    /// Make room for temporary files, or let queries have more memory.
    MoreSpaceOrMemory,
}

impl Problem {
    /// A problem, perhaps with advice.
    pub fn new(kind: Kind, message: impl Into<String>, help: impl Into<Option<String>>) -> Self {
        Self { kind, message: message.into(), advice: help.into().map(Advice::Text), subject: None }
    }

    /// The same with other advice.
    #[must_use]
    pub fn advise(self, advice: Advice) -> Self {
        Self { advice: Some(advice), ..self }
    }

    /// The same about something.
    #[must_use]
    pub fn about(self, subject: Subject) -> Self {
        Self { subject: Some(subject), ..self }
    }

    /// The problem that an error of reading was made of, if it was.
    pub fn within(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// The advice in words that fit every face.
    pub fn help(&self) -> Option<String> {
        self.advice.as_ref().map(ToString::to_string)
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut problem = serializer.serialize_struct("Problem", 2)?;
        problem.serialize_field("message", &self.message)?;
        problem.serialize_field("help", &self.advice)?;
        problem.end()
    }
}

impl Serialize for Advice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        let message = match error.kind() {
            io::ErrorKind::StorageFull => format!("no space left: {error}"),
            _ => error.to_string(),
        };
        Self::new(Kind::Unavailable, message, None)
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Apply => f.write_str("apply the definitions first"),
            Self::FillRegistry => f.write_str("the registry has none: apply definitions that have it"),
            Self::ApplyService(error) => {
                write!(f, "the service was applied before the view changed: apply it again ({error})")
            }
            Self::ApplyForTables => f.write_str("apply the definitions, which creates missing tables"),
            Self::LookWhetherChanged => {
                f.write_str("they are there in whole or not at all: compare the definitions with the registry")
            }
            Self::CreateRunLog => f.write_str("create it, or set `schema_mode: auto` and feastr does"),
            Self::WriteSettings => f.write_str("it needs at least `project` and `registry`"),
            Self::NameFeatures => f.write_str("name some as view:feature, or a feature service"),
            Self::QualifyNames => f.write_str("ask for full feature names, or for each feature once"),
            Self::QualifyOrRename => f.write_str("ask for full feature names, or rename the column"),
            Self::GiveMoment => {
                f.write_str("call the column with the time of each row `event_timestamp`, or give one moment for all")
            }
            Self::TranslatePython => f.write_str("declare it in SQL, or ask for the features that it is computed from"),
            Self::GiveRequestField(field) => write!(f, "give `{field}` for each entity"),
            Self::GiveJoinKey(key) => write!(f, "give `{key}` for each entity"),
            Self::WholeRunOrEngine => f.write_str("write all here, or name an engine in the settings"),
            Self::OneFile => f.write_str("have the result written to one file, or divided by columns"),
            Self::OneView => f.write_str("name one view, and ask once for each"),
            Self::OpenRun => f.write_str("begin another one"),
            Self::EndRun(run) => write!(f, "wait for its shards, or give {run} up"),
            Self::NameShard(of) => write!(f, "name a shard from 0 to {}", of.saturating_sub(1)),
            Self::LongerChunks(most) => write!(f, "choose longer parts, so that there are no more than {most}"),
            Self::AllowFuture => f.write_str("give the present time, or allow an end in the future if it is wanted"),
            Self::AllowFutureRows => f.write_str(
                "correct it, or allow rows in the future if it is wanted: until then it would be the newest value",
            ),
            Self::PastStart => f.write_str("give a start that is past"),
            Self::SwapEnds => f.write_str("swap them"),
            Self::LaterEndOrRange => f.write_str("give a later end, or write exactly this range again"),
            Self::CopyElsewhere => f.write_str("give the copy another name, or name another registry"),
            Self::OtherFolder => f.write_str("write to an empty folder, or allow files to be overwritten"),
            Self::Replace => f.write_str("ask for it to be replaced"),
            Self::Overwrite => f.write_str("choose another one, or allow it to be overwritten"),
            Self::LogIn => f.write_str("log in again, or let `auth` in feature_store.yaml say how to get a token"),
            Self::NameRepo => f.write_str("name the feature repo's folder"),
            Self::WriteData => f.write_str("write its data first, or leave out checking sources"),
            Self::SkipUnreadable => f.write_str(
                "feastr cannot read it; to plan and apply all the same, declare the view's `schema` and the source's \
                 `timestamp_field`, and leave out checking sources",
            ),
            Self::MoreMemory => f.write_str("allow queries more memory"),
            Self::MoreSpaceOrMemory => {
                f.write_str("free space in the folder for temporary files, or allow queries more memory")
            }
        }
    }
}
