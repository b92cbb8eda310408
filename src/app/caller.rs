use std::{fmt, sync::Arc};

use crate::{
    model::{Author, printable},
    permissions::User,
};

/// Who asks for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Somebody who has the settings, and with them the passwords of all stores: everything is permitted. The text
    /// names the caller to others, in histories and while they wait for a lock: `apply of alice@ci-7 (pid 412)`.
    Operator(String),
    /// Another server of the same store, which knows the secret that they share: everything is permitted.
    Internal,
    /// Somebody who asks a server, which knows who it is. What is permitted is registered.
    User(Arc<User>),
}

impl Caller {
    /// The author of what this command changes, for the log of changes.
    pub fn author(&self, command: &str) -> Author {
        Author { command: command.to_owned(), by: self.to_string(), from: None }
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator(who) => f.write_str(who),
            Self::Internal => f.write_str("another server"),
            Self::User(user) => f.write_str(&printable(&user.name)),
        }
    }
}
