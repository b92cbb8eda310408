//! The rows of a view's source in statements: keys `k0`, …, event times `t` and creation times `c` in microseconds, features
//! `f0`, … by their positions in the view.

use arrow::datatypes::DataType as ArrowType;

use super::{
    day_column::DayColumn,
    named_rows::NamedRows,
    sql::{all, quoted},
    time_column::TimeColumn,
};
use crate::{
    model::{DataSource, DataType, FeatureView, Field},
    offline::{point_in_time::plain_type, view_source::ViewSource},
    problem::{Kind, Problem},
    sources::{Column, Wanted},
};

/// The rows of a view's source.
pub(super) struct ViewRows<'a> {
    source: ViewSource<'a>,
    /// What statements call them.
    name: String,
    /// Join keys as they are compared, in the order of the view.
    keys: Vec<String>,
    event: TimeColumn,
    created: Option<TimeColumn>,
    day: Option<DayColumn>,
}

impl<'a> ViewRows<'a> {
    /// The rows of a source that has a name.
    ///
    /// # Errors
    /// When they lack a column, or have it as something that is not joined on Spark.
    pub(super) fn of(view: &'a FeatureView, source: &'a DataSource, rows: &NamedRows) -> Result<Self, Problem> {
        if source.timestamp_field.is_empty() {
            return Err(Problem::new(
                Kind::Invalid,
                format!("data source `{}` does not say which column has the event times", source.name),
                "set its `timestamp_field` and apply".to_owned(),
            ));
        }
        let known = ViewSource::of_columns(view, source, &rows.columns)?;
        // Says which columns are missing, and which cannot become what is declared.
        known.scan(&[])?;
        let column = |name: &str| rows.columns.columns().get(name);
        let time = |name: &str| {
            let column = column(name)?;
            Some(TimeColumn::of(column).ok_or_else(|| no_times(source, column)))
        };
        let keys = view.join_keys().iter().map(|key| {
            let column = column(source.unmapped(&key.name)).ok_or_else(|| no_column(source, &key.name))?;
            compared(key, column).ok_or_else(|| no_key(view, key, column))
        });
        Ok(Self {
            name: rows.name.clone(),
            keys: keys.collect::<Result<_, _>>()?,
            event: time(source.event_column()).unwrap_or_else(|| Err(no_column(source, &source.timestamp_field)))?,
            created: time(source.created_column()).transpose()?,
            day: rows.day.clone(),
            source: known,
        })
    }

    /// The view.
    pub(super) const fn view(&self) -> &'a FeatureView {
        self.source.view
    }

    /// The source, as far as its columns are known.
    pub(super) const fn source(&self) -> &ViewSource<'a> {
        &self.source
    }

    /// Whether they know when they were written.
    pub(super) const fn has_created(&self) -> bool {
        self.created.is_some()
    }

    /// How statements call the keys.
    pub(super) fn key_names(&self) -> Vec<String> {
        (0..self.keys.len()).map(|key| format!("k{key}")).collect()
    }

    /// The types of features, given by their positions in the view, once they are read as declared.
    ///
    /// # Errors
    /// When the source lacks one, or it cannot become what is declared.
    pub(super) fn kinds(&self, features: &[usize]) -> Result<Vec<ArrowType>, Problem> {
        let features: Vec<&Field> = features.iter().map(|feature| &self.view().features[*feature]).collect();
        let scan = self.source.scan(&features)?;
        let first = scan.columns.first_feature();
        Ok(scan.scan.columns().into_iter().skip(first).map(plain_type).collect())
    }

    /// The column of a feature, given by its position in the view.
    ///
    /// # Errors
    /// When the source lacks it.
    pub(super) fn feature(&self, feature: usize) -> Result<&Column, Problem> {
        let field = &self.view().features[feature];
        self.column(field).ok_or_else(|| no_column(self.source.source(), &field.name))
    }

    /// What is wanted of a column of an answer that holds a feature.
    pub(super) fn wanted(&self, column: &str, feature: usize) -> Wanted {
        self.source.wanted(column, &self.view().features[feature])
    }

    /// The features that decide between rows that are else alike: all of the view that are there and whose values have an
    /// order.
    pub(super) fn content(&self) -> Vec<usize> {
        let features = self.view().features.iter().enumerate();
        let has_order = |(_, field): &(usize, &Field)| {
            self.column(field).is_some_and(|column| column.kinds.iter().all(|kind| is_ordered(kind.holds.arrow())))
        };
        features.filter(has_order).map(|(index, _)| index).collect()
    }

    /// The rows for which some conditions are right, with these features.
    pub(super) fn select(&self, features: &[usize], conditions: &[String]) -> String {
        let keys = self.keys.iter().enumerate().map(|(index, key)| format!("{key} AS k{index}"));
        let created = self.created.as_ref().map_or_else(|| "CAST(NULL AS BIGINT)".to_owned(), TimeColumn::micros);
        let features = features.iter().map(|feature| {
            let field = &self.view().features[*feature];
            format!("{} AS f{feature}", quoted(self.source.source().unmapped(&field.name)))
        });
        let times = [format!("{} AS t", self.event.micros()), format!("{created} AS c")];
        let columns: Vec<String> = keys.chain(times).chain(features).collect();
        format!("SELECT {} FROM {} WHERE {}", columns.join(", "), self.name, all(conditions))
    }

    /// That rows are of some entity: none of their keys is null.
    pub(super) fn of_entities(&self) -> Vec<String> {
        self.keys.iter().map(|key| format!("{key} IS NOT NULL")).collect()
    }

    /// That events are between two moments in microseconds, both inside.
    pub(super) fn inside(&self, bounds: (Option<i64>, Option<i64>)) -> Vec<String> {
        let mut conditions = vec![format!("{} IS NOT NULL", self.event.bare())];
        conditions.extend(self.event.between(bounds));
        conditions.extend(self.day.iter().flat_map(|day| day.between(bounds)));
        conditions
    }

    /// That rows have no event time.
    pub(super) fn without_time(&self) -> String {
        format!("{} IS NULL", self.event.bare())
    }

    /// That it is known when rows were written, and that it was by a moment in microseconds.
    pub(super) fn written_by(&self, moment: Option<i64>) -> Vec<String> {
        let Some(created) = &self.created else { return Vec::new() };
        let mut conditions = vec![format!("{} IS NOT NULL", created.bare())];
        conditions.extend(created.between((None, moment)));
        conditions
    }

    fn column(&self, field: &Field) -> Option<&Column> {
        self.source.opened().columns().get(self.source.source().unmapped(&field.name))
    }
}

