//! Changes of registered objects, as they are remembered; Feast has nothing of the kind.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ObjectId, Timestamp};

/// What is noted of one change of a project. Its JSON form is stored by registries and read by later and earlier
/// versions: fields that a version does not know are ignored, and fields that came later have a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRecord {
    /// Random.
    pub id: String,
    /// When it was made.
    pub at: Timestamp,
    /// By whom.
    #[serde(flatten)]
    pub author: Author,
    /// The objects that came, changed or went, by kind and name.
    pub changes: Vec<ObjectChange>,
    /// The plan that was carried out, in the form of `plan --json`, where there was one and it is not larger than
    /// [`LONGEST_PLAN`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Value>,
}

/// How many bytes of JSON a plan may have to be remembered.
pub const LONGEST_PLAN: usize = 1 << 20;

/// Who changes something.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Author {
    /// The command or the call: `apply`.
    pub command: String,
    /// Who gave it: `apply of alice@ci-7 (pid 412)`, or the name of somebody who asked a server.
    pub by: String,
    /// The address of the client, of somebody who asked a server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

impl Author {
    /// Nobody who is named.
    pub const NOBODY: &Self = &Self { command: String::new(), by: String::new(), from: None };
}

/// An object that came, changed or went.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectChange {
    /// Which one.
    #[serde(flatten)]
    pub id: ObjectId,
    /// What happened to it.
    pub change: ChangeKind,
}

/// What happens to a stored object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It came.
    Created,
    /// It is another one.
    Updated,
    /// It went.
    Deleted,
}

impl ChangeKind {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
        }
    }
}
