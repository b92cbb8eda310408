use std::collections::HashMap;

use crate::{
    diagnostics::{Diagnostics, Span},
    model::{DUMMY_ENTITY, DUMMY_JOIN_KEY},
    yaml::{Node, Spanned},
};

/// Column of entity rows that Feast looks for first; no feature or join key can be called so.
pub const EVENT_TIMESTAMP: &str = "event_timestamp";

/// Names already taken, with the place of the first use.
pub struct Taken {
    what: &'static str,
    ignoring_case: bool,
    seen: HashMap<String, Span>,
}

impl Taken {
    pub fn exact(what: &'static str) -> Self {
        Self { what, ignoring_case: false, seen: HashMap::new() }
    }

    /// For names that may not even differ in case only.
    pub fn ignoring_case(what: &'static str) -> Self {
        Self { what, ignoring_case: true, seen: HashMap::new() }
    }

    /// Takes a name; says where it was used before if it is taken.
    pub fn take(&mut self, name: &Spanned<String>, diagnostics: &mut Diagnostics) -> bool {
        let key = if self.ignoring_case { name.value.to_lowercase() } else { name.value.clone() };
        if let Some(first) = self.seen.get(&key) {
            let (line, column) = first.line_column();
            let same = first.text() == name.span.text();
            let difference = if same || !self.ignoring_case { "" } else { " (names may not differ in case only)" };
            diagnostics.error_with_help(
                &name.span,
                format!("a second {} is called `{}`{difference}", self.what, name.value),
                format!("the first is at {}:{line}:{column}", first.file.path.display()),
            );
            return false;
        }
        self.seen.insert(key, name.span.clone());
        true
    }
}

/// Refuses names that Feast or feastr use themselves, and empty ones.
pub fn check_object_name(name: &Spanned<String>, what: &str, diagnostics: &mut Diagnostics) {
    if name.value.trim().is_empty() {
        diagnostics.error(&name.span, format!("{what} needs a name"));
    } else if name.value == DUMMY_ENTITY {
        diagnostics.error(&name.span, format!("`{DUMMY_ENTITY}` is reserved for views without entities"));
    } else if name.value.chars().count() > MAX_NAME {
        diagnostics.error(&name.span, format!("the name is longer than the {MAX_NAME} characters a registry holds"));
    }
}

/// Width of the name columns of Feast's SQL registry.
const MAX_NAME: usize = 255;

/// Refuses column names that retrieval could not tell from its own.
pub fn check_column_name(name: &Spanned<String>, diagnostics: &mut Diagnostics) {
    let text = name.value.as_str();
    if text.trim().is_empty() {
        diagnostics.error(&name.span, "a column needs a name");
    } else if text == EVENT_TIMESTAMP || text == DUMMY_JOIN_KEY {
        diagnostics.error_with_help(
            &name.span,
            format!("the column name `{text}` is reserved"),
            "rename it with the source's `field_mapping`".to_owned(),
        );
    }
}

/// Refuses a key of the format that this version does not carry out.
pub fn not_yet(node: Option<&Node>, key: &str, diagnostics: &mut Diagnostics) {
    if let Some(node) = node {
        diagnostics.error(&node.span, format!("`{key}` is not supported yet"));
    }
}
