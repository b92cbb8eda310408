use serde::Serialize;

use super::{
    super::diagnostics::without_secrets,
    github::annotation,
    markdown::{MAX_LENGTH, code, escaped},
};
use crate::{
    diagnostics::{Diagnostic, Severity},
    model::Place,
};

/// Why there is no plan, or a part of it, for pull requests and CI.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Whether it is in the way.
    #[serde(serialize_with = "word")]
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Where it is declared; `None` if it has no place in a file.
    pub place: Option<Place>,
}

impl From<&Diagnostic> for Finding {
    fn from(diagnostic: &Diagnostic) -> Self {
        let place = diagnostic.span.as_ref().map(|span| {
            let (line, column) = span.line_column();
            Place { file: span.file.path.clone(), line, column }
        });
        let Diagnostic { severity, message, advice, .. } = without_secrets(diagnostic);
        Self { severity, message, help: advice.as_ref().map(crate::ui::advice), place }
    }
}

fn word<S: serde::Serializer>(severity: &Severity, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(level(*severity))
}

/// GitHub's word, which is that of the JSON form, too.
fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// Findings as workflow commands, one a line, with which GitHub marks the lines they are about.
pub fn as_annotations(findings: &[Finding]) -> String {
    let annotate = |finding: &Finding| {
        let help = finding.help.as_ref().map(|help| format!("\n{help}")).unwrap_or_default();
        annotation(level(finding.severity), finding.place.as_ref(), &format!("{}{help}", finding.message))
    };
    findings.iter().map(annotate).collect()
}

/// Findings as Markdown, in place of a plan.
pub fn in_markdown(findings: &[Finding]) -> String {
    let mut text = "### feastr: there is no plan\n\n".to_owned();
    for (shown, finding) in findings.iter().enumerate() {
        let place = finding.place.as_ref().map(|place| format!("{}: ", code(&place.to_string()))).unwrap_or_default();
        let help = finding.help.as_ref().map(|help| format!("<br>{}", escaped(help))).unwrap_or_default();
        let item = format!("- **{}** {place}{}{help}\n", level(finding.severity), escaped(&finding.message));
        if text.len() + item.len() > MAX_LENGTH {
            return text + &format!("\n_{} more do not fit here; `feastr plan` shows them._\n", findings.len() - shown);
        }
        text += &item;
    }
    text
}
