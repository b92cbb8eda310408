//! What a registry holds, as definitions.

use super::{Caller, Failure};
use crate::{
    definitions::{Definitions, write},
    model::ForeignObject,
    registry::{Snapshot, read_objects},
};

/// A project in the words of definitions.
pub struct Exported {
    /// What can be said so.
    pub definitions: Definitions,
    /// What cannot.
    pub kept: Vec<ForeignObject>,
}

/// Turns the objects of a registry into definitions.
///
/// # Errors
/// None yet; who asks may come to matter.
pub fn export(_: &Caller, snapshot: &Snapshot) -> Result<Exported, Failure> {
    let state = read_objects(snapshot);
    Ok(Exported { definitions: write(&state.objects), kept: state.foreign })
}
