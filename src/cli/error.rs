use std::{error::Error, io, process::ExitCode};

use crate::{
    apply::ApplyError,
    config::PlaceError,
    diagnostics::Diagnostics,
    materialize::SelectionError,
    model::SourceProblem,
    offline::OfflineError,
    online::OnlineError,
    registry::RegistryError,
    retrieval::RetrievalError,
    serving::ServingError,
    ui::{Printer, draw_diagnostics},
};

/// Why a command failed, as the person will read it.
#[derive(Debug)]
pub enum CommandError {
    /// Findings about the repo's files.
    Repo(Diagnostics),
    /// Everything else: what happened and what to do.
    Failed { message: String, help: Option<String> },
    /// Failures were reported already; only the exit code is left.
    Reported,
    /// Whoever read our output has gone; there is nobody to tell.
    BrokenPipe,
}

impl CommandError {
    pub fn new(message: impl Into<String>, help: impl Into<Option<String>>) -> Self {
        Self::Failed { message: message.into(), help: help.into() }
    }

    /// Says what is wrong and gives the exit code.
    pub fn report(self, printer: Printer) -> ExitCode {
        match self {
            Self::Repo(diagnostics) => printer.stderr(draw_diagnostics(&diagnostics.into_sorted(), printer.err)),
            Self::Failed { message, help } => {
                printer.error(message);
                if let Some(help) = help {
                    printer.help(help);
                }
            }
            Self::Reported => {}
            Self::BrokenPipe => return ExitCode::SUCCESS,
        }
        ExitCode::from(1)
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

/// Errors that carry their own advice.
macro_rules! from_advised {
    ($($error:ty),* $(,)?) => {
        $(impl From<$error> for CommandError {
            fn from(error: $error) -> Self {
                Self::Failed { message: error.message, help: error.help }
            }
        })*
    };
}

from_advised!(
    RegistryError,
    OnlineError,
    OfflineError,
    PlaceError,
    RetrievalError,
    SelectionError,
    ServingError,
    SourceProblem,
);

impl From<ApplyError> for CommandError {
    fn from(error: ApplyError) -> Self {
        let message = error.to_string();
        match error {
            ApplyError::Registry(error) => error.into(),
            ApplyError::Online(error) => error.into(),
            ApplyError::Conflicts(conflicts) => {
                let all: Vec<String> = conflicts.iter().map(ToString::to_string).collect();
                Self::new(all.join("\n"), "rename what you declare, or remove it from the definitions".to_owned())
            }
            ApplyError::UnknownFields { source, .. } => {
                Self::new(format!("{message}: {source}"), "update feastr, or make the change with Feast".to_owned())
            }
            ApplyError::Damaged { source, .. } => {
                let cause = source.source().map(ToString::to_string).unwrap_or_default();
                Self::new(format!("{message}: {source} ({cause})"), None)
            }
            ApplyError::NeedsProfiler(_) => Self::new(
                message,
                "create it with Python Feast; then its dataset, description and tags can be declared here".to_owned(),
            ),
            ApplyError::PinConflict { .. } => Self::new(
                message,
                "declare it as it was at that version, pin a number that is not taken, or write `version: latest`"
                    .to_owned(),
            ),
        }
    }
}
