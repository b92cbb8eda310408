use std::process::ExitCode;

use super::{CommandError, Context};
use crate::{
    apply::ApplyError,
    online::OnlineStore,
    plan::diff,
    registry::state,
    ui::{PlanStage, draw_plan},
};

/// Show what apply would change
///
/// Reads the definitions and the registry and changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  feastr plan\n  feastr plan --json | jq '.changes[].id'\n  \
                        feastr plan --detailed-exitcode || echo changes")]
pub struct Args {
    /// Do not compare declared columns with the sources' files
    #[arg(long)]
    skip_source_validation: bool,
    /// Exit with 2 when there are changes
    #[arg(long)]
    detailed_exitcode: bool,
}

pub fn run(args: &Args, context: &Context) -> Result<ExitCode, CommandError> {
    let printer = context.printer;
    let repo = context.repo(!args.skip_source_validation)?;
    let online = context.online()?;
    let snapshot = context.registry_to_read()?.snapshot(&repo.project.name)?;
    let tables = online.as_deref().and_then(OnlineStore::tables);
    let plan = diff(&state(&snapshot), &repo, tables).map_err(ApplyError::Conflicts)?;
    if printer.json {
        printer.json(&plan)?;
    } else {
        let verbose = printer.verbosity >= crate::ui::Verbosity::Verbose;
        printer.result(draw_plan(&plan, PlanStage::Planned, printer.out, verbose))?;
    }
    Ok(if args.detailed_exitcode && !plan.is_empty() { ExitCode::from(2) } else { ExitCode::SUCCESS })
}
