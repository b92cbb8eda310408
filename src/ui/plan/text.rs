use super::{super::Style, PlanView, consequences::Consequences, edit};
use crate::{
    diagnostics::with_article,
    model::printable,
    plan::{Action, Change, TableAction},
};

/// A plan as text: Feast's words for each object, what changes of it, what follows from it all, and
/// a line that sums it up.
pub fn draw(view: &PlanView<'_>, style: Style, verbose: bool) -> String {
    let plan = view.plan;
    let mut lines = Vec::new();
    for change in &plan.changes {
        lines.push(headline(change, style));
        for edit in change.action.edits() {
            lines.extend(edit::lines(edit, style).into_iter().map(|line| format!("\t{line}")));
        }
    }
    if plan.changes.is_empty() {
        lines.push("No changes to registry".to_owned());
    }
    for table in &plan.tables {
        let name = match table.action {
            TableAction::Create => style.good(&table.table),
            TableAction::Delete => style.bad(&table.table),
        };
        lines.push(format!("{} {} table {name}", table.action.verb(), table.store));
    }
    if plan.tables.is_empty() {
        lines.push("No changes to infrastructure".to_owned());
    }
    if verbose {
        let repo = plan.repo.as_deref().unwrap_or_default();
        let taken = plan.taken_over.iter().map(|id| format!("Taken over by repo {repo}: {id}"));
        let kept = plan.kept.iter().map(|kept| format!("Kept {}: {}", kept.id, kept.reason));
        lines.extend(taken.chain(kept).map(|line| style.faint(line)));
    }
    for section in Consequences::of(view).sections {
        lines.push(String::new());
        lines.push(style.notice(format_args!("{}:", section.title)));
        lines.extend(section.items.into_iter().map(|item| format!("  {item}")));
        for way_out in section.ways_out {
            if !way_out.advice.is_empty() {
                lines.push(format!("  {}{}", way_out.advice, if way_out.command.is_some() { ":" } else { "" }));
            }
            lines.extend(way_out.command.map(|command| format!("    {}", style.strong(command))));
        }
    }
    lines.push(String::new());
    lines.push(view.summary());
    lines.join("\n") + "\n"
}

/// `Updated feature view x`, in Feast's words where Feast has them.
fn headline(change: &Change, style: Style) -> String {
    let (verb, kind, name) = (change.action.verb(), change.id.kind, printable(&change.id.name));
    match &change.action {
        Action::Create { .. } => format!("{verb} {kind} {}", style.good(name)),
        Action::Update { .. } => format!("{verb} {kind} {}", style.notice(name)),
        Action::Delete { .. } => format!("{verb} {kind} {}", style.bad(name)),
        Action::Rename { from, .. } => {
            format!("{verb} {kind} {} to {}", style.notice(printable(&from.name)), style.notice(name))
        }
        Action::Replace { from, .. } => {
            let name = style.notice(printable(&from.name));
            format!("{verb} {} {name} by {} of the same name", from.kind, with_article(&kind.to_string()))
        }
    }
}
