//! Plans as Markdown, within GitHub's limits.

use super::{super::Style, PlanView, consequences::Consequences, edit};
use crate::{
    diagnostics::with_article,
    plan::{Action, Severity, TableAction},
};

/// Longest text with all details: GitHub refuses comments of more than 65536 characters.
pub(crate) const MAX_LENGTH: usize = 60_000;

const PLAIN: Style = Style { enabled: false };

/// A plan as Markdown, for comments on pull requests and summaries of CI runs.
pub fn draw(view: &PlanView<'_>) -> String {
    let overview = overview(view);
    let details = details(view);
    if overview.len() + details.len() <= MAX_LENGTH {
        return overview + &details;
    }
    let note = "\n_The changed fields do not fit here; `feastr plan` shows them._\n";
    if overview.len() <= MAX_LENGTH {
        return overview + note;
    }
    let end = overview.floor_char_boundary(MAX_LENGTH);
    let end = overview[..end].rfind('\n').map_or(end, |newline| newline + 1);
    format!(
        "{}\n_The plan goes on; `feastr plan` shows all of it._\n\n{}\n",
        &overview[..end],
        escaped(&view.summary())
    )
}

fn overview(view: &PlanView<'_>) -> String {
    let plan = view.plan;
    let mut text = format!("### feastr: project {}\n\n{}\n", code(&plan.project), escaped(&view.summary()));
    for section in Consequences::of(view).sections {
        text += &format!("\n**{}**\n\n", section.title);
        for item in section.items {
            text += &format!("- {}\n", escaped(&item));
        }
        for way_out in section.ways_out {
            if !way_out.advice.is_empty() {
                text += &format!("\n{}{}\n", way_out.advice, if way_out.command.is_some() { ":" } else { "" });
            }
            if let Some(command) = way_out.command {
                text += &format!("\n{}\n", fenced("sh", &command));
            }
        }
    }
    if !plan.changes.is_empty() || !plan.tables.is_empty() {
        text += "\n| | object | severity | where |\n|---|---|---|---|\n";
    }
    for change in &plan.changes {
        let object = match &change.action {
            Action::Rename { from, .. } => format!("{} {} to {}", from.kind, code(&from.name), code(&change.id.name)),
            Action::Replace { from, .. } => {
                format!("{} {} by {}", from.kind, code(&from.name), with_article(&change.id.kind.to_string()))
            }
            _ => format!("{} {}", change.id.kind, code(&change.id.name)),
        };
        let severity = match change.severity {
            Severity::Safe => "safe".to_owned(),
            other => format!("**{}**", other.as_str()),
        };
        let place = change.place.as_ref().map(|place| format!("{}:{}", place.file.display(), place.line));
        let place = place.map(|place| code(&place)).unwrap_or_default();
        text += &format!("| {} | {object} | {severity} | {place} |\n", change.action.word());
    }
    for table in &plan.tables {
        let (word, severity) = match table.action {
            TableAction::Create => ("create", "safe"),
            TableAction::Delete => ("delete", ""),
        };
        text += &format!("| {word} | {} table {} | {severity} | |\n", table.store, code(&table.table));
    }
    text
}

/// The changed fields, folded away.
fn details(view: &PlanView<'_>) -> String {
    let mut text = String::new();
    for change in view.plan.changes.iter().filter(|change| !change.action.edits().is_empty()) {
        let lines: Vec<String> = change.action.edits().iter().flat_map(|edit| edit::lines(edit, PLAIN)).collect();
        text += &format!(
            "\n<details><summary>{} {}</summary>\n\n{}\n\n</details>\n",
            change.id.kind,
            html(&change.id.name),
            fenced("", &lines.join("\n"))
        );
    }
    text
}

/// Text in which nothing is markup but the code that names are set in.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let (mut in_code, mut in_word) = (false, false);
    for c in text.chars() {
        match c {
            '`' => {
                in_code = !in_code;
                escaped.push(c);
            }
            '\n' | '\r' => escaped.push(' '),
            // Underscores within words are plain, and names have many.
            '_' if in_word => escaped.push(c),
            '<' | '>' | '&' | '@' | '*' | '_' | '[' | ']' | '#' | '|' | '\\' if !in_code => {
                escaped.push_str(&format!("&#{};", u32::from(c)));
            }
            _ => escaped.push(c),
        }
        in_word = c.is_alphanumeric();
    }
    if in_code { escaped + "`" } else { escaped }
}

/// A name as code that fits into a table.
pub(crate) fn code(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ").replace('|', "\\|");
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace(['\n', '\r'], " ")
}

/// A block of code whose fence is longer than any in the text.
fn fenced(language: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{text}\n{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_be_markup() {
        assert_eq!(escaped("a <b> `c|d` @e"), "a &#60;b&#62; `c|d` &#64;e");
        assert_eq!(escaped("an `odd name"), "an `odd name`");
        assert_eq!(escaped("a_b __c"), "a_b &#95;&#95;c");
        assert_eq!(code("a|b"), "`a\\|b`");
        assert_eq!(code("a`b"), "`` a`b ``");
        assert_eq!(html("<img>&"), "&lt;img&gt;&amp;");
        assert_eq!(fenced("", "x ``` y"), "````\nx ``` y\n````");
    }
}
