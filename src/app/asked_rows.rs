//! Rows of the offline store as its clients ask for them: features at the times of entity rows, or what a source has.

use std::{ops::ControlFlow, sync::Arc};

use arrow::{
    array::RecordBatch,
    datatypes::{Field as ArrowField, Schema, SchemaRef},
};

use super::{
    Caller, Failure, FeatureStore,
    access::Access,
    get_historical::{About, HistoricalJoin},
    registered_source::registered_source,
};
use crate::{
    diagnostics::did_you_mean,
    model::{DataSource, FeatureView, Field, Interval, PermissionAction, Timestamp},
    offline::{BatchSink, Cancel, NewestQuery, OfflineStore, Progress, RowsQuery, pipelined},
    problem::{Kind, Problem},
    retrieval::{FeatureRequest, view},
    sources::OpenSource,
};

/// Rows that somebody asks for.
#[derive(Debug, Clone)]
pub enum AskedRows {
    /// Features at the times of entity rows.
    Historical {
        /// Which features.
        features: FeatureRequest,
        /// Views that have to be there, whether features of them are asked for or not.
        views: Vec<String>,
        /// Of whom, and when.
        about: About,
    },
    /// The newest row of each entity. Rows without a value for some join key are of none.
    Newest(SourceColumns),
    /// All rows that have a time.
    All(SourceColumns),
}

/// Columns of a source, by the names that they have there, and which times count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceColumns {
    /// The source, which is registered under this name.
    pub source: String,
    /// The columns that rows of an entity have in common.
    pub join_keys: Vec<String>,
    /// The columns with values.
    pub features: Vec<String>,
    /// The column with times of events.
    pub event: String,
    /// The column with times of creation.
    pub created: Option<String>,
    /// The first moment; `None` is the beginning.
    pub start: Option<Timestamp>,
    /// The last moment; `None` is the end.
    pub end: Option<Timestamp>,
}

impl AskedRows {
    /// Streams them.
    ///
    /// # Errors
    /// When something does not exist or the caller may not read it, rows cannot be read, or it was called off.
    pub fn stream(
        &self,
        store: &FeatureStore,
        caller: &Caller,
        cancel: &Cancel,
        sink: &mut dyn BatchSink,
    ) -> Result<(), Failure> {
        match self {
            Self::Historical { features, views, about } => {
                let state = store.registered()?;
                let access = Access::of(store, caller, &state);
                access.check_views(&[PermissionAction::ReadOffline], views.iter().map(String::as_str))?;
                views.iter().try_for_each(|name| view(&state, name).map(drop))?;
                let join = HistoricalJoin::plan(store, caller, features, false)?;
                let entities = join.entities(about.clone(), cancel)?;
                join.run(&entities, (cancel, &Progress::default()), sink)?;
                Ok(())
            }
            Self::Newest(columns) => {
                let source = columns.source(store, caller)?;
                let offline = store.offline().cancelled_by(cancel);
                Ok(pipelined(sink, |sink| columns.newest(&*offline, &source, sink))?)
            }
            Self::All(columns) => {
                let source = columns.source(store, caller)?;
                let offline = store.offline().cancelled_by(cancel);
                let (names, shown) = (columns.names(), format!("data source `{}`", source.name));
                let query =
                    RowsQuery { source: &source, shown: &shown, interval: columns.interval()?, columns: Some(&names) };
                Ok(pipelined(sink, |sink| offline.rows(&query, sink))?)
            }
        }
    }
}

impl SourceColumns {
    /// The source, with its columns as they are asked for.
    fn source(&self, store: &FeatureStore, caller: &Caller) -> Result<DataSource, Problem> {
        let (state, action) = (store.registered()?, PermissionAction::ReadOffline);
        let source = registered_source((store, caller), &state, &self.source, action)?;
        // What is pushed is in the batch source.
        let source = source.kind.batch_source().unwrap_or(&source).clone();
        Ok(DataSource {
            timestamp_field: self.event.clone(),
            created_timestamp_column: self.created.clone().unwrap_or_default(),
            field_mapping: std::collections::BTreeMap::new(),
            ..source
        })
    }

