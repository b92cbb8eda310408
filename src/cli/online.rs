use clap::Subcommand;

use super::{CommandError, Context, Exit};
use crate::{
    app::cleanup::{Request, Summary, clean},
    ui::Table,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
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
pub(crate) struct Cleanup {
    /// Only expired values of these views
    #[arg(long, short = 'v', value_name = "VIEW", num_args = 1.., value_delimiter = ',')]
    views: Vec<String>,
    /// Show which views would be looked through, and for which values; these are not counted, and
    /// nothing is removed
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(command: &Command, context: &Context) -> Result<Exit, CommandError> {
    let Command::Cleanup(args) = command;
    let printer = context.printer;
    let request = Request { views: &args.views, dry_run: args.dry_run };
    let summary = clean(&context.store()?, &context.caller(), request)?;
    if printer.json {
        printer.json(&summary)?;
    } else if summary.expired.is_empty() && summary.leftovers.is_empty() {
        printer.say("Nothing to remove");
    } else {
        printer.result(draw(&summary))?;
    }
    Ok(Exit::Done)
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
