//! Entity rows as they are, in front of the features that were joined to them.

use std::{collections::VecDeque, ops::ControlFlow, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, RecordBatch},
    compute::{cast, concat},
    datatypes::{DataType as ArrowType, Field, Metadata, Schema, SchemaRef},
    error::ArrowError,
};

use super::entity_rows::EntityTable;
use crate::{
    feast::values::encode::micros_in_utc,
    model::DataType,
    offline::BatchSink,
    problem::{Kind, Problem},
    retrieval::Retrieval,
    sources::{Holds, Part, Role, Rows, ScanRun, Ticks, Wanted},
};

/// Puts the columns of the entity rows in front of the features that were found for them.
///
/// The engine has seen keys and times only; the rest is read once more, beside its result, and comes
/// out as it is. The result's first column is the number of the entity row, which ends here.
pub(crate) struct BesideEntities<'a> {
    run: ScanRun,
    part: Option<Part>,
    /// Rows that are read and not yet passed on.
    read: VecDeque<Rows>,
    /// Names of the entity columns, then of the features.
    names: Vec<String>,
    /// What files say besides of the entity columns, such as that bytes are UUIDs.
    metadata: Vec<Metadata>,
    /// How many are of entity rows.
    entity_columns: usize,
    time: usize,
    ticks: Ticks,
    schema: SchemaRef,
    sink: &'a mut dyn BatchSink,
    failure: Option<Problem>,
}

impl<'a> BesideEntities<'a> {
    pub(crate) fn new(
        entities: &EntityTable<'_>,
        retrieval: &Retrieval,
        sink: &'a mut dyn BatchSink,
    ) -> Result<Self, Problem> {
        let role = |name: &str, is_text: bool| {
            if name == entities.time_column {
                return Role::Time;
            }
            // Texts of a join key are what the key is.
            match entities.key_type(name).filter(|dtype| is_text && **dtype != DataType::UnixTimestamp) {
                Some(dtype) => Role::EntityKey(dtype.clone()),
                None => Role::AsIs,
            }
        };
        let columns = &entities.file.columns().columns;
        let wanted: Vec<Wanted> = columns
            .iter()
            .map(|column| {
                let is_text = column.kinds.iter().any(|kind| kind.holds.is_text());
                Wanted { column: column.name.clone(), role: role(&column.name, is_text), null_if_unfit: false }
            })
            .collect();
        let time = columns.iter().position(|column| column.name == entities.time_column).unwrap_or_default();
        let scan = entities.file.scan(wanted)?;
        let ticks = scan.ticks(time);
        let mut names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        let metadata = columns.iter().map(|column| match column.kinds.first().map(|kind| &kind.holds) {
            Some(Holds::Typed(field)) => field.metadata().clone(),
            _ => Metadata::default(),
        });
        let metadata = metadata.collect();
        let entity_columns = names.len();
        names.extend(retrieval.outputs().map(str::to_owned));
        Ok(Self {
            run: Arc::new(scan).run(),
            part: None,
            read: VecDeque::new(),
            names,
            metadata,
            entity_columns,
            time,
            ticks,
            schema: Arc::new(Schema::empty()),
            sink,
            failure: None,
        })
    }

    /// The next entity rows.
    fn take(&mut self, count: usize) -> Result<Vec<ArrayRef>, Problem> {
        let mut pieces: Vec<Rows> = Vec::new();
        let mut missing = count;
        while missing > 0 {
            let Some(rows) = self.read.pop_front() else {
                self.read_more()?;
                continue;
            };
            if rows.count > missing {
                self.read.push_front(slice(&rows, missing, rows.count - missing));
                pieces.push(slice(&rows, 0, missing));
                missing = 0;
            } else {
                missing -= rows.count;
                pieces.push(rows);
            }
        }
        let column = |index: usize| -> Result<ArrayRef, ArrowError> {
            let arrays: Vec<&dyn Array> = pieces.iter().map(|rows| rows.columns[index].as_ref()).collect();
            let array = match arrays.as_slice() {
                [_] => Arc::clone(&pieces[0].columns[index]),
                _ => concat(&arrays)?,
            };
            if index == self.time {
                return Ok(self.ticks.moments(&array));
            }
            // Where they stood in pages matters to nobody else.
            match array.data_type() {
                ArrowType::Utf8View => cast(&array, &ArrowType::Utf8),
                ArrowType::BinaryView => cast(&array, &ArrowType::Binary),
                _ => Ok(array),
            }
        };
        (0..self.entity_columns).map(column).collect::<Result<_, _>>().map_err(failed)
    }

    fn read_more(&mut self) -> Result<(), Problem> {
        loop {
            let part = match &mut self.part {
                Some(part) => part,
                none => match self.run.part()? {
                    Some(part) => none.insert(part),
                    None => {
                        return Err(Problem::new(Kind::Conflict, "the entity rows changed while they were read", None));
                    }
                },
            };
            match self.run.batch(part)? {
                Some(rows) => {
                    self.read.push_back(rows);
                    return Ok(());
                }
                None => self.part = None,
            }
        }
    }

    fn pass_on(&mut self, features: &[ArrayRef], count: usize) -> Result<ControlFlow<()>, Problem> {
        if count == 0 {
            return Ok(ControlFlow::Continue(()));
        }
        let mut columns = self.take(count)?;
        columns.extend(features.iter().cloned());
        Ok(self.sink.batch(&RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(failed)?))
    }

    /// Ends the result.
    ///
    /// # Errors
    /// When entity rows could not be read a second time.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        self.failure.map_or(Ok(()), Err)
    }
}

impl BatchSink for BesideEntities<'_> {
    fn start(&mut self, schema: &SchemaRef) -> ControlFlow<()> {
        let mut fields: Vec<Field> = Vec::with_capacity(self.names.len());
        for (index, kind) in self.run.columns().into_iter().enumerate() {
            let kind = match kind {
                _ if index == self.time => micros_in_utc(),
                ArrowType::Utf8View => ArrowType::Utf8,
                ArrowType::BinaryView => ArrowType::Binary,
                kind => kind,
            };
            let metadata = self.metadata[index].clone();
            fields.push(Field::new(&self.names[index], kind, true).with_metadata(metadata));
        }
        let features = self.names[self.entity_columns..].iter().zip(&schema.fields()[1..]);
        fields.extend(features.map(|(name, field)| Field::new(name, field.data_type().clone(), true)));
        self.schema = Arc::new(Schema::new(fields));
        self.sink.start(&self.schema)
    }

    fn batch(&mut self, batch: &RecordBatch) -> ControlFlow<()> {
        match self.pass_on(&batch.columns()[1..], batch.num_rows()) {
            Ok(flow) => flow,
            Err(error) => {
                self.failure = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

fn slice(rows: &Rows, first: usize, count: usize) -> Rows {
    Rows { columns: rows.columns.iter().map(|column| column.slice(first, count)).collect(), count }
}

fn failed(error: ArrowError) -> Problem {
    Problem::new(Kind::Internal, format!("cannot put entity rows and features together: {error}"), None)
}
