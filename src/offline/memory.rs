//! An offline store in memory: rows that a test has in hand, as the sources of views. Without an engine, and slow.

use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch, TimestampMicrosecondArray, UInt64Array},
    compute::{concat_batches, take},
    datatypes::{Field, Schema, SchemaRef, TimestampMicrosecondType},
    util::display::array_value_to_string,
};

use super::{
    cancel::Cancel,
    join::Join,
    query::{
        BatchSink, Counted, EntityQuery, Examined, Explained, HistoricalQuery, HistoricalRead, NewestQuery, NewestRead,
        OfflineStore, RowsQuery,
    },
    rows,
    transformation::WrongTransformation,
};
use crate::{
    model::{DataSource, FeatureView, Interval, Timestamp},
    problem::{Kind, Problem},
    retrieval::Entities,
    sources::{OpenSource, Role, Wanted},
};

/// Rows by the names of sources; clones share them. Times are in microseconds, entity rows have theirs in
/// `event_timestamp`, and values are of the declared types already.
#[derive(Clone, Default)]
pub(crate) struct MemoryOfflineStore {
    sources: Arc<Mutex<BTreeMap<String, RecordBatch>>>,
    cancel: Cancel,
}

/// The rows of a view's source.
struct Rows {
    keys: Vec<ArrayRef>,
    /// The keys of each row in words; `None` where one is null.
    entities: Vec<Option<Vec<String>>>,
    events: TimestampMicrosecondArray,
    created: TimestampMicrosecondArray,
    features: Vec<ArrayRef>,
}

impl MemoryOfflineStore {
    /// Gives a source its rows, in place of those it had.
    pub(crate) fn put(&self, source: &str, rows: RecordBatch) {
        self.sources().insert(source.to_owned(), rows);
    }

    fn sources(&self) -> MutexGuard<'_, BTreeMap<String, RecordBatch>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn batch(&self, source: &DataSource) -> Result<RecordBatch, Problem> {
        self.cancel.check()?;
        let missing = || Problem::new(Kind::NotFound, format!("data source `{}` has no rows", source.name), None);
        self.sources().get(&source.name).cloned().ok_or_else(missing)
    }

    fn rows(&self, view: &FeatureView) -> Result<Rows, Problem> {
        let source = view.source.as_ref().unwrap();
        let batch = self.batch(source)?;
        let column = |field: &crate::model::Field| column(&batch, source.unmapped(&field.name));
        let keys: Vec<ArrayRef> = view.join_keys().iter().map(column).collect::<Result<_, _>>()?;
        let created = match source.created_column() {
            "" => TimestampMicrosecondArray::new_null(batch.num_rows()),
            name => times(&self::column(&batch, name)?),
        };
        Ok(Rows {
            entities: in_words(&keys, batch.num_rows()),
            keys,
            events: times(&self::column(&batch, source.event_column())?),
            created,
            features: view.features.iter().map(column).collect::<Result<_, _>>()?,
        })
    }
}

fn column(batch: &RecordBatch, name: &str) -> Result<ArrayRef, Problem> {
    let missing = || Problem::new(Kind::Invalid, format!("there is no column `{name}`"), None);
    batch.column_by_name(name).cloned().ok_or_else(missing)
}

fn times(column: &ArrayRef) -> TimestampMicrosecondArray {
    column.as_primitive::<TimestampMicrosecondType>().clone()
}

fn in_words(keys: &[ArrayRef], rows: usize) -> Vec<Option<Vec<String>>> {
    let part = |key: &ArrayRef, row| key.is_valid(row).then(|| array_value_to_string(key, row).unwrap());
    (0..rows).map(|row| keys.iter().map(|key| part(key, row)).collect()).collect()
}

impl Rows {
    /// Places of the rows of an interval.
    fn inside(&self, Interval { start, end }: Interval) -> Vec<usize> {
        let is_inside = |row: &usize| self.event(*row).is_some_and(|event| (start..=end).contains(&event));
        (0..self.events.len()).filter(is_inside).collect()
    }