    /// All columns in the order in which Feast gives them, each once.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for name in self.join_keys.iter().chain(&self.features).chain([&self.event]).chain(&self.created) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    fn interval(&self) -> Result<Interval, Problem> {
        let (start, end) = (self.start.unwrap_or(Timestamp::FIRST), self.end.unwrap_or(Timestamp::LAST));
        if start > end {
            let message = format!("the range starts at {start}, after its end {end}");
            return Err(Problem::new(Kind::Invalid, message, "swap them".to_owned()));
        }
        Ok(Interval { start, end })
    }

    fn newest(&self, offline: &dyn OfflineStore, source: &DataSource, sink: &mut dyn BatchSink) -> Result<(), Problem> {
        let opened = offline.inspect(source)?;
        let view = self.as_view(source, &opened)?;
        let query = NewestQuery::of(&view, self.interval()?);
        let columns = view.join_keys().len();
        let newest = [&self.event].into_iter().chain(&self.created);
        // Creation times come whether they are asked for or not.
        let places = (0..columns)
            .zip(&self.join_keys)
            .chain((columns + 2..).zip(view.features.iter().map(|field| &field.name)))
            .chain((columns..).zip(newest))
            .map(|(place, name)| (place, name.clone()));
        let mut named = Named { places: places.collect(), schema: None, failure: None, sink };
        offline.newest(&query, &mut named)?;
        named.finish()
    }

    /// The source as if a view had these columns of it.
    fn as_view(&self, source: &DataSource, opened: &OpenSource) -> Result<FeatureView, Problem> {
        let known = || opened.columns().columns.iter().map(|column| column.name.as_str());
        let field = |name: &String| {
            let shown = format!("data source `{}`", source.name);
            let column = opened.columns().get(name).ok_or_else(|| {
                let message = format!("{shown} has no column `{name}`");
                Problem::new(Kind::Invalid, message, did_you_mean(name, known()))
            })?;
            let dtype = column.data_type().ok_or_else(|| {
                let message = format!("column `{name}` of {shown} is of a type that no feature has");
                Problem::new(Kind::Unsupported, message, None)
            })?;
            Ok::<_, Problem>(Field::new(name, dtype))
        };
        let taken = |name: &&String| {
            !self.join_keys.contains(name) && **name != self.event && self.created.as_ref() != Some(*name)
        };
        Ok(FeatureView {
            entities: self.join_keys.clone(),
            entity_columns: self.join_keys.iter().map(field).collect::<Result<_, _>>()?,
            features: self.features.iter().filter(taken).map(field).collect::<Result<_, _>>()?,
            source: Some(source.clone()),
            ..FeatureView::new(&source.name)
        })
    }
}

/// Hands on some columns of rows, under their names.
struct Named<'a> {
    places: Vec<(usize, String)>,
    schema: Option<SchemaRef>,
    failure: Option<Problem>,
    sink: &'a mut dyn BatchSink,
}

impl Named<'_> {
    fn finish(self) -> Result<(), Problem> {
        self.failure.map_or(Ok(()), Err)
    }

    fn named(&mut self, schema: &SchemaRef) -> SchemaRef {
        let fields = self.places.iter().map(|(place, name)| {
            let kind = schema.field(*place).data_type().clone();
            ArrowField::new(name, kind, true)
        });
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }
}

impl BatchSink for Named<'_> {
    fn start(&mut self, schema: &SchemaRef) -> ControlFlow<()> {
        let named = self.named(schema);
        self.schema = Some(Arc::clone(&named));
        self.sink.start(&named)
    }

    fn batch(&mut self, batch: &RecordBatch) -> ControlFlow<()> {
        let schema = match &self.schema {
            Some(schema) => Arc::clone(schema),
            None => {
                let schema = batch.schema();
                self.start(&schema)?;
                self.named(&schema)
            }
        };
        let columns = self.places.iter().map(|(place, _)| Arc::clone(batch.column(*place))).collect();
        match RecordBatch::try_new(schema, columns) {
            Ok(batch) => self.sink.batch(&batch),
            Err(error) => {
                self.failure = Some(Problem::new(Kind::Internal, error.to_string(), None));
                ControlFlow::Break(())
            }
        }
    }
}
