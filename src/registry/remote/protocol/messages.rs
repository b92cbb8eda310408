use prost::Message;

/// Which project.
#[derive(Clone, PartialEq, Message)]
pub struct ProjectRequest {
    /// Its name.
    #[prost(string, tag = "1")]
    pub project: String,
}

/// Which view of a project.
#[derive(Clone, PartialEq, Message)]
pub struct ViewRequest {
    /// The project.
    #[prost(string, tag = "1")]
    pub project: String,
    /// The name of the view.
    #[prost(string, tag = "2")]
    pub view: String,
}

/// A request or an answer that says nothing.
#[derive(Clone, PartialEq, Message)]
pub struct Nothing {}

/// Which names are asked for.
#[derive(Clone, PartialEq, Message)]
pub struct NamesRequest {
    /// The project.
    #[prost(string, tag = "1")]
    pub project: String,
    /// Words of kinds, such as `feature view`.
    #[prost(string, repeated, tag = "2")]
    pub kinds: Vec<String>,
}

/// An object by its name.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct Name {
    /// The word of its kind.
    #[prost(string, tag = "1")]
    pub kind: String,
    /// Its name.
    #[prost(string, tag = "2")]
    pub name: String,
}

/// Objects by their names, sorted.
#[derive(Clone, PartialEq, Message)]
pub struct Names {
    /// Each of them.
    #[prost(message, repeated, tag = "1")]
    pub names: Vec<Name>,
}

/// Names of projects, sorted.
#[derive(Clone, PartialEq, Message)]
pub struct Projects {
    /// Each of them.
    #[prost(string, repeated, tag = "1")]
    pub names: Vec<String>,
}

/// What a project can be recognised by.
#[derive(Clone, PartialEq, Message)]
pub struct Mark {
    /// Nothing where the registry has nothing of the kind.
    #[prost(string, optional, tag = "1")]
    pub text: Option<String>,
    /// Until then, changes may leave it as it is.
    #[prost(int64, tag = "2")]
    pub settled_micros: i64,
}

/// A stored object.
#[derive(Clone, PartialEq, Message)]
pub struct Row {
    /// The word of its kind.
    #[prost(string, tag = "1")]
    pub kind: String,
    /// Its name.
    #[prost(string, tag = "2")]
    pub name: String,
    /// When its row was written.
    #[prost(int64, tag = "3")]
    pub updated: i64,
    /// The message, as it is stored.
    #[prost(bytes = "vec", tag = "4")]
    pub proto: Vec<u8>,
}

/// How many versions a view has.
#[derive(Clone, PartialEq, Message)]
pub struct HighestVersion {
    /// The name of the view.
    #[prost(string, tag = "1")]
    pub view: String,
    /// The highest number.
    #[prost(int32, tag = "2")]
    pub number: i32,
}

/// A note about a project.
#[derive(Clone, PartialEq, Message)]
pub struct Note {
    /// Its key.
    #[prost(string, tag = "1")]
    pub key: String,
    /// What is noted.
    #[prost(string, tag = "2")]
    pub value: String,
    /// When, where it is written.
    #[prost(int64, tag = "3")]
    pub updated: i64,
}

/// A part of what a registry holds of a project, or of one view. All parts together are the whole.
#[derive(Clone, PartialEq, Message)]
pub struct SnapshotPart {
    /// In the first part: what the whole is recognised by, also of what who asks may not see.
    #[prost(string, tag = "1")]
    pub revision: String,
    /// Objects.
    #[prost(message, repeated, tag = "2")]
    pub rows: Vec<Row>,
    /// The record of online infrastructure.
    #[prost(bytes = "vec", optional, tag = "3")]
    pub infra: Option<Vec<u8>>,
    /// Highest versions of views.
    #[prost(message, repeated, tag = "4")]
    pub versions: Vec<HighestVersion>,
    /// Notes about the project.
    #[prost(message, repeated, tag = "5")]
    pub notes: Vec<Note>,
}

/// A version of a view.
#[derive(Clone, PartialEq, Message)]
pub struct Version {
    /// The name of the view.
    #[prost(string, tag = "1")]
    pub view: String,
    /// Feast's word for the kind of view.
    #[prost(string, tag = "2")]
    pub view_type: String,
    /// From 0.
    #[prost(int32, tag = "3")]
    pub number: i32,
    /// The row of the view at that time.
    #[prost(bytes = "vec", tag = "4")]
    pub proto: Vec<u8>,
    /// When.
    #[prost(int64, tag = "5")]
    pub created: i64,
    /// Random.
    #[prost(string, tag = "6")]
    pub id: String,
}

/// A part of the history of views.
#[derive(Clone, PartialEq, Message)]
pub struct VersionsPart {
    /// By view and number.
    #[prost(message, repeated, tag = "1")]
    pub versions: Vec<Version>,
}

/// What is changed, and on what that was decided.
#[derive(Clone, PartialEq, Message)]
pub struct UpdateHead {
    /// The project.
    #[prost(string, tag = "1")]
    pub project: String,
    /// The view, where nothing but a view and its notes is changed.
    #[prost(string, optional, tag = "2")]
    pub view: Option<String>,
    /// The revision that the decision was made on.
    #[prost(string, tag = "3")]
    pub revision: String,
    /// Who changes it, for those who wait meanwhile.
    #[prost(string, tag = "4")]
    pub who: String,
    /// How long the lock of the registry may be waited for.
    #[prost(uint64, tag = "5")]
    pub patience_micros: u64,
}

