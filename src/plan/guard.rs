//! Which changes need permission, and what gives it: a change by name, or all of them.

use std::{fmt, str::FromStr};

use super::{
    change::{Action, Change},
    diff::Plan,
    impact::Severity,
};
use crate::model::{ObjectId, ObjectKind, RegistryState, printable};

/// Permission for some breaking or destructive changes: `[ACTION:]KIND/NAME`, where `*` stands for
/// any text, such as `delete:feature-view/driver_*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allow {
    action: Option<&'static str>,
    kind: String,
    name: String,
}

impl Allow {
    const ACTIONS: [&'static str; 4] = ["update", "rename", "replace", "delete"];

    /// Whether a change is one of those that are permitted.
    pub fn covers(&self, change: &Change) -> bool {
        let action = change.action.word();
        self.permits(action, &change.id) || change.before_id().is_some_and(|id| self.permits(action, id))
    }

    fn permits(&self, action: &str, id: &ObjectId) -> bool {
        self.action.is_none_or(|allowed| allowed == action)
            && matches(&self.kind, &id.kind.slug())
            && matches(&self.name, &id.name)
    }
}

/// Whether `pattern`, in which `*` stands for any text, is `text`.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    text.ends_with(end)
}

/// A text that permits nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseAllowError {
    /// It is not `[ACTION:]KIND/NAME`.
    #[error("write KIND/NAME or ACTION:KIND/NAME, such as delete:feature-view/driver_stats; `*` stands for any text")]
    Shape,
    /// There is no such action.
    #[error("`{0}` is not an action that needs permission: write {actions}", actions = Allow::ACTIONS.join(", "))]
    Action(String),
    /// There is no such kind of object.
    #[error("`{0}` is not a kind of object: write {kinds}", kinds = ObjectKind::ALL.map(ObjectKind::slug).join(", "))]
    Kind(String),
}

impl FromStr for Allow {
    type Err = ParseAllowError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scope, name) = text.split_once('/').ok_or(ParseAllowError::Shape)?;
        let (action, kind) = match scope.split_once(':') {
            Some((action, kind)) => (Some(action), kind),
            None => (None, scope),
        };
        let known = |word: &str| Self::ACTIONS.into_iter().find(|action| *action == word);
        let action = match action.filter(|word| *word != "*") {
            Some(word) => Some(known(word).ok_or_else(|| ParseAllowError::Action(word.to_owned()))?),
            None => None,
        };
        if name.is_empty() || kind.is_empty() {
            return Err(ParseAllowError::Shape);
        }
        if !ObjectKind::ALL.into_iter().any(|known| matches(kind, &known.slug())) {
            return Err(ParseAllowError::Kind(kind.to_owned()));
        }
        Ok(Self { action, kind: kind.to_owned(), name: name.to_owned() })
    }
}

/// Which changes that do harm may be carried out.
#[derive(Debug, Clone, Copy)]
pub enum Consent<'a> {
    /// Those that are named; with an empty list none.
    Named(&'a [Allow]),
    /// All but those of protected objects, which need an edit.
    Everything,
}

/// A change that is not carried out as things are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// The object that would change.
    pub id: ObjectId,
    /// The word of the action.
    pub action: &'static str,
    /// Why it may not.
    pub reason: String,
    /// The protected objects it would harm; when there are none, permission is what is missing.
    pub protected: Vec<ObjectId>,
}

impl Blocked {
    /// What to give to `--allow`; nothing permits harm to protected objects.
    pub fn permission(&self) -> Option<String> {
        // It is printed to be typed, which control characters cannot be.
        let name = self.id.name.replace(char::is_control, "*");
        self.protected.is_empty().then(|| format!("{}:{}/{name}", self.action, self.id.kind.slug()))
    }
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.action, self.id, self.reason)?;
        for protected in &self.protected {
            write!(f, "; {protected} is protected")?;
        }
        Ok(())
    }
}

impl Change {
    /// Whether the change does harm that somebody must agree to.
    pub fn needs_permission(&self) -> bool {
        self.severity >= Severity::Breaking
    }

    /// The change as blocked, unless it may be carried out.
    pub fn blocked(&self, consent: Consent<'_>) -> Option<Blocked> {
        let permitted = !self.needs_permission()
            || match consent {
                Consent::Everything => true,
                Consent::Named(allowed) => allowed.iter().any(|allow| allow.covers(self)),
            };
        if permitted && self.protected.is_empty() {
            return None;
        }
        let reason = match &self.action {
            Action::Rename { from, .. } if self.reason.is_empty() => format!("it was called {}", printable(&from.name)),
            _ => self.reason.clone(),
        };
        Some(Blocked { id: self.id.clone(), action: self.action.word(), reason, protected: self.protected.clone() })
    }
}

impl Plan {
    /// The changes that an apply with this consent may not carry out.
    pub fn blocked(&self, consent: Consent<'_>) -> Vec<Blocked> {
        self.changes.iter().filter_map(|change| change.blocked(consent)).collect()
    }
}

/// The objects that are in the way of removing the whole project: protected ones, and those that a
/// repo with another name applied.
pub fn blocked_teardown(state: &RegistryState, repo_name: Option<&str>, allowed: &[Allow]) -> Vec<Blocked> {
    const DELETE: &str = "delete";
    let protected = state.objects.iter().filter(|(_, object)| object.is_protected()).map(|(id, _)| Blocked {
        id: id.clone(),
        action: DELETE,
        reason: "it goes with the project".to_owned(),
        protected: vec![id.clone()],
    });
    let others = state.owners.iter().filter(|(id, owner)| {
        repo_name != Some(owner.as_str()) && !allowed.iter().any(|allow| allow.permits(DELETE, id))
    });
    let others = others.filter(|(id, _)| state.objects.get(id).is_none_or(|object| !object.is_protected()));
    let others = others.map(|(id, owner)| Blocked {
        id: id.clone(),
        action: DELETE,
        reason: format!("it was applied by repo `{owner}`"),
        protected: Vec::new(),
    });
    protected.chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("a*", "abc", true),
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*a", "a", false),
            ("*b*", "abc", true),
            ("*b*c*", "acb", false),
            ("feature-*", "on-demand-feature-view", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn permissions_are_read_and_wrong_ones_explained() {
        let allow: Allow = "delete:feature-view/driver_*".parse().unwrap();
        assert_eq!(
            (allow.action, allow.kind.as_str(), allow.name.as_str()),
            (Some("delete"), "feature-view", "driver_*")
        );
        assert_eq!("*/x".parse::<Allow>().unwrap().action, None);
        for (text, message) in [
            ("feature-view", "write KIND/NAME"),
            ("feature-view/", "write KIND/NAME"),
            ("drop:feature-view/x", "`drop` is not an action"),
            ("feature_view/x", "`feature_view` is not a kind of object: write project, data-source"),
        ] {
            let error = text.parse::<Allow>().unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
