use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use crate::{
    model::{DataSource, FeatureView, Timestamp},
    offline::{
        Cancel, WrongTransformation,
        duckdb::DuckDbStore,
        query::{
            BatchSink, Counted, EntityQuery, Examined, Explained, HistoricalQuery, HistoricalRead, NewestQuery,
            NewestRead, OfflineStore, RowsQuery,
        },
    },
    problem::{Kind, Problem},
    retrieval::Entities,
    sources::OpenSource,
};

/// Feast's offline store on Spark. Columns of sources are looked at from here, where this machine sees their files; rows
/// cannot be asked for yet.
pub(crate) struct SparkStore {
    rows: Arc<dyn OfflineStore>,
}

impl SparkStore {
    /// The store; `rows` looks at what is here.
    pub(crate) fn new(rows: DuckDbStore) -> Self {
        Self { rows: Arc::new(rows) }
    }
}

/// Says that nobody gets rows of this store yet.
fn not_yet<T>() -> Result<T, Problem> {
    let message = "the offline store `spark` cannot be asked for rows yet: it can be planned and applied, and its server \
                   looked at";
    let help = "write `offline_store: {type: duckdb}` where this machine can read the sources".to_owned();
    Err(Problem::new(Kind::Unsupported, message, help))
}

impl OfflineStore for SparkStore {
    fn cancelled_by(&self, cancel: &Cancel) -> Box<dyn OfflineStore> {
        Box::new(Self { rows: self.rows.cancelled_by(cancel).into() })
    }

    fn keeping(&self) -> Box<dyn OfflineStore> {
        Box::new(Self { rows: Arc::clone(&self.rows) })
    }

    fn inspect(&self, source: &DataSource) -> Result<OpenSource, Problem> {
        self.rows.inspect(source)
    }

    fn check_transformation(
        &self,
        view: &FeatureView,
        columns: Option<&OpenSource>,
    ) -> Result<(), WrongTransformation> {
        self.rows.check_transformation(view, columns)
    }

    fn historical(&self, _: &HistoricalQuery<'_>, _: &mut dyn BatchSink) -> Result<HistoricalRead, Problem> {
        not_yet()
    }

    fn explain(&self, _: &HistoricalQuery<'_>) -> Result<Explained, Problem> {
        not_yet()
    }

    fn entities_of(&self, _: &EntityQuery) -> Result<Entities, Problem> {
        not_yet()
    }

    fn entities_of_sql(&self, _: &str, _: Option<&[&DataSource]>) -> Result<Entities, Problem> {
        not_yet()
    }

    fn historical_columns(&self, _: &HistoricalQuery<'_>) -> Result<SchemaRef, Problem> {
        not_yet()
    }

    fn rows(&self, _: &RowsQuery<'_>, _: &mut dyn BatchSink) -> Result<(), Problem> {
        not_yet()
    }

    fn newest(&self, _: &NewestQuery<'_>, _: &mut dyn BatchSink) -> Result<NewestRead, Problem> {
        not_yet()
    }

    fn count(&self, _: &NewestQuery<'_>) -> Result<Counted, Problem> {
        not_yet()
    }

    fn examine(&self, _: &NewestQuery<'_>, _: Timestamp) -> Result<Examined, Problem> {
        not_yet()
    }

    fn ties(&self, _: &FeatureView) -> Result<u64, Problem> {
        not_yet()
    }

    fn first_event(&self, _: &FeatureView) -> Result<Option<Timestamp>, Problem> {
        not_yet()
    }
}
