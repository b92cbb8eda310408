use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use super::{CommandError, Context};
use crate::{
    apply::clean_up,
    diagnostics::did_you_mean,
    model::{RegistryState, Timestamp, Ttl, View},
    online::ViewLayout,
    registry::{leftovers, state},
    ui::{RemovalProgress, Table},
};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Remove values that nobody can read any more
    ///
    /// These are values older than the ttl of their view, which get-online answers with
    /// OUTSIDE_MAX_AGE, and values of removed views and features that an apply left because it was
    /// cut off. What is written meanwhile stays.
    #[command(after_help = "Examples:\n  feastr online cleanup --dry-run\n  feastr online cleanup\n  feastr online \
                            cleanup --views driver_hourly_stats --json")]
    Cleanup(Cleanup),
}

#[derive(Debug, clap::Args)]
pub struct Cleanup {
    /// Only expired values of these views
    #[arg(long, short = 'v', value_name = "VIEW", num_args = 1.., value_delimiter = ',')]
    views: Vec<String>,
    /// Show which views would be looked through, and for which values; these are not counted, and
    /// nothing is removed
    #[arg(long)]
    dry_run: bool,
}

/// What a cleanup is about.
#[derive(Debug, Serialize)]
struct Summary {
    /// Whether this is only what would be looked for.
    dry_run: bool,
    expired: Vec<Expired>,
    /// Removed views, or views with removed features, whose values are left.
    leftovers: Vec<String>,
    /// Entities whose values were removed, counted per view; nothing for a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    removed: Option<u64>,
}

/// Values of a view that are too old.
#[derive(Debug, Clone, Serialize)]
struct Expired {
    view: String,
    ttl: Ttl,
    /// Their events are before this.
    before: Timestamp,
    /// Entities whose values were removed; nothing for a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    removed: Option<u64>,
}

pub fn run(command: &Command, context: &Context) -> Result<ExitCode, CommandError> {
    let Command::Cleanup(args) = command;
    let printer = context.printer;
    let config = context.config()?;
    let registry = context.registry()?;
    let online = context.required_online()?;
    let snapshot = registry.snapshot(&config.project)?;
    let state = state(&snapshot);
    let mut views = expiring(&state, &config.project, context.now);
    check_names(&args.views, &views, &state)?;
    views.retain(|(expired, _)| args.views.is_empty() || args.views.contains(&expired.view));
    let mut left: Vec<String> = leftovers(&snapshot.metadata).into_iter().map(|leftover| leftover.view).collect();
    left.dedup();
    if !args.views.is_empty() {
        left.clear();
    }
    let mut summary = Summary { dry_run: args.dry_run, expired: Vec::new(), leftovers: left, removed: None };
    if args.dry_run {
        summary.expired = views.into_iter().map(|(expired, _)| expired).collect();
    } else {
        let progress = RemovalProgress::new(printer);
        let mut total = 0;
        for (expired, layout) in views {
            let page = &mut |entities| progress.show(total + entities);
            let removed = online.remove_expired(&[(layout, expired.before)], page)?;
            total += removed;
            summary.expired.push(Expired { removed: Some(removed), ..expired });
        }
        if !summary.leftovers.is_empty() {
            let page = &mut |entities| progress.show(total + entities);
            total += clean_up(&config.project, registry.as_ref(), online.as_ref(), page)?;
        }
        progress.finish();
        summary.removed = Some(total);
    }
    if printer.json {
        printer.json(&summary)?;
    } else if summary.expired.is_empty() && summary.leftovers.is_empty() {
        printer.say("Nothing to remove");
    } else {
        printer.result(draw(&summary))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The online views whose values expire.
fn expiring(state: &RegistryState, project: &str, now: Timestamp) -> Vec<(Expired, ViewLayout)> {
    let expiring = |view: View<'_>| {
        let before = now.minus(view.ttl.limit()?);
        let expired = Expired { view: view.name.to_owned(), ttl: view.ttl, before, removed: None };
        Some((expired, ViewLayout::of(project, view)))
    };
    state.views().filter(View::stores_values).filter_map(expiring).collect()
}

fn check_names(names: &[String], views: &[(Expired, ViewLayout)], state: &RegistryState) -> Result<(), CommandError> {
    for name in names {
        if views.iter().any(|(expired, _)| expired.view == *name) {
            continue;
        }
        if state.objects.keys().any(|id| id.kind.is_view() && id.name == *name) {
            let message = format!("values of view `{name}` do not expire");
            return Err(CommandError::new(message, "only online views with a ttl have expired values".to_owned()));
        }
        let known = state.objects.keys().filter(|id| id.kind.is_view()).map(|id| id.name.as_str());
        return Err(CommandError::new(format!("there is no view `{name}`"), did_you_mean(name, known)));
    }
    Ok(())
}

fn draw(summary: &Summary) -> String {
    let headings: &[&str] = if summary.dry_run { &["VIEW", "LOOKED FOR"] } else { &["VIEW", "WHAT", "REMOVED"] };
    let mut table = Table::new(headings.iter().copied());
    let removed = |count: Option<u64>| count.map(|count| count.to_string());
    let mut row = |view: &str, what: String, removed: Option<String>| {
        table.row([view.to_owned(), what].into_iter().chain(removed));
    };
    for expired in &summary.expired {
        let what = format!("older than {}, before {}", expired.ttl, expired.before);
        row(&expired.view, what, removed(expired.removed));
    }
    let of_views: u64 = summary.expired.iter().filter_map(|expired| expired.removed).sum();
    let mut of_leftovers = removed(summary.removed.map(|total| total - of_views));
    for view in &summary.leftovers {
        row(view, "removed from the registry".to_owned(), of_leftovers.clone());
        of_leftovers = of_leftovers.map(|_| "with the former".to_owned());
    }
    table.to_string()
}
