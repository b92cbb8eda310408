//! What makes the rows of a view out of those of its source: SQL, aggregates over windows of time, or both.

use super::{AGGREGATIONS_TAG, Aggregation, SQL_TAG, Tags};

/// What makes the rows of a view out of those of its source: the SQL first, then the aggregates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transformation {
    /// One `SELECT` over the rows of the source.
    pub sql: Option<String>,
    /// The aggregates that are the features, if there are some.
    pub aggregations: Vec<Aggregation>,
}

/// The part of a transformation that something is wrong with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransformationPart {
    /// The SQL, between two of its bytes if it is known.
    Sql(Option<(usize, usize)>),
    /// An aggregation by its position.
    Aggregation(usize),
}

impl Transformation {
    /// The tags that hold transformations.
    pub const TAGS: [&str; 2] = [SQL_TAG, AGGREGATIONS_TAG];

    /// The transformation that the tags of a view hold; `None` if its rows are those of its source.
    ///
    /// # Errors
    /// When the aggregations are not what feastr writes.
    pub fn of(tags: &Tags) -> Result<Option<Self>, serde_json::Error> {
        let aggregations = tags.get(AGGREGATIONS_TAG).map_or(Ok(Vec::new()), |text| serde_json::from_str(text))?;
        let transformation = Self { sql: tags.get(SQL_TAG).cloned(), aggregations };
        let is_there = transformation.sql.is_some() || !transformation.aggregations.is_empty();
        Ok(is_there.then_some(transformation))
    }

    /// Which rows of the source matter to what becomes known at a moment.
    pub fn reach(&self) -> Reach {
        match &self.sql {
            Some(_) => Reach::All,
            None => Reach::of(&self.aggregations),
        }
    }
}

/// Which rows matter to what becomes known at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Those that are at most this many microseconds older.
    Span(i64),
    /// All that are older.
    Past,
    /// All, also later ones.
    All,
}

impl Reach {
    /// That of aggregates: the longest of their windows.
    pub fn of(aggregations: &[Aggregation]) -> Self {
        let windows = aggregations.iter().map(|aggregation| aggregation.time_window.limit());
        windows
            .collect::<Option<Vec<_>>>()
            .map_or(Self::Past, |windows| Self::Span(windows.into_iter().max().unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(sql: Option<&str>, windows: &[&str]) -> Transformation {
        let aggregation = |window: &&str| {
            format!(r#"{{"column":"x","function":"sum","time_window":"{window}","slide_interval":"1h","name":""}}"#)
        };
        let windows: Vec<String> = windows.iter().map(aggregation).collect();
        let mut tags = Tags::from([(AGGREGATIONS_TAG.to_owned(), format!("[{}]", windows.join(",")))]);
        tags.extend(sql.map(|sql| (SQL_TAG.to_owned(), sql.to_owned())));
        Transformation::of(&tags).unwrap().unwrap()
    }

    #[test]
    fn the_longest_window_says_how_long_rows_matter() {
        const HOUR: i64 = 3_600_000_000;
        assert_eq!(of(None, &["1h", "2h", "1h"]).reach(), Reach::Span(2 * HOUR));
        assert_eq!(of(None, &["1h", "0"]).reach(), Reach::Past);
        assert_eq!(of(Some("SELECT 1"), &["1h"]).reach(), Reach::All, "SQL may look at any row");
    }

    #[test]
    fn views_that_are_read_as_they_are_have_none() {
        assert_eq!(Transformation::of(&Tags::new()).unwrap(), None);
        let empty = Tags::from([(AGGREGATIONS_TAG.to_owned(), "[]".to_owned())]);
        assert_eq!(Transformation::of(&empty).unwrap(), None);
        let broken = Tags::from([(AGGREGATIONS_TAG.to_owned(), "[1]".to_owned())]);
        assert!(Transformation::of(&broken).is_err());
    }
}
