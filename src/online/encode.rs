//! Rows of sources in wire form: keys and values as online stores keep them.

use std::ops::Range;

use arrow::{
    array::{Array, AsArray, RecordBatch},
    datatypes::TimestampMicrosecondType,
};

use super::writer::EncodedRow;
use crate::{
    feast::values::{
        encode::{BoundColumn, ColumnEncoder, EncodeError, KeyColumn},
        entity_key::{EntityKeyEncoder, EntityKeyError, KeyPart},
    },
    model::{DUMMY_JOIN_KEY, FeatureView, OutOfRange, Timestamp},
    problem::{Kind, Problem},
};

/// Why rows have no wire form.
#[derive(Debug, thiserror::Error)]
pub enum EncodeBatchError {
    /// A join key that does not fit.
    #[error("join key `{name}`: {source}")]
    Key {
        /// The column.
        name: String,
        /// Why not.
        #[source]
        source: EncodeError,
    },
    /// A value of a feature that does not fit.
    #[error("feature `{name}` of the entity with {entity}: {source}")]
    Value {
        /// The feature.
        name: String,
        /// Whose value it is.
        entity: String,
        /// Why not.
        #[source]
        source: EncodeError,
    },
    /// A column that does not fit the declared type.
    #[error("feature `{name}`: {source}")]
    Column {
        /// As the file has it.
        name: String,
        /// Why not.
        #[source]
        source: EncodeError,
    },
    /// Join keys that make no key.
    #[error(transparent)]
    EntityKey(#[from] EntityKeyError),
    /// The batch has other columns than the view.
    #[error("the engine returned other columns than asked for")]
    UnexpectedColumns,
}

impl From<EncodeBatchError> for Problem {
    fn from(error: EncodeBatchError) -> Self {
        let kind = match error {
            EncodeBatchError::UnexpectedColumns => Kind::Internal,
            _ => Kind::Invalid,
        };
        Self::new(kind, error.to_string(), None)
    }
}

/// Turns batches of newest rows into keys and values on the wire.
///
/// A batch has the columns that offline stores give for the newest rows of a view: join keys, event time,
/// creation time, features.
pub struct BatchEncoder<'a> {
    view: &'a FeatureView,
    out_of_range: OutOfRange,
}

/// The wire form of a batch: one buffer, and where each piece is in it.
pub struct EncodedBatch {
    buffer: Vec<u8>,
    rows: Vec<RowPieces>,
    /// Those of all rows, one row behind the other.
    values: Vec<Range<usize>>,
    /// Values that became null because they do not fit their type.
    pub out_of_range: u64,
}

struct RowPieces {
    key: Range<usize>,
    event: Timestamp,
    created: Option<Timestamp>,
}

impl EncodedBatch {
    /// The rows, borrowed from the buffer.
    pub fn rows(&self) -> Vec<EncodedRow<'_>> {
        let slice = |range: &Range<usize>| &self.buffer[range.clone()];
        let width = self.values.len().checked_div(self.rows.len()).unwrap_or(0);
        let row = |(index, row): (usize, &RowPieces)| EncodedRow {
            key: slice(&row.key),
            event: row.event,
            created: row.created,
            values: self.values[index * width..(index + 1) * width].iter().map(slice).collect(),
        };
        self.rows.iter().enumerate().map(row).collect()
    }
}

impl<'a> BatchEncoder<'a> {
    /// Encodes rows of a view; it decides what happens to values that do not fit.
    pub fn new(view: &'a FeatureView, out_of_range: OutOfRange) -> Self {
        Self { view, out_of_range }
    }

