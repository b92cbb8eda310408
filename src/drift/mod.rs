//! What differs between the definitions, the registry, the sources and the online store, as values.
//!
//! Nothing is changed, and nothing is asked that a plan does not ask as well: the caller looks at files.

mod online;
mod sources;

use serde::Serialize;

use crate::{
    model::{ObjectId, ObjectKind},
    plan::{Action, Plan},
};

pub use online::{Tables, online};
pub use sources::{CheckTransformation, InspectSource, sources};

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What is found.
    pub kind: FindingKind,
    /// The object it is about.
    pub object: ObjectId,
    /// What differs, as it reads after the object.
    pub message: String,
}

/// The kinds of differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// Declared and not in the registry.
    NotApplied,
    /// Declared and registered, but not the same.
    Changed,
    /// In the registry and no longer declared.
    NotDeclared,
    /// A source's files are gone or cannot be read.
    SourceMissing,
    /// A column of a registered view or source is not in the files.
    ColumnMissing,
    /// A column has values that cannot become what the registered view says.
    ColumnRetyped,
    /// What a registered view computes of its source cannot be computed of the files.
    NotComputable,
    /// A column that no registered view uses; this is not drift.
    ColumnUnused,
    /// A source that feastr cannot look at; this is not drift.
    SourceNotChecked,
    /// A table the registry records is not in the online store.
    TableMissing,
    /// A table is recorded in another file than the configured online store.
    TableElsewhere,
    /// A registered view has no recorded table.
    TableNotRecorded,
}

/// The pairs that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// Definitions and registry.
    Definitions,
    /// Registered views and the files of their sources.
    Sources,
    /// Registry and online store.
    OnlineStore,
}

impl FindingKind {
    /// Whether somebody has to do something about it.
    pub fn is_drift(self) -> bool {
        !matches!(self, Self::ColumnUnused | Self::SourceNotChecked)
    }

    /// Which two things differ.
    pub fn area(self) -> Area {
        match self {
            Self::NotApplied | Self::Changed | Self::NotDeclared => Area::Definitions,
            Self::SourceMissing
            | Self::ColumnMissing
            | Self::ColumnRetyped
            | Self::NotComputable
            | Self::ColumnUnused
            | Self::SourceNotChecked => Area::Sources,
            Self::TableMissing | Self::TableElsewhere | Self::TableNotRecorded => Area::OnlineStore,
        }
    }
}

impl Finding {
    fn new(kind: FindingKind, object: ObjectId, message: impl Into<String>) -> Self {
        Self { kind, object, message: message.into() }
    }

    fn about_source(kind: FindingKind, source: &str, message: impl Into<String>) -> Self {
        Self::new(kind, ObjectId::new(ObjectKind::DataSource, source), message)
    }
}

/// Where the registry holds other objects than the definitions declare: what the plan would change.
pub fn definitions(plan: &Plan) -> Vec<Finding> {
    let found = plan.changes.iter().map(|change| match &change.action {
        Action::Create { .. } => {
            Finding::new(FindingKind::NotApplied, change.id.clone(), "is declared and not in the registry")
        }
        Action::Delete { .. } => {
            Finding::new(FindingKind::NotDeclared, change.id.clone(), "is in the registry and not declared")
        }
        Action::Rename { from, .. } => {
            Finding::new(FindingKind::NotApplied, change.id.clone(), format!("is in the registry as {from}"))
        }
        Action::Replace { before, .. } => {
            let message = format!("is in the registry as {}", before.id());
            Finding::new(FindingKind::Changed, change.id.clone(), message)
        }
        Action::Update { edits, .. } => {
            let paths: Vec<&str> = edits.iter().map(|edit| edit.path.as_str()).collect();
            let message = format!("differs from its definition in {}", paths.join(", "));
            Finding::new(FindingKind::Changed, change.id.clone(), message)
        }
    });
    found.collect()
}
