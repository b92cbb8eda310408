//! Names of inputs as expressions write them.

use crate::sql_name::quoted;

/// Words that DuckDB does not take for the name of a column, or not everywhere.
const KEYWORDS: &str = "all analyse analyze and anti any array as asc asof asymmetric at authorization between bigint \
    binary bit boolean both by case cast char character check coalesce collate collation column columns concurrently \
    constraint create cross dec decimal default deferrable desc describe distinct do else end except exists extract \
    false fetch float for foreign freeze from full generated glob group grouping grouping_id having ilike in initially \
    inner inout int integer intersect interval into is isnull join lambda lateral leading left like limit map national \
    natural nchar none not notnull null nullif numeric offset on only or order out outer overlaps overlay pivot \
    pivot_longer pivot_wider placing position positional precision primary qualify real references returning right row \
    select semi setof show similar smallint some struct substring summarize symmetric table tablesample then time \
    timestamp to trailing treat trim true try_cast tuple union unique unpack unpivot using values varchar variadic \
    verbose when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi \
    xmlroot xmlserialize xmltable";

/// A name, in quotes where it needs some.
pub(super) fn written(name: &str) -> String {
    let is_word = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let is_keyword = || KEYWORDS.split_whitespace().any(|keyword| name.eq_ignore_ascii_case(keyword));
    if is_word && !is_keyword() { name.to_owned() } else { quoted(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_where_sql_reads_something_else() {
        for (name, expected) in [("rate", "rate"), ("Order", "\"Order\""), ("a b", "\"a b\""), ("1st", "\"1st\"")] {
            assert_eq!(written(name), expected);
        }
    }

    #[test]
    fn the_keywords_are_those_of_duckdb() {
        let session = duckdb::Connection::open_in_memory().unwrap();
        let mut query = session
            .prepare(
                "SELECT DISTINCT keyword_name FROM duckdb_keywords() WHERE keyword_category <> 'unreserved' ORDER BY 1",
            )
            .unwrap();
        let keywords: Vec<String> = query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert_eq!(KEYWORDS.split_whitespace().collect::<Vec<_>>(), keywords);
    }
}
