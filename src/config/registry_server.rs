//! The `registry_server` setting: what a server of the registry does for its clients, and what it refuses.

use serde_json::{Value, json};

use crate::yaml::record;

record! {
    /// What a server of the registry does for its clients, and what it refuses.
    pub(crate) struct RawRegistryServer, "the settings of the registry server";
    required {}
    optional {
        /// Folder in which the server makes saved datasets for clients and reads them, those of a project in one of its
        /// name: from the folder of the repo, or the URL of one in a bucket. Without it the server does neither.
        datasets: String,
    }
    defaulted {
        /// Whether changes are refused that break other objects, lose values, or change protected objects; those that
        /// `feastr apply` asks permission for. Clients of the server cannot give it.
        guards: bool = false,
    }
}

/// What a server of the registry does for its clients, and what it refuses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RegistryServerConfig {
    /// The folder with the datasets of clients, from that of the repo, or its URL, without a slash at its end; `None` where
    /// clients have none made.
    pub datasets: Option<String>,
    /// Whether changes that do harm are refused.
    pub guards: bool,
}

impl RegistryServerConfig {
    /// What the settings say.
    pub(super) fn of(raw: Option<RawRegistryServer>) -> Self {
        raw.map_or_else(Self::default, |RawRegistryServer { datasets, guards, .. }| {
            let datasets = datasets.map(|folder| folder.trim().trim_end_matches('/').to_owned());
            Self { datasets: datasets.filter(|folder| !folder.is_empty()), guards }
        })
    }

    /// The settings as they are understood.
    pub(super) fn settings(&self) -> Value {
        json!({ "datasets": self.datasets, "guards": self.guards })
    }
}
