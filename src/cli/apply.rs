//! `feastr apply`: which approval the flags and the answer on the terminal amount to.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    CommandError, Context,
    exit::{self, Exit},
    lock_timeout::lock_timeout,
    plan::json,
    question::{agreed, somebody_is_there},
    skipped_checks::SkippedChecks,
};
use crate::{
    app::{
        Caller, Failure, FeatureStore,
        apply::{Request, apply},
        cleanup,
        plan::plan,
    },
    apply::{ApplyError, Approval},
    diagnostics::counted,
    model::Repo,
    plan::{Allow, Consent, Plan, SavedPlan},
    ui::{PlanStage, PlanView, Printer, Verbosity, draw_plan},
};

/// Write the definitions to the registry
///
/// Everything is written in one transaction, or nothing. Online tables of new views are created,
/// those of removed views dropped. Changes that break or lose something need permission: asked for
/// on a terminal, given by name with --allow, or by a saved plan.
#[derive(Debug, clap::Args)]
#[command(after_help = format!(
    "Examples:\n  feastr apply\n  feastr apply --allow delete:feature-service/driver_activity_v1\n  \
     feastr plan --out plan.json && feastr apply plan.json\n  \
     feastr --chdir feature_repos/staging apply\n\n{}",
    exit::listed(&[
        (Exit::Done, "done"),
        (Exit::Failed, "error"),
        (Exit::Refused, "refused: a change needs permission, an object is protected or of another repo, or the saved plan is stale"),
    ]),
))]
pub(crate) struct Args {
    /// A plan saved with `feastr plan --out`: exactly that is done, or nothing
    #[arg(value_name = "PLAN", conflicts_with_all = ["allow", "yes"])]
    plan: Option<PathBuf>,
    #[command(flatten)]
    checks: SkippedChecks,
    /// A breaking or destructive change that is wanted, such as delete:feature-view/x; `*` stands
    /// for any text
    #[arg(long, value_name = "[ACTION:]KIND/NAME")]
    allow: Vec<Allow>,
    /// Do not ask: every change is wanted, except those of protected objects
    #[arg(long, short, alias = "auto-approve")]
    yes: bool,
    /// How long to wait for another run that holds the registry's lock, such as 30s or 5m
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = lock_timeout)]
    lock_timeout: Duration,
    /// Accepted for Feast's sake; apply shows no bars
    #[arg(long, hide = true)]
    no_progress: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CommandError> {
    let printer = context.printer;
    let saved = args.plan.as_ref().map(|path| read_plan(&context.target(path))).transpose()?;
    let (store, caller) = (context.store_within(args.lock_timeout)?, context.caller());
    let repo = context.repo(&store, args.checks)?;
    printer.say(format_args!("Applying changes for project {}", repo.project()));
    let approval = match &saved {
        Some(plan) => Approval::Plan(plan),
        None if args.yes => Approval::Everything,
        None => Approval::Named(&args.allow),
    };
    let plan = match apply(&store, &caller, Request { repo: &repo, approval }) {
        Err(Failure::Blocked(blocked))
            if saved.is_none() && somebody_is_there() && blocked.iter().all(|change| change.protected.is_empty()) =>
        {
            ask_and_apply(&store, &caller, &repo, printer)?
        }
        outcome => outcome?,
    };
    if plan.is_empty() && saved.as_ref().is_some_and(|saved| !saved.is_empty()) {
        printer.say("The plan is already applied");
    }
    remove_leftovers(&store, &caller, printer)?;
    // No bar is left above the result.
    drop(store);
    if printer.json {
        printer.result_line(json(&plan)?)?;
    } else if printer.verbosity > Verbosity::Quiet {
        let view = PlanView { plan: &plan, stage: PlanStage::Applied, consent: Consent::Everything };
        printer.result(draw_plan(&view, printer.out, printer.verbosity >= Verbosity::Verbose))?;
    }
    Ok(Exit::Done)
}

/// Removes the online values that this apply, or one that was cut off, left behind.
fn remove_leftovers(store: &FeatureStore, caller: &Caller, printer: Printer) -> Result<(), CommandError> {
    match cleanup::leftovers(store, caller, 0) {
        Ok(0) => {}
        Ok(entities) => printer.say(format_args!("Removed online values of {}", counted(entities, "entity"))),
        Err(error) => {
            printer.error("the registry is up to date, but online values of removed views or features are left");
            printer.help("the next apply removes them, and so does `feastr online cleanup`");
            return Err(error.into());
        }
    }
    Ok(())
}

/// Shows what would be done and does just that, if it is wanted.
fn ask_and_apply(store: &FeatureStore, caller: &Caller, repo: &Repo, printer: Printer) -> Result<Plan, CommandError> {
    let plan = plan(store, caller, repo)?;
    // A yes on the terminal stands for the flags.
    let view = PlanView { plan: &plan, stage: PlanStage::Planned, consent: Consent::Everything };
    printer.stderr(draw_plan(&view, printer.err, false));
    if !agreed("Apply this plan, with what it breaks and loses?", printer)? {
        return Err(CommandError::refused("nothing was applied", None));
    }
    let approved = SavedPlan::of(&plan).map_err(|error| Failure::from(ApplyError::from(error)))?;
    Ok(apply(store, caller, Request { repo, approval: Approval::Plan(&approved) })?)
}

fn read_plan(path: &Path) -> Result<SavedPlan, CommandError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| CommandError::new(format!("cannot read {}: {error}", path.display()), None))?;
    SavedPlan::parse(&text).map_err(|error| {
        CommandError::new(
            format!("cannot apply {}: {error}", path.display()),
            "save one with `feastr plan --out FILE`".to_owned(),
        )
    })
}
