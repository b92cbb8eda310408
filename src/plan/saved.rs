//! A plan as a file: what was approved, and how it differs from what would be done now.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{change::ActionKind, diff::Plan, impact::Severity};
use crate::model::{ObjectId, RegistryState};

/// Version of the JSON form of plans; it grows when something is renamed or removed.
pub const FORMAT_VERSION: u32 = 1;

/// The JSON form of a plan, of `plan --json` and of saved plans.
#[derive(Serialize)]
struct Document<'a> {
    format_version: u32,
    summary: Summary,
    #[serde(flatten)]
    plan: &'a Plan,
}

/// How many changes there are, and the worst of them.
#[derive(Serialize)]
struct Summary {
    create: usize,
    update: usize,
    rename: usize,
    replace: usize,
    delete: usize,
    /// The highest severity; `safe` without changes.
    severity: Severity,
}

impl Plan {
    /// The number of changes of this kind.
    pub fn count(&self, kind: ActionKind) -> usize {
        self.changes.iter().filter(|change| change.action.kind() == kind).count()
    }

    /// The plan as indented JSON, the same bytes for the same plan.
    ///
    /// # Errors
    /// When a value has no JSON form, which no plan has.
    pub fn to_json(&self) -> serde_json::Result<String> {
        let summary = Summary {
            create: self.count(ActionKind::Create),
            update: self.count(ActionKind::Update),
            rename: self.count(ActionKind::Rename),
            replace: self.count(ActionKind::Replace),
            delete: self.count(ActionKind::Delete),
            severity: self.changes.iter().map(|change| change.severity).max().unwrap_or(Severity::Safe),
        };
        serde_json::to_string_pretty(&Document { format_version: FORMAT_VERSION, summary, plan: self })
    }
}

/// A plan that was written down, perhaps reviewed, and is to be carried out as it is.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct SavedPlan {
    project: String,
    repo: Option<String>,
    revision: String,
    changes: Vec<SavedChange>,
    tables: Value,
    taken_over: Vec<ObjectId>,
}

/// What of a change decides whether it is the same one. Places move with every edit of a file, and
/// intervals with every materialization.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct SavedChange {
    id: ObjectId,
    action: ActionKind,
    severity: Severity,
    #[serde(default)]
    from: Option<ObjectId>,
    #[serde(default)]
    before: Value,
    #[serde(default)]
    after: Value,
}

impl SavedChange {
    /// Whether somebody has to agree to it.
    fn needs_permission(&self) -> bool {
        self.severity >= Severity::Breaking
    }

    fn is_same(&self, other: &Self) -> bool {
        self.action == other.action
            && self.from == other.from
            && self.before == other.before
            && self.after == other.after
            && self.needs_permission() == other.needs_permission()
    }
}

/// Why a file is not a plan that can be applied.
#[derive(Debug, thiserror::Error)]
pub enum SavedPlanError {
    /// It is not JSON, or not of the form of plans.
    #[error("it is not a saved plan: {0}")]
    NotAPlan(#[source] serde_json::Error),
    /// It was saved by a later version.
    #[error("it is a plan of format {0}, and this feastr reads format {FORMAT_VERSION}")]
    Format(u32),
}

/// In what a saved plan differs from what would be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// It was made for another project.
    Project {
        /// That of the plan.
        saved: String,
        /// That of the settings.
        now: String,
    },
    /// The name of the repo.
    Repo {
        /// That of the plan.
        saved: Option<String>,
        /// That of the settings.
        now: Option<String>,
    },
    /// Somebody changed the registry.
    Registry,
    /// Objects for which the registry is the same and the definitions are not.
    Definitions(Vec<ObjectId>),
    /// Objects that would be changed otherwise than the plan says, now that the registry is another.
    Changes(Vec<ObjectId>),
    /// Other online tables would be created or dropped.
    Tables,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |repo: &Option<String>| repo.as_ref().map_or("no name".to_owned(), |name| format!("`{name}`"));
        match self {
            Self::Project { saved, now } => write!(f, "it is for project {saved}, not {now}"),
            Self::Repo { saved, now } => write!(f, "it is for a repo with {}, not {}", name(saved), name(now)),
            Self::Registry => f.write_str("the registry has changed since"),
            Self::Definitions(ids) => write!(f, "the definitions have changed since, for {}", names(ids)),
            Self::Changes(ids) => write!(f, "other changes are due now, for {}", names(ids)),
            Self::Tables => f.write_str("other online tables are due"),
        }
    }
}

