use std::collections::BTreeMap;

use clap::{Subcommand, ValueEnum};

use super::{
    CommandError, Context, Exit,
    object_table::{cells, headings},
};
use crate::{
    app::catalogue::{self, Entry, Request},
    model::{ObjectKind, printable},
    ui::Table,
};

/// Registered objects of one kind.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

/// What can be seen of objects of one kind.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List them
    List {
        /// Only those with this tag, as KEY:VALUE; several must all match
        #[arg(long, value_name = "KEY:VALUE", value_delimiter = ',')]
        tags: Vec<String>,
        /// How they are shown
        #[arg(long, short, value_enum, default_value_t)]
        output: ListOutput,
    },
    /// Show one as it is stored
    Describe {
        /// The object's name
        name: String,
        /// How it is shown
        #[arg(long, short, value_enum, default_value_t)]
        output: DescribeOutput,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum ListOutput {
    #[default]
    Table,
    Json,
    Yaml,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum DescribeOutput {
    #[default]
    Yaml,
    Json,
}

pub(crate) fn run(args: &Args, kind: ObjectKind, context: &Context) -> Result<Exit, CommandError> {
    show(&args.command, kind, context)
}

/// Shows objects of a kind, or one of them.
pub(super) fn show(command: &Command, kind: ObjectKind, context: &Context) -> Result<Exit, CommandError> {
    let (store, caller) = (context.store()?, context.caller());
    match command {
        Command::List { tags, output } => {
            let objects = catalogue::objects(&store, &caller, Request { kind, tags: &parse_tags(tags)? })?;
            if objects.total == 0 {
                context.printer.say(format_args!("The registry {} has no {kind}", objects.registry));
            }
            list(&objects.entries, kind, *output, context)?;
        }
        Command::Describe { name, output } => {
            let json = catalogue::object(&store, &caller, kind, name)?;
            if *output == DescribeOutput::Json || context.printer.json {
                context.printer.json(&json)?;
            } else {
                context.printer.result(crate::yaml::to_string(&json)?)?;
            }
        }
    }
    Ok(Exit::Done)
}

fn list(entries: &[Entry], kind: ObjectKind, output: ListOutput, context: &Context) -> Result<(), CommandError> {
    let printer = context.printer;
    let json = || entries.iter().map(|entry| &entry.json).collect::<Vec<_>>();
    match output {
        ListOutput::Table if !printer.json => {
            let mut table = Table::new(headings(kind).iter().copied());
            for entry in entries {
                table.row(cells(entry).iter().map(|cell| printable(cell).into_owned()));
            }
            printer.result(table)?;
        }
        ListOutput::Yaml => printer.result(crate::yaml::to_string(&json())?)?,
        ListOutput::Table | ListOutput::Json => printer.json(&json())?,
    }
    Ok(())
}

fn parse_tags(tags: &[String]) -> Result<BTreeMap<String, String>, CommandError> {
    let parse = |tag: &String| {
        tag.split_once(':')
            .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
            .ok_or_else(|| CommandError::new(format!("`{tag}` is not a tag"), "write --tags KEY:VALUE".to_owned()))
    };
    tags.iter().map(parse).collect()
}
