//! One change of a plan: what would be done with an object, and how much that takes from others.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::impact::{Impact, Severity};
use crate::model::{Object, ObjectId, Place};

/// One object that will be created, updated, renamed, replaced or deleted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The object after the change, or the deleted one.
    pub id: ObjectId,
    /// What would be done.
    #[serde(flatten)]
    pub action: Action,
    /// How much it takes from others.
    pub severity: Severity,
    /// Why the severity is what it is, in words; empty for a safe change.
    pub reason: String,
    /// Whom it breaks and what it loses.
    pub impact: Impact,
    /// Protected objects that the change would delete, rename or break; it is not carried out
    /// while there is one.
    pub protected: Vec<ObjectId>,
    /// Where the object is declared; `None` for deleted ones.
    pub place: Option<Place>,
}

impl Change {
    /// The object in the registry that the change starts from; `None` when there is none.
    pub fn before_id(&self) -> Option<&ObjectId> {
        match &self.action {
            Action::Create { .. } => None,
            Action::Update { .. } | Action::Delete { .. } => Some(&self.id),
            Action::Rename { from, .. } | Action::Replace { from, .. } => Some(from),
        }
    }

    /// The object that the registry no longer holds after the change.
    pub fn vanishing(&self) -> Option<&ObjectId> {
        self.before_id().filter(|before| self.action.after().is_none() || **before != self.id)
    }
}

/// The kinds of actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// The object comes.
    Create,
    /// It changes.
    Update,
    /// It gets another name.
    Rename,
    /// It becomes a view of another kind.
    Replace,
    /// It goes.
    Delete,
}

/// What happens to an object.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// The object comes.
    Create {
        /// What it will be.
        after: Box<Object>,
    },
    /// The object changes.
    Update {
        /// What it is.
        before: Box<Object>,
        /// What it will be.
        after: Box<Object>,
        /// The fields that differ, in declaration order.
        edits: Vec<Edit>,
    },
    /// The same object under another name.
    Rename {
        /// The object as it is called now.
        from: ObjectId,
        /// What it is.
        before: Box<Object>,
        /// What it will be.
        after: Box<Object>,
        /// The fields that differ besides the name.
        edits: Vec<Edit>,
    },
    /// A view that becomes a view of another kind under the same name.
    Replace {
        /// The object that goes.
        from: ObjectId,
        /// What it is.
        before: Box<Object>,
        /// What comes in its place.
        after: Box<Object>,
        /// The fields that both kinds have and that differ.
        edits: Vec<Edit>,
    },
    /// The object goes.
    Delete {
        /// What it is.
        before: Box<Object>,
    },
}

impl Action {
    /// The first word of a plan line; Feast's where Feast has the action.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Create { .. } => "Created",
            Self::Update { .. } => "Updated",
            Self::Rename { .. } => "Renamed",
            Self::Replace { .. } => "Replaced",
            Self::Delete { .. } => "Deleted",
        }
    }

    /// Which action it is.
    pub fn kind(&self) -> ActionKind {
        match self {
            Self::Create { .. } => ActionKind::Create,
            Self::Update { .. } => ActionKind::Update,
            Self::Rename { .. } => ActionKind::Rename,
            Self::Replace { .. } => ActionKind::Replace,
            Self::Delete { .. } => ActionKind::Delete,
        }
    }

    /// The word for it where changes are permitted, and of the JSON form.
    pub fn word(&self) -> &'static str {
        match self.kind() {
            ActionKind::Create => "create",
            ActionKind::Update => "update",
            ActionKind::Rename => "rename",
            ActionKind::Replace => "replace",
            ActionKind::Delete => "delete",
        }
    }

    /// The object as the registry holds it.
    pub fn before(&self) -> Option<&Object> {
        match self {
            Self::Create { .. } => None,
            Self::Update { before, .. }
            | Self::Rename { before, .. }
            | Self::Replace { before, .. }
            | Self::Delete { before } => Some(before),
        }
    }

    /// The object as it is declared.
    pub fn after(&self) -> Option<&Object> {
        match self {
            Self::Delete { .. } => None,
            Self::Create { after }
            | Self::Update { after, .. }
            | Self::Rename { after, .. }
            | Self::Replace { after, .. } => Some(after),
        }
    }

    /// The fields that differ; none for an object that comes or goes.
    pub fn edits(&self) -> &[Edit] {
        match self {
            Self::Create { .. } | Self::Delete { .. } => &[],
            Self::Update { edits, .. } | Self::Rename { edits, .. } | Self::Replace { edits, .. } => edits,
        }
    }
}

/// One field that differs between two versions of an object.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Edit {
    /// Names from the object down to the field, joined by dots: `features.conv_rate.dtype`.
    pub path: String,
    /// How it changes.
    #[serde(flatten)]
    pub kind: EditKind,
}

/// How a field differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "edit", rename_all = "snake_case")]
pub enum EditKind {
    /// It has another value.
    Changed {
        /// The value that is stored.
        before: Value,
        /// The value that is declared.
        after: Value,
    },
    /// It is new.
    Added {
        /// The value that is declared.
        after: Value,
    },
    /// It is gone.
    Removed {
        /// The value that is stored.
        before: Value,
    },
    /// The same items in another order, named in their new order.
    Reordered {
        /// The names as they are declared.
        after: Vec<String>,
    },
    /// The stored copy of a data source follows the source of this name.
    SourceCopy {
        /// The source.
        source: String,
    },
    /// The stored copy of features follows the view of this name; the selection is the same.
    ViewCopy {
        /// The view.
        view: String,
    },
}

/// An online table that will be created or dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableChange {
    /// What would be done.
    pub action: TableAction,
    /// Kind of the online store, such as `sqlite`.
    pub store: &'static str,
    /// The name of the table.
    pub table: String,
}

/// What happens to an online table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TableAction {
    /// It is created.
    Create,
    /// It is dropped, with its values.
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
