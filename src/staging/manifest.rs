//! What a folder that an engine has filled says of itself.

use serde::{Deserialize, Serialize};

use crate::{
    model::Timestamp,
    problem::{Kind, Problem},
};

/// The name of the manifest. Like all names that begin with `_` it is none of a file with rows.
pub const MANIFEST: &str = "_feastr.json";

/// What is in a folder. Fields that a version does not know are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Counts up when older versions of feastr cannot read it any more.
    pub format_version: u32,
    /// Which run filled it.
    pub id: String,
    /// When it was whole.
    pub written: Timestamp,
    /// The rows of all files, if that was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// The files, sorted by name.
    pub files: Vec<StagedFile>,
    /// Of newest rows the registered message of their view, in Base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<String>,
}

/// A file with rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagedFile {
    /// Its name in the folder.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

impl Manifest {
    /// The version that this feastr writes.
    pub const FORMAT_VERSION: u32 = 1;

    /// The manifest as it is stored; the end of a line is its last byte.
    pub(super) fn bytes(&self) -> Vec<u8> {
        // A manifest always has a JSON form.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Reads a stored manifest.
    ///
    /// # Errors
    /// When it is none, or that of a later feastr.
    pub(super) fn read(bytes: &[u8], shown: &str) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        struct Version {
            format_version: u32,
        }
        let wrong = |error: serde_json::Error| {
            let message = format!("{shown} is no manifest: {error}");
            Problem::new(Kind::Invalid, message, "have the folder written anew".to_owned())
        };
        let Version { format_version } = serde_json::from_slice(bytes).map_err(wrong)?;
        if format_version > Self::FORMAT_VERSION {
            let message = format!("{shown} was written by a later feastr (format {format_version})");
            return Err(Problem::new(Kind::Unsupported, message, "use that feastr".to_owned()));
        }
        serde_json::from_slice(bytes).map_err(wrong)
    }
}
