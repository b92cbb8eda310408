use super::{change_log::ChangeLog, locks::Locks, objects::Objects, run_log::RunLog};

/// A registry with all that commands need of it.
pub trait Registry: Objects + Locks + RunLog + ChangeLog {
    /// Where the registry is, for messages; never with a password.
    fn location(&self) -> String;
}
