use serde::Serialize;

use super::{
    super::diagnostics::without_secrets,
    github::annotation,
    markdown::{MAX_LENGTH, code, escaped},
};
use crate::{
    diagnostics::{Diagnostic, Level},
    model::Place,
};

/// Why there is no plan, or a part of it, for pull requests and CI.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanFinding {
    /// Whether it is in the way.
    #[serde(rename = "severity", serialize_with = "as_word")]
    pub level: Level,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Where it is declared; `None` if it has no place in a file.
    pub place: Option<Place>,
}

impl From<&Diagnostic> for PlanFinding {
    fn from(diagnostic: &Diagnostic) -> Self {
        let place = diagnostic.span.as_ref().map(|span| {
            let (line, column) = span.line_column();
            Place { file: span.file.path.clone(), line, column }
        });
        let Diagnostic { level, message, advice, .. } = without_secrets(diagnostic);
        Self { level, message, help: advice.as_ref().map(crate::ui::advice), place }
    }
}

fn as_word<S: serde::Serializer>(level: &Level, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(word(*level))
}

/// GitHub's word, which is that of the JSON form, too.
fn word(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
    }
}

/// Findings as workflow commands, one a line, with which GitHub marks the lines they are about.
pub fn as_annotations(findings: &[PlanFinding]) -> String {
    let annotate = |finding: &PlanFinding| {
        let help = finding.help.as_ref().map(|help| format!("\n{help}")).unwrap_or_default();
        annotation(word(finding.level), finding.place.as_ref(), &format!("{}{help}", finding.message))
    };
    findings.iter().map(annotate).collect()
}

/// Findings as Markdown, in place of a plan.
pub fn in_markdown(findings: &[PlanFinding]) -> String {
    let mut text = "### feastr: there is no plan\n\n".to_owned();
    for (shown, finding) in findings.iter().enumerate() {
        let place = finding.place.as_ref().map(|place| format!("{}: ", code(&place.to_string()))).unwrap_or_default();
        let help = finding.help.as_ref().map(|help| format!("<br>{}", escaped(help))).unwrap_or_default();
        let item = format!("- **{}** {place}{}{help}\n", word(finding.level), escaped(&finding.message));
        if text.len() + item.len() > MAX_LENGTH {
            return text + &format!("\n_{} more do not fit here; `feastr plan` shows them._\n", findings.len() - shown);
        }
        text += &item;
    }
    text
}
