//! Results that are kept under a name: files, and an object of the registry that says what is in them.

use std::ops::ControlFlow;

use arrow::{
    array::{AsArray as _, RecordBatch},
    compute::{max, min},
    datatypes::{SchemaRef, TimestampMicrosecondType},
};

use super::{
    Caller, Failure, FeatureStore,
    get_historical::{About, HistoricalJoin},
    kept_rows,
    retrieval::retrieval,
};
use crate::{
    config::BucketUrl,
    diagnostics::did_you_mean,
    feast::registry::{Change, RowVersion, SourceRows, event_range, with_event_range, write},
    model::{
        Author, DataSource, DatasetStorage, FileFormat, FileSource, Interval, Object, ObjectKind, SavedDataset,
        SourceKind, Tags, Timestamp, printable,
    },
    offline::{BatchSink, Cancel, HistoricalRead, Progress, RowsQuery},
    problem::{Advice, Kind, Problem},
    registry::{Decision, Row, Snapshot, Write, object, update, with_record},
    retrieval::{EVENT_TIMESTAMP, FeatureRequest, Purpose, Selection, Shown},
    sink::{ParquetOptions, RowSink, SinkError},
};

/// What is to be saved, and as what.
#[derive(Debug)]
pub struct Creation<'a> {
    /// The name of the dataset.
    pub name: &'a str,
    /// Which features.
    pub features: &'a FeatureRequest,
    /// Of whom, and when.
    pub about: &'a About,
    /// Whether a feature row counts only if it had been written by the entity row's time.
    pub filter_by_created_timestamp: bool,
    /// Where the rows go, from the folder of the repo: a file if it ends in `.parquet`, else a folder of files.
    pub path: &'a str,
    /// How they are written.
    pub parquet: ParquetOptions,
    /// What the dataset is about.
    pub description: &'a str,
    /// Its labels.
    pub tags: &'a Tags,
    /// Whether files and a dataset that are there may be replaced.
    pub allow_overwrite: bool,
}

/// What was saved.
#[derive(Debug)]
pub struct Created {
    /// How many rows.
    pub rows: usize,
    /// What was noticed while features were joined.
    pub read: HistoricalRead,
}

/// Joins features to entity rows, writes the result, and registers it when it is complete.
///
/// # Errors
/// When the name or the place is taken, the result cannot be had or written, no row of it has a time, or the registry
/// cannot be written; the files are left only in the last case.
pub fn create(
    store: &FeatureStore,
    caller: &Caller,
    creation: &Creation<'_>,
    cancel: &Cancel,
) -> Result<Created, Failure> {
    if creation.name.trim().is_empty() {
        return Err(Problem::new(Kind::Invalid, "a saved dataset needs a name", None).into());
    }
    let join = HistoricalJoin::plan(store, caller, creation.features, creation.filter_by_created_timestamp)?;
    free(creation, &store.registry_to_read().snapshot(store.project())?)?;
    let open_bucket = |url: &BucketUrl| store.whereabouts().buckets.open(url, None);
    let sink = kept_rows::open((store, &open_bucket), creation.path, creation.parquet, creation.allow_overwrite)?;
    let mut sink = TimedSink::new(sink);
    let entities = join.entities(creation.about.clone(), cancel)?;
    let joined = join.run(&entities, (cancel, &Progress::default()), &mut sink);
    let (rows, range, read) = sink.finish(joined, creation.path)?;
    let dataset = Object::SavedDataset(dataset(store, caller, creation, &join)?);
    let author = caller.author("saved-datasets create");
    update(store.registry(), store.project(), |snapshot| {
        register(creation, &dataset, (range, &author), store, snapshot)
    })
    .map_err(|failure: Problem| {
        let message = format!("{}; the rows are in {} and not registered", failure.message, creation.path);
        Problem { message, ..failure }
    })?;
    Ok(Created { rows, read })
}

