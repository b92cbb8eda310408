//! The `online_store` setting: a file per kind of store.

mod sqlite;

use std::path::{Path, PathBuf};

use super::store_kind::{mapping_kind, unsupported_store};
use crate::{diagnostics::Diagnostics, yaml::Node};

/// Where online values are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnlineStoreConfig {
    /// An SQLite file (absolute path).
    Sqlite { path: PathBuf },
}

/// The kinds of stores, as the settings name them.
const KINDS: [&str; 1] = ["sqlite"];

impl OnlineStoreConfig {
    /// The word of the settings file.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "sqlite",
        }
    }
}

/// The online store: `Some(None)` when there is none on purpose, nothing after an error.
pub fn read(node: Option<&Node>, folder: &Path, diagnostics: &mut Diagnostics) -> Option<Option<OnlineStoreConfig>> {
    let Some(node) = node else {
        return Some(Some(sqlite::default(folder)));
    };
    if node.is_null() {
        return Some(None);
    }
    if let Some(word) = node.as_text() {
        return match word.to_ascii_lowercase().as_str() {
            "none" | "null" => Some(None),
            "sqlite" => Some(Some(sqlite::default(folder))),
            _ => unsupported_store("online", word, &node.span, &[KINDS.as_slice(), &["none"]].concat(), diagnostics),
        };
    }
    mapping_kind("online", node, "sqlite", &KINDS, diagnostics)?;
    sqlite::read(node, folder, diagnostics).map(Some)
}
