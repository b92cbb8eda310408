//! How failures read on the command line: message, advice with flags, exit code.

use std::io;

use super::Exit;
use crate::{
    app::Failure,
    diagnostics::Level,
    plan::{Blocked, Conflict},
    problem::{Kind, Problem},
    ui::{PROTECTED_ADVICE, PlanFinding, Printer, advice, allow_flags, draw_diagnostics},
};

/// Why a command failed, as the person will read it.
#[derive(Debug)]
pub(crate) enum CommandError {
    /// It was not carried out.
    Failed(Failure),
    /// Failures were reported already; only the exit code is left.
    Reported,
    /// The reader of our output has gone; there is nobody to tell.
    BrokenPipe,
}

impl CommandError {
    /// What is asked for does not go, with the way out.
    pub(crate) fn new(message: impl Into<String>, help: impl Into<Option<String>>) -> Self {
        Problem::new(Kind::Invalid, message, help).into()
    }

    /// Nothing is wrong, and yet nothing was done.
    pub(crate) fn refused(message: impl Into<String>, help: impl Into<Option<String>>) -> Self {
        Problem::new(Kind::Refused, message, help).into()
    }

    /// Says what is wrong and gives the exit code.
    pub(crate) fn report(self, printer: Printer) -> Exit {
        let code = match &self {
            Self::Failed(failure) => Exit::of(failure.kind()),
            Self::Reported => Exit::Failed,
            Self::BrokenPipe => Exit::Done,
        };
        match self {
            Self::Failed(Failure::Definitions(diagnostics)) => {
                printer.stderr(draw_diagnostics(&diagnostics.into_sorted(), printer.err));
            }
            Self::Failed(failure) => {
                let (message, help) = words(&failure);
                printer.error(message);
                help.into_iter().for_each(|help| printer.help(help));
            }
            Self::Reported | Self::BrokenPipe => {}
        }
        code
    }

    /// What is wrong, for those who do not read stderr.
    pub(crate) fn findings(&self) -> Vec<PlanFinding> {
        match self {
            Self::Failed(Failure::Definitions(diagnostics)) => {
                diagnostics.clone().into_sorted().iter().map(PlanFinding::from).collect()
            }
            Self::Failed(Failure::Conflicts(conflicts)) => {
                let finding = |conflict: &Conflict| PlanFinding {
                    level: Level::Error,
                    message: conflict.to_string(),
                    help: Some(conflict.advice().to_owned()),
                    place: conflict.place.clone(),
                };
                conflicts.iter().map(finding).collect()
            }
            Self::Failed(failure) => {
                let (message, help) = words(failure);
                let help = Some(help.join("\n")).filter(|help| !help.is_empty());
                vec![PlanFinding { level: Level::Error, message, help, place: None }]
            }
            Self::Reported | Self::BrokenPipe => Vec::new(),
        }
    }
}

impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            _ => Problem::from(error).into(),
        }
    }
}

impl From<Problem> for CommandError {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem.into())
    }
}

impl From<Failure> for CommandError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// What is wrong, and what to do about it.
fn words(failure: &Failure) -> (String, Vec<String>) {
    match failure {
        Failure::Problem(problem) => (problem.message.clone(), problem.advice.iter().map(advice).collect()),
        Failure::Blocked(blocked) => refused_changes(blocked),
        Failure::Stale(differences) => {
            let all: Vec<String> = differences.iter().map(ToString::to_string).collect();
            let message = format!("the saved plan is stale, and nothing was applied: {}", all.join("; "));
            (message, vec!["make a new plan with `feastr plan --out FILE` and have it approved".to_owned()])
        }
        Failure::Conflicts(conflicts) => {
            let place = |conflict: &Conflict| conflict.place.as_ref().map(|place| format!(" ({place})"));
            let line = |conflict: &Conflict| format!("{conflict}{}", place(conflict).unwrap_or_default());
            let mut advice: Vec<String> = conflicts.iter().map(|conflict| conflict.advice().to_owned()).collect();
            advice.sort_unstable();
            advice.dedup();
            (conflicts.iter().map(line).collect::<Vec<_>>().join("\n"), advice)
        }
        Failure::Definitions(diagnostics) => {
            let found = diagnostics.clone().into_sorted();
            (found.into_iter().map(|found| found.message).collect::<Vec<_>>().join("\n"), Vec::new())
        }
    }
}

/// Which changes were refused, and what would permit them.
fn refused_changes(blocked: &[Blocked]) -> (String, Vec<String>) {
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
    (format!("{count} refused, and nothing was done:{}", changes.concat()), vec![help.join("\n")])
}