    /// The same of some entities, if only theirs are asked for.
    fn asked(&self, query: &NewestQuery<'_>) -> Result<Vec<usize>, Problem> {
        let mut inside = self.inside(query.interval);
        let Some(entities) = query.entities else { return Ok(inside) };
        let wanted = query.view.join_keys().iter().map(|key| Wanted {
            column: key.name.clone(),
            role: Role::EntityKey(key.dtype.clone()),
            null_if_unfit: false,
        });
        let run = Arc::new(entities.open()?.scan(wanted.collect())?).run();
        let mut known = Vec::new();
        while let Some(mut part) = run.part()? {
            while let Some(rows) = run.batch(&mut part)? {
                known.extend(in_words(&rows.columns, rows.count));
            }
        }
        inside.retain(|row| self.entities[*row].is_some() && known.contains(&self.entities[*row]));
        Ok(inside)
    }

    fn event(&self, row: usize) -> Option<Timestamp> {
        self.events.is_valid(row).then(|| Timestamp::from_micros(self.events.value(row)))
    }

    /// What decides between rows of an entity: the greatest wins.
    fn recency(&self, row: usize) -> (Option<Timestamp>, Option<i64>) {
        (self.event(row), self.created.is_valid(row).then(|| self.created.value(row)))
    }
}

impl OfflineStore for MemoryOfflineStore {
    fn cancelled_by(&self, cancel: &Cancel) -> Box<dyn OfflineStore> {
        Box::new(Self { sources: Arc::clone(&self.sources), cancel: cancel.clone() })
    }

    fn keeping(&self) -> Box<dyn OfflineStore> {
        Box::new(self.clone())
    }

    fn inspect(&self, source: &DataSource) -> Result<OpenSource, Problem> {
        let batch = self.batch(source)?;
        Ok(OpenSource::batches(&batch.schema(), vec![batch], &source.name))
    }

    fn check_transformation(&self, _: &FeatureView, _: Option<&OpenSource>) -> Result<(), WrongTransformation> {
        Ok(())
    }

    fn historical(&self, query: &HistoricalQuery<'_>, sink: &mut dyn BatchSink) -> Result<HistoricalRead, Problem> {
        let asked = all(query.entities)?;
        let join = Join::of(query.retrieval, query.filter_by_created_timestamp);
        let keys = join.keys.iter().map(|key| column(&asked, &key.column)).collect::<Result<Vec<_>, _>>()?;
        let moments = times(&column(&asked, "event_timestamp")?);
        let mut columns = asked.columns().to_vec();
        for side in &join.sides {
            let rows = self.rows(side.view)?;
            let keys: Vec<ArrayRef> = side.keys.iter().map(|key| Arc::clone(&keys[*key])).collect();
            let found = in_words(&keys, asked.num_rows()).into_iter().zip(moments.iter()).map(|(entity, moment)| {
                let moment = moment?;
                let counts = |row: &usize| {
                    let (event, created) = rows.recency(*row);
                    let age = event.map(|event| moment - event.micros());
                    rows.entities[*row] == entity
                        && age.is_some_and(|age| age >= 0 && side.ttl.is_none_or(|ttl| age <= ttl))
                        && !(side.by_created && created.is_none_or(|created| created > moment))
                };
                (0..rows.events.len()).filter(counts).max_by_key(|row| rows.recency(*row)).map(|row| row as u64)
            });
            let found: UInt64Array = found.collect();
            columns.extend(side.features.iter().map(|feature| take(&rows.features[*feature], &found, None).unwrap()));
        }
        let schema = asked.schema();
        let names = schema.fields().iter().map(|field| field.name().as_str()).chain(query.retrieval.outputs());
        stream(names.zip(columns), sink);
        Ok(HistoricalRead::default())
    }

    fn explain(&self, query: &HistoricalQuery<'_>) -> Result<Explained, Problem> {
        let rows = all(query.entities)?.num_rows() as u64;
        Ok(Explained { entity_rows: rows, times: None, views: Vec::new(), sql: String::new(), engine: None })
    }

