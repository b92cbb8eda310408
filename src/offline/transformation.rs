//! Views whose rows are computed of those of their source: what is needed of them, and who computes them.

use arrow::array::{ArrayRef, Int64Array};

use super::view_source::ViewSource;
use crate::{
    model::{Aggregation, DataType, FeatureView, Field, Interval, Reach, Transformation, TransformationPart},
    problem::{Kind, Problem},
    sources::{Column, Role, Wanted},
};

/// Computes the rows of views that are transformed.
pub(crate) trait Transform: Send + Sync {
    /// The view over the rows that its SQL makes of those in `origin`, as far as they matter in a span; over `origin`
    /// itself where there is no SQL. Without a span nobody wants rows, but to know their columns.
    ///
    /// # Errors
    /// When the query cannot be carried out, or gives other columns than the view needs.
    fn queried<'a>(&self, origin: ViewSource<'a>, span: Option<Span>) -> Result<ViewSource<'a>, Problem>;

    /// The view over what its aggregations make of such rows.
    ///
    /// # Errors
    /// When a feature is no aggregate, or one cannot be computed.
    fn aggregated<'a>(&self, rows: &ViewSource<'a>, needed: &Needed<'_>) -> Result<ViewSource<'a>, Problem>;
}

/// What somebody wants to know of aggregates.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Needed<'a> {
    /// The features, by their positions in the view.
    pub features: &'a [usize],
    /// Who is asked about, and when.
    pub about: About<'a>,
    /// Whether a row of the source counts only if it had been created by then.
    pub by_created: bool,
}

/// Who is asked about, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) enum About<'a> {
    /// Nobody: only columns matter.
    Nobody,
    /// Everybody, at the end of an interval, of whom something has changed in it.
    Everybody(Interval),
    /// Entities at moments.
    Asked(&'a AskedMoments),
}

/// Entities at moments.
#[derive(Debug)]
pub(crate) struct AskedMoments {
    /// The columns of the view's join keys.
    pub keys: Vec<ArrayRef>,
    /// Microseconds.
    pub times: Int64Array,
    /// Which of them matter.
    pub span: Span,
}

/// Moments that somebody asks about, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// What was known at the first moment matters if it is not older than this.
    pub from: i64,
    /// The first moment.
    pub first: i64,
    /// The last one.
    pub last: i64,
}

impl Span {
    /// All moments there are.
    pub(crate) const ALL: Self = Self { from: i64::MIN, first: i64::MIN, last: i64::MAX };

    /// Moments between two at which something is asked about rows that are no older than a ttl.
    pub(crate) fn of_moments((first, last): (i64, i64), ttl: Option<i64>) -> Self {
        Self { from: ttl.map_or(i64::MIN, |ttl| first.saturating_sub(ttl)), first, last }
    }

    /// The end of an interval, for those who want to know what is new since it began.
    pub(crate) const fn end_of(interval: Interval) -> Self {
        Self { from: interval.start.micros(), first: interval.end.micros(), last: interval.end.micros() }
    }

    /// The first and the last event that can matter; `None` if all can.
    pub(crate) fn events(self, reach: Reach) -> Option<(i64, i64)> {
        match reach {
            Reach::Span(reach) => Some((self.from.saturating_sub(reach), self.last)),
            Reach::Past => Some((i64::MIN, self.last)),
            Reach::All => None,
        }
    }
}

/// The transformation of a view, if it has one.
///
/// # Errors
/// When what is registered of it cannot be read.
pub(crate) fn transformation(view: &FeatureView) -> Result<Option<Transformation>, Problem> {
    Transformation::of(&view.tags).map_err(|error| {
        Problem::new(
            Kind::Internal,
            format!("the registered aggregations of feature view `{}` cannot be read: {error}", view.name),
            "a newer feastr may have written them; update feastr, or apply the view again".to_owned(),
        )
    })
}

/// The columns of the source that a transformation reads.
pub(crate) fn inputs(transformation: &Transformation, source: &ViewSource<'_>) -> Vec<Wanted> {
    if transformation.sql.is_some() {
        let columns = source.opened().columns().columns.iter();
        let wanted = |column: &Column| Wanted { column: column.name.clone(), role: Role::AsIs, null_if_unfit: false };
        return columns.filter(|column| source.opened().accepts(column, &Role::AsIs)).map(wanted).collect();
    }
    let aggregations = transformation.aggregations.iter();
    aggregations.filter_map(|aggregation| input(aggregation, source)).collect()
}

/// The column that is aggregated: as the type of its files, and of files of texts as what it is aggregated as.
pub(crate) fn input(aggregation: &Aggregation, source: &ViewSource<'_>) -> Option<Wanted> {
    let name = source.source().unmapped(&aggregation.column);
    let column = source.opened().columns().get(name)?;
    let feature = || source.view.features.iter().find(|feature| feature.name == aggregation.output());
    let in_texts = column.kinds.iter().all(|kind| kind.holds.is_text());
    let dtype = match aggregation.function.as_str() {
        "mean" | "avg" | "std" | "stddev" | "var" | "variance" if in_texts => DataType::Float64,
        "sum" | "min" | "max" | "first" | "last" if in_texts => feature()?.dtype.clone(),
        _ => column.data_type()?,
    };
    Some(source.wanted(name, &Field::new(&aggregation.column, dtype)))
}

/// Why a transformation cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WrongTransformation {
    /// A part of it is wrong.
    Wrong {
        /// Which one.
        part: TransformationPart,
        /// What is wrong, in a sentence.
        message: String,
        /// What to do about it.
        help: Option<String>,
    },
    /// Something else.
    Problem(Problem),
}

impl From<Problem> for WrongTransformation {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl WrongTransformation {
    /// The problem that a view has.
    pub(crate) fn of_view(self, view: &FeatureView) -> Problem {
        match self {
            Self::Wrong { message, help, .. } => {
                Problem::new(Kind::Invalid, format!("cannot compute feature view `{}`: {message}", view.name), help)
            }
            Self::Problem(problem) => problem,
        }
    }
}

/// What computes an aggregate of a column, in SQL, where rows are in an order; `None` if there is no such function.
pub(crate) fn aggregate(function: &str, column: &str, order: &str) -> Option<String> {
    Some(match function {
        "sum" | "count" | "min" | "max" => format!("{function}({column})"),
        "mean" | "avg" => format!("avg({column})"),
        "count_distinct" | "nunique" => format!("count(DISTINCT {column})"),
        "std" | "stddev" => format!("stddev_samp({column})"),
        "var" | "variance" => format!("var_samp({column})"),
        // Of rows that are in the same place the one with the greater value comes later.
        "first" => format!("arg_min({column}, row({order}, {column}))"),
        "last" => format!("arg_max({column}, row({order}, {column}))"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_that_is_offered_can_be_computed() {
        assert!(Aggregation::FUNCTIONS.iter().all(|function| aggregate(function, "x", "t").is_some()));
        assert_eq!(aggregate("median", "x", "t"), None);
    }
}