/// Streams the rows of a dataset, those of the times that are registered for it.
///
/// # Errors
/// When there is no such dataset, or it cannot be read.
pub fn export(
    store: &FeatureStore,
    _: &Caller,
    name: &str,
    cancel: &Cancel,
    sink: &mut dyn BatchSink,
) -> Result<(), Failure> {
    let snapshot = store.registry_to_read().snapshot(store.project())?;
    let of_kind = || snapshot.rows.iter().filter(|row| row.kind == ObjectKind::SavedDataset);
    let Some(row) = of_kind().find(|row| row.name == name) else {
        let help = did_you_mean(name, of_kind().map(|row| row.name.as_str()));
        let message = format!("there is no saved dataset `{}` in the registry", printable(name));
        return Err(Problem::new(Kind::NotFound, message, help).into());
    };
    let shown = format!("saved dataset `{}`", printable(name));
    let unreadable = |kind: Kind, why: &str| Problem::new(kind, format!("{shown} cannot be read: {why}"), None);
    let storage = match object(row) {
        Ok(Object::SavedDataset(dataset)) => dataset.storage,
        Ok(_) => return Err(unreadable(Kind::Internal, "it is something else").into()),
        Err(reason) => return Err(unreadable(Kind::Unsupported, &reason.0).into()),
    };
    let DatasetStorage::File { path, format, s3_endpoint_override } = storage else {
        return Err(unreadable(Kind::Unsupported, "it is not in files, which is not supported yet").into());
    };
    let interval = event_range(&row.proto)
        .map_err(|error| unreadable(Kind::Internal, &error.to_string()))?
        .ok_or_else(|| unreadable(Kind::Invalid, "the registry says no times of its rows"))?;
    let file = FileSource { path, format, s3_endpoint_override, ..FileSource::default() };
    let source =
        DataSource { timestamp_field: EVENT_TIMESTAMP.to_owned(), ..DataSource::new(name, SourceKind::File(file)) };
    // As Feast reads them.
    const BEYOND: i64 = 1_000_000;
    let interval = Interval { end: interval.end.minus(-BEYOND), ..interval };
    let query = RowsQuery { source: &source, shown: &shown, interval, columns: None };
    Ok(store.offline().cancelled_by(cancel).rows(&query, sink)?)
}

/// Asserts that a dataset may have the name.
fn free(creation: &Creation<'_>, snapshot: &Snapshot) -> Result<(), Problem> {
    if creation.allow_overwrite || snapshot.proto(ObjectKind::SavedDataset, creation.name).is_none() {
        return Ok(());
    }
    let message = format!("there is a saved dataset `{}` already", printable(creation.name));
    Err(Problem::new(Kind::Conflict, message, None).advise(Advice::Overwrite))
}

/// What the registry says of the dataset.
fn dataset(
    store: &FeatureStore,
    caller: &Caller,
    creation: &Creation<'_>,
    join: &HistoricalJoin<'_>,
) -> Result<SavedDataset, Failure> {
    let Creation { features, .. } = creation;
    let storage = DatasetStorage::File {
        path: creation.path.to_owned(),
        format: Some(FileFormat::Parquet),
        s3_endpoint_override: String::new(),
    };
    Ok(SavedDataset {
        name: creation.name.to_owned(),
        features: references(store, caller, features)?,
        join_keys: join.retrieval().entity_columns().iter().map(|key| key.column.clone()).collect(),
        full_feature_names: features.full_feature_names,
        storage,
        // With further features it is not what the service says.
        feature_service: match &features.selection {
            Selection { service: Some(name), references, .. } if references.is_empty() => name.clone(),
            _ => String::new(),
        },
        namespace: String::new(),
        collection: String::new(),
        description: creation.description.to_owned(),
        tags: creation.tags.clone(),
    })
}

/// The features as `view:feature`, with the names that a service gives its views: those in full feature names.
fn references(store: &FeatureStore, caller: &Caller, request: &FeatureRequest) -> Result<Vec<String>, Failure> {
    let request = FeatureRequest { full_feature_names: true, ..request.clone() };
    let full = retrieval(store, caller, &request, Purpose::Training)?;
    let asked = full.fetched().filter(|feature| feature.shown == Shown::Always);
    let fetched = asked.map(|feature| (&*feature.output, &*feature.field.name));
    let computed = full.on_demand.iter().flat_map(|selected| {
        let names = selected.view.features.iter().map(|feature| &*feature.name);
        selected.outputs.iter().map(|output| &**output).zip(names)
    });
    let reference = |output: &str, feature: &str| {
        let view = output.strip_suffix(feature).and_then(|view| view.strip_suffix("__")).unwrap_or(output);
        format!("{view}:{feature}")
    };
    Ok(fetched.chain(computed).map(|(output, feature)| reference(output, feature)).collect())
}