    fn entities_of(&self, query: &EntityQuery) -> Result<Entities, Problem> {
        let mut columns: Vec<&str> = Vec::new();
        for key in query.sources.iter().flat_map(|source| &source.keys) {
            if !columns.contains(&key.column.as_str()) {
                columns.push(&key.column);
            }
        }
        let mut found: Vec<(Option<i64>, Vec<Option<String>>)> = Vec::new();
        for source in query.sources.iter().filter(|source| columns.is_empty() || !source.keys.is_empty()) {
            let rows = self.rows(&source.view)?;
            for row in rows.inside(source.interval) {
                let Some(entity) = &rows.entities[row] else { continue };
                let created = rows.created.is_valid(row).then(|| rows.created.value(row));
                let has_created = source.view.source.as_ref().is_some_and(|source| !source.created_column().is_empty());
                if source.by_created && has_created && created.is_none_or(|at| at > source.interval.end.micros()) {
                    continue;
                }
                let value = |column: &&str| {
                    source.keys.iter().position(|key| key.column == **column).map(|key| entity[key].clone())
                };
                let time = query.at.is_none().then(|| rows.events.value(row));
                found.push((time, columns.iter().map(value).collect()));
            }
        }
        found.sort();
        found.dedup();
        let rows: Vec<Vec<(String, String)>> = found
            .into_iter()
            .map(|(time, values)| {
                let keys =
                    columns.iter().zip(values).map(|(name, value)| ((*name).to_owned(), value.unwrap_or_default()));
                let time = time.map(|time| ("event_timestamp".to_owned(), Timestamp::from_micros(time).to_string()));
                keys.chain(time).collect()
            })
            .collect();
        Entities::of_texts(&rows)
    }

    fn entities_of_sql(&self, _: &str, _: Option<&[&DataSource]>) -> Result<Entities, Problem> {
        Err(Problem::new(Kind::Unsupported, "rows in memory are not asked in SQL", None))
    }

    fn historical_columns(&self, query: &HistoricalQuery<'_>) -> Result<SchemaRef, Problem> {
        struct Heading(Option<SchemaRef>);
        impl BatchSink for Heading {
            fn start(&mut self, schema: &SchemaRef) -> ControlFlow<()> {
                self.0 = Some(Arc::clone(schema));
                ControlFlow::Break(())
            }

            fn batch(&mut self, _: &RecordBatch) -> ControlFlow<()> {
                ControlFlow::Break(())
            }
        }
        let mut heading = Heading(None);
        self.historical(query, &mut heading)?;
        Ok(heading.0.unwrap())
    }

    fn rows(&self, query: &RowsQuery<'_>, sink: &mut dyn BatchSink) -> Result<(), Problem> {
        rows::stream(&self.inspect(query.source)?, query, &self.cancel, sink)
    }

    fn newest(&self, query: &NewestQuery<'_>, sink: &mut dyn BatchSink) -> Result<NewestRead, Problem> {
        let rows = self.rows(query.view)?;
        let mut newest: BTreeMap<&[String], usize> = BTreeMap::new();
        let inside = rows.asked(query)?;
        for row in &inside {
            let Some(entity) = &rows.entities[*row] else { continue };
            let best = newest.entry(entity).or_insert(*row);
            if rows.recency(*row) > rows.recency(*best) {
                *best = *row;
            }
        }
        let is_as_new = |row: &&usize| {
            let best = rows.entities[**row].as_deref().and_then(|entity| newest.get(entity));
            best.is_some_and(|best| best != *row && rows.recency(*best) == rows.recency(**row))
        };
        let ties = inside.iter().filter(is_as_new).count() as u64;
        let places: UInt64Array = newest.into_values().map(|row| row as u64).collect();
        let times = [&rows.events, &rows.created].map(|times| Arc::new(times.clone()) as ArrayRef);
        let columns = rows.keys.iter().chain(&times).chain(&rows.features);
        stream(columns.map(|column| ("", take(column, &places, None).unwrap())), sink);
        Ok(NewestRead { unfit: 0, ties })
    }

