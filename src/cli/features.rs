use std::{collections::BTreeMap, process::ExitCode};

use clap::Subcommand;
use serde::Serialize;

use super::{
    CommandError, Context,
    objects::{DescribeOutput, ListOutput, damaged},
};
use crate::{
    diagnostics::did_you_mean,
    feast::registry::{self, uses},
    model::{ObjectKind, Tags, Use, printable},
    registry::Row,
    ui::Table,
};

/// Show the registered features of all views
#[derive(Debug, clap::Args)]
pub struct Args {
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

/// A feature of a view.
#[derive(Debug, Serialize)]
struct Feature {
    name: String,
    view: String,
    /// The kind of the view.
    kind: ObjectKind,
    dtype: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "Tags::is_empty")]
    tags: Tags,
    /// Names of the services that select it.
    services: Vec<String>,
}

pub fn run(args: &Args, context: &Context) -> Result<ExitCode, CommandError> {
    let store = context.store()?;
    let registry = store.registry_to_read();
    let rows = registry.snapshot(store.project())?.rows;
    let features = features(&rows)?;
    if features.is_empty() {
        context.printer.say(format_args!("The registry {} has no feature", registry.location()));
    }
    match &args.command {
        Command::List { output } => list(&features, *output, context)?,
        Command::Describe { name, output } => describe(&features, name, *output, context)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Every feature, by view and then as the view has them.
fn features(rows: &[Row]) -> Result<Vec<Feature>, CommandError> {
    let mut services: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.kind == ObjectKind::FeatureService) {
        for used in uses(row.kind, &row.proto).map_err(|error| damaged(row, &error))?.uses {
            let Use::Features { view, features } = used else { continue };
            for feature in features {
                let users = services.entry((view.clone(), feature)).or_default();
                if users.last() != Some(&row.name) {
                    users.push(row.name.clone());
                }
            }
        }
    }
    let mut features = Vec::new();
    for row in rows.iter().filter(|row| row.kind.is_view()) {
        for field in registry::features(row.kind, &row.proto).map_err(|error| damaged(row, &error))? {
            features.push(Feature {
                services: services.remove(&(row.name.clone(), field.name.clone())).unwrap_or_default(),
                name: field.name,
                view: row.name.clone(),
                kind: row.kind,
                dtype: field.dtype.to_string(),
                description: field.description,
                tags: field.tags,
            });
        }
    }
    features.sort_by(|a, b| a.view.cmp(&b.view));
    Ok(features)
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

fn describe(features: &[Feature], name: &str, output: DescribeOutput, context: &Context) -> Result<(), CommandError> {
    let (view, wanted) = match name.split_once(':') {
        Some((view, feature)) => (Some(view), feature),
        None => (None, name),
    };
    let is_wanted = |feature: &&Feature| feature.name == wanted && view.is_none_or(|view| feature.view == view);
    let found: Vec<&Feature> = features.iter().filter(is_wanted).collect();
    if found.is_empty() {
        let help = did_you_mean(wanted, features.iter().map(|feature| feature.name.as_str()));
        return Err(CommandError::new(format!("there is no feature `{name}` in the registry"), help));
    }
    if output == DescribeOutput::Json || context.printer.json {
        context.printer.json(&found)?;
    } else {
        context.printer.result(crate::yaml::to_string(&found)?)?;
    }
    Ok(())
}