fn names(ids: &[ObjectId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl SavedPlan {
    /// Reads the JSON form.
    ///
    /// # Errors
    /// When the text is not a plan, or one of another format.
    pub fn parse(text: &str) -> Result<Self, SavedPlanError> {
        #[derive(Deserialize)]
        struct Version {
            format_version: u32,
        }
        let version: Version = serde_json::from_str(text).map_err(SavedPlanError::NotAPlan)?;
        if version.format_version != FORMAT_VERSION {
            return Err(SavedPlanError::Format(version.format_version));
        }
        serde_json::from_str(text).map_err(SavedPlanError::NotAPlan)
    }

    /// A plan as it would be read back.
    ///
    /// # Errors
    /// When a value has no JSON form, which no plan has.
    pub fn of(plan: &Plan) -> Result<Self, SavedPlanError> {
        plan.to_json().map_err(SavedPlanError::NotAPlan).and_then(|text| Self::parse(&text))
    }

    /// Whether it is about the same project and repo.
    pub fn is_for(&self, plan: &Plan) -> bool {
        self.project == plan.project && self.repo == plan.repo
    }

    /// Whether the plan changes nothing.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.taken_over.is_empty() && self.tables.as_array().is_none_or(Vec::is_empty)
    }

    /// Whether the registry holds what the plan was to make of it.
    pub fn is_carried_out(&self, state: &RegistryState) -> bool {
        let holds = |id: &ObjectId, object: &Value| {
            state
                .objects
                .get(id)
                .and_then(|stored| serde_json::to_value(stored).ok())
                .is_some_and(|stored| stored == *object)
        };
        let is_gone = |change: &SavedChange| {
            let before = if change.after.is_null() { Some(&change.id) } else { change.from.as_ref() };
            before.is_none_or(|before| !state.objects.contains_key(before))
        };
        let mut changes = self.changes.iter();
        changes.all(|change| (change.after.is_null() || holds(&change.id, &change.after)) && is_gone(change))
    }

    /// In what `now`, made from the present definitions and registry, is another plan.
    pub fn differences(&self, now: &Self) -> Vec<Difference> {
        let mut differences = Vec::new();
        if self.project != now.project {
            differences.push(Difference::Project { saved: self.project.clone(), now: now.project.clone() });
        }
        if self.repo != now.repo {
            differences.push(Difference::Repo { saved: self.repo.clone(), now: now.repo.clone() });
        }
        if self.revision != now.revision {
            differences.push(Difference::Registry);
        }
        let by_id = |plan: &'_ Self| plan.changes.iter().map(|change| (change.id.clone(), change.clone())).collect();
        let (saved, present): (BTreeMap<ObjectId, SavedChange>, BTreeMap<_, SavedChange>) = (by_id(self), by_id(now));
        let mut other: Vec<ObjectId> = saved
            .iter()
            .filter(|(id, change)| !present.get(id).is_some_and(|now| now.is_same(change)))
            .map(|(id, _)| id.clone())
            .chain(present.keys().filter(|id| !saved.contains_key(id)).cloned())
            .chain(self.taken_over.iter().filter(|id| !now.taken_over.contains(id)).cloned())
            .chain(now.taken_over.iter().filter(|id| !self.taken_over.contains(id)).cloned())
            .collect();
        other.sort();
        other.dedup();
        if !other.is_empty() {
            let same_registry = self.revision == now.revision && self.project == now.project;
            differences.push(match same_registry {
                true => Difference::Definitions(other),
                false => Difference::Changes(other),
            });
        }
        if self.tables != now.tables {
            differences.push(Difference::Tables);
        }
        differences
    }
}
