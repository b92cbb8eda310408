//! A column that says the day of each row, as a source's `date_partition_column` names it: where tables lie in folders of it,
//! those of other days are left out.

use arrow::datatypes::DataType as ArrowType;
use chrono::{
    DateTime, Datelike as _,
    format::{Item, Numeric, Pad, StrftimeItems},
};

use super::sql::{quoted, text};
use crate::{
    model::{DataSource, SourceKind},
    problem::{Kind, Problem},
    sources::Columns,
};

/// How days are written where a source does not say it.
const FORMAT: &str = "%Y-%m-%d";

/// A column of days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DayColumn {
    /// As statements write it.
    name: String,
    kind: DayKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum DayKind {
    /// `DATE`.
    Date,
    /// Texts in this format.
    Text(String),
    /// Numbers in this format.
    Number(String),
}

impl DayColumn {
    /// The column that a source on Spark names; `None` where it names none, or its values have not the order of time: rows
    /// are then found without it.
    ///
    /// # Errors
    /// When there is no such column.
    pub(super) fn of(source: &DataSource, columns: &Columns) -> Result<Option<Self>, Problem> {
        let SourceKind::Spark(spark) = &source.kind else { return Ok(None) };
        let name = &source.date_partition_column;
        if name.is_empty() {
            return Ok(None);
        }
        let column = columns.get(name).ok_or_else(|| {
            let message =
                format!("data source `{}` has no column `{name}`, which its date_partition_column names", source.name);
            Problem::new(Kind::Invalid, message, "name a column of the table, or none, and apply".to_owned())
        })?;
        let [only] = column.kinds.as_slice() else { return Ok(None) };
        let format = match spark.date_partition_column_format.as_str() {
            "" => FORMAT,
            format => format,
        };
        let order = Order::of(format);
        let kind = match only.holds.arrow() {
            ArrowType::Date32 => Some(DayKind::Date),
            ArrowType::Utf8 | ArrowType::LargeUtf8 | ArrowType::Utf8View if order != Order::Other => {
                Some(DayKind::Text(format.to_owned()))
            }
            kind if kind.is_integer() && order == Order::Digits => Some(DayKind::Number(format.to_owned())),
            _ => None,
        };
        Ok(kind.map(|kind| Self { name: quoted(name), kind }))
    }

    /// That a row may be of a time between two moments in microseconds, both inside; `None` is before or after all.
    pub(super) fn between(&self, (first, last): (Option<i64>, Option<i64>)) -> Vec<String> {
        let bound = |operator: &str, micros: i64| Some(format!("{} {operator} {}", self.name, self.day(micros)?));
        let bounds = [first.and_then(|first| bound(">=", first)), last.and_then(|last| bound("<=", last))];
        bounds.into_iter().flatten().collect()
    }

    /// The day of a moment as the column has it; `None` for those that are written with other than four digits.
    fn day(&self, micros: i64) -> Option<String> {
        let moment = DateTime::from_timestamp_micros(micros).filter(|moment| (1..=9999).contains(&moment.year()))?;
        Some(match &self.kind {
            DayKind::Date => format!("DATE '{}'", moment.format(FORMAT)),
            DayKind::Text(format) => text(&moment.format(format).to_string()),
            DayKind::Number(format) => moment.format(format).to_string(),
        })
    }
}

/// Whether what a format writes has the order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// As numbers and as texts.
    Digits,
    /// As texts.
    Texts,
    /// In no way.
    Other,
}

impl Order {
    /// A format has the order of time if it begins with the year and leaves none of the larger parts out.
    fn of(format: &str) -> Self {
        const PARTS: [Numeric; 5] = [Numeric::Year, Numeric::Month, Numeric::Day, Numeric::Hour, Numeric::Minute];
        let (mut parts, mut order) = (PARTS.iter(), Self::Digits);
        for item in StrftimeItems::new(format) {
            match item {
                Item::Numeric(part, Pad::Zero) if parts.next() == Some(&part) => {}
                Item::Literal(_) | Item::Space(_) => order = Self::Texts,
                _ => return Self::Other,
            }
        }
        if parts.len() == PARTS.len() { Self::Other } else { order }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::SparkSource, sources::Column};

    const DAY: i64 = 86_400_000_000;

    fn of(kind: ArrowType, format: &str) -> Result<Option<DayColumn>, Problem> {
        let spark = SparkSource {
            table: "t".to_owned(),
            query: String::new(),
            path: String::new(),
            file_format: String::new(),
            date_partition_column_format: format.to_owned(),
        };
        let mut source = DataSource::new("s", SourceKind::Spark(spark));
        source.date_partition_column = "day".to_owned();
        let column = Column::typed("day", kind);
        DayColumn::of(&source, &Columns { columns: vec![column], ..Columns::default() })
    }

    fn between(kind: ArrowType, format: &str, bounds: (Option<i64>, Option<i64>)) -> Vec<String> {
        of(kind, format).unwrap().map(|column| column.between(bounds)).unwrap_or_default()
    }

    #[test]
    fn days_are_compared_as_they_are_written() {
        let bounds = (Some(DAY - 1), Some(DAY));
        assert_eq!(between(ArrowType::Utf8, "", bounds), ["`day` >= '1970-01-01'", "`day` <= '1970-01-02'"]);
        assert_eq!(between(ArrowType::Utf8, "%Y/%m", bounds), ["`day` >= '1970/01'", "`day` <= '1970/01'"]);
        assert_eq!(between(ArrowType::Utf8, "%Y'%m\\", (None, Some(0))), ["`day` <= '1970\\'01\\\\'"]);
        assert_eq!(between(ArrowType::Int32, "%Y%m%d", bounds), ["`day` >= 19700101", "`day` <= 19700102"]);
        assert_eq!(
            between(ArrowType::Date32, "%d", bounds),
            ["`day` >= DATE '1970-01-01'", "`day` <= DATE '1970-01-02'"]
        );
        assert_eq!(between(ArrowType::Utf8, "", (None, Some(i64::MAX))), Vec::<String>::new());
        assert_eq!(between(ArrowType::Utf8, "", (Some(i64::MIN), None)), Vec::<String>::new());
    }

    #[test]
    fn what_has_not_the_order_of_days_is_no_condition() {
        for format in ["%d-%m-%Y", "%m-%d", "%Y-%d", "%y%m%d", "%Y-%j", "%Y-%b", "day", "%", "%-Y"] {
            assert_eq!(of(ArrowType::Utf8, format).unwrap(), None, "{format}");
        }
        assert_eq!(of(ArrowType::Int64, "%Y-%m-%d").unwrap(), None);
        assert_eq!(of(ArrowType::Float64, "%Y").unwrap(), None);
    }

    #[test]
    fn a_column_that_is_missing_is_told() {
        let mut source = DataSource::new("s", SourceKind::File(crate::model::FileSource::default()));
        source.date_partition_column = "day".to_owned();
        // Of files the server is not told so.
        assert_eq!(DayColumn::of(&source, &Columns::default()).unwrap(), None);
        let spark = SparkSource {
            table: "t".to_owned(),
            query: String::new(),
            path: String::new(),
            file_format: String::new(),
            date_partition_column_format: String::new(),
        };
        source.kind = SourceKind::Spark(spark);
        let problem = DayColumn::of(&source, &Columns::default()).unwrap_err();
        assert!(problem.message.contains("no column `day`"), "{problem:?}");
    }
}
