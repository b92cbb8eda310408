use super::timed_sink::TimedSink;
use crate::{
    app::{
        Caller, Failure, FeatureStore,
        get_historical::{About, HistoricalJoin},
        kept_rows,
        registered::{Rights, StoredObject},
        retrieval::retrieval,
    },
    config::BucketUrl,
    feast::registry::{Change, RowVersion, SourceRows, with_event_range, write},
    model::{
        Author, DatasetStorage, FileFormat, Object, ObjectKind, PermissionAction, SavedDataset, Tags, Timestamp,
        printable,
    },
    offline::{Cancel, HistoricalRead, Progress},
    problem::{Advice, Kind, Problem},
    registry::{Decision, LAST_UPDATED, Row, Snapshot, Write, update, with_record},
    retrieval::{FeatureRequest, Purpose, Selection, Shown},
    sink::ParquetOptions,
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
    /// What may be replaced.
    pub overwrite: Overwrite,
    /// Who is noted in the log of changes.
    pub author: &'a Author,
}

/// What of what is there may be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overwrite {
    /// A dataset of the same name.
    pub dataset: bool,
    /// Files at the same place.
    pub files: bool,
}

/// What was saved.
#[derive(Debug)]
pub struct Created {
    /// How many rows.
    pub rows: usize,
    /// What was noticed while features were joined.
    pub read: HistoricalRead,
}

/// Finds out whether a dataset can be made, as far as that is known before rows are read.
///
/// # Errors
/// When the caller may not, the name is taken, features do not exist, or the registry cannot be read.
pub fn check(store: &FeatureStore, caller: &Caller, creation: &Creation<'_>) -> Result<(), Failure> {
    Planned::of(store, caller, creation).map(drop)
}

/// Joins features to entity rows, writes the result, and registers it when it is complete.
///
/// # Errors
/// When the caller may not, the name or the place is taken, the result cannot be had or written, no row of it has a time, or the
/// registry cannot be written; the files are left only in the last case.
pub fn create(
    store: &FeatureStore,
    caller: &Caller,
    creation: &Creation<'_>,
    cancel: &Cancel,
) -> Result<Created, Failure> {
    let Planned { join, dataset } = Planned::of(store, caller, creation)?;
    let open_bucket = |url: &BucketUrl| store.whereabouts().buckets.open(url, None);
    let sink = kept_rows::open((store, &open_bucket), creation.path, creation.parquet, creation.overwrite.files)?;
    let mut sink = TimedSink::new(sink);
    let entities = join.entities(creation.about.clone(), cancel)?;
    let joined = join.run(&entities, (cancel, &Progress::default()), &mut sink);
    let (rows, range, read) = sink.finish(joined, creation.path)?;
    update(store.registry(), store.project(), |snapshot| {
        register((store, caller), creation, &dataset, range, snapshot)
    })
    .map_err(|failure: Problem| {
        let message = format!("{}; the rows are in {} and not registered", failure.message, creation.path);
        Problem { message, ..failure }
    })?;
    Ok(Created { rows, read })
}

/// A dataset that can be made.
struct Planned<'a> {
    join: HistoricalJoin<'a>,
    dataset: Object,
}

impl<'a> Planned<'a> {
    fn of(store: &'a FeatureStore, caller: &Caller, creation: &Creation<'_>) -> Result<Self, Failure> {
        if creation.name.trim().is_empty() {
            return Err(Problem::new(Kind::Invalid, "a saved dataset needs a name", None).into());
        }
        let join = HistoricalJoin::plan(store, caller, creation.features, creation.filter_by_created_timestamp)?;
        let dataset = Object::SavedDataset(dataset(store, caller, creation, &join)?);
        let snapshot = store.registry_to_read().snapshot(store.project())?;
        free(creation, &snapshot)?;
        let row = row(store, creation, &dataset, None, &snapshot)?;
        permit((store, caller), row, &snapshot)?;
        Ok(Self { join, dataset })
    }
}

/// Lets a caller put a dataset into the registry: CREATE, as Feast asks of who has one made, and to take the place of another one
/// what every change of it needs.
fn permit((store, caller): (&FeatureStore, &Caller), row: Row, snapshot: &Snapshot) -> Result<(), Problem> {
    let rights = Rights::in_project(store, store.project(), &snapshot.rows);
    let stored = snapshot.rows.iter().find(|stored| stored.id() == row.id()).cloned().map(StoredObject::of);
    let new = StoredObject::of(row);
    rights.check(caller, &new, &[PermissionAction::Create])?;
    stored.map_or(Ok(()), |stored| rights.check_put(caller, Some(&stored), &new))
}

/// Asserts that a dataset may have the name.
fn free(creation: &Creation<'_>, snapshot: &Snapshot) -> Result<(), Problem> {
    if creation.overwrite.dataset || snapshot.proto(ObjectKind::SavedDataset, creation.name).is_none() {
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
    (store, caller): (&FeatureStore, &Caller),
    creation: &Creation<'_>,
    dataset: &Object,
    range: (Timestamp, Timestamp),
    snapshot: &Snapshot,
) -> Result<Decision<()>, Problem> {
    free(creation, snapshot)?;
    let row = row(store, creation, dataset, Some(range), snapshot)?;
    permit((store, caller), row.clone(), snapshot)?;
    let updated = row.updated;
    let note = Write::PutMetadata { key: LAST_UPDATED.into(), value: updated.to_string(), updated };
    Ok(Decision::Write(with_record(vec![Write::Put(row), note], snapshot, creation.author, store.now()), ()))
}

/// The dataset as the registry stores it, with the times of its rows where they are known.
fn row(
    store: &FeatureStore,
    creation: &Creation<'_>,
    dataset: &Object,
    range: Option<(Timestamp, Timestamp)>,
    snapshot: &Snapshot,
) -> Result<Row, Problem> {
    let (now, sources) = (store.now(), SourceRows::default());
    let change =
        Change { sources: &sources, project: store.project(), now, version: RowVersion::Same, forget_values: false };
    let stored = snapshot.proto(ObjectKind::SavedDataset, creation.name);
    let proto = write(dataset, stored, change).and_then(|proto| match range {
        Some((first, last)) => with_event_range(&proto, first, last),
        None => Ok(proto),
    });
    let proto = proto.map_err(|error| Problem::new(Kind::Internal, error.to_string(), None))?;
    Ok(Row { kind: ObjectKind::SavedDataset, name: creation.name.to_owned(), updated: now.seconds(), proto })
}
