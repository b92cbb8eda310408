//! What follows from a plan, and the commands that help.

use std::collections::BTreeMap;

use super::{PlanStage, PlanView};
use crate::plan::{Action, Blocked, Plan};

/// What follows from a plan, said so that nobody needs to know feastr to understand it.
#[derive(Debug, Default)]
pub(crate) struct Consequences {
    pub sections: Vec<Section>,
}

/// Some consequences of one sort.
#[derive(Debug)]
pub(crate) struct Section {
    pub title: &'static str,
    pub items: Vec<String>,
    /// A command or an edit that helps, after a word of introduction.
    pub ways_out: Vec<WayOut>,
}

/// What to do about something.
#[derive(Debug)]
pub(crate) struct WayOut {
    pub advice: String,
    /// To be typed as it is.
    pub command: Option<String>,
}

impl Consequences {
    pub(crate) fn of(view: &PlanView<'_>) -> Self {
        let (plan, planned) = (view.plan, view.stage == PlanStage::Planned);
        let mut sections = vec![
            Section::new(if planned { "Breaks" } else { "Broken" }, breaks(plan)),
            Section::new(if planned { "Will be lost" } else { "Lost" }, losses(plan)),
            rematerialize(plan),
            Section::new("Hash collisions", collisions(plan)),
            Section::new("Notes", notes(plan)),
        ];
        if planned {
            sections.extend(blocked(&plan.blocked(view.consent)));
        }
        sections.retain(|section| !section.items.is_empty());
        Self { sections }
    }
}

impl Section {
    fn new(title: &'static str, items: Vec<String>) -> Self {
        Self { title, items, ways_out: Vec::new() }
    }
}

fn breaks(plan: &Plan) -> Vec<String> {
    plan.changes.iter().flat_map(|change| &change.impact.breaks).map(ToString::to_string).collect()
}

fn losses(plan: &Plan) -> Vec<String> {
    let mut lost = Vec::new();
    for change in &plan.changes {
        if let Action::Delete { .. } = change.action {
            lost.push(change.id.to_string());
        }
        lost.extend(change.impact.loses.iter().map(ToString::to_string));
    }
    lost
}

fn collisions(plan: &Plan) -> Vec<String> {
    plan.changes.iter().flat_map(|change| &change.impact.collisions).map(ToString::to_string).collect()
}

fn notes(plan: &Plan) -> Vec<String> {
    plan.changes.iter().flat_map(|change| &change.impact.notes).cloned().collect()
}

fn rematerialize(plan: &Plan) -> Section {
    let views: Vec<_> = plan.changes.iter().filter_map(|change| change.impact.rematerialize.as_ref()).collect();
    let items = views.iter().map(|view| format!("{}: {}", view.view, view.reasons.join("; "))).collect();
    // One command for all views that were materialized over the same time.
    let mut commands: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for view in &views {
        commands.entry((view.interval.start, view.interval.end)).or_default().push(&view.view);
    }
    let mut advice = "After the apply, run".to_owned();
    let ways_out = commands.into_iter().map(|((start, end), views)| WayOut {
        advice: std::mem::take(&mut advice),
        command: Some(format!("feastr materialize {start} {end} --views {}", views.join(","))),
    });
    Section { title: "To be materialized again", items, ways_out: ways_out.collect() }
}

fn blocked(blocked: &[Blocked]) -> [Section; 2] {
    let (protected, unpermitted): (Vec<&Blocked>, Vec<&Blocked>) =
        blocked.iter().partition(|blocked| !blocked.protected.is_empty());
    // Why was said above.
    let name = |blocked: &Blocked| format!("{} {}", blocked.action, blocked.id);
    let guarded = |blocked: &Blocked| {
        let objects: Vec<String> = blocked.protected.iter().map(ToString::to_string).collect();
        format!("{}: {} is protected", name(blocked), objects.join(", "))
    };
    let way_out = |advice: &str, command| WayOut { advice: advice.to_owned(), command };
    [
        Section {
            title: "Blocked: apply refuses this unless it is allowed",
            items: unpermitted.iter().map(|blocked| name(blocked)).collect(),
            ways_out: vec![way_out("If it is wanted", Some(format!("feastr apply {}", allow_flags(&unpermitted))))],
        },
        Section {
            title: "Blocked: protected objects",
            items: protected.iter().map(|blocked| guarded(blocked)).collect(),
            ways_out: vec![way_out(PROTECTED_ADVICE, None)],
        },
    ]
}

/// How to harm a protected object after all.
pub const PROTECTED_ADVICE: &str =
    "If it is wanted, remove `protect: true` from the protected definitions, apply that alone, and plan again";

/// The flags that permit these changes, ready for a shell.
pub fn allow_flags<'a>(blocked: impl IntoIterator<Item = &'a &'a Blocked>) -> String {
    let flags = blocked.into_iter().filter_map(|blocked| blocked.permission());
    flags.map(|permission| format!("--allow {}", shell_word(&permission))).collect::<Vec<_>>().join(" ")
}

/// A word as a shell takes it, quoted where it must be.
fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+=,".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}
