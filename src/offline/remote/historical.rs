//! Features joined to entity rows by the server: keys and times of the rows are sent, and features come back, which are put
//! behind the rows as they are here.

use std::{collections::VecDeque, ops::ControlFlow, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray as _, BooleanArray, Int64Array, RecordBatch, UInt64Array},
    compute::{cast, filter_record_batch},
    datatypes::{DataType as ArrowType, Field, Int64Type, Schema, SchemaRef, TimeUnit},
    error::ArrowError,
};

use super::{
    in_order::{InOrder, OutOfOrder},
    server::{OfflineServer, Sent, Taker},
};
use crate::{
    feast::{
        flight::{Historical, Read},
        values::encode::{carrier, micros_in_utc},
    },
    model::{Checks, DataType, OutOfRange},
    offline::{
        BatchSink, Cancel, HistoricalQuery, HistoricalRead,
        join::Join,
        point_in_time::{Asked, BesideEntities, EntityRows, check_names},
    },
    problem::{Kind, Problem},
    retrieval::{EVENT_TIMESTAMP, JoinKey, Retrieval, SelectedView},
    sources::{OpenSource, Role, Ticks, Wanted},
};

/// The column with the number of each row, by which its features find back to it.
const NUMBER: &str = "feastr_row";

/// Rows that are sent and handed on at once.
const ROWS: usize = 8192;

/// The types of the features.
///
/// # Errors
/// When one is of a type that no column can hold.
pub(super) fn feature_types(retrieval: &Retrieval) -> Result<Vec<ArrowType>, Problem> {
    let kind = |field: &crate::model::Field| {
        carrier(&field.dtype).ok_or_else(|| {
            let message = format!("feature `{}` is of type {}, which no column can hold", field.name, field.dtype);
            Problem::new(Kind::Unsupported, message, None)
        })
    };
    retrieval.fetched().map(|feature| kind(&feature.field)).collect()
}

/// Lets the server join features, and streams the result.
///
/// # Errors
/// When entity rows cannot be read or lack a column, the server does not join them, or it is called off.
pub(super) fn run(
    (server, project, cancel): (&OfflineServer, &str, &Cancel),
    query: &HistoricalQuery<'_>,
    sink: &mut dyn BatchSink,
) -> Result<HistoricalRead, Problem> {
    cancel.check()?;
    if query.filter_by_created_timestamp {
        let message = format!("{} cannot be told that rows count from when they were written", server.name());
        return Err(Problem::new(Kind::Unsupported, message, "leave that out, or read the sources here".to_owned()));
    }
    let join = Join::of(query.retrieval, false);
    let entities = EntityRows::open(query.entities, &join.keys)?;
    check_names(&entities, query)?;
    let kinds = feature_types(query.retrieval)?;
    let mut out = Out { beside: BesideEntities::new(&entities, (query.retrieval, &kinds))?, query, sink };
    let mut read = HistoricalRead::default();
    if out.sink.start(out.beside.schema()).is_break() {
        return Ok(read);
    }
    query.progress.joined.expect(entities.about_rows());
    if query.retrieval.views.is_empty() {
        out.entities_alone(entities, cancel)?;
        return Ok(read);
    }
    drop(entities);
    let mut upload = Upload::new(&join.keys);
    let schema = Arc::clone(&upload.schema);
    let mut rows = |send: &mut Taker<'_>| {
        upload.begin();
        let mut entities = EntityRows::open(query.entities, &join.keys)?;
        let ticks = entities.ticks();
        while let Some(asked) = entities.next(ROWS)? {
            let batch = upload.batch(&asked, ticks).map_err(unsendable)?;
            if send(batch).is_break() {
                break;
            }
        }
        Ok(())
    };
    let command = Read::Historical(command(query.retrieval, project));
    let mut answer = server.read(command, Some(Sent { schema, rows: &mut rows }), cancel)?;
    let mut in_order = InOrder::new(kinds.clone(), upload.asked, upload.absent);
    let wanted = wanted(query.retrieval);
    let wrong = |error: OutOfOrder| {
        let message = format!("the answer of {} is not that to these entity rows: {error}", server.name());
        Problem::new(Kind::Unavailable, message, "the log of the server may say more".to_owned())
    };
    let shown = format!("the answer of {}", server.name());
    let schema = Arc::clone(answer.schema());
    while let Some(batch) = answer.next(cancel)? {
        let scan = Arc::new(OpenSource::batches(&schema, vec![batch], &shown).scan(wanted.clone())?);
        let run = scan.run();
        while let Some(mut part) = run.part()? {
            while let Some(rows) = run.batch(&mut part)? {
                let (numbers, features) = rows.columns.split_first().ok_or_else(|| wrong(OutOfOrder::Unasked))?;
                let numbers = numbers.as_primitive::<Int64Type>();
                // A number below 0 is none that was sent.
                let numbers: UInt64Array =
                    numbers.iter().map(|number| number.and_then(|n| u64::try_from(n).ok())).collect();
                let features = features.iter().zip(&kinds).map(|(feature, kind)| cast(feature, kind));
                let features = features.collect::<Result<Vec<_>, _>>().map_err(|error| wrong(error.into()))?;
                if let Some(features) = in_order.take(features, numbers).map_err(wrong)?
                    && out.put(features)?.is_break()
                {
                    return Ok(read);
                }
            }
        }
        read.unfit += scan.unfit();
    }
    for features in in_order.finish(ROWS).map_err(wrong)? {
        cancel.check()?;
        if out.put(features)?.is_break() {
            break;
        }
    }
    Ok(read)
}

