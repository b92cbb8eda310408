//! Views whose rows are computed of those of their source: by SQL, by aggregates over windows of time, or by SQL first and
//! aggregates of what it gives. The rows are kept in a parquet file, which is read like one of a source.

mod aggregated;
mod aggregates;
mod sql;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, PoisonError};

use tempfile::TempPath;

use self::sql::ViewSql;
use super::DuckDbStore;
use crate::{
    model::{FeatureView, Interval, Reach, Transformation},
    offline::{
        transformation::{About, Needed, Span, Transform, WrongTransformation, transformation},
        view_source::{DerivedRows, OpenSources, ViewSource},
    },
    problem::Problem,
    sources::OpenSource,
};

/// What the SQL of views has given.
#[derive(Default)]
pub(super) struct KeptRows(Mutex<Vec<(FeatureView, DerivedRows)>>);

impl Transform for DuckDbStore {
    fn queried<'a>(&self, origin: ViewSource<'a>, span: Option<Span>) -> Result<ViewSource<'a>, Problem> {
        let view = origin.view;
        match transformation(view)? {
            Some(transformation) => self.by_sql(&transformation, origin, span).map_err(|wrong| wrong.of_view(view)),
            None => Ok(origin),
        }
    }

    fn aggregated<'a>(&self, rows: &ViewSource<'a>, needed: &Needed<'_>) -> Result<ViewSource<'a>, Problem> {
        let aggregations = transformation(rows.view)?.map_or_else(Vec::new, |made| made.aggregations);
        aggregated::rows(self, &aggregations, rows, needed).map_err(|wrong| wrong.of_view(rows.view))
    }
}

impl DuckDbStore {
    /// The rows of which a view's values are made: those of the source, or what the view's SQL makes of them; of an
    /// interval, where it matters.
    pub(super) fn rows_of<'a>(
        &'a self,
        view: &'a FeatureView,
        interval: Option<Interval>,
    ) -> Result<ViewSource<'a>, Problem> {
        let has_sql = transformation(view)?.is_some_and(|transformation| transformation.sql.is_some());
        match interval.filter(|_| !has_sql) {
            Some(interval) => ViewSource::open_inside(&self.whereabouts, view, interval),
            None => self.queried(ViewSource::open(&self.whereabouts, view)?, Some(Span::ALL)),
        }
    }

    /// The rows of a view itself, as far as somebody needs them who asks what is newest in an interval.
    pub(super) fn values_of<'a>(
        &'a self,
        view: &'a FeatureView,
        interval: Interval,
        by_created: bool,
    ) -> Result<ViewSource<'a>, Problem> {
        let Some(transformation) = transformation(view)? else {
            return ViewSource::open_inside(&self.whereabouts, view, interval);
        };
        let span = Span::end_of(interval);
        let origin = OpenSources::new(&self.whereabouts).open(view, span.events(transformation.reach()))?;
        let rows = self.queried(origin, Some(span))?;
        if transformation.aggregations.is_empty() {
            return Ok(rows);
        }
        let features: Vec<usize> = (0..view.features.len()).collect();
        self.aggregated(&rows, &Needed { features: &features, about: About::Everybody(interval), by_created })
    }

    /// Whether a view's transformation can be carried out over a source with these columns and gives what the view
    /// declares; without columns, whether it is one at all.
    pub(super) fn check(&self, view: &FeatureView, columns: Option<&OpenSource>) -> Result<(), WrongTransformation> {
        let (Some(transformation), Some(source)) = (transformation(view)?, &view.source) else { return Ok(()) };
        let Some(columns) = columns else {
            return match &transformation.sql {
                Some(sql) => sql::check(&self.session()?, source, sql),
                None => Ok(()),
            };
        };
        let rows = self.by_sql(&transformation, ViewSource::of_columns(view, source, columns)?, None)?;
        let rows = match transformation.aggregations.as_slice() {
            [] => rows,
            aggregations => {
                let features: Vec<usize> = (0..view.features.len()).collect();
                let needed = Needed { features: &features, about: About::Nobody, by_created: false };
                aggregated::rows(self, aggregations, &rows, &needed)?
            }
        };
        rows.scan(&view.features.iter().collect::<Vec<_>>())?;
        Ok(())
    }

    /// The rows that SQL gives, as far as they matter in a span; those of `origin`, if there is no SQL.
    fn by_sql<'a>(
        &self,
        Transformation { sql, aggregations }: &Transformation,
        origin: ViewSource<'a>,
        span: Option<Span>,
    ) -> Result<ViewSource<'a>, WrongTransformation> {
        let origin = if span.is_none() { origin.without_rows()? } else { origin };
        let (Some(sql), view) = (sql, origin.view) else { return Ok(origin) };
        // Rows that are kept are kept for everybody.
        let kept = self.kept.as_ref().filter(|_| span.is_some());
        let mut kept = kept.map(|kept| kept.0.lock().unwrap_or_else(PoisonError::into_inner));
        let known = kept.iter().flat_map(|kept| kept.iter()).find(|(known, _)| known == view);
        if let Some((_, rows)) = known {
            return Ok(origin.over(rows.clone()));
        }
        let span = if kept.is_some() { Some(Span::ALL) } else { span };
        let (session, place) = (self.session()?, self.place_for_rows()?);
        let values: Vec<String> = match aggregations.as_slice() {
            [] => view.features.iter().map(|feature| feature.name.clone()).collect(),
            aggregations => aggregations.iter().map(|aggregation| aggregation.column.clone()).collect(),
        };
        let prepared = ViewSql::prepare(&session, &origin, sql, values.into_iter())?;
        if span.is_none() {
            prepared.check_names(sql)?;
        }
        prepared.write(span.and_then(|span| span.events(Reach::of(aggregations))), &place)?;
        drop(prepared);
        let rows = DerivedRows::of(place, view, (origin.has_created(), 0))?;
        if let Some(kept) = &mut kept {
            kept.push((view.clone(), rows.clone()));
        }
        Ok(origin.over(rows))
    }

    fn place_for_rows(&self) -> Result<TempPath, Problem> {
        Ok(tempfile::Builder::new().suffix(".parquet").tempfile_in(self.spill.path()?)?.into_temp_path())
    }
}
