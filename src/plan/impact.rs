//! What a change does to others: who needs what goes, what is lost, what must be materialized again.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{Interval, ObjectId, ObjectKind, printable};

/// How much harm a change does, from none to lost data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nobody and nothing is worse off.
    Safe,
    /// Online values are wrong or missing until the view is materialized again.
    Rematerialize,
    /// Something that others use goes away or becomes another thing.
    Breaking,
    /// An object of the registry or online data is lost.
    Destructive,
}

impl Severity {
    /// The word of the JSON form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Rematerialize => "rematerialize",
            Self::Breaking => "breaking",
            Self::Destructive => "destructive",
        }
    }
}

/// What a change does beyond the object itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Impact {
    /// Who needs what goes.
    pub breaks: Vec<Breakage>,
    /// What must be materialized again; `None` if nothing must.
    pub rematerialize: Option<Rematerialization>,
    /// What is lost.
    pub loses: Vec<Loss>,
    /// Features whose values would overwrite each other.
    pub collisions: Vec<Collision>,
    /// What else is worth knowing, each as a sentence without its full stop.
    pub notes: Vec<String>,
}

/// Something that others need and will not find as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Breakage {
    /// What is done to it.
    pub how: Harm,
    /// What it happens to: names, or `view.feature`.
    pub what: Vec<String>,
    /// Who needs it, by kind and name.
    pub users: Vec<User>,
}

/// What happens to a thing that others need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Harm {
    /// It goes.
    Removing,
    /// It gets another name.
    Renaming,
    /// Its values get another type.
    Retyping,
    /// It is found under another join key.
    Rekeying,
    /// Nobody may read it any more.
    Disabling,
    /// Its online values are not refreshed any more, or removed.
    TakingOffline,
    /// A feature service stops selecting it.
    Deselecting,
    /// A feature service has it under another alias or other join keys.
    Realiasing,
    /// SQL expressions compute it, which a Python function did before.
    Translating,
}

/// An object that needs another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct User {
    /// The object that needs it.
    pub id: ObjectId,
    /// Who is responsible for it; empty when nobody is named.
    pub owner: String,
    /// The repo that applied it; empty when no repo with a name did.
    pub repo: String,
}

/// Online values that have to be computed again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rematerialization {
    /// The view's name after the change.
    pub view: String,
    /// Why, each as a clause.
    pub reasons: Vec<String>,
    /// From the first to the last moment that was materialized before.
    pub interval: Interval,
}

/// Online data that goes, or can no longer be found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "lost", rename_all = "snake_case")]
pub enum Loss {
    /// A table of the online store.
    OnlineTable {
        /// Kind of the online store, such as `sqlite`.
        store: &'static str,
        /// Its name.
        table: String,
    },
    /// The values of a view under the keys they were stored with.
    OnlineValues {
        /// The view.
        view: String,
    },
    /// All values of a view, in a store without a record of tables.
    ViewValues {
        /// The view.
        view: String,
    },
    /// The values of some features of a view.
    FeatureValues {
        /// The view.
        view: String,
        /// The features.
        features: Vec<String>,
    },
}

/// Two features of the same entity that Feast's Redis layout keeps in one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Collision {
    /// `view:feature`, in order.
    pub features: [String; 2],
    /// The join keys that both views have, sorted.
    pub join_keys: Vec<String>,
}

impl fmt::Display for Breakage {
    /// For example "removing `v.f` breaks feature services `a`, `b` (owner x)".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what: Vec<String> = self.what.iter().map(|what| format!("`{}`", printable(what))).collect();
        let what = what.join(", ");
        let verb = match self.how {
            Harm::Removing => "removing",
            Harm::Renaming => "renaming",
            Harm::Retyping => "changing the type of",
            Harm::Rekeying => "changing the join keys of",
            Harm::Disabling => "disabling",
            Harm::TakingOffline => "taking offline",
            Harm::Deselecting => {
                return write!(f, "no longer selecting {what} breaks what is built on {}", list(&self.users));
            }
            Harm::Translating => return write!(f, "computing {what} by SQL takes the place of its Python function"),
            Harm::Realiasing => {
                let users = list(&self.users);
                return write!(f, "giving {what} another alias or other join keys breaks what is built on {users}");
            }
        };
        write!(f, "{verb} {what} breaks {}", list(&self.users))
    }
}

/// Users grouped by kind, each with whom to ask.
fn list(users: &[User]) -> String {
    let mut groups: Vec<(ObjectKind, String, Vec<String>)> = Vec::new();
    for user in users {
        let (kind, contact, name) = (user.id.kind, user.contact(), format!("`{}`", user.id.name));
        match groups.iter_mut().find(|group| group.0 == kind && group.1 == contact) {
            Some((_, _, names)) => names.push(name),
            None => groups.push((kind, contact, vec![name])),
        }
    }
    let texts = groups.iter().map(|(kind, contact, names)| {
        let kind = if names.len() == 1 { kind.to_string() } else { kind.plural() };
        let contact = if contact.is_empty() { String::new() } else { format!(" ({contact})") };
        format!("{kind} {}{contact}", names.join(", "))
    });
    printable(&texts.collect::<Vec<_>>().join(" and ")).into_owned()
}

impl User {
    /// Whom to ask, as words.
    fn contact(&self) -> String {
        match (self.owner.as_str(), self.repo.as_str()) {
            ("", "") => String::new(),
            (owner, "") => format!("owner {owner}"),
            ("", repo) => format!("applied by repo {repo}"),
            (owner, repo) => format!("owner {owner}, applied by repo {repo}"),
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OnlineTable { store, table } => write!(f, "{store} table {table} with its values"),
            Self::ViewValues { view } => write!(f, "the online values of {view}, which are removed from the store"),
            Self::FeatureValues { view, features } => {
                let names: Vec<String> = features.iter().map(|feature| format!("`{view}.{feature}`")).collect();
                write!(f, "the online values of {}", names.join(", "))
            }
            Self::OnlineValues { view } => write!(f, "the online values of {view} under their present keys"),
        }
    }
}

impl fmt::Display for Rematerialization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} must be materialized again: {}", self.view, self.reasons.join("; "))
    }
}

impl fmt::Display for Collision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [one, other] = &self.features;
        write!(
            f,
            "`{one}` and `{other}` have the same hash: in Redis one overwrites the other for each {}",
            self.join_keys.join(", ")
        )
    }
}