/// A join key as it is compared: whole numbers of any width, and texts. Others are not the same to every engine.
fn compared(key: &Field, column: &Column) -> Option<String> {
    let [only] = column.kinds.as_slice() else { return None };
    let name = quoted(&column.name);
    match (key_type(&key.dtype)?, only.holds.arrow()) {
        (ArrowType::Int64, ArrowType::Int64) => Some(name),
        (ArrowType::Int64, ArrowType::UInt64) => None,
        (ArrowType::Int64, kind) if kind.is_integer() => Some(format!("CAST({name} AS BIGINT)")),
        (ArrowType::Utf8, ArrowType::Utf8 | ArrowType::LargeUtf8 | ArrowType::Utf8View) => Some(name),
        _ => None,
    }
}

/// As what join keys are sent; `None` for those that are not joined on Spark.
pub(super) const fn key_type(declared: &DataType) -> Option<ArrowType> {
    match declared {
        DataType::Int32 | DataType::Int64 => Some(ArrowType::Int64),
        DataType::String => Some(ArrowType::Utf8),
        _ => None,
    }
}

/// Whether both Spark and Sail order values of a type, and as feastr does.
fn is_ordered(kind: &ArrowType) -> bool {
    match kind {
        ArrowType::List(element) | ArrowType::LargeList(element) => !element.data_type().is_nested(),
        kind => !kind.is_nested(),
    }
}

fn no_column(source: &DataSource, name: &str) -> Problem {
    let column = source.unmapped(name);
    Problem::new(Kind::Invalid, format!("data source `{}` has no column `{column}`", source.name), None)
}

fn no_times(source: &DataSource, column: &Column) -> Problem {
    let message = format!(
        "column `{}` of data source `{}` holds {} values on Spark, and times are read of TIMESTAMP and DATE",
        column.name,
        source.name,
        column.describe()
    );
    let help = "declare the source as `type: spark` with a `query` that casts it to TIMESTAMP".to_owned();
    Problem::new(Kind::Unsupported, message, help)
}

fn no_key(view: &FeatureView, key: &Field, column: &Column) -> Problem {
    let message = format!(
        "join key `{}` of feature view `{}` is {}, and column `{}` holds {} values on Spark, where whole numbers and texts \
         are joined",
        key.name,
        view.name,
        key.dtype,
        column.name,
        column.describe()
    );
    let help = "declare the source as `type: spark` with a `query` that casts it to BIGINT or STRING".to_owned();
    Problem::new(Kind::Unsupported, message, help)
}
