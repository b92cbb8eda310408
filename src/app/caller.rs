use std::fmt;

/// Who asks for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Somebody who has the settings, and with them the passwords of all stores: everything is permitted. The text
    /// names the caller to others, in histories and while they wait for a lock: `apply of alice@ci-7 (pid 412)`.
    Operator(String),
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator(who) => f.write_str(who),
        }
    }
}
