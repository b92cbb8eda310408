//! The command line: one file per command, with its arguments and a short `run`.

mod apply;
mod completions;
mod configuration;
mod context;
mod drift;
mod engine;
mod entities;
mod entity_index;
mod error;
mod exit;
mod explain;
mod export;
mod features;
mod get_historical;
mod get_online;
mod import;
mod init;
mod join;
mod lineage;
mod lock_timeout;
mod login;
mod logout;
mod materialize;
mod object_table;
mod objects;
mod online;
mod origin;
mod output;
mod output_file;
mod output_format;
mod parquet_options;
mod permissions;
mod plan;
mod push;
mod question;
mod read_notes;
mod ready;
mod redis;
mod registry;
mod registry_dump;
mod registry_log;
mod result_columns;
mod saved_datasets;
mod schema;
mod search;
mod selection;
mod serve;
mod serve_offline;
mod serve_registry;
mod servers;
#[cfg(unix)]
mod signals;
mod skipped_checks;
mod source_listing;
mod teardown;
mod transform;
mod version;
mod whoami;

use std::{
    ffi::OsString,
    io::{self, Write as _},
    path::PathBuf,
};

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::{
    config::{MemoryLimit, variables},
    diagnostics::without_logins,
    model::ObjectKind,
    ui::{ColorChoice, Printer, Verbosity},
};
use context::Context;
use error::CommandError;
pub use exit::Exit;

pub use init::sample_data;

/// A fast feature store in one binary, on the registry and stores of Feast.
#[derive(Debug, Parser)]
#[command(
    name = "feastr",
    version,
    about,
    after_help = format!(
        "Examples:\n  feastr init my_repo && cd my_repo     A runnable repo with sample data\n  \
         feastr plan                           What apply would change\n  \
         feastr apply                          Write the definitions to the registry\n  \
         feastr materialize-incremental now    Newest values into the online store\n\n{}",
        exit::listed(&Exit::ALL.map(|exit| (exit, exit.meaning()))),
    ),
    disable_help_subcommand = true,
    infer_subcommands = false
)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Debug, clap::Args)]
struct Global {
    /// The feature repo's folder [default: the working directory]
    #[arg(short, long, global = true, value_name = "DIR", env = variables::CHDIR, hide_env_values = true)]
    pub chdir: Option<PathBuf>,
    /// The settings file [default: feature_store.yaml in the repo's folder]
    #[arg(
        short = 'f',
        long,
        global = true,
        value_name = "PATH",
        env = variables::FEATURE_STORE_YAML,
        hide_env_values = true
    )]
    pub feature_store_yaml: Option<PathBuf>,
    /// Say nothing but results and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more
    #[arg(long, global = true)]
    pub verbose: bool,
    /// How much to say, as in Feast: debug, info, warning, error
    #[arg(long, global = true, value_name = "LEVEL", hide_short_help = true, ignore_case = true)]
    log_level: Option<LogLevel>,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", hide_possible_values = false)]
    pub color: ColorChoice,
    /// Results (and progress) as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// Memory of queries, such as 4GB or 50%; beyond it they work in files [default: half of the machine's]
    #[arg(long, global = true, value_name = "SIZE")]
    pub memory_limit: Option<MemoryLimit>,
}

/// Feast's names for how much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum LogLevel {
    Debug,
    Info,
    Warning,
    Error,
    Critical,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Args),
    Plan(plan::Args),
    Apply(apply::Args),
    Teardown(teardown::Args),
    /// Show the registered entities
    Entities(objects::Args),
    /// Show the registered feature views, stream views among them
    FeatureViews(objects::Args),
    /// Show the registered on-demand feature views
    OnDemandFeatureViews(objects::Args),
    /// Show the registered stream feature views
    StreamFeatureViews(objects::Args),
    /// Show the registered label views
    LabelViews(objects::Args),
    Features(features::Args),
    /// Show the registered feature services
    FeatureServices(objects::Args),
    /// Show the registered data sources
    DataSources(objects::Args),
    /// Show the registered permissions, and what they allow
    #[command(subcommand)]
    Permissions(permissions::Command),
    /// Save results of get-historical, and show those that are registered
    #[command(subcommand)]
    SavedDatasets(saved_datasets::Command),
    /// Show the registered validation references
    ValidationReferences(objects::Args),
    /// Show the projects of the registry
    Projects(objects::Args),
    Search(search::Args),
    Lineage(lineage::Args),
    RegistryDump(registry_dump::Args),
    Import(import::Args),
    /// Look at views whose values are computed
    #[command(subcommand)]
    Transform(transform::Command),
    Export(export::Args),
    Drift(drift::Args),
    /// Copy a registry, or create its tables
    #[command(subcommand)]
    Registry(registry::Command),
    Materialize(materialize::RangeArgs),
    MaterializeIncremental(materialize::IncrementalArgs),
    Push(push::Args),
    #[command(visible_alias = "get-historical-features")]
    GetHistorical(get_historical::Args),
    #[command(visible_alias = "get-online-features")]
    GetOnline(get_online::Args),
    Serve(serve::Args),
    #[command(visible_alias = "serve_offline")]
    ServeOffline(serve_offline::Args),
    #[command(visible_alias = "serve_registry")]
    ServeRegistry(serve_registry::Args),
    /// Keep an index of entities, which buckets feed with their events
    #[command(subcommand)]
    EntityIndex(entity_index::Command),
    ServeEntityIndex(entity_index::serve::Args),
    Ready(ready::Args),
    /// Look at the engine that feature_store.yaml names: Spark, or a server that speaks its protocol
    #[command(subcommand)]
    Engine(engine::Command),
    /// Look after the online store
    #[command(subcommand)]
    Online(online::Command),
    /// Look after an online store in Redis
    #[command(subcommand)]
    Redis(redis::Command),
    Login(login::Args),
    Logout(logout::Args),
    Whoami(whoami::Args),
    Schema(schema::Args),
    Configuration(configuration::Args),
    Version(version::Args),
    Completions(completions::Args),
}

