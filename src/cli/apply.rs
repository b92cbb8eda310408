use std::process::ExitCode;

use super::{CommandError, Context};
use crate::{
    apply::apply,
    ui::{PlanStage, Verbosity, draw_plan},
};

/// Write the definitions to the registry
///
/// Everything is written in one transaction, or nothing. Online tables of new views are created,
/// those of removed views dropped.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  feastr apply\n  feastr --chdir feature_repos/staging apply")]
pub struct Args {
    /// Do not compare declared columns with the sources' files
    #[arg(long)]
    skip_source_validation: bool,
    /// Accepted for Feast's sake; apply shows no bars
    #[arg(long, hide = true)]
    no_progress: bool,
}

pub fn run(args: &Args, context: &Context) -> Result<ExitCode, CommandError> {
    let printer = context.printer;
    let repo = context.repo(!args.skip_source_validation)?;
    let registry = context.registry()?;
    let online = context.online()?;
    printer.say(format_args!("Applying changes for project {}", repo.project.name));
    let plan = apply(&repo, registry.as_ref(), online.as_deref(), context.now)?;
    if printer.json {
        printer.json(&plan)?;
    } else {
        printer.result(draw_plan(&plan, PlanStage::Applied, printer.out, printer.verbosity >= Verbosity::Verbose))?;
    }
    Ok(ExitCode::SUCCESS)
}
