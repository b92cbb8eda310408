//! `feastr init`: which files a new repo starts with.

pub mod sample_data;

use std::path::{Path, PathBuf};

use super::{CommandError, Context, Exit, context::display_path, schema};
use crate::{
    config,
    yaml::{Tree, write_collection},
};

/// Make a new feature repo with definitions and sample data
///
/// The repo runs as it is: plan, apply, materialize and get-online work on the sample data. A
/// workflow for GitHub shows the plan of pull requests and applies what is merged. Files that are
/// in the folder already stay as they are, or nothing is made.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  feastr init my_repo\n  cd my_repo && feastr apply && feastr materialize-incremental \
                  now\n  feastr init my_repo --template postgres-redis"
)]
pub(crate) struct Args {
    /// The folder to make; its name becomes the project's
    #[arg(default_value = "feature_repo")]
    name: PathBuf,
    /// Where the registry and online values are
    #[arg(long, short, value_enum, default_value_t)]
    template: Template,
    /// Overwrite files that exist
    #[arg(long)]
    force: bool,
}

/// The kinds of repos to start from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Template {
    /// In SQLite files of the repo
    #[default]
    Local,
    /// In the servers of a compose.yaml
    PostgresRedis,
}

impl Template {
    /// The settings file.
    fn settings(self) -> &'static str {
        match self {
            Self::Local => include_str!("../../../examples/feature_repo/feature_store.yaml"),
            Self::PostgresRedis => include_str!("../../../examples/postgres_redis/feature_store.yaml"),
        }
    }

    /// Files that only this kind has.
    fn files(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Local => &[],
            Self::PostgresRedis => &[
                ("compose.yaml", include_str!("../../../examples/postgres_redis/compose.yaml")),
                (IGNORE, COMPOSE_IGNORED),
            ],
        }
    }
}

/// Which YAML files are not definitions.
const IGNORE: &str = ".feastignore";
const COMPOSE_IGNORED: &str = "compose.yaml\n";

/// The definitions of the example, which is also what the README runs.
const FILES: [(&str, &str); 6] = [
    ("drivers.yaml", include_str!("../../../examples/feature_repo/drivers.yaml")),
    ("on_demand.yaml", include_str!("../../../examples/feature_repo/on_demand.yaml")),
    ("services.yaml", include_str!("../../../examples/feature_repo/services.yaml")),
    ("permissions.yaml", include_str!("../../../examples/feature_repo/permissions.yaml")),
    (".gitignore", include_str!("../../../examples/feature_repo/.gitignore")),
    (WORKFLOW, include_str!("../../../examples/ci/features.yaml")),
];

/// Where editors find the schema of definitions, which the first line of each names.
const SCHEMA_FILE: &str = "feastr.schema.json";

/// The folder of the sample data.
const DATA: &str = "data";

/// Where GitHub finds the workflow when the feature repo is a repository of its own.
const WORKFLOW: &str = ".github/workflows/features.yaml";

/// The line of the example that names its project.
const PROJECT_LINE: &str = "project: feastlocal";

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CommandError> {
    let printer = context.printer;
    let folder = context.target(&args.name);
    let project = project_name(&folder)?;
    if folder.join(config::FILE_NAME).exists() {
        return Err(CommandError::new(
            format!("{} is a feature repo already", folder.display()),
            "choose another name".to_owned(),
        ));
    }
    let files: Vec<(&str, &str)> = FILES.iter().chain(args.template.files()).copied().collect();
    if !args.force {
        refuse_overwriting(&folder, files.iter().map(|(name, _)| *name).chain([SCHEMA_FILE]))?;
    }
    std::fs::create_dir_all(folder.join(DATA))
        .map_err(|error| CommandError::new(format!("cannot make {}: {error}", folder.display()), None))?;
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(&folder))?;
        std::fs::write(path, text)?;
    }
    std::fs::write(folder.join(SCHEMA_FILE), schema::text())?;
    sample_data::write(&folder.join(DATA), context.now)?;
    // The settings come last: without them a half-made folder is not a repo yet.
    let named = write_collection("project", &Tree::Text(project.clone()));
    let settings = args.template.settings().replacen(PROJECT_LINE, named.trim_end(), 1);
    std::fs::write(folder.join(config::FILE_NAME), settings)?;
    printer.say(format_args!("Made the feature repo {} (project {project})\n", folder.display()));
    printer.say("Next:");
    if !is_here(&folder) {
        printer.say(format_args!("  cd {}", folder.display()));
    }
    if args.template == Template::PostgresRedis {
        printer.say("  docker compose up --detach --wait");
    }
    printer.say("  feastr apply\n  feastr materialize-incremental now");
    let online = "--entity driver_id=1001 --request val_to_add=1,val_to_add_2=10";
    printer.say(format_args!("  feastr get-online --feature-service driver_activity_v2 {online}"));
    printer.say("  feastr get-historical --feature-service driver_activity_v2 --entities data/entity_rows.csv");
    printer.say("  feastr push driver_stats_push_source --input data/pushed_rows.csv");
    printer.say(format_args!("  feastr get-online --feature-service driver_activity_v3 {online}"));
    printer.say(format_args!("\nFor plans on pull requests see {WORKFLOW}"));
    Ok(Exit::Done)
}

/// Refuses to go on where one of the files, or of the sample data, is there.
fn refuse_overwriting<'a>(folder: &Path, files: impl Iterator<Item = &'a str>) -> Result<(), CommandError> {
    let data = sample_data::FILES.iter().map(|name| folder.join(DATA).join(name));
    let taken: Vec<String> = files
        .map(|name| folder.join(name))
        .chain(data)
        .filter(|path| path.symlink_metadata().is_ok())
        .map(|path: PathBuf| display_path(&path).display().to_string())
        .collect();
    if taken.is_empty() {
        return Ok(());
    }
    Err(CommandError::new(
        format!("{} would be overwritten; nothing was written", taken.join(", ")),
        "choose another folder, or overwrite with --force".to_owned(),
    ))
}

fn is_here(folder: &Path) -> bool {
    let here = std::env::current_dir().and_then(std::fs::canonicalize);
    here.is_ok_and(|here| std::fs::canonicalize(folder).is_ok_and(|folder| folder == here))
}

/// The folder's name as a project name: tables are named after it, so words only.
fn project_name(folder: &Path) -> Result<String, CommandError> {
    // `.` and `..` stand for folders that have names.
    let named = match folder.file_name() {
        Some(_) => folder.to_owned(),
        None => std::fs::canonicalize(folder)?,
    };
    let name = named.file_name().map(|name| name.to_string_lossy().replace('-', "_")).unwrap_or_default();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    if name.is_empty() || name.starts_with('_') || !name.chars().all(is_word) {
        return Err(CommandError::new(
            format!("the name of the folder {} cannot be a project's", named.display()),
            "use letters, digits and underscores, and start with a letter or digit".to_owned(),
        ));
    }
    Ok(name)
}
