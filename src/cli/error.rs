use std::{error::Error, io, process::ExitCode};

use super::Exit;
use crate::{
    apply::ApplyError,
    diagnostics::{Diagnostics, Severity},
    plan::{Blocked, Conflict},
    problem::{Kind, Problem},
    ui::{Finding, PROTECTED_ADVICE, Printer, allow_flags, draw_diagnostics},
};

/// Why a command failed, as the person will read it.
#[derive(Debug)]
pub enum CommandError {
    /// Findings about the repo's files.
    Repo(Diagnostics),
    /// Everything else: what happened and what to do.
    Failed(Problem),
    /// Definitions that the registry has no place for.
    Conflicts(Vec<Conflict>),
    /// Failures were reported already; only the exit code is left.
    Reported,
    /// Whoever read our output has gone; there is nobody to tell.
    BrokenPipe,
}

impl CommandError {
    pub fn refused(message: impl Into<String>, help: impl Into<Option<String>>) -> Self {
        Self::Failed(Problem::new(Kind::Refused, message, help))
    }

    pub fn new(message: impl Into<String>, help: impl Into<Option<String>>) -> Self {
        Self::Failed(Problem::new(Kind::Invalid, message, help))
    }

    /// Says what is wrong and gives the exit code.
    pub fn report(self, printer: Printer) -> ExitCode {
        let code = match &self {
            Self::Failed(Problem { kind: Kind::Refused, .. }) => Exit::Refused,
            // Another repo's objects are guarded; the rest is in the way whoever asks.
            Self::Conflicts(conflicts) if conflicts.iter().all(|conflict| conflict.owner.is_some()) => Exit::Refused,
            _ => Exit::Failed,
        };
        match self {
            Self::Repo(diagnostics) => printer.stderr(draw_diagnostics(&diagnostics.into_sorted(), printer.err)),
            Self::Failed(problem) => {
                let help = problem.help();
                printer.error(problem.message);
                if let Some(help) = help {
                    printer.help(help);
                }
            }
            Self::Conflicts(conflicts) => {
                let place = |conflict: &Conflict| conflict.place.as_ref().map(|place| format!(" ({place})"));
                let line = |conflict: &Conflict| format!("{conflict}{}", place(conflict).unwrap_or_default());
                printer.error(conflicts.iter().map(line).collect::<Vec<_>>().join("\n"));
                let mut advice: Vec<&str> = conflicts.iter().map(Conflict::advice).collect();
                advice.sort_unstable();
                advice.dedup();
                advice.into_iter().for_each(|advice| printer.help(advice));
            }
            Self::Reported => {}
            Self::BrokenPipe => return Exit::Done.into(),
        }
        code.into()
    }

    /// What is wrong, for those who do not read stderr.
    pub fn findings(&self) -> Vec<Finding> {
        match self {
            Self::Repo(diagnostics) => diagnostics.clone().into_sorted().iter().map(Finding::from).collect(),
            Self::Failed(problem) => {
                let (message, help) = (problem.message.clone(), problem.help());
                vec![Finding { severity: Severity::Error, message, help, place: None }]
            }
            Self::Conflicts(conflicts) => {
                let finding = |conflict: &Conflict| Finding {
                    severity: Severity::Error,
                    message: conflict.to_string(),
                    help: Some(conflict.advice().to_owned()),
                    place: conflict.place.clone(),
                };
                conflicts.iter().map(finding).collect()
            }
            Self::Reported | Self::BrokenPipe => Vec::new(),
        }
    }
}

impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            io::ErrorKind::StorageFull => Self::new(format!("no space left: {error}"), None),
            _ => Self::new(error.to_string(), None),
        }
    }
}

impl From<Problem> for CommandError {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

impl From<ApplyError> for CommandError {
    fn from(error: ApplyError) -> Self {
        let message = error.to_string();
        match error {
            ApplyError::Problem(problem) => problem.into(),
            ApplyError::Conflicts(conflicts) => Self::Conflicts(conflicts),
            ApplyError::Blocked(blocked) => refused_changes(&blocked),
            ApplyError::Stale(differences) => {
                let all: Vec<String> = differences.iter().map(ToString::to_string).collect();
                Self::refused(
                    format!("the saved plan is stale, and nothing was applied: {}", all.join("; ")),
                    "make a new plan with `feastr plan --out FILE` and have it approved".to_owned(),
                )
            }
            ApplyError::Incomparable(source) => Self::new(format!("{message}: {source}"), None),
            ApplyError::UnknownFields { source, .. } => {
                Self::new(format!("{message}: {source}"), "update feastr, or make the change with Feast".to_owned())
            }
            ApplyError::Damaged { source, .. } => {
                let cause = source.source().map(ToString::to_string).unwrap_or_default();
                Self::new(format!("{message}: {source} ({cause})"), None)
            }
            ApplyError::PinConflict { .. } => Self::new(
                message,
                "declare it as it was at that version, pin a number that is not taken, or write `version: latest`"
                    .to_owned(),
            ),
        }
    }
}

/// Which changes were refused, and what would permit them.
fn refused_changes(blocked: &[Blocked]) -> CommandError {
    let changes: Vec<String> = blocked.iter().map(|change| format!("\n  {change}")).collect();
    let count = if blocked.len() == 1 { "1 change is".to_owned() } else { format!("{} changes are", blocked.len()) };
    let (protected, unpermitted): (Vec<&Blocked>, Vec<&Blocked>) =
        blocked.iter().partition(|change| !change.protected.is_empty());
    let mut help = Vec::new();
    if !unpermitted.is_empty() {
        help.push(format!("if it is wanted, add {}", allow_flags(&unpermitted)));
    }
    if !protected.is_empty() {
        help.push(PROTECTED_ADVICE.to_owned());
    }
    CommandError::refused(format!("{count} refused, and nothing was done:{}", changes.concat()), help.join("\n"))
}
