use clap::Subcommand;

use super::{
    CommandError, Context, Exit,
    objects::{DescribeOutput, ListOutput},
};
use crate::{
    app::catalogue::{self, Feature, Features},
    model::printable,
    ui::Table,
};

/// Show the registered features of all views
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List them with the services that use them
    List {
        /// How they are shown
        #[arg(long, short, value_enum, default_value_t)]
        output: ListOutput,
    },
    /// Show every feature of a name, in whatever view it is
    Describe {
        /// The feature, as FEATURE or VIEW:FEATURE
        name: String,
        /// How it is shown
        #[arg(long, short, value_enum, default_value_t)]
        output: DescribeOutput,
    },
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CommandError> {
    let (store, caller) = (context.store()?, context.caller());
    match &args.command {
        Command::List { output } => {
            let Features { registry, features } = catalogue::features(&store, &caller)?;
            if features.is_empty() {
                context.printer.say(format_args!("The registry {registry} has no feature"));
            }
            list(&features, *output, context)?;
        }
        Command::Describe { name, output } => {
            let found = catalogue::feature(&store, &caller, name)?;
            if *output == DescribeOutput::Json || context.printer.json {
                context.printer.json(&found)?;
            } else {
                context.printer.result(crate::yaml::to_string(&found)?)?;
            }
        }
    }
    Ok(Exit::Done)
}

fn list(features: &[Feature], output: ListOutput, context: &Context) -> Result<(), CommandError> {
    let printer = context.printer;
    match output {
        ListOutput::Table if !printer.json => {
            let mut table = Table::new(["FEATURE", "VIEW", "TYPE", "SERVICES"]);
            for feature in features {
                let services = if feature.services.is_empty() { "-".to_owned() } else { feature.services.join(", ") };
                let cells = [&feature.name, &feature.view, &feature.dtype, &services];
                table.row(cells.map(|cell| printable(cell).into_owned()));
            }
            printer.result(table)?;
        }
        ListOutput::Yaml => printer.result(crate::yaml::to_string(&features)?)?,
        ListOutput::Table | ListOutput::Json => printer.json(&features)?,
    }
    Ok(())
}
