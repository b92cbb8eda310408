//! The `registry_server` setting: what a server of the registry refuses.

use serde_json::{Value, json};

use crate::yaml::record;

record! {
    /// What a server of the registry refuses.
    pub(crate) struct RawRegistryServer, "the settings of the registry server";
    required {}
    optional {}
    defaulted {
        /// Whether changes are refused that break other objects, lose values, or change protected objects; those that
        /// `feastr apply` asks permission for. Clients of the server cannot give it.
        guards: bool = false,
    }
}

/// What a server of the registry refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RegistryServerConfig {
    /// Whether changes that do harm are refused.
    pub guards: bool,
}

impl RegistryServerConfig {
    /// What the settings say.
    pub(super) fn of(raw: Option<RawRegistryServer>) -> Self {
        raw.map_or_else(Self::default, |raw| Self { guards: raw.guards })
    }

    /// The settings as they are understood.
    pub(super) fn settings(self) -> Value {
        json!({ "guards": self.guards })
    }
}
