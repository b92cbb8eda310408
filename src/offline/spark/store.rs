use std::sync::Arc;

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use uuid::Uuid;

use super::{
    cluster::{Cluster, Way},
    counts, entities, expression, historical, newest, results, source_rows, written,
};
use crate::{
    config::SparkConfig,
    expression::Misfit,
    model::{DataSource, FeatureView, Interval, OnDemandFeatureView, SourceKind, Timestamp},
    offline::{
        Cancel, Tasks, WrongTransformation,
        duckdb::DuckDbStore,
        join::{Join, Side},
        point_in_time::{EntityRows, check_names},
        query::{
            BatchSink, Counted, EntityQuery, Examined, Explained, ExplainedView, HistoricalQuery, HistoricalRead,
            NewestQuery, NewestRead, OfflineStore, ResultPlace, RowsQuery, SourceWriter, Stage, Stager, WrittenResult,
        },
    },
    problem::{Kind, Problem},
    retrieval::Entities,
    sources::{OpenSource, Size, Whereabouts},
    staging::StagedFolder,
};

/// Feast's offline store on Spark: the cluster finds the rows that count, and feastr reads them as what is declared. Each
/// question has a session of its own.
pub(crate) struct SparkStore {
    config: Arc<SparkConfig>,
    whereabouts: Arc<Whereabouts>,
    /// For what is asked in DuckDB's SQL.
    embedded: Arc<dyn OfflineStore>,
    cancel: Cancel,
}

impl SparkStore {
    /// The store behind a server. Relative paths of sources start at the folder of the repo; `embedded` looks at what is
    /// here. Nothing is opened yet.
    pub(crate) fn new(config: &SparkConfig, whereabouts: Arc<Whereabouts>, embedded: DuckDbStore) -> Self {
        let config = Arc::new(config.clone());
        Self { config, whereabouts, embedded: Arc::new(embedded), cancel: Cancel::default() }
    }

    fn with(&self, embedded: Box<dyn OfflineStore>, cancel: Cancel) -> Box<dyn OfflineStore> {
        let (config, whereabouts) = (Arc::clone(&self.config), Arc::clone(&self.whereabouts));
        Box::new(Self { config, whereabouts, embedded: embedded.into(), cancel })
    }

    fn way(&self) -> Way<'_> {
        Way { config: &self.config, whereabouts: &self.whereabouts, cancel: &self.cancel }
    }

    fn cluster(&self) -> Result<Cluster<'_>, Problem> {
        Cluster::open(self.way())
    }
}

impl OfflineStore for SparkStore {
    fn cancelled_by(&self, cancel: &Cancel) -> Box<dyn OfflineStore> {
        self.with(self.embedded.cancelled_by(cancel), cancel.clone())
    }

    fn keeping(&self) -> Box<dyn OfflineStore> {
        self.with(self.embedded.keeping(), self.cancel.clone())
    }

    fn looks_at(&self, kind: &SourceKind) -> bool {
        matches!(kind, SourceKind::Spark(_)) || self.embedded.looks_at(kind)
    }

    fn inspect(&self, source: &DataSource) -> Result<OpenSource, Problem> {
        let columns = self.cluster()?.named(source)?.columns.columns().clone();
        OpenSource::known(source, columns)
    }

    fn check_transformation(
        &self,
        view: &FeatureView,
        columns: Option<&OpenSource>,
    ) -> Result<(), WrongTransformation> {
        self.embedded.check_transformation(view, columns)
    }

    fn historical(&self, query: &HistoricalQuery<'_>, sink: &mut dyn BatchSink) -> Result<HistoricalRead, Problem> {
        historical::run(self.way(), query, sink)
    }

    fn historical_columns(&self, query: &HistoricalQuery<'_>) -> Result<SchemaRef, Problem> {
        historical::columns(self.way(), query)
    }

