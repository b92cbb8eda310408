//! Names in SQL.

/// A name as SQL writes it where it may hold any character.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_in_names_are_doubled() {
        assert_eq!(quoted("a \"b\""), "\"a \"\"b\"\"\"");
    }
}
