use serde_json::json;

use super::{backfill::show, indexer};
use crate::{
    app::entity_index::verify,
    cli::{
        CommandError, Context,
        exit::{Exit, listed},
    },
    diagnostics::counted,
    model::printable,
    ui::{IndexProgress, Table},
};

/// Show what differs between the index and the files
///
/// Changes nothing; `backfill` makes what differs go away.
#[derive(Debug, clap::Args)]
#[command(after_help = format!(
    "Examples:\n  feastr entity-index verify\n  feastr entity-index verify --views driver_hourly_stats --json\n\n{}",
    listed(&[(Exit::Done, "the index is as the files are"), (Exit::Failed, "they differ, or error")]),
))]
pub(crate) struct Args {
    /// Only these views
    #[arg(long, value_name = "VIEW", num_args = 1.., value_delimiter = ',')]
    views: Vec<String>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CommandError> {
    let printer = context.printer;
    let selected = (!args.views.is_empty()).then_some(args.views.as_slice());
    let progress = IndexProgress::new(printer);
    let differences = verify(&indexer(context)?, selected, &|step| show(step, &progress, printer));
    drop(progress);
    let differences = differences?;
    if printer.json {
        printer.json(&json!({ "differs": !differences.is_empty(), "differences": differences }))?;
    } else if differences.is_empty() {
        printer.result_line("The index is as the files are")?;
    } else {
        let mut table = Table::new(["DIFFERENCE", "VIEW", "PATH", "MESSAGE"]);
        for found in &differences {
            let shown = [&found.feature_view, &found.path, &found.message].map(|text| printable(text).into_owned());
            let [view, path, message] = shown;
            table.row([found.kind.word().to_owned(), view, path, message]);
        }
        printer.result(table)?;
        printer.say(format_args!("{} differ", counted(differences.len(), "file")));
    }
    Ok(if differences.is_empty() { Exit::Done } else { Exit::Failed })
}