/// The record of online infrastructure.
#[derive(Clone, PartialEq, Message)]
pub struct Infra {
    /// The message.
    #[prost(bytes = "vec", tag = "1")]
    pub proto: Vec<u8>,
    /// When it was written.
    #[prost(int64, tag = "2")]
    pub updated: i64,
}

/// One thing to write: one of these.
#[derive(Clone, PartialEq, Message)]
pub struct Write {
    /// An object comes, or replaces the one of its name.
    #[prost(message, optional, tag = "1")]
    pub put: Option<Row>,
    /// An object goes.
    #[prost(message, optional, tag = "2")]
    pub delete: Option<Name>,
    /// A version of a view comes.
    #[prost(message, optional, tag = "3")]
    pub version: Option<Version>,
    /// The record of online infrastructure is replaced.
    #[prost(message, optional, tag = "4")]
    pub infra: Option<Infra>,
    /// A note comes, or replaces the one of its key.
    #[prost(message, optional, tag = "5")]
    pub note: Option<Note>,
    /// The note with this key goes.
    #[prost(string, optional, tag = "6")]
    pub forget_note: Option<String>,
    /// Everything of the project goes.
    #[prost(message, optional, tag = "7")]
    pub delete_project: Option<Nothing>,
    /// A note for the log of changes, as JSON.
    #[prost(bytes = "vec", optional, tag = "8")]
    pub record: Option<Vec<u8>>,
}

/// A part of a change: the head first, then what is written.
#[derive(Clone, PartialEq, Message)]
pub struct UpdatePart {
    /// In the first part.
    #[prost(message, optional, tag = "1")]
    pub head: Option<UpdateHead>,
    /// In their order.
    #[prost(message, repeated, tag = "2")]
    pub writes: Vec<Write>,
    /// In the last part: that it is the last.
    #[prost(bool, tag = "3")]
    pub is_last: bool,
}

/// What became of a change.
#[derive(Clone, PartialEq, Message)]
pub struct Updated {
    /// Nothing was changed, because the registry is not any more what the decision was made on.
    #[prost(bool, tag = "1")]
    pub is_stale: bool,
}

/// What who wants a lock says: first which, and then nothing, as long as it is wanted.
#[derive(Clone, PartialEq, Message)]
pub struct HoldPart {
    /// In the first part: the lock of this view.
    #[prost(message, optional, tag = "1")]
    pub view: Option<ViewRequest>,
    /// In the first part: who wants it.
    #[prost(string, tag = "2")]
    pub who: String,
}

/// What who wants a lock is told. After a holder comes nothing more; else a word now and then, for as long as it is held.
#[derive(Clone, PartialEq, Message)]
pub struct HoldAnswer {
    /// Somebody else has it.
    #[prost(message, optional, tag = "1")]
    pub held_by: Option<Holder>,
}

/// Who has a lock, as far as that can be found out.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct Holder {
    /// Who.
    #[prost(string, optional, tag = "1")]
    pub who: Option<String>,
    /// For how long.
    #[prost(uint64, optional, tag = "2")]
    pub since_micros: Option<u64>,
}

/// A run of a view.
#[derive(Clone, PartialEq, Message)]
pub struct RunRequest {
    /// The project of the view.
    #[prost(string, tag = "1")]
    pub project: String,
    /// The run as JSON.
    #[prost(bytes = "vec", tag = "2")]
    pub run: Vec<u8>,
}

/// Which runs are asked for.
#[derive(Clone, PartialEq, Message)]
pub struct RunsRequest {
    /// The project.
    #[prost(string, tag = "1")]
    pub project: String,
    /// Those of these views; of all where there are none.
    #[prost(string, repeated, tag = "2")]
    pub views: Vec<String>,
    /// How many at most.
    #[prost(uint64, tag = "3")]
    pub limit: u64,
}

/// A part of the history of runs, the newest first.
#[derive(Clone, PartialEq, Message)]
pub struct RunsPart {
    /// Each as JSON.
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub runs: Vec<Vec<u8>>,
}

/// Which changes are asked for.
#[derive(Clone, PartialEq, Message)]
pub struct ChangesRequest {
    /// The project.
    #[prost(string, tag = "1")]
    pub project: String,
    /// How many at most.
    #[prost(uint64, tag = "2")]
    pub limit: u64,
    /// Those of objects with this name.
    #[prost(string, optional, tag = "3")]
    pub name: Option<String>,
    /// Those of objects of this kind, as its word.
    #[prost(string, optional, tag = "4")]
    pub kind: Option<String>,
    /// Those at this time and later.
    #[prost(int64, optional, tag = "5")]
    pub since_micros: Option<i64>,
}

/// A part of the log of changes, the newest first.
#[derive(Clone, PartialEq, Message)]
pub struct ChangesPart {
    /// Each as JSON.
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub changes: Vec<Vec<u8>>,
}

/// Why a call failed, in the details of its status.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct Failure {
    /// What is wrong.
    #[prost(string, tag = "1")]
    pub message: String,
    /// What to do about it, if anything.
    #[prost(string, optional, tag = "2")]
    pub help: Option<String>,
    /// The word of its kind.
    #[prost(string, tag = "3")]
    pub kind: String,
}
