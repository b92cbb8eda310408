use std::path::{Path, PathBuf};

use super::PlanView;
use crate::{
    model::Place,
    plan::{Change, Severity},
};

/// The workflow commands with which GitHub marks lines of a pull request, one a line; `path_of` says how GitHub calls
/// a file.
pub fn annotations(view: &PlanView<'_>, path_of: &dyn Fn(&Path) -> PathBuf) -> String {
    let mut lines = String::new();
    let place_of = |change: &Change| change.place.clone().map(|place| Place { file: path_of(&place.file), ..place });
    for change in &view.plan.changes {
        let blocked = change.blocked(view.consent);
        let level = match change.severity {
            _ if blocked.is_some() => "error",
            Severity::Safe | Severity::Rematerialize => "notice",
            Severity::Breaking | Severity::Destructive => "warning",
        };
        let message = match &blocked {
            Some(blocked) => match blocked.permission() {
                Some(permission) => format!("{blocked}\nIf it is wanted, apply with --allow {permission}"),
                None => blocked.to_string(),
            },
            None if change.severity == Severity::Safe => String::new(),
            None => about(change),
        };
        if !message.is_empty() {
            lines += &annotation(level, place_of(change).as_ref(), &message);
        }
        for note in &change.impact.notes {
            lines += &annotation("notice", change.place.as_ref(), note);
        }
        for note in &change.impact.notes {
            lines += &annotation("notice", change.place.as_ref(), note);
        }
        for collision in &change.impact.collisions {
            lines += &annotation("warning", place_of(change).as_ref(), &collision.to_string());
        }
    }
    lines + &annotation("notice", None, &view.summary())
}

fn about(change: &Change) -> String {
    format!("{} {}: {}", change.action.word(), change.id, change.reason)
}

/// A message about a line, or about none.
pub(crate) fn annotation(level: &str, place: Option<&Place>, message: &str) -> String {
    let place = place.map(|place| {
        format!("file={},line={},col={},", property(&place.file.to_string_lossy()), place.line, place.column)
    });
    format!("::{level} {}title=feastr plan::{}\n", place.unwrap_or_default(), data(message))
}

/// Text behind the second `::`, in which only these characters mean something.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A value before the second `::`.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_message_is_another_command() {
        let place = Place { file: "a,b:c%.yaml".into(), line: 3, column: 9 };
        assert_eq!(
            annotation("error", Some(&place), "50% of\n::error::x"),
            "::error file=a%2Cb%3Ac%25.yaml,line=3,col=9,title=feastr plan::50%25 of%0A::error::x\n"
        );
    }
}