    /// How much the cluster will read it does not say.
    fn explain(&self, query: &HistoricalQuery<'_>) -> Result<Explained, Problem> {
        let join = Join::of(query.retrieval, query.filter_by_created_timestamp);
        let mut entities = EntityRows::open(query.entities, &join.keys)?;
        check_names(&entities, query)?;
        let (entity_rows, times) = entities.counted()?;
        let view = |side: &Side<'_>| ExplainedView {
            view: side.view.name.clone(),
            source: side.view.source.as_ref().map(|source| source.name.clone()).unwrap_or_default(),
            events: times.map(|times| Interval {
                start: side.ttl.map_or(Timestamp::FIRST, |ttl| times.start.minus(ttl)),
                end: times.end,
            }),
            size: Size::default(),
        };
        let views = join.sides.iter().map(view).collect();
        let cluster = self.cluster()?;
        let sql = historical::statement(&cluster, query)?;
        Ok(Explained { entity_rows, times, views, sql, engine: Some(cluster.session.server().to_owned()) })
    }

    fn entities_of(&self, query: &EntityQuery) -> Result<Entities, Problem> {
        entities::of_sources(&self.cluster()?, query)
    }

    fn entities_of_sql(&self, sql: &str, sources: Option<&[&DataSource]>) -> Result<Entities, Problem> {
        self.embedded.entities_of_sql(sql, sources)
    }

    fn rows(&self, query: &RowsQuery<'_>, sink: &mut dyn BatchSink) -> Result<(), Problem> {
        source_rows::stream(&self.cluster()?, query, sink)
    }

    fn newest(&self, query: &NewestQuery<'_>, sink: &mut dyn BatchSink) -> Result<NewestRead, Problem> {
        newest::run(&self.cluster()?, query, sink)
    }

    fn count(&self, query: &NewestQuery<'_>) -> Result<Counted, Problem> {
        counts::count(&self.cluster()?, query)
    }

    fn examine(&self, query: &NewestQuery<'_>, now: Timestamp) -> Result<Examined, Problem> {
        counts::examine(&self.cluster()?, query, now)
    }

    fn ties(&self, view: &FeatureView) -> Result<u64, Problem> {
        counts::ties(&self.cluster()?, view)
    }

    fn first_event(&self, view: &FeatureView) -> Result<Option<Timestamp>, Problem> {
        counts::first_event(&self.cluster()?, view)
    }

    fn stager(&self) -> Option<&dyn Stager> {
        Some(self)
    }

    fn writer(&self) -> Option<Arc<dyn SourceWriter>> {
        Some(Arc::new(NoWriter))
    }
}

impl Stager for SparkStore {
    fn misfits(&self, view: &OnDemandFeatureView) -> Vec<Misfit> {
        expression::misfits(view)
    }

    fn has_place(&self) -> bool {
        self.config.staging_location.is_some()
    }

    fn stage_newest(
        &self,
        query: &NewestQuery<'_>,
        stage: &Stage<'_>,
        watch: &dyn Fn(Tasks),
    ) -> Result<StagedFolder, Problem> {
        let folder = written::new_folder(&self.config, &self.whereabouts, &format!("feastr-{}", stage.run))?;
        written::newest(&self.cluster()?, query, (folder, stage), watch)
    }

    fn write_historical(
        &self,
        query: &HistoricalQuery<'_>,
        place: &ResultPlace,
        now: Timestamp,
        watch: &dyn Fn(Tasks),
    ) -> Result<WrittenResult, Problem> {
        match place {
            ResultPlace::Folder(location) => {
                let folder = StagedFolder::at(location, &self.whereabouts.buckets)?;
                results::write_folder(self.way(), query, (folder, &Uuid::new_v4().to_string(), now), watch)
            }
            ResultPlace::Table(name) => results::write_table(self.way(), query, name, watch),
        }
    }
}

/// Sources of a cluster are not written from here: files that were added beside others it would not read.
struct NoWriter;

impl SourceWriter for NoWriter {
    fn name(&self) -> &str {
        "the cluster of the offline store"
    }

    fn add(&self, view: &str, _: &SchemaRef, _: &[RecordBatch]) -> Result<(), Problem> {
        let message = format!("rows are not added to the history of feature view `{view}`, which is read on Spark");
        let help = "push to the online store only, and have the cluster write its own tables".to_owned();
        Err(Problem::new(Kind::Unsupported, message, help))
    }
}