/// Puts the dataset into the registry, unless somebody else has taken the name meanwhile.
fn register(
    creation: &Creation<'_>,
    dataset: &Object,
    ((first, last), author): ((Timestamp, Timestamp), &Author),
    store: &FeatureStore,
    snapshot: &Snapshot,
) -> Result<Decision<()>, Problem> {
    free(creation, snapshot)?;
    let (now, sources) = (store.now(), SourceRows::default());
    let change =
        Change { sources: &sources, project: store.project(), now, version: RowVersion::Same, forget_values: false };
    let stored = snapshot.proto(ObjectKind::SavedDataset, creation.name);
    let proto = write(dataset, stored, change).and_then(|proto| with_event_range(&proto, first, last));
    let proto = proto.map_err(|error| Problem::new(Kind::Internal, error.to_string(), None))?;
    let updated = now.seconds();
    let row = Row { kind: ObjectKind::SavedDataset, name: creation.name.to_owned(), updated, proto };
    let note = Write::PutMetadata { key: "last_updated_timestamp".into(), value: updated.to_string(), updated };
    Ok(Decision::Write(with_record(vec![Write::Put(row), note], snapshot, author, now), ()))
}

/// Looks at the times of rows on their way.
struct TimedSink {
    sink: RowSink,
    /// The column with times.
    time: Option<usize>,
    range: Option<(i64, i64)>,
}

impl TimedSink {
    fn new(sink: RowSink) -> Self {
        Self { sink, time: None, range: None }
    }

    /// Completes the files: how many rows there are, and the times of the first and the last of them.
    fn finish(
        self,
        joined: Result<HistoricalRead, Failure>,
        shown: &str,
    ) -> Result<(usize, (Timestamp, Timestamp), HistoricalRead), Failure> {
        // A query that was broken off because the files failed is no failure of its own.
        let failed = self.sink.failed();
        let read = if failed { HistoricalRead::default() } else { joined? };
        if !failed && self.range.is_none() {
            return Err(self.without_times().into());
        }
        let rows = self.sink.finish().map_err(|error| match error {
            SinkError::Io(error) => kept_rows::unwritable(shown, &error),
            SinkError::Problem(problem) => problem,
            other => Problem::new(Kind::Unsupported, other.to_string(), None),
        })?;
        let (first, last) = self.range.unwrap_or_default();
        Ok((rows, (Timestamp::from_micros(first), Timestamp::from_micros(last)), read))
    }

    fn without_times(&self) -> Problem {
        const READ_BY: &str = "datasets are read by the times of their rows";
        match self.time {
            Some(_) => Problem::new(Kind::Invalid, format!("{READ_BY}, and no row has one"), None),
            None => Problem::new(
                Kind::Invalid,
                format!("{READ_BY}, in a column `{EVENT_TIMESTAMP}`, and there is none"),
                "call the column with the times of the entity rows so".to_owned(),
            ),
        }
    }
}

impl BatchSink for TimedSink {
    fn start(&mut self, schema: &SchemaRef) -> ControlFlow<()> {
        self.time = schema.column_with_name(EVENT_TIMESTAMP).map(|(position, _)| position);
        if self.time.is_none() {
            return ControlFlow::Break(());
        }
        self.sink.start(schema)
    }

    fn batch(&mut self, batch: &RecordBatch) -> ControlFlow<()> {
        let times = self.time.and_then(|time| batch.column(time).as_primitive_opt::<TimestampMicrosecondType>());
        if let Some((first, last)) = times.and_then(|times| min(times).zip(max(times))) {
            let (earliest, latest) = self.range.unwrap_or((first, last));
            self.range = Some((earliest.min(first), latest.max(last)));
        }
        self.sink.batch(batch)
    }
}