    /// Encodes a batch; rows one of whose join keys is null are left out.
    ///
    /// # Errors
    /// When a value does not fit its declared type; the feature and the entity are named.
    pub fn encode(&self, batch: &RecordBatch) -> Result<EncodedBatch, EncodeBatchError> {
        let join_keys = self.view.join_keys();
        let times = join_keys.len();
        if batch.num_columns() != times + 2 + self.view.features.len() {
            return Err(EncodeBatchError::UnexpectedColumns);
        }
        let keys = self.bind_keys(batch)?;
        let time = |index: usize| {
            let column = batch.column(index).as_primitive_opt::<TimestampMicrosecondType>();
            column.ok_or(EncodeBatchError::UnexpectedColumns)
        };
        let (events, created) = (time(times)?, time(times + 1)?);
        let columns = self.bind_features(batch, times + 2)?;
        let key_encoder = self.key_encoder()?;

        let mut encoded = EncodedBatch {
            buffer: Vec::with_capacity(batch.num_rows() * (64 + 12 * columns.len())),
            rows: Vec::with_capacity(batch.num_rows()),
            values: Vec::with_capacity(batch.num_rows() * columns.len()),
            out_of_range: 0,
        };
        let mut parts = Vec::with_capacity(keys.len());
        for row in 0..batch.num_rows() {
            if !self.read_key(&keys, row, &mut parts)? || events.is_null(row) {
                continue;
            }
            let key = append(&mut encoded.buffer, |buffer| key_encoder.encode(&parts, buffer))?;
            for (feature, column) in self.view.features.iter().zip(&columns) {
                let value = append(&mut encoded.buffer, |buffer| match column.encode(row, buffer) {
                    Err(error) if self.out_of_range == OutOfRange::AsNull && error.is_about_a_value() => {
                        encoded.out_of_range += 1;
                        Ok(())
                    }
                    outcome => outcome,
                });
                encoded.values.push(value.map_err(|source| EncodeBatchError::Value {
                    name: feature.name.clone(),
                    entity: self.describe(&parts),
                    source,
                })?);
            }
            encoded.rows.push(RowPieces {
                key,
                event: Timestamp::from_micros(events.value(row)),
                created: created.is_valid(row).then(|| Timestamp::from_micros(created.value(row))),
            });
        }
        Ok(encoded)
    }

    /// Entity-less views live under the dummy key, whose value is the empty text.
    fn key_encoder(&self) -> Result<EntityKeyEncoder, EntityKeyError> {
        if self.view.is_entityless() {
            return EntityKeyEncoder::new(&[DUMMY_JOIN_KEY]);
        }
        let names: Vec<&str> = self.view.join_keys().iter().map(|column| column.name.as_str()).collect();
        EntityKeyEncoder::new(&names)
    }

    fn bind_keys(&self, batch: &RecordBatch) -> Result<Vec<KeyColumn>, EncodeBatchError> {
        let bind = |(index, column): (usize, &crate::model::Field)| {
            KeyColumn::bind(&column.dtype, batch.column(index))
                .map_err(|source| EncodeBatchError::Key { name: column.name.clone(), source })
        };
        self.view.join_keys().iter().enumerate().map(bind).collect()
    }

    fn bind_features(&self, batch: &RecordBatch, first: usize) -> Result<Vec<BoundColumn>, EncodeBatchError> {
        let bind = |(index, feature): (usize, &crate::model::Field)| {
            let array = batch.column(first + index);
            ColumnEncoder::new(&feature.dtype, array.data_type())
                .and_then(|encoder| encoder.bind(array))
                .map_err(|source| EncodeBatchError::Column { name: feature.name.clone(), source })
        };
        self.view.features.iter().enumerate().map(bind).collect()
    }

    /// Reads the key of a row into `parts`; `false` when a part is null.
    fn read_key<'k>(
        &self,
        keys: &'k [KeyColumn],
        row: usize,
        parts: &mut Vec<KeyPart<'k>>,
    ) -> Result<bool, EncodeBatchError> {
        parts.clear();
        if self.view.is_entityless() {
            parts.push(KeyPart::String(""));
            return Ok(true);
        }
        for (column, key) in self.view.join_keys().iter().zip(keys) {
            let part = key.part(row).map_err(|source| EncodeBatchError::Key { name: column.name.clone(), source })?;
            match part {
                Some(part) => parts.push(part),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// The entity in words, for messages.
    fn describe(&self, parts: &[KeyPart<'_>]) -> String {
        let pairs = self.view.join_keys().iter().zip(parts).map(|(column, part)| format!("{}={part}", column.name));
        pairs.collect::<Vec<_>>().join(", ")
    }
}

/// Lets `write` append to the buffer and tells where the new bytes are.
fn append<E>(buffer: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<Range<usize>, E> {
    let start = buffer.len();
    write(buffer)?;
    Ok(start..buffer.len())
}
