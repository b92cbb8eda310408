use std::{fmt, num::NonZeroUsize, str::FromStr};

/// How much memory queries may use before they work in files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryLimit {
    /// As DuckDB takes it.
    text: String,
    /// The amount, unless it is a share of what the machine has.
    bytes: Option<u64>,
    /// How many queries may run at a time.
    queries: NonZeroUsize,
}

impl MemoryLimit {
    /// The amount in bytes; `None` if it is a share of what the machine has.
    pub const fn bytes(&self) -> Option<u64> {
        self.bytes
    }

    /// The same for so many queries at a time.
    #[must_use]
    pub fn shared_by(self, queries: NonZeroUsize) -> Self {
        Self { queries, ..self }
    }

    /// How many bytes one query is planned for, whose results are made in pieces. Where the limit is a share of what the
    /// machine has, that is no reason to take it all: larger pieces are not faster from there on.
    pub fn of_a_query(&self) -> u64 {
        const ALONE: u64 = 2 << 30;
        const TOGETHER: u64 = 512 << 20;
        let all = self.bytes.unwrap_or(if self.queries.get() == 1 { ALONE } else { TOGETHER });
        all / self.queries.get() as u64
    }
}

impl Default for MemoryLimit {
    /// Half of what this machine, or its container, has.
    fn default() -> Self {
        Self { text: "50%".to_owned(), bytes: None, queries: NonZeroUsize::MIN }
    }
}

impl fmt::Display for MemoryLimit {
    /// As DuckDB takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A text that names no amount of memory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write an amount like 4GB, 512MB or 50%")]
pub struct ParseMemoryLimitError;

impl FromStr for MemoryLimit {
    type Err = ParseMemoryLimitError;

    /// Reads `512MB`, `1.5 GiB`, or a share such as `50%`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        /// More than any machine has is a slip.
        const MOST: f64 = 1e18;
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or(ParseMemoryLimitError)?;
        let (number, unit) = (&text[..end], text[end..].trim());
        let amount: f64 = number.parse().map_err(|_| ParseMemoryLimitError)?;
        let (unit, size) = match unit.to_ascii_lowercase().as_str() {
            "%" if amount <= 100.0 => ("%", 0.0),
            "k" | "kb" => ("KB", 1e3),
            "m" | "mb" => ("MB", 1e6),
            "g" | "gb" => ("GB", 1e9),
            "t" | "tb" => ("TB", 1e12),
            "kib" => ("KiB", 1024.0),
            "mib" => ("MiB", 1024.0 * 1024.0),
            "gib" => ("GiB", 1024.0 * 1024.0 * 1024.0),
            "tib" => ("TiB", 1024.0 * 1024.0 * 1024.0 * 1024.0),
            _ => return Err(ParseMemoryLimitError),
        };
        if amount <= 0.0 || amount * size > MOST {
            return Err(ParseMemoryLimitError);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is positive and below MOST")]
        let bytes = (size > 0.0).then_some((amount * size) as u64);
        Ok(Self { text: format!("{amount}{unit}"), bytes, queries: NonZeroUsize::MIN })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_and_shares() {
        let shown = |text: &str| text.parse::<MemoryLimit>().map(|limit| limit.to_string()).ok();
        assert_eq!(shown("4gb").as_deref(), Some("4GB"));
        assert_eq!(shown(" 1.5 GiB ").as_deref(), Some("1.5GiB"));
        assert_eq!(shown("50%").as_deref(), Some("50%"));
        for text in ["", "4", "GB", "0MB", "-1GB", "101%", "4 parsecs", "1e3MB", "99999999999999GB"] {
            assert_eq!(shown(text), None, "{text}");
        }
    }

    #[test]
    fn queries_share_the_limit() {
        let limit: MemoryLimit = "1GiB".parse().unwrap();
        assert_eq!(limit.of_a_query(), 1 << 30);
        assert_eq!(limit.shared_by(NonZeroUsize::new(4).unwrap()).of_a_query(), 1 << 28);
        let one = MemoryLimit::default();
        assert!(one.of_a_query() > 3 * one.clone().shared_by(NonZeroUsize::new(2).unwrap()).of_a_query());
    }
}
