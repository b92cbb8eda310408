//! Patterns such as `2026-*/part-?.parquet`, component by component.

use std::{
    ffi::OsStr,
    path::{MAIN_SEPARATOR, is_separator},
};

use globset::{GlobBuilder, GlobMatcher};

use super::braces;

/// Whether a path that does not exist is a pattern.
pub(super) fn is_wild(path: &str) -> bool {
    path.contains(['*', '?', '[', '{'])
}

/// One alternative of a pattern.
pub(super) struct Pattern {
    pub parts: Vec<Component>,
    /// Whether it ends with a slash, which files do not match.
    pub only_folders: bool,
    /// Whether it says how the files' names end, as `*.txt` does and `part-*` does not.
    pub ending_named: bool,
}

/// What one component of a path has to be.
pub(super) enum Component {
    Literal(String),
    Wild(Wild),
    /// `**`: any number of folders.
    Deep,
}

/// A component with wildcards.
pub(super) struct Wild {
    /// As it is written.
    pub text: String,
    matcher: GlobMatcher,
    /// Whether it begins with `.` or `_` itself, and so asks for such names.
    pub hidden: bool,
}

impl Wild {
    /// Whether a name matches, hidden or not.
    pub(super) fn matches(&self, name: &OsStr) -> bool {
        self.matcher.is_match(name)
    }
}

/// Reads a pattern, relative to some folder.
///
/// # Errors
/// When brackets or braces are not closed, or there are too many alternatives.
pub(super) fn parse(text: &str) -> Result<Vec<Pattern>, String> {
    braces::alternatives(text)?.iter().map(|text| parse_alternative(text)).collect()
}

fn parse_alternative(text: &str) -> Result<Pattern, String> {
    let mut parts = Vec::new();
    let mut last = "";
    for component in text.split(is_separator).filter(|part| !part.is_empty() && *part != ".") {
        last = component;
        if component == "**" {
            if !matches!(parts.last(), Some(Component::Deep)) {
                parts.push(Component::Deep);
            }
        } else if component.contains(['*', '?', '[', ']', '{', '}', '\\']) {
            parts.push(Component::Wild(wild(component)?));
        } else {
            parts.push(Component::Literal(component.to_owned()));
        }
    }
    let ending_named = last.trim_start_matches('.').contains('.');
    Ok(Pattern { parts, only_folders: text.ends_with(is_separator), ending_named })
}

fn wild(component: &str) -> Result<Wild, String> {
    let escapes = MAIN_SEPARATOR != '\\';
    let glob = GlobBuilder::new(component).literal_separator(true).backslash_escape(escapes).build();
    let matcher = glob.map_err(|error| error.kind().to_string())?.compile_matcher();
    let hidden = component.trim_start_matches('\\').starts_with(['.', '_']);
    Ok(Wild { text: component.to_owned(), matcher, hidden })
}