    fn count(&self, query: &NewestQuery<'_>) -> Result<Counted, Problem> {
        let rows = self.rows(query.view)?;
        let inside = rows.asked(query)?;
        let mut entities: Vec<_> = inside.iter().filter_map(|row| rows.entities[*row].as_ref()).collect();
        let with_key = entities.len();
        entities.sort();
        entities.dedup();
        Ok(Counted {
            rows: inside.len() as u64,
            entities: entities.len() as u64,
            null_keys: (inside.len() - with_key) as u64,
            without_time: rows.events.null_count() as u64,
            is_empty: rows.events.null_count() == rows.events.len(),
        })
    }

    fn examine(&self, query: &NewestQuery<'_>, now: Timestamp) -> Result<Examined, Problem> {
        let rows = self.rows(query.view)?;
        let inside = rows.inside(query.interval);
        let without_key = || inside.iter().filter(|row| rows.entities[**row].is_none());
        let events = (0..rows.events.len()).filter_map(|row| rows.event(row));
        let future: Vec<Timestamp> = events.filter(|event| *event > now).collect();
        Ok(Examined {
            rows: inside.len() as u64,
            null_keys: without_key().count() as u64,
            null_key_at: without_key().filter_map(|row| rows.event(*row)).min(),
            future: future.len() as u64,
            latest: future.into_iter().max(),
        })
    }

    fn ties(&self, view: &FeatureView) -> Result<u64, Problem> {
        let rows = self.rows(view)?;
        let known = (0..rows.events.len()).filter(|row| rows.entities[*row].is_some() && rows.event(*row).is_some());
        let mut moments: Vec<_> = known.map(|row| (&rows.entities[row], rows.recency(row))).collect();
        let all = moments.len();
        moments.sort();
        moments.dedup();
        Ok((all - moments.len()) as u64)
    }

    fn first_event(&self, view: &FeatureView) -> Result<Option<Timestamp>, Problem> {
        let rows = self.rows(view)?;
        match (0..rows.events.len()).filter_map(|row| rows.event(row)).min() {
            None if !rows.events.is_empty() => Err(Problem::new(Kind::Invalid, "no row has a time", None)),
            first => Ok(first),
        }
    }
}

/// All rows of entities, as they are.
fn all(entities: &Entities) -> Result<RecordBatch, Problem> {
    let file = entities.open()?;
    let names: Vec<String> = file.columns().columns.iter().map(|column| column.name.clone()).collect();
    let wanted = |column: &String| Wanted { column: column.clone(), role: Role::AsIs, null_if_unfit: false };
    let run = Arc::new(file.scan(names.iter().map(wanted).collect())?).run();
    let mut batches: Vec<RecordBatch> = Vec::new();
    while let Some(mut part) = run.part()? {
        while let Some(rows) = run.batch(&mut part)? {
            batches.push(batch(names.iter().map(String::as_str).zip(rows.columns)));
        }
    }
    Ok(concat_batches(&batches[0].schema(), &batches).unwrap())
}

/// Columns that may be called alike.
fn batch<'a>(columns: impl Iterator<Item = (&'a str, ArrayRef)>) -> RecordBatch {
    let named = |(name, column): (&str, ArrayRef)| (Field::new(name, column.data_type().clone(), true), column);
    let (fields, columns): (Vec<Field>, Vec<ArrayRef>) = columns.map(named).unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

/// Hands on rows one at a time, so that a sink can break off after any of them.
fn stream<'a>(columns: impl Iterator<Item = (&'a str, ArrayRef)>, sink: &mut dyn BatchSink) {
    let all = batch(columns);
    let mut goes_on = sink.start(&all.schema()).is_continue();
    for row in 0..all.num_rows() {
        goes_on = goes_on && sink.batch(&all.slice(row, 1)).is_continue();
    }
}
