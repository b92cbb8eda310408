use super::{locks::Locks, objects::Objects, run_log::RunLog};

/// A registry with all that commands need of it.
pub trait Registry: Objects + Locks + RunLog {
    /// Where the registry is, for messages; never with a password.
    fn location(&self) -> String;
}
