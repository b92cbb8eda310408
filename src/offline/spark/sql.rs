//! Names and moments as Spark's SQL writes them.

/// A name that may hold any character.
pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text that may hold any character.
pub(super) fn text(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A moment in microseconds UTC.
pub(super) fn moment(micros: i64) -> String {
    format!("timestamp_micros({micros}L)")
}

/// Several conditions that all have to be right; none is right always.
pub(super) fn all(conditions: &[String]) -> String {
    if conditions.is_empty() { "true".to_owned() } else { conditions.join(" AND ") }
}

/// Columns that decide one after the other, the greatest value first and null behind.
pub(super) fn descending<'a>(columns: impl IntoIterator<Item = &'a str>) -> String {
    let columns: Vec<String> = columns.into_iter().map(|column| format!("{column} DESC NULLS LAST")).collect();
    columns.join(", ")
}

/// The same the other way round.
pub(super) fn ascending<'a>(columns: impl IntoIterator<Item = &'a str>) -> String {
    let columns: Vec<String> = columns.into_iter().map(|column| format!("{column} ASC NULLS FIRST")).collect();
    columns.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_in_names_are_doubled() {
        assert_eq!(quoted("a `b`"), "`a ``b```");
    }

    #[test]
    fn orders_and_conditions_are_written_one_after_the_other() {
        assert_eq!(descending(["t", "c"]), "t DESC NULLS LAST, c DESC NULLS LAST");
        assert_eq!(ascending(["t", "c"]), "t ASC NULLS FIRST, c ASC NULLS FIRST");
        assert_eq!([all(&[]), all(&["a".to_owned(), "b".to_owned()])], ["true", "a AND b"]);
    }
}
