use std::time::Instant;

use clap::Subcommand;

use super::{
    CommandError, Context, Exit, join::JoinArgs, objects, output::OutputArgs, parquet_options::ParquetArgs, read_notes,
};
use crate::{
    app::saved_datasets::{self, Created, Creation, Overwrite},
    diagnostics::counted,
    model::{ObjectKind, Tags},
    offline::Cancel,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Show(objects::Command),
    /// Join features to entity rows, keep the result in files and register it under a name
    ///
    /// The dataset is registered when its files are complete. Python reads it with
    /// `store.get_saved_dataset(NAME).to_df()`.
    #[command(after_help = "Example:\n  feastr saved-datasets create training --entities rows.parquet \
                            --feature-service driver_activity_v2 --output data/training.parquet --tag team=search")]
    Create(Box<Create>),
    /// Write the rows of a dataset to a file, a folder or a table, or show them
    Export(Export),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Create {
    /// The dataset's name
    name: String,
    #[command(flatten)]
    join: JoinArgs,
    /// Where the rows go, from the repo's folder: a file if it ends in .parquet, else a folder of files
    #[arg(long, short, value_name = "PATH")]
    output: String,
    #[command(flatten)]
    parquet: ParquetArgs,
    /// What the dataset is about
    #[arg(long, value_name = "TEXT", default_value = "")]
    description: String,
    /// A label of the dataset; the flag may be given several times
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = tag)]
    tags: Vec<(String, String)>,
    /// Replace files and a dataset that are there
    #[arg(long)]
    allow_overwrite: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    /// The dataset's name
    name: String,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) fn run(command: &Command, context: &Context) -> Result<Exit, CommandError> {
    match command {
        Command::Show(command) => objects::show(command, ObjectKind::SavedDataset, context),
        Command::Create(args) => create(args, context),
        Command::Export(args) => export(args, context),
    }
}

fn create(args: &Create, context: &Context) -> Result<Exit, CommandError> {
    let (store, caller) = (context.store()?, context.caller());
    let creation = Creation {
        name: &args.name,
        features: &args.join.selection.request()?,
        about: &args.join.about.about(context)?,
        filter_by_created_timestamp: args.join.filter_by_created_timestamp,
        path: &args.output,
        parquet: args.parquet.options(),
        description: &args.description,
        tags: &args.tags.iter().cloned().collect::<Tags>(),
        overwrite: Overwrite { dataset: args.allow_overwrite, files: args.allow_overwrite },
        author: &caller.author("saved-datasets create"),
    };
    let Created { rows, read } = saved_datasets::create(&store, &caller, &creation, &Cancel::default())?;
    read_notes::say(read, context.printer);
    context.printer.say(format_args!("Saved {} as {} in {}", counted(rows, "row"), args.name, args.output));
    Ok(Exit::Done)
}

fn export(args: &Export, context: &Context) -> Result<Exit, CommandError> {
    let (store, caller, printer) = (context.store()?, context.caller(), context.printer);
    let began = Instant::now();
    let mut output = args.output.open(context)?;
    let read = saved_datasets::export(&store, &caller, &args.name, &Cancel::default(), &mut output.sink);
    let ((), written) = output.finish(read, printer)?;
    written.say(began.elapsed(), printer);
    Ok(Exit::Done)
}

fn tag(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.trim().to_owned())),
        _ => Err("write KEY=VALUE".to_owned()),
    }
}
