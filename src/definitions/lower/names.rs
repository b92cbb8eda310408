//! Which names are allowed, and which are taken already.

use std::collections::HashMap;

use crate::{
    diagnostics::{Diagnostics, Span},
    model::{DUMMY_ENTITY, DUMMY_JOIN_KEY, printable},
    yaml::Spanned,
};

/// Columns that Feast adds to entity rows, join results and logs; no feature or join key can be
/// called so.
const RESERVED_COLUMNS: [&str; 7] = [
    "event_timestamp",
    DUMMY_JOIN_KEY,
    "entity_row_id",
    "event_expire_timestamp",
    "__log_timestamp",
    "__log_date",
    "__request_id",
];

/// Names already taken, with the place of the first use.
pub(crate) struct Taken {
    what: &'static str,
    ignoring_case: bool,
    seen: HashMap<String, Spanned<String>>,
    /// New names of renamed objects, with their old ones.
    renames: Vec<(String, Spanned<String>)>,
}

impl Taken {
    /// For names that differ in case, too. `what` is what they name, as messages call it.
    pub(crate) fn exact(what: &'static str) -> Self {
        Self { what, ignoring_case: false, seen: HashMap::new(), renames: Vec::new() }
    }

    /// For names that may not even differ in case only.
    pub(crate) fn ignoring_case(what: &'static str) -> Self {
        Self { what, ignoring_case: true, seen: HashMap::new(), renames: Vec::new() }
    }

    /// Takes a name; says where it was used before if it is taken already.
    pub(crate) fn take(&mut self, name: &Spanned<String>, diagnostics: &mut Diagnostics) -> bool {
        let key = self.key(&name.value);
        if let Some(first) = self.seen.get(&key) {
            let difference = if first.value == name.value { "" } else { " (names may not differ in case only)" };
            diagnostics.error_with_help(
                &name.span,
                format!("a second {} is called `{}`{difference}", self.what, name.value),
                format!("the first is at {}", place(&first.span)),
            );
            return false;
        }
        self.seen.insert(key, name.clone());
        true
    }

    /// Notes that an object had another name before.
    pub(crate) fn renamed(&mut self, name: &Spanned<String>, old: Option<&Spanned<String>>) {
        self.renames.extend(old.map(|old| (name.value.clone(), old.clone())));
    }

    /// Refuses old names that are still, or twice, in use; called when all names are taken.
    pub(crate) fn check_renames(&self, diagnostics: &mut Diagnostics) {
        let mut olds: HashMap<&str, &str> = HashMap::new();
        for (new, old) in &self.renames {
            if *new == old.value {
                diagnostics.error(&old.span, format!("`{new}` cannot be renamed from itself"));
            } else if let Some(first) = self.seen.get(&self.key(&old.value)).filter(|first| first.value == old.value) {
                diagnostics.error_with_help(
                    &old.span,
                    format!("the {} `{}` is still declared, so `{new}` cannot be its new name", self.what, old.value),
                    format!("it is at {}", place(&first.span)),
                );
            } else if let Some(other) = olds.insert(&old.value, new) {
                let message = format!("`{}` cannot become both `{other}` and `{new}`", old.value);
                diagnostics.error(&old.span, message);
            }
        }
    }

    fn key(&self, name: &str) -> String {
        if self.ignoring_case { name.to_lowercase() } else { name.to_owned() }
    }
}

fn place(span: &Span) -> String {
    let (line, column) = span.line_column();
    format!("{}:{line}:{column}", span.file.path.display())
}

/// Refuses names that Feast or feastr use themselves, and empty ones; answers whether the name can be used.
pub(crate) fn check_object_name(name: &Spanned<String>, what: &str, diagnostics: &mut Diagnostics) -> bool {
    if name.value.trim().is_empty() {
        diagnostics.error(&name.span, format!("{what} needs a name"));
    } else if name.value == DUMMY_ENTITY {
        diagnostics.error(&name.span, format!("`{DUMMY_ENTITY}` is reserved for views without entities"));
    } else if name.value.chars().count() > MAX_NAME {
        diagnostics.error(&name.span, format!("the name is longer than the {MAX_NAME} characters a registry holds"));
    } else {
        return check_characters(name, diagnostics);
    }
    false
}

/// Refuses characters that would do something to a terminal or a log instead of being seen; answers whether there are
/// none. Databases refuse some of them, too.
pub(crate) fn check_characters(name: &Spanned<String>, diagnostics: &mut Diagnostics) -> bool {
    let control = name.value.chars().find(|c| c.is_control());
    if let Some(character) = control {
        let message =
            format!("the name `{}` has the control character {}", printable(&name.value), character.escape_unicode());
        diagnostics.error(&name.span, message);
    }
    control.is_none()
}

/// Refuses names of features that references (`view:feature`) cannot hold: Python Feast stores such a name, and gives
/// training data of another column for it.
pub(crate) fn check_feature_name(name: &str, span: &Span, diagnostics: &mut Diagnostics) {
    if name.contains(':') {
        diagnostics.error_with_help(
            span,
            "a feature name cannot contain `:`, which references such as view:feature have between their parts",
            format!("call it `{}`; a column of a source is renamed with `field_mapping`", name.replace(':', "_")),
        );
    }
}

/// Width of the name columns of Feast's SQL registry.
const MAX_NAME: usize = 255;

/// Refuses column names that retrieval could not tell from its own.
pub(crate) fn check_column_name(name: &Spanned<String>, diagnostics: &mut Diagnostics) {
    let text = name.value.as_str();
    if text.trim().is_empty() {
        diagnostics.error(&name.span, "a column needs a name");
    } else if RESERVED_COLUMNS.contains(&text) {
        diagnostics.error_with_help(
            &name.span,
            format!("the column name `{text}` is reserved"),
            "rename it with the source's `field_mapping`".to_owned(),
        );
    } else {
        check_characters(name, diagnostics);
    }
}
