//! The permissions of what is registered, ready to be asked: made once for each state that is read.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{
    model::RegistryState,
    permissions::{Permissions, Unruled},
};

/// The permissions of the state that was looked at last.
#[derive(Default)]
pub(super) struct KeptPermissions(Mutex<Option<(Arc<RegistryState>, Arc<Permissions>)>>);

impl KeptPermissions {
    /// The permissions of a state.
    pub(super) fn of(&self, state: &Arc<RegistryState>, unruled: Unruled) -> Arc<Permissions> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, permissions)) = &*kept
            && Arc::ptr_eq(of, state)
        {
            return Arc::clone(permissions);
        }
        let permissions = Arc::new(Permissions::of(state, unruled));
        *kept = Some((Arc::clone(state), Arc::clone(&permissions)));
        permissions
    }
}
