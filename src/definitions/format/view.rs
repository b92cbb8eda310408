//! Views as they are written; on-demand views have a file of their own.

use super::{about::RawAbout, field::RawField, source::SourceRef, values::Timespan};
use crate::{
    model::{ConflictPolicy, FutureRows, NullKeys, OutOfRange, ViewVersion},
    yaml::{Spanned, record},
};

record! {
    /// Keys of views whose values are stored.
    pub(crate) struct RawStoredKeys, "a feature view";
    optional {
        /// How long a value stays valid after its event time, such as 12h or 1d; no limit when left out.
        ttl: Timespan,
        /// How values get into the online store.
        materialize: RawMaterialize,
    }
    defaulted {
        /// The things the features are about; none for one row for the whole project.
        entities: Vec<Spanned<String>>,
        /// Whether the view is served and materialized at all.
        enabled: bool = true,
        /// Whether the schema is checked at materialization.
        enable_validation: bool,
        /// Which version of the view is active: `latest`, or one such as `v2`.
        version: ViewVersion = ViewVersion::Latest,
        /// The part of the organization that owns the view.
        org: String,
    }
    flatten { about: RawAbout, }
}

record! {
    /// How values get into the online store.
    pub(crate) struct RawMaterialize, "the settings of a materialization";
    required {
        /// What is checked of the rows of the source.
        checks: RawChecks,
    }
}

record! {
    /// What is checked of the rows of the source when values are written to the online store.
    pub(crate) struct RawChecks, "the checks of a source";
    optional {
        /// The fewest rows that the interval has; with fewer nothing is written.
        min_rows: Spanned<i64>,
    }
    defaulted {
        /// What happens when a join key is null: `skip` counts such rows and leaves them out, `fail` writes nothing.
        null_keys: NullKeys,
        /// What happens to a value that does not fit its type: `fail` ends the writing, `as_null` counts it and writes null.
        out_of_range: OutOfRange,
        /// What happens to rows later than the moment of writing: `allow` does not look for them, `count` counts them,
        /// `skip` counts them and writes nothing later than now, `fail` writes nothing.
        future: FutureRows,
    }
}

record! {
    /// Features that are read from a source as they are.
    pub(crate) struct RawFeatureView, "a feature view";
    required {
        /// Unique among all views of the project.
        name: Spanned<String>,
        /// Where the rows come from: the name of a source, the source itself, or null for none.
        source: SourceRef,
    }
    optional {
        /// The columns; when left out, taken from the files of the source.
        schema: Spanned<Vec<RawField>>,
    }
    defaulted {
        /// Whether materialization writes the view to the online store.
        online: bool = true,
        /// Whether pushed rows go to the offline store.
        offline: bool,
        /// Transformation mode of Feast; kept, not run.
        mode: String,
    }
    flatten { stored: RawStoredKeys, }
}

record! {
    /// Features that are computed from a source in batches.
    pub(crate) struct RawBatchFeatureView, "a batch feature view";
    required {
        /// Unique among all views of the project.
        name: Spanned<String>,
        /// Where the rows come from: the name of a batch source, or the source itself.
        source: SourceRef,
    }
    optional {
        /// The columns of the result; when left out, taken from the files of the source.
        schema: Spanned<Vec<RawField>>,
        /// The query that transforms the source.
        sql: Spanned<String>,
    }
    defaulted {
        /// Aggregates over windows of time.
        aggregations: Vec<RawAggregation>,
        /// Whether materialization writes the view to the online store.
        online: bool,
        /// Whether the result is written to the offline store.
        offline: bool,
    }
    flatten { stored: RawStoredKeys, }
}

record! {
    /// Features that arrive in a stream.
    pub(crate) struct RawStreamFeatureView, "a stream feature view";
    required {
        /// Unique among all views of the project.
        name: Spanned<String>,
        /// Where the rows come from: the name of a push, kafka or custom source, or the source itself.
        source: SourceRef,
        /// The columns.
        schema: Spanned<Vec<RawField>>,
    }
    optional {
        /// The query that transforms the stream.
        sql: Spanned<String>,
        /// The event time that aggregations use.
        timestamp_field: Spanned<String>,
        /// Length of a tile; 5 minutes when left out.
        tiling_hop_size: Spanned<Timespan>,
    }
    defaulted {
        /// Aggregates over windows of time.
        aggregations: Vec<RawAggregation>,
        /// Whether aggregates are kept in tiles.
        enable_tiling: bool,
        /// Whether materialization writes the view to the online store.
        online: bool = true,
        /// Transformation mode of Feast; kept, not run.
        mode: String = "python".to_owned(),
    }
    flatten { stored: RawStoredKeys, }
}

record! {
    /// An aggregate over a window of time.
    pub(crate) struct RawAggregation, "an aggregation";
    required {
        /// The column whose values are aggregated.
        column: Spanned<String>,
        /// For example sum, count, min, max, mean or count_distinct.
        function: Spanned<String>,
    }
    optional {
        /// Length of the window; none when left out.
        time_window: Timespan,
        /// How far one window lies from the next; the window's length when left out.
        slide_interval: Timespan,
    }
    defaulted {
        /// Name of the result; by default made of function and column.
        name: String,
    }
}

record! {
    /// Labels that people or programs give to entities.
    pub(crate) struct RawLabelView, "a label view";
    required {
        /// Unique among all views of the project.
        name: Spanned<String>,
        /// The columns; those that are not join keys are labels.
        schema: Spanned<Vec<RawField>>,
    }
    optional {
        /// Where the labels come from: the name of a source, usually a push source, or the source itself.
        source: SourceRef,
        /// How long a label stays valid after its event time; no limit when left out.
        ttl: Timespan,
        /// The view whose rows are labelled.
        reference_feature_view: Spanned<String>,
        /// Which of several labels counts.
        conflict_policy: ConflictPolicy,
    }
    defaulted {
        /// The things the labels are about.
        entities: Vec<Spanned<String>>,
        /// Whether labels are served online.
        online: bool = true,
        /// The column that says who gave a label.
        labeler_field: String = "labeler".to_owned(),
        /// A mark that older Feast versions set.
        retain_history: bool,
    }
    flatten { about: RawAbout, }
}