/// Where joined rows go.
struct Out<'a> {
    beside: BesideEntities,
    query: &'a HistoricalQuery<'a>,
    sink: &'a mut dyn BatchSink,
}

impl Out<'_> {
    fn put(&mut self, features: Vec<ArrayRef>) -> Result<ControlFlow<()>, Problem> {
        let count = features.first().map_or(0, |column| column.len());
        self.put_rows(features, count)
    }

    fn put_rows(&mut self, features: Vec<ArrayRef>, count: usize) -> Result<ControlFlow<()>, Problem> {
        self.query.progress.joined.add(count as u64);
        Ok(self.sink.batch(&self.beside.next(features, count)?))
    }

    /// What is left where all features are computed of the entity rows.
    fn entities_alone(&mut self, mut entities: EntityRows<'_>, cancel: &Cancel) -> Result<(), Problem> {
        while let Some(asked) = entities.next(ROWS)? {
            cancel.check()?;
            if self.put_rows(Vec::new(), asked.count)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// What is asked for. Names are full, so that no two are alike.
fn command(retrieval: &Retrieval, project: &str) -> Historical {
    let alias = |view: &SelectedView| (view.name != view.view.name).then(|| view.name.clone());
    let reference = |view: &SelectedView, feature: &str| format!("{}:{feature}", view.name);
    let features = retrieval
        .views
        .iter()
        .flat_map(|view| view.features.iter().map(move |feature| reference(view, &feature.field.name)));
    Historical {
        views: retrieval.views.iter().map(|view| (view.view.name.clone(), alias(view))).collect(),
        features: features.collect(),
        project: project.to_owned(),
        full_feature_names: true,
        ..Historical::default()
    }
}

/// The columns of the answer: the number of the row, then the features.
fn wanted(retrieval: &Retrieval) -> Vec<Wanted> {
    let number = Wanted { column: NUMBER.to_owned(), role: Role::Value(DataType::Int64), null_if_unfit: false };
    let features = retrieval.views.iter().flat_map(|view| {
        let checks = Checks::of(&view.view.tags).unwrap_or_default();
        let null_if_unfit = checks.out_of_range == OutOfRange::AsNull;
        view.features.iter().map(move |feature| Wanted {
            column: format!("{}__{}", view.name, feature.field.name),
            role: Role::Value(feature.field.dtype.clone()),
            null_if_unfit,
        })
    });
    std::iter::once(number).chain(features).collect()
}

/// Keys and times of entity rows, as they are sent.
struct Upload {
    schema: SchemaRef,
    /// Of the keys of the join those that are sent: each column once.
    keys: Vec<usize>,
    asked: u64,
    /// Rows of which nothing can be known, because they have no time.
    absent: VecDeque<u64>,
}

impl Upload {
    fn new(join: &[&JoinKey]) -> Self {
        let is_first = |index: &usize| !join[..*index].iter().any(|other| other.column == join[*index].column);
        let keys: Vec<usize> = (0..join.len()).filter(is_first).collect();
        let field = |index: &usize| Field::new(&join[*index].column, key_type(&join[*index].field.dtype), true);
        let mut fields: Vec<Field> = keys.iter().map(field).collect();
        fields.push(Field::new(EVENT_TIMESTAMP, micros_in_utc(), true));
        fields.push(Field::new(NUMBER, ArrowType::Int64, false));
        Self { schema: Arc::new(Schema::new(fields)), keys, asked: 0, absent: VecDeque::new() }
    }

    /// From the first row on.
    fn begin(&mut self) {
        self.asked = 0;
        self.absent.clear();
    }

    /// The next rows.
    fn batch(&mut self, asked: &Asked, ticks: Ticks) -> Result<RecordBatch, ArrowError> {
        let first = self.asked;
        self.asked += asked.count as u64;
        let times: ArrayRef = Arc::new(asked.times.clone());
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.keys.len() + 2);
        for (key, field) in self.keys.iter().zip(self.schema.fields()) {
            columns.push(cast(&asked.keys[*key], field.data_type())?);
        }
        let known: BooleanArray = (0..asked.count).map(|row| Some(times.is_valid(row))).collect();
        let absent = (0..asked.count).filter(|row| !known.value(*row)).map(|row| first + row as u64);
        self.absent.extend(absent);
        columns.push(ticks.moments(&times));
        let numbers = (0..asked.count as u64).map(|row| i64::try_from(first + row).unwrap_or(i64::MAX));
        columns.push(Arc::new(Int64Array::from_iter_values(numbers)));
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        if known.false_count() == 0 { Ok(batch) } else { filter_record_batch(&batch, &known) }
    }
}

/// As what a key is sent. Moments are read as seconds.
fn key_type(dtype: &DataType) -> ArrowType {
    match dtype {
        DataType::UnixTimestamp => ArrowType::Timestamp(TimeUnit::Second, Some("UTC".into())),
        dtype => carrier(dtype).unwrap_or(ArrowType::Utf8),
    }
}

fn unsendable(error: ArrowError) -> Problem {
    Problem::new(Kind::Internal, format!("cannot send entity rows: {error}"), None)
}
