//! The newest row of each entity, found by the cluster.

use std::{ops::ControlFlow, sync::Arc};

use arrow::{
    array::{ArrayRef, AsArray as _, RecordBatch},
    datatypes::{DataType as ArrowType, Field, Int64Type, Schema, SchemaRef},
    error::ArrowError,
};

use super::{
    answer::Declared,
    cluster::Cluster,
    only::Only,
    sql::{descending, quoted},
    taking::{Takes, taken},
    view_rows::ViewRows,
};
use crate::{
    feast::values::encode::micros_in_utc,
    model::{FeatureView, Interval},
    offline::{
        BatchSink, NewestQuery, NewestRead,
        point_in_time::{plain, plain_type},
        view_source::wanted_feature,
    },
    problem::{Kind, Problem},
    sources::{OpenSource, Role, Ticks, Wanted},
};

/// Columns of the answer beside keys and features: event and creation time in microseconds, and how many rows were as new.
const BESIDE: [&str; 3] = ["__feastr_event", "__feastr_created", "__feastr_rows"];

/// Streams the newest row per entity: keys, event time, creation time, features.
///
/// # Errors
/// When the source cannot be read or lacks a column, the cluster refuses, or it is called off.
pub(super) fn run(
    cluster: &Cluster<'_>,
    query: &NewestQuery<'_>,
    sink: &mut dyn BatchSink,
) -> Result<NewestRead, Problem> {
    let rows = cluster.rows_of(query.view)?;
    let features: Vec<usize> = (0..query.view.features.len()).collect();
    rows.kinds(&features)?;
    let only = Only::send(query.entities, query.view, &cluster.session)?;
    let statement = statement(&rows, query.interval, &only, &Columns::of_answers(query.view));
    let mut newest = NewestRows::new(query.view, sink);
    taken(&cluster.session, &statement, &mut newest)?;
    Ok(newest.read())
}

/// Streams the newest rows of a file that the cluster has written with [`Columns::in_files`].
///
/// # Errors
/// When it cannot be read, or is none.
pub(crate) fn read_file(
    view: &FeatureView,
    file: &OpenSource,
    sink: &mut dyn BatchSink,
) -> Result<NewestRead, Problem> {
    let broken = |error: ArrowError| Problem::new(Kind::Internal, error.to_string(), None);
    let as_is = |column: String| Wanted { column, role: Role::AsIs, null_if_unfit: false };
    let scan = Arc::new(file.scan(Columns::in_files(view, 1).names.into_iter().map(as_is).collect())?);
    let kinds = scan.columns().into_iter().map(plain_type);
    // Messages name the columns of the view.
    let fields =
        Columns::of_answers(view).names.into_iter().zip(kinds).map(|(name, kind)| Field::new(name, kind, true));
    let columns = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let mut newest = NewestRows::new(view, sink);
    if newest.begin(&columns)?.is_break() {
        return Ok(newest.read());
    }
    let run = scan.run();
    while let Some(mut part) = run.part()? {
        while let Some(rows) = run.batch(&mut part)? {
            let values = rows.columns.iter().map(plain).collect::<Result<Vec<_>, _>>().map_err(broken)?;
            let rows = RecordBatch::try_new(Arc::clone(&columns), values).map_err(broken)?;
            if newest.take(&rows)?.is_break() {
                return Ok(newest.read());
            }
        }
    }
    Ok(newest.read())
}

/// How the columns of newest rows are called: keys, those [`BESIDE`], features.
pub(super) struct Columns {
    names: Vec<String>,
    /// A word to the cluster about how rows are divided.
    hint: String,
}

impl Columns {
    /// Where they stream back.
    fn of_answers(view: &FeatureView) -> Self {
        let keys = view.join_keys().iter().map(|key| key.name.clone());
        let features = view.features.iter().map(|field| field.name.clone());
        Self { names: keys.chain(BESIDE.map(str::to_owned)).chain(features).collect(), hint: String::new() }
    }

    /// In about so many files: names that differ in more than case, whatever features are called.
    pub(super) fn in_files(view: &FeatureView, files: u32) -> Self {
        let keys = (0..view.join_keys().len()).map(|key| format!("k{key}"));
        let features = (0..view.features.len()).map(|feature| format!("f{feature}"));
        let names = keys.chain(["t", "c", "n"].map(str::to_owned)).chain(features).collect();
        Self { names, hint: format!("/*+ REPARTITION({files}) */ ") }
    }
}

/// The columns of the answer, as what is declared.
fn wanted(view: &FeatureView) -> Vec<Wanted> {
    let keys = view.join_keys().iter().map(|key| Wanted {
        column: key.name.clone(),
        role: Role::Key(key.dtype.clone()),
        null_if_unfit: false,
    });
    let as_is = |name: &str| Wanted { column: name.to_owned(), role: Role::AsIs, null_if_unfit: false };
    let features = view.features.iter().map(|field| wanted_feature(view, &field.name, field));
    keys.chain(BESIDE.map(as_is)).chain(features).collect()
}

