//! How a command ends, for scripts: all exit codes and what they mean.

use std::process::ExitCode;

use crate::problem::Kind;

/// The end of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// What was asked for is done, or there was nothing to do.
    Done,
    /// It could not be done, or only for some views. Wrong usage, too.
    Failed,
    /// There is something to do, or to look at; only commands that are asked whether there is.
    Changes,
    /// A guard refused it, and nothing was done.
    Refused,
}

impl Exit {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Done, Self::Failed, Self::Changes, Self::Refused];

    /// How a command ends that failed with a problem of this kind.
    pub fn of(kind: Kind) -> Self {
        match kind {
            Kind::Refused => Self::Refused,
            Kind::Invalid
            | Kind::NotFound
            | Kind::Conflict
            | Kind::Unsupported
            | Kind::Unavailable
            | Kind::Deadline
            | Kind::Unauthenticated
            | Kind::Denied
            | Kind::Cancelled
            | Kind::Internal => Self::Failed,
        }
    }

    /// The number that scripts see.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Changes => 2,
            Self::Refused => 3,
        }
    }

    /// What the number means, of all commands.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "error",
            Self::Changes => "changes (plan --detailed-exitcode, drift, import, transform check --detailed-exitcode)",
            Self::Refused => "refused by a guard",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The line of a command's help about the exit codes it has, with what they mean there.
pub(crate) fn listed(meanings: &[(Exit, &str)]) -> String {
    let listed: Vec<String> = meanings.iter().map(|(exit, meaning)| format!("{} {meaning}", exit.code())).collect();
    format!("Exit codes: {}", listed.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_ends_share_a_code() {
        let codes: std::collections::BTreeSet<u8> = Exit::ALL.into_iter().map(Exit::code).collect();
        assert_eq!(codes.len(), Exit::ALL.len());
        assert_eq!(listed(&[(Exit::Done, "done"), (Exit::Changes, "drift")]), "Exit codes: 0 done, 2 drift");
    }
}
