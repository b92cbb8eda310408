//! Plans for people, pull requests and CI; the JSON form is the plan's own.

mod consequences;
mod edit;
mod findings;
mod github;
mod markdown;
mod text;

pub use consequences::{PROTECTED_ADVICE, allow_flags};
pub use findings::{PlanFinding, as_annotations as findings_as_annotations, in_markdown as findings_in_markdown};
pub use github::annotations;
pub use markdown::draw as draw_markdown;
pub use text::draw as draw_text;

use crate::plan::{ActionKind, Consent, Plan};

/// Whether a plan is shown before or after it is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanStage {
    /// Nothing was done yet.
    Planned,
    /// It was done.
    Applied,
}

/// A plan with what its reader should know about it.
#[derive(Debug, Clone, Copy)]
pub struct PlanView<'a> {
    /// What is shown.
    pub plan: &'a Plan,
    /// Whether it was done.
    pub stage: PlanStage,
    /// What was permitted on the command line.
    pub consent: Consent<'a>,
}

impl PlanView<'_> {
    /// One line that sums the plan up.
    fn summary(&self) -> String {
        let plan = self.plan;
        let kept = match plan.kept.len() {
            0 => String::new(),
            1 => "; 1 object that this repo does not manage stays as it is".to_owned(),
            many => format!("; {many} objects that this repo does not manage stay as they are"),
        };
        if plan.is_empty() {
            return format!("No changes: the registry holds what the definitions declare{kept}");
        }
        let (lead, words) = match self.stage {
            PlanStage::Planned => {
                ("Plan", ["to create", "to update", "to rename", "to replace", "to delete", "to take over"])
            }
            PlanStage::Applied => ("Applied", ["created", "updated", "renamed", "replaced", "deleted", "taken over"]),
        };
        let count = |action| plan.count(action);
        let counts = [
            count(ActionKind::Create),
            count(ActionKind::Update),
            count(ActionKind::Rename),
            count(ActionKind::Replace),
            count(ActionKind::Delete),
            plan.taken_over.len(),
        ];
        const ALWAYS: [&str; 3] = ["creat", "updat", "delet"];
        let shown = counts.iter().zip(words).filter(|(count, word)| {
            **count > 0 || ALWAYS.iter().any(|always| word.trim_start_matches("to ").starts_with(always))
        });
        let parts: Vec<String> = shown.map(|(count, word)| format!("{count} {word}")).collect();
        format!("{lead}: {}{kept}", parts.join(", "))
    }
}
