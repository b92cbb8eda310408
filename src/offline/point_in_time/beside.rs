//! Entity rows as they are, in front of the features that were joined to them.

use std::{collections::VecDeque, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, RecordBatch, TimestampMicrosecondArray},
    compute::{cast, concat},
    datatypes::{DataType as ArrowType, Field, FieldRef, Fields, Metadata, Schema, SchemaRef},
    error::ArrowError,
};

use super::entity_rows::{EntityRows, Time};
use crate::{
    feast::values::encode::micros_in_utc,
    model::{DataType, Timestamp},
    problem::{Kind, Problem},
    retrieval::{EVENT_TIMESTAMP, Retrieval},
    sources::{Holds, Part, Role, Rows, ScanRun, Ticks, Wanted},
};

/// Puts the columns of the entity rows in front of the features that were found for them.
///
/// The join has seen keys and times only; the rest is read once more, beside its result, and comes out as it is.
pub(in crate::offline) struct BesideEntities {
    run: ScanRun,
    part: Option<Part>,
    /// Rows that are read and not yet passed on.
    read: VecDeque<Rows>,
    /// How many columns are read of entity rows.
    entity_columns: usize,
    /// The column with times, if they have some of their own.
    time: Option<usize>,
    /// The time of all rows, if they have none of their own.
    moment: Option<Timestamp>,
    ticks: Ticks,
    schema: SchemaRef,
}

impl BesideEntities {
    /// In front of features of these types.
    ///
    /// # Errors
    /// When a column of the entity rows cannot be read.
    pub(in crate::offline) fn new(
        entities: &EntityRows<'_>,
        (retrieval, features): (&Retrieval, &[ArrowType]),
    ) -> Result<Self, Problem> {
        let (time_column, moment) = match &entities.time {
            Time::Column(column) => (Some(column.as_str()), None),
            Time::At(moment) => (None, Some(*moment)),
        };
        let role = |name: &str, is_text: bool| {
            if Some(name) == time_column {
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
        let time = columns.iter().position(|column| Some(column.name.as_str()) == time_column);
        let scan = entities.file.scan(wanted)?;
        let ticks = time.map_or(Ticks::Micros, |time| scan.ticks(time));
        let metadata = columns.iter().map(|column| match column.kinds.first().map(|kind| &kind.holds) {
            Some(Holds::Typed(field)) => field.metadata().clone(),
            _ => Metadata::default(),
        });
        let mut fields: Vec<Field> = Vec::new();
        for (index, ((kind, column), metadata)) in scan.columns().into_iter().zip(columns).zip(metadata).enumerate() {
            let kind = if Some(index) == time { micros_in_utc() } else { plain_type(kind) };
            fields.push(Field::new(&column.name, kind, true).with_metadata(metadata));
        }
        fields.extend(moment.map(|_| Field::new(EVENT_TIMESTAMP, micros_in_utc(), true)));
        let features = retrieval.outputs().zip(features).map(|(name, kind)| Field::new(name, as_in_feast(kind), true));
        fields.extend(features);
        let schema = Arc::new(Schema::new(Fields::from(fields)));
        Ok(Self {
            entity_columns: columns.len(),
            run: Arc::new(scan).run(),
            part: None,
            read: VecDeque::new(),
            time,
            moment,
            ticks,
            schema,
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
            if Some(index) == self.time {
                return Ok(self.ticks.moments(&array));
            }
            plain(&array)
        };
        let mut columns: Vec<ArrayRef> =
            (0..self.entity_columns).map(column).collect::<Result<_, _>>().map_err(failed)?;
        columns.extend(self.moment.map(|moment| -> ArrayRef {
            Arc::new(TimestampMicrosecondArray::from_value(moment.micros(), count).with_timezone("UTC"))
        }));
        Ok(columns)
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

    /// The columns of the result.
    pub(in crate::offline) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The next entity rows with their features.
    ///
    /// # Errors
    /// When entity rows cannot be read a second time.
    pub(in crate::offline) fn next(&mut self, features: Vec<ArrayRef>, count: usize) -> Result<RecordBatch, Problem> {
        let mut columns = self.take(count)?;
        for feature in features {
            let kind = self.schema.field(columns.len()).data_type();
            columns.push(if feature.data_type() == kind { feature } else { cast(&feature, kind).map_err(failed)? });
        }
        RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(failed)
    }
}

/// A feature's type with the names that the elements of lists have where DuckDB, and so Feast, gives them out.
fn as_in_feast(kind: &ArrowType) -> ArrowType {
    let named = |field: &FieldRef, name: &str| Arc::new(Field::new(name, as_in_feast(field.data_type()), true));
    match kind {
        ArrowType::List(element) => ArrowType::List(named(element, "l")),
        ArrowType::Struct(members) => {
            ArrowType::Struct(members.iter().map(|member| named(member, member.name())).collect())
        }
        kind => kind.clone(),
    }
}

/// The type of values that do not stand in pages.
pub(in crate::offline) fn plain_type(kind: ArrowType) -> ArrowType {
    match kind {
        ArrowType::Utf8View => ArrowType::Utf8,
        ArrowType::BinaryView => ArrowType::Binary,
        kind => kind,
    }
}

/// Values with buffers of their own: where they stood in pages matters to nobody else.
pub(in crate::offline) fn plain(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match plain_type(array.data_type().clone()) {
        kind if kind == *array.data_type() => Ok(Arc::clone(array)),
        kind => cast(array, &kind),
    }
}

fn slice(rows: &Rows, first: usize, count: usize) -> Rows {
    Rows { columns: rows.columns.iter().map(|column| column.slice(first, count)).collect(), count }
}

fn failed(error: ArrowError) -> Problem {
    Problem::new(Kind::Internal, format!("cannot put entity rows and features together: {error}"), None)
}
