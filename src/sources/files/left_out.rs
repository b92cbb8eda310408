//! What is not read, and why.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use super::format::{Format, recognised};

/// How many entries a help names.
const NAMED: usize = 3;
/// Of how many entries the format is looked at.
const LOOKED_AT: usize = 20;

/// Something among the files of a source that is not read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// A file, or a folder with everything below it.
    pub path: PathBuf,
    /// Why it is not read.
    pub reason: Reason,
}

/// Why something is not read. The text goes on after a name: `x.csv` is not a parquet file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The name begins with `.` or `_`, as those of logs, marks and unfinished files do.
    Hidden,
    /// It is not of the source's format, named here.
    OtherFormat(Format),
    /// A link whose target does not exist.
    LeadsNowhere,
    /// Links lead to it more than once; it is read under this path.
    ReadAs(PathBuf),
    /// A pipe, a socket or a device.
    NoFile,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hidden => f.write_str("has a name that begins with `.` or `_`"),
            Self::OtherFormat(format) => write!(f, "is not a {format} file"),
            Self::LeadsNowhere => f.write_str("is a link that leads nowhere"),
            Self::ReadAs(path) => write!(f, "is read already, as {}", path.display()),
            Self::NoFile => f.write_str("is neither a file nor a folder"),
        }
    }
}

/// What to do when everything was left out; paths are shown from `folder` on.
pub(super) fn help(left_out: &[LeftOut], folder: &Path, format: Format) -> Option<String> {
    if left_out.is_empty() {
        return None;
    }
    let others = left_out.iter().filter(|each| matches!(each.reason, Reason::OtherFormat(_))).take(LOOKED_AT);
    let other = others.filter_map(|each| recognised(&each.path.as_path().into())).find(|other| *other != format);
    let advice = other.map_or_else(String::new, |other| format!("set `file_format: {}`; ", other.as_str()));
    let named = left_out.iter().take(NAMED).map(|each| {
        let path = each.path.strip_prefix(folder).unwrap_or(&each.path);
        format!("`{}` {}", path.display(), each.reason)
    });
    let mut named: Vec<String> = named.collect();
    if left_out.len() > NAMED {
        named.push(format!("and {} more", left_out.len() - NAMED));
    }
    let were = if left_out.len() == 1 { "was" } else { "were" };
    Some(format!("{advice}{} {were} left out: {}", left_out.len(), named.join(", ")))
}