/// The statement. Rows that are equally new are ranked first, so that few are left when values decide between them.
pub(super) fn statement(rows: &ViewRows<'_>, interval: Interval, only: &Only, columns: &Columns) -> String {
    let (keys, view) = (rows.key_names(), rows.view());
    let features: Vec<usize> = (0..view.features.len()).collect();
    let mut conditions = rows.inside((Some(interval.start.micros()), Some(interval.end.micros())));
    conditions.extend(rows.of_entities());
    let source = only.confined(&rows.select(&features, &conditions));
    let partition = if keys.is_empty() { String::new() } else { format!("PARTITION BY {} ", keys.join(", ")) };
    // There is one entity without keys: all but its newest moment is left out before anything is sorted.
    let newest = if keys.is_empty() { " WHERE t = (SELECT max(t) FROM s)" } else { "" };
    let content: Vec<String> = rows.content().iter().map(|feature| format!("f{feature}")).collect();
    let content = if content.is_empty() { "t".to_owned() } else { descending(content.iter().map(String::as_str)) };
    let named = |(column, name): (String, &String)| format!("{column} AS {}", quoted(name));
    let found = keys.iter().cloned().chain(["t", "c", "n"].map(str::to_owned));
    let found = found.chain(features.iter().map(|feature| format!("f{feature}"))).zip(&columns.names);
    let selected: Vec<String> = found.map(named).collect();
    format!(
        "WITH s AS ({source}),\n\
         ranked AS (SELECT *, rank() OVER ({partition}ORDER BY {}) AS __rank FROM s{newest}),\n\
         chosen AS (SELECT *, row_number() OVER ({partition}ORDER BY {content}) AS __place, count(*) OVER ({}) AS n FROM ranked \
         WHERE __rank = 1)\n\
         SELECT {}{} FROM chosen WHERE __place = 1",
        descending(["t", "c"]),
        partition.trim_end(),
        columns.hint,
        selected.join(", ")
    )
}

/// Takes the rows of the answer and hands them on.
struct NewestRows<'a> {
    declared: Declared,
    keys: usize,
    /// The types of the columns as they are declared.
    kinds: Vec<ArrowType>,
    schema: SchemaRef,
    ties: u64,
    sink: &'a mut dyn BatchSink,
}

impl<'a> NewestRows<'a> {
    fn new(view: &FeatureView, sink: &'a mut dyn BatchSink) -> Self {
        let source = view.source.as_ref().map(|source| source.name.as_str()).unwrap_or_default();
        Self {
            declared: Declared::new(wanted(view), format!("the newest rows of data source `{source}`")),
            keys: view.join_keys().len(),
            kinds: Vec::new(),
            schema: Arc::new(Schema::empty()),
            ties: 0,
            sink,
        }
    }

    /// What was noticed so far.
    const fn read(&self) -> NewestRead {
        NewestRead { unfit: self.declared.unfit, ties: self.ties }
    }
}

impl Takes for NewestRows<'_> {
    fn begin(&mut self, columns: &Schema) -> Result<ControlFlow<()>, Problem> {
        self.kinds = self.declared.kinds(columns)?;
        let names = (0..self.keys).map(|key| format!("k{key}")).chain(["t".to_owned(), "created".to_owned()]);
        let features = (0..self.kinds.len() - self.keys - BESIDE.len()).map(|feature| format!("f{feature}"));
        let times = [micros_in_utc(), micros_in_utc()];
        let kinds = self.kinds[..self.keys].iter().chain(&times).chain(&self.kinds[self.keys + BESIDE.len()..]);
        let fields = names.chain(features).zip(kinds).map(|(name, kind)| Field::new(name, kind.clone(), true));
        self.schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        Ok(self.sink.start(&self.schema))
    }

    fn take(&mut self, rows: &RecordBatch) -> Result<ControlFlow<()>, Problem> {
        let mut columns: Vec<ArrayRef> = self.declared.read(rows, &self.kinds)?;
        let equal = columns.remove(self.keys + 2);
        let equal = equal.as_primitive_opt::<Int64Type>().into_iter().flatten().flatten();
        self.ties += equal.map(|rows| u64::try_from(rows - 1).unwrap_or(0)).sum::<u64>();
        for column in &mut columns[self.keys..self.keys + 2] {
            *column = Ticks::Micros.moments(column);
        }
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns);
        let batch = batch.map_err(|error| Problem::new(Kind::Internal, error.to_string(), None))?;
        Ok(self.sink.batch(&batch))
    }
}
