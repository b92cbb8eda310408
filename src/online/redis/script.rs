//! What Redis decides by itself, because it must look and write in one step.

use std::sync::LazyLock;

/// A script that servers know by its hash once they have it.
pub(crate) struct Script {
    pub text: &'static str,
    /// SHA-1 of the text, hexadecimal.
    pub hash: String,
}

impl Script {
    fn new(text: &'static str) -> Self {
        Self { text, hash: redis::Script::new(text).get_hash().to_owned() }
    }
}

/// Writes rows that are newer than what is stored: the guarantee that no older row wins, however many
/// write at once.
pub(crate) static WRITE_NEWER: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!(include_str!("scripts/moment.lua"), include_str!("scripts/write_newer.lua"))));

/// Removes rows, all or those that are older than a moment: one that is written meanwhile stays.
pub(crate) static REMOVE: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!(include_str!("scripts/moment.lua"), include_str!("scripts/remove.lua"))));

/// All scripts, for servers that have forgotten them.
pub(crate) fn all() -> [&'static Script; 2] {
    [&WRITE_NEWER, &REMOVE]
}
