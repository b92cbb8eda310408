//! Which columns are read of a view's source, and what rows.

use arrow::array::ArrayRef;

use crate::{
    model::Interval,
    sources::{Scan, Ticks},
};

/// Which columns a scan of a view has: keys, event times, creation times if there are any, features. Statements call
/// them `k0`, …, `t`, `c` and `f0`, ….
#[derive(Debug, Clone, Copy)]
pub(crate) struct ViewColumns {
    pub keys: usize,
    pub has_created: bool,
    pub features: usize,
}

impl ViewColumns {
    /// How statements call the keys.
    pub(crate) fn key_names(self) -> impl Iterator<Item = String> {
        (0..self.keys).map(|index| format!("k{index}"))
    }

    /// How statements call the features.
    pub(crate) fn feature_names(self) -> impl Iterator<Item = String> {
        (0..self.features).map(|index| format!("f{index}"))
    }

    /// The creation time in statements, or null.
    pub(crate) const fn created(self) -> &'static str {
        if self.has_created { "c" } else { "NULL :: BIGINT" }
    }

    /// The position of the first feature.
    pub(crate) fn first_feature(self) -> usize {
        self.keys + 1 + usize::from(self.has_created)
    }
}

/// A scan of a view's source.
pub(crate) struct ViewScan {
    pub scan: Scan,
    pub columns: ViewColumns,
    /// What event times and creation times count.
    pub ticks: [Ticks; 2],
}

impl ViewScan {
    /// Only rows of events from `first` to `last`, both in what event times count and inside.
    #[must_use]
    pub(crate) fn between(self, first: i64, last: i64) -> Self {
        Self { scan: self.scan.between(self.columns.keys, first, last), ..self }
    }

    /// What event times count.
    pub(crate) const fn ticks(&self) -> Ticks {
        self.ticks[0]
    }

    /// Only rows with these values of the join keys, as far as that takes less than reading all.
    #[must_use]
    pub(crate) fn among(self, keys: &[ArrayRef]) -> Self {
        let scan = keys.iter().enumerate().fold(self.scan, |scan, (column, values)| scan.among(column, values));
        Self { scan, ..self }
    }

    /// Only rows of events of an interval.
    #[must_use]
    pub(crate) fn inside(self, interval: Interval) -> Self {
        let ticks = self.ticks();
        self.between(ticks.of_micros(interval.start.micros()), ticks.of_micros(interval.end.micros()))
    }

    /// With a last column `content`, which orders rows by the values of all features.
    #[must_use]
    pub(crate) fn with_content(self) -> Self {
        let features = self.columns.first_feature()..self.columns.first_feature() + self.columns.features;
        Self { scan: self.scan.with_content(features), ..self }
    }
}
