use serde::Serialize;
use serde_json::Value;

use crate::model::{Object, ObjectId};

/// One object that will be created, updated or deleted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    pub id: ObjectId,
    #[serde(flatten)]
    pub action: Action,
}

/// What happens to an object.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    Create {
        after: Box<Object>,
    },
    Update {
        before: Box<Object>,
        after: Box<Object>,
        /// The fields that differ, in declaration order.
        edits: Vec<Edit>,
    },
    Delete {
        before: Box<Object>,
    },
}

impl Action {
    /// The first word of Feast's plan lines.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Create { .. } => "Created",
            Self::Update { .. } => "Updated",
            Self::Delete { .. } => "Deleted",
        }
    }
}

/// One field that differs between two versions of an object.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Edit {
    /// Names from the object down to the field, joined by dots: `features.conv_rate.dtype`.
    pub path: String,
    #[serde(flatten)]
    pub kind: EditKind,
}

/// How a field differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "edit", rename_all = "snake_case")]
pub enum EditKind {
    Changed {
        before: Value,
        after: Value,
    },
    Added {
        after: Value,
    },
    Removed {
        before: Value,
    },
    /// The same items in another order, named in their new order.
    Reordered {
        after: Vec<String>,
    },
    /// The stored copy of a data source follows the source of this name.
    SourceCopy {
        source: String,
    },
}

/// An online table that will be created or dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableChange {
    pub action: TableAction,
    /// Kind of the online store, such as `sqlite`.
    pub store: &'static str,
    pub table: String,
}

/// What happens to an online table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TableAction {
    Create,
    Delete,
}

impl TableAction {
    /// The first word of Feast's plan lines.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Create => "Created",
            Self::Delete => "Deleted",
        }
    }
}
