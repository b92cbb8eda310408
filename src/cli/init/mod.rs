pub mod sample_data;

use std::{path::PathBuf, process::ExitCode};

use super::{CommandError, Context, schema};
use crate::config;

/// Make a new feature repo with definitions and sample data
///
/// The repo runs as it is: plan, apply, materialize and get-online work on the sample data. A
/// workflow for GitHub shows the plan of pull requests and applies what is merged.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  feastr init my_repo\n  cd my_repo && feastr apply && feastr materialize-incremental \
                  now\n  feastr init my_repo --template postgres-redis"
)]
pub struct Args {
    /// The folder to make; its name becomes the project's
    #[arg(default_value = "feature_repo")]
    name: PathBuf,
    /// Where the registry and online values are
    #[arg(long, short, value_enum, default_value_t)]
    template: Template,
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

/// Which YAML files are no definitions.
const IGNORE: &str = ".feastignore";
const COMPOSE_IGNORED: &str = "compose.yaml\n";

/// The definitions of the example, which is also what tests and the README run.
const FILES: [(&str, &str); 4] = [
    ("drivers.yaml", include_str!("../../../examples/feature_repo/drivers.yaml")),
    ("services.yaml", include_str!("../../../examples/feature_repo/services.yaml")),
    (".gitignore", include_str!("../../../examples/feature_repo/.gitignore")),
    (WORKFLOW, include_str!("../../../examples/ci/features.yaml")),
];

/// Where editors find the schema of definitions, which the first line of each names.
const SCHEMA_FILE: &str = "feastr.schema.json";

/// Where GitHub finds the workflow when the feature repo is a repository of its own.
const WORKFLOW: &str = ".github/workflows/features.yaml";

/// The line of the example that names its project.
const PROJECT_LINE: &str = "project: feastlocal";

pub fn run(args: &Args, context: &Context) -> Result<ExitCode, CommandError> {
    let printer = context.printer;
    let folder = context.target(&args.name);
    let project = project_name(&folder)?;
    if folder.join(config::FILE_NAME).exists() {
        return Err(CommandError::new(
            format!("{} is a feature repo already", folder.display()),
            "choose another name".to_owned(),
        ));
    }
    std::fs::create_dir_all(folder.join("data"))
        .map_err(|error| CommandError::new(format!("cannot make {}: {error}", folder.display()), None))?;
    for (name, text) in FILES.iter().chain(args.template.files()) {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(&folder))?;
        std::fs::write(path, text)?;
    }
    std::fs::write(folder.join(SCHEMA_FILE), schema::text())?;
    sample_data::write(&folder.join("data"), context.now)?;
    // The settings come last: without them a half-made folder is no repo yet.
    let settings = args.template.settings().replacen(PROJECT_LINE, &format!("project: {project}"), 1);
    std::fs::write(folder.join(config::FILE_NAME), settings)?;
    printer.say(format_args!("Made the feature repo {} (project {project})\n", folder.display()));
    printer.say(format_args!("Next:\n  cd {}", folder.display()));
    if args.template == Template::PostgresRedis {
        printer.say("  docker compose up --detach --wait");
    }
    printer.say("  feastr apply\n  feastr materialize-incremental now");
    printer.say("  feastr get-online --feature-service driver_activity_v2 --entity driver_id=1001");
    printer.say("  feastr get-historical --feature-service driver_activity_v2 --entities data/entity_rows.csv");
    printer.say(format_args!("\nFor plans on pull requests see {WORKFLOW}"));
    Ok(ExitCode::SUCCESS)
}

/// The folder's name as a project name: tables are named after it, so words only.
fn project_name(folder: &std::path::Path) -> Result<String, CommandError> {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default().replace('-', "_");
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    if name.is_empty() || name.starts_with('_') || !name.chars().all(is_word) {
        return Err(CommandError::new(
            format!("`{name}` cannot be a project name"),
            "use letters, digits and underscores, and start with a letter or digit".to_owned(),
        ));
    }
    Ok(name)
}
