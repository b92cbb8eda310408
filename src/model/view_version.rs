use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};

/// Which version of a view is the active one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ViewVersion {
    /// Whatever was applied last.
    #[default]
    Latest,
    /// This one, also when a later one is stored.
    Pinned(i32),
}

impl fmt::Display for ViewVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("latest"),
            Self::Pinned(number) => write!(f, "v{number}"),
        }
    }
}

impl Serialize for ViewVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A text that names no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a version")]
pub struct ParseVersionError(String);

impl FromStr for ViewVersion {
    type Err = ParseVersionError;

    /// Reads `latest`, `v2` or `version2` in any case; an empty text is `latest`, as Feast reads it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower = text.to_ascii_lowercase();
        if lower.is_empty() || lower == "latest" {
            return Ok(Self::Latest);
        }
        let digits = lower.strip_prefix("version").or_else(|| lower.strip_prefix('v'));
        let number = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        number
            .and_then(|digits| digits.parse().ok())
            .map(Self::Pinned)
            .ok_or_else(|| ParseVersionError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_read_as_feast_reads_them() {
        for (text, version) in [
            ("latest", ViewVersion::Latest),
            ("", ViewVersion::Latest),
            ("v2", ViewVersion::Pinned(2)),
            ("VERSION12", ViewVersion::Pinned(12)),
        ] {
            assert_eq!(text.parse(), Ok(version));
        }
        for text in ["2", "v", "v-1", "v+1", "v99999999999", "newest"] {
            assert!(text.parse::<ViewVersion>().is_err(), "{text}");
        }
    }
}
