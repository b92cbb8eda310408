use std::{collections::BTreeMap, process::ExitCode};

use clap::{Subcommand, ValueEnum};
use serde_json::Value;

use super::{
    CommandError, Context,
    object_table::{cells, headings},
};
use crate::{
    diagnostics::did_you_mean,
    feast::registry::DecodeError,
    model::{DUMMY_ENTITY, ObjectKind, printable},
    registry::{self, Row, Snapshot},
    ui::Table,
};

/// Registered objects of one kind.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
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

pub fn run(args: &Args, kind: ObjectKind, context: &Context) -> Result<ExitCode, CommandError> {
    let rows = rows(kind, context)?;
    match &args.command {
        Command::List { tags, output } => list(&rows, kind, tags, *output, context)?,
        Command::Describe { name, output } => describe(&rows, kind, name, *output, context)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The rows of a kind, of every project for projects themselves.
fn rows(kind: ObjectKind, context: &Context) -> Result<Vec<Row>, CommandError> {
    let store = context.store()?;
    let registry = store.registry_to_read();
    let projects = match kind {
        ObjectKind::Project => registry.projects()?,
        _ => vec![store.project().to_owned()],
    };
    let mut rows = Vec::new();
    for project in projects {
        let Snapshot { rows: stored, .. } = registry.snapshot(&project)?;
        rows.extend(stored.into_iter().filter(|row| is_listed(row.kind, kind) && row.name != DUMMY_ENTITY));
    }
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    if rows.is_empty() {
        context.printer.say(format_args!("The registry {} has no {kind}", registry.location()));
    }
    Ok(rows)
}

/// Stream views are feature views, too.
fn is_listed(kind: ObjectKind, wanted: ObjectKind) -> bool {
    kind == wanted || (kind == ObjectKind::StreamFeatureView && wanted == ObjectKind::FeatureView)
}

fn list(
    rows: &[Row],
    kind: ObjectKind,
    tags: &[String],
    output: ListOutput,
    context: &Context,
) -> Result<(), CommandError> {
    let printer = context.printer;
    let wanted = parse_tags(tags)?;
    let mut shown = Vec::new();
    for row in rows {
        let json = json(row)?;
        if has_tags(&json, &wanted) {
            shown.push((row, json));
        }
    }
    match output {
        ListOutput::Table if !printer.json => {
            let mut table = Table::new(headings(kind).iter().copied());
            for (row, _) in &shown {
                let cells = cells(row).map_err(|error| damaged(row, &error))?;
                table.row(cells.iter().map(|cell| printable(cell).into_owned()));
            }
            printer.result(table)?;
        }
        ListOutput::Yaml => {
            let all: Vec<&Value> = shown.iter().map(|(_, json)| json).collect();
            printer.result(crate::yaml::to_string(&all)?)?;
        }
        ListOutput::Table | ListOutput::Json => {
            let all: Vec<&Value> = shown.iter().map(|(_, json)| json).collect();
            printer.json(&all)?;
        }
    }
    Ok(())
}

fn describe(
    rows: &[Row],
    kind: ObjectKind,
    name: &str,
    output: DescribeOutput,
    context: &Context,
) -> Result<(), CommandError> {
    let Some(row) = rows.iter().find(|row| row.name == name) else {
        let help = did_you_mean(name, rows.iter().map(|row| row.name.as_str()));
        return Err(CommandError::new(format!("there is no {kind} `{name}` in the registry"), help));
    };
    let json = json(row)?;
    if output == DescribeOutput::Json || context.printer.json {
        context.printer.json(&json)?;
    } else {
        context.printer.result(crate::yaml::to_string(&json)?)?;
    }
    Ok(())
}

/// The stored message as Feast's `describe` shows it.
fn json(row: &Row) -> Result<Value, CommandError> {
    registry::to_json(row).map_err(|error| damaged(row, &error))
}

pub(super) fn damaged(row: &Row, error: &DecodeError) -> CommandError {
    CommandError::new(format!("{} `{}` in the registry is damaged: {error}", row.kind, printable(&row.name)), None)
}

fn parse_tags(tags: &[String]) -> Result<BTreeMap<String, String>, CommandError> {
    let parse = |tag: &String| {
        tag.split_once(':')
            .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
            .ok_or_else(|| CommandError::new(format!("`{tag}` is not a tag"), "write --tags KEY:VALUE".to_owned()))
    };
    tags.iter().map(parse).collect()
}

fn has_tags(json: &Value, wanted: &BTreeMap<String, String>) -> bool {
    let tags = json.get("spec").unwrap_or(json).get("tags");
    wanted.iter().all(|(key, value)| tags.and_then(|tags| tags.get(key)).and_then(Value::as_str) == Some(value))
}
