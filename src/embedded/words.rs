use crate::model::printable;

/// What DuckDB says is wrong: the first line, without the kind of error in front, and without its hints and
/// full stop.
pub(crate) fn words(error: &duckdb::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or(&text);
    let line = line.split_once("Error: ").map_or(line, |(_, message)| message);
    let line = line.split_once(" Use TRY(").map_or(line, |(message, _)| message);
    printable(line.trim_end_matches('.')).into_owned()
}