/// Runs the program with `arguments` (the program's name first) and says how it ended.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let parsed = Cli::command().try_get_matches_from(arguments).and_then(|matches| {
        Ok((Cli::from_arg_matches(&matches)?, matches.subcommand_name().unwrap_or_default().to_owned()))
    });
    let (cli, name) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return usage(&error),
    };
    let printer = printer(&cli.global);
    let context = Context::new(printer, &cli.global, &name);
    match dispatch(&cli.command, &context) {
        Ok(exit) => exit,
        Err(error) => error.report(printer),
    }
}

/// Help and version go to stdout and are not a failure; wrong usage exits with 1 like other errors.
fn usage(error: &clap::Error) -> Exit {
    let text = error.render().to_string();
    // An argument that is repeated may be a URL. Help repeats none, and shows how URLs are written.
    let printed = match without_logins(&text) {
        shown if error.use_stderr() && shown != text => io::stderr().write_all(shown.as_bytes()).is_ok(),
        _ => error.print().is_ok(),
    };
    if error.use_stderr() || !printed { Exit::Failed } else { Exit::Done }
}

fn printer(global: &Global) -> Printer {
    let verbosity = match global.log_level {
        _ if global.quiet => Verbosity::Quiet,
        _ if global.verbose => Verbosity::Verbose,
        Some(LogLevel::Debug | LogLevel::Info) => Verbosity::Verbose,
        Some(LogLevel::Error | LogLevel::Critical) => Verbosity::Quiet,
        Some(LogLevel::Warning) | None => Verbosity::Normal,
    };
    let no_color = std::env::var_os(variables::NO_COLOR).is_some_and(|value| !value.is_empty());
    Printer::new(verbosity, global.json, global.color, no_color)
}

fn dispatch(command: &Command, context: &Context) -> Result<Exit, CommandError> {
    match command {
        Command::Init(args) => init::run(args, context),
        Command::Plan(args) => plan::run(args, context),
        Command::Apply(args) => apply::run(args, context),
        Command::Teardown(args) => teardown::run(args, context),
        Command::Entities(args) => objects::run(args, ObjectKind::Entity, context),
        Command::FeatureViews(args) => objects::run(args, ObjectKind::FeatureView, context),
        Command::OnDemandFeatureViews(args) => objects::run(args, ObjectKind::OnDemandFeatureView, context),
        Command::StreamFeatureViews(args) => objects::run(args, ObjectKind::StreamFeatureView, context),
        Command::LabelViews(args) => objects::run(args, ObjectKind::LabelView, context),
        Command::Features(args) => features::run(args, context),
        Command::Permissions(command) => permissions::run(command, context),
        Command::SavedDatasets(command) => saved_datasets::run(command, context),
        Command::ValidationReferences(args) => objects::run(args, ObjectKind::ValidationReference, context),
        Command::FeatureServices(args) => objects::run(args, ObjectKind::FeatureService, context),
        Command::DataSources(args) => objects::run(args, ObjectKind::DataSource, context),
        Command::Projects(args) => objects::run(args, ObjectKind::Project, context),
        Command::Search(args) => search::run(args, context),
        Command::Lineage(args) => lineage::run(args, context),
        Command::RegistryDump(args) => registry_dump::run(args, context),
        Command::Import(args) => import::run(args, context),
        Command::Transform(command) => transform::run(command, context),
        Command::Export(args) => export::run(args, context),
        Command::Drift(args) => drift::run(args, context),
        Command::Registry(command) => registry::run(command, context),
        Command::Materialize(args) => materialize::run_range(args, context),
        Command::MaterializeIncremental(args) => materialize::run_incremental(args, context),
        Command::Push(args) => push::run(args, context),
        Command::GetHistorical(args) => get_historical::run(args, context),
        Command::GetOnline(args) => get_online::run(args, context),
        Command::Serve(args) => serve::run(args, context),
        Command::ServeOffline(args) => serve_offline::run(args, context),
        Command::ServeRegistry(args) => serve_registry::run(args, context),
        Command::EntityIndex(command) => entity_index::run(command, context),
        Command::ServeEntityIndex(args) => entity_index::serve::run(args, context),
        Command::Ready(args) => ready::run(args, context),
        Command::Engine(command) => engine::run(command, context),
        Command::Online(command) => online::run(command, context),
        Command::Redis(command) => redis::run(command, context),
        Command::Login(args) => login::run(args, context),
        Command::Logout(args) => logout::run(args, context),
        Command::Whoami(args) => whoami::run(args, context),
        Command::Schema(args) => schema::run(args, context),
        Command::Configuration(args) => configuration::run(args, context),
        Command::Version(args) => version::run(args, context),
        Command::Completions(args) => completions::run(args, context),
    }
}
