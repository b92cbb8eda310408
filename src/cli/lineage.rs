use clap::ValueEnum;

use super::{CommandError, Context, Exit};
use crate::{
    app::discovery::{LineageRequest, lineage},
    discovery::Direction,
    ui::{draw_lineage_as_dot, draw_lineage_as_mermaid, draw_lineage_as_tree},
};

/// Show what an object is made of, and what is made of it
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  feastr lineage driver_hourly_stats\n  feastr lineage entity:driver --downstream\n  \
                        feastr lineage driver_hourly_stats:conv_rate\n  feastr lineage service:driver_activity \
                        --format dot | dot -Tsvg > lineage.svg"
)]
pub(crate) struct Args {
    /// NAME, KIND:NAME such as entity:driver or view:driver_stats, or VIEW:FEATURE
    #[arg(value_name = "OBJECT")]
    object: String,
    /// How it is shown
    #[arg(long, short = 'o', value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    /// Only what it is made of
    #[arg(long, conflicts_with = "downstream")]
    upstream: bool,
    /// Only what is made of it
    #[arg(long)]
    downstream: bool,
    /// How many steps to go [default: all]
    #[arg(long, value_name = "STEPS")]
    depth: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Format {
    /// A tree for the screen
    #[default]
    Text,
    /// Objects and what leads from one to another
    Json,
    /// A graph for Graphviz
    Dot,
    /// A flowchart for Mermaid, as in Markdown on GitHub
    Mermaid,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CommandError> {
    let printer = context.printer;
    let direction = match (args.upstream, args.downstream) {
        (true, _) => Direction::Upstream,
        (_, true) => Direction::Downstream,
        _ => Direction::Both,
    };
    let request = LineageRequest { object: &args.object, direction, depth: args.depth };
    let excerpt = lineage(&context.store()?, &context.caller(), request)?;
    match args.format {
        Format::Text if !printer.json => printer.result(draw_lineage_as_tree(&excerpt, printer.out))?,
        Format::Dot => printer.result(draw_lineage_as_dot(&excerpt))?,
        Format::Mermaid => printer.result(draw_lineage_as_mermaid(&excerpt))?,
        Format::Text | Format::Json => printer.json(&excerpt)?,
    }
    Ok(Exit::Done)
}
