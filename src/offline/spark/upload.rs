//! Rows of ours at a server: entity rows with their numbers `n`, times `t` in microseconds and keys `k0`, …, and keys alone.

use std::{ops::Range, sync::Arc};

use arrow::{
    array::{ArrayRef, AsArray as _, Int64Array, RecordBatch, RecordBatchOptions},
    compute::{cast, max, min},
    datatypes::{Field, Int64Type, Schema},
    error::ArrowError,
};

use super::{plan, session::Session, view_rows::key_type};
use crate::{
    offline::point_in_time::Asked,
    problem::{Kind, Problem},
    retrieval::JoinKey,
    sources::Ticks,
};

/// What statements call entity rows.
pub(super) const ENTITIES: &str = "feastr_entities";

/// What is sent at once. Servers take up to 128 MB in one message, and hold them in the memory of one machine.
const MOST_BYTES: usize = 48 << 20;

/// Entity rows, as they are sent. Clones share them.
#[derive(Clone)]
pub(super) struct SentEntities {
    rows: RecordBatch,
}

/// Entity rows that the server knows.
pub(super) struct SentRows {
    /// What statements call them.
    pub(super) name: String,
    /// How many there are.
    pub(super) count: u64,
    /// The first and the last of their times in microseconds, if they have some.
    pub(super) times: Option<(i64, i64)>,
}

impl SentEntities {
    /// Rows that are asked about, by the keys of a join.
    ///
    /// # Errors
    /// When keys are of a type that is not joined on Spark.
    pub(super) fn of(asked: &Asked, ticks: Ticks, keys: &[&JoinKey]) -> Result<Self, Problem> {
        let numbers = Int64Array::from_iter_values(0..i64::try_from(asked.count).unwrap_or(i64::MAX));
        let times: Int64Array = asked.times.unary(|time| ticks.to_micros(time));
        let mut columns: Vec<(String, ArrayRef)> =
            vec![("n".to_owned(), Arc::new(numbers)), ("t".to_owned(), Arc::new(times))];
        for (index, (array, key)) in asked.keys.iter().zip(keys).enumerate() {
            columns.push((format!("k{index}"), sent_key(array, key)?));
        }
        Ok(Self { rows: batch(columns, asked.count)? })
    }

    /// The same with more columns, `e0`, …, which are not joined by.
    ///
    /// # Errors
    /// When they have other lengths.
    pub(super) fn with(self, columns: Vec<ArrayRef>) -> Result<Self, Problem> {
        let count = self.rows.num_rows();
        let own = self.rows.schema();
        let own = own.fields().iter().map(|field| field.name().clone()).zip(self.rows.columns().to_vec());
        let more = columns.into_iter().enumerate().map(|(column, array)| (format!("e{column}"), array));
        Ok(Self { rows: batch(own.chain(more).collect(), count)? })
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.rows.num_rows()
    }

    /// The first and the last of their times in microseconds, if they have some.
    pub(super) fn times(&self) -> Option<(i64, i64)> {
        times(&self.rows)
    }

    /// The rows with numbers that begin elsewhere.
    ///
    /// # Errors
    /// Never, unless there are too many rows.
    pub(super) fn numbered_from(&self, first: usize) -> Result<RecordBatch, Problem> {
        let first = i64::try_from(first).unwrap_or(i64::MAX);
        let numbers = self.rows.column(0).as_primitive::<Int64Type>().unary::<_, Int64Type>(|number| number + first);
        let mut columns = self.rows.columns().to_vec();
        columns[0] = Arc::new(numbers);
        RecordBatch::try_new(self.rows.schema(), columns).map_err(unsendable)
    }

    /// Rows that are sent one after the other, so many at once as a message takes.
    pub(super) fn parts(&self) -> Vec<Range<usize>> {
        let (count, bytes) = (self.rows.num_rows(), self.rows.get_array_memory_size());
        let at_once = count.div_ceil(bytes.div_ceil(MOST_BYTES).max(1)).max(1);
        (0..count).step_by(at_once).map(|first| first..count.min(first + at_once)).collect()
    }

    /// Makes some of them known to the server.
    ///
    /// # Errors
    /// When it does not take them.
    pub(super) fn send(&self, session: &Session, part: &Range<usize>) -> Result<SentRows, Problem> {
        let part = self.rows.slice(part.start, part.len());
        let name = session.name(ENTITIES, plan::upload(&part).map_err(unsendable)?)?;
        Ok(SentRows { name, count: part.num_rows() as u64, times: times(&part) })
    }
}

fn times(rows: &RecordBatch) -> Option<(i64, i64)> {
    let times = rows.column(1).as_primitive::<Int64Type>();
    min(times).zip(max(times))
}

/// Makes keys known to the server under a name, which it gives, as columns `k0`, ….
///
/// # Errors
/// When they are more than a message takes, or the server does not take them.
pub(super) fn send_keys(session: &Session, name: &str, keys: Vec<ArrayRef>, count: usize) -> Result<String, Problem> {
    let columns = keys.into_iter().enumerate().map(|(index, key)| (format!("k{index}"), key)).collect();
    let rows = batch(columns, count)?;
    if rows.get_array_memory_size() > MOST_BYTES {
        let message = format!("{count} entities are more than can be sent to Spark at once");
        return Err(Problem::new(Kind::Unsupported, message, "ask about fewer at a time, or about all".to_owned()));
    }
    session.name(name, plan::upload(&rows).map_err(unsendable)?)
}

/// A key as it is compared.
///
/// # Errors
/// When it is of a type that is not joined on Spark.
pub(super) fn sent_key(array: &ArrayRef, key: &JoinKey) -> Result<ArrayRef, Problem> {
    let Some(kind) = key_type(&key.field.dtype) else {
        let message = format!(
            "join key `{}` is {}, and on Spark whole numbers and texts are joined",
            key.column, key.field.dtype
        );
        let help = "give its entity the value_type INT64 or STRING".to_owned();
        return Err(Problem::new(Kind::Unsupported, message, help));
    };
    cast(array, &kind).map_err(unsendable)
}

fn batch(columns: Vec<(String, ArrayRef)>, count: usize) -> Result<RecordBatch, Problem> {
    let fields = columns.iter().map(|(name, column)| Field::new(name, column.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let options = RecordBatchOptions::new().with_row_count(Some(count));
    let columns = columns.into_iter().map(|(_, column)| column).collect();
    RecordBatch::try_new_with_options(schema, columns, &options).map_err(unsendable)
}

fn unsendable(error: ArrowError) -> Problem {
    Problem::new(Kind::Internal, format!("cannot send rows to Spark: {error}"), None)
}

#[cfg(test)]
mod tests {
    use arrow::array::StringArray;

    use super::*;
    use crate::model::{DataType, Field as FeatureField};

    fn sent(keys: ArrayRef, dtype: DataType) -> Result<SentEntities, Problem> {
        let count = keys.len();
        let times = Int64Array::from_iter_values((0..count as i64).map(|row| row * 1000 + 1));
        let key = JoinKey { field: FeatureField::new("key", dtype), column: "key".to_owned() };
        SentEntities::of(&Asked { keys: vec![keys], times, count }, Ticks::Nanos, &[&key])
    }

    #[test]
    fn what_is_too_large_for_a_message_goes_in_several() {
        let few = sent(Arc::new(Int64Array::from(vec![1, 2, 3])), DataType::Int64).unwrap();
        assert!(matches!(few.parts().as_slice(), [part] if *part == (0..3)));
        assert_eq!(few.rows.column(1).as_primitive::<Int64Type>().values(), &[0, 1, 2]);
        let long = "x".repeat(1 << 20);
        let texts: ArrayRef = Arc::new(StringArray::from_iter_values(std::iter::repeat_n(long.as_str(), 100)));
        let parts = sent(texts, DataType::String).unwrap().parts();
        assert!(parts.len() == 3 && parts.iter().map(ExactSizeIterator::len).sum::<usize>() == 100, "{parts:?}");
    }

    #[test]
    fn keys_that_engines_compare_otherwise_are_refused() {
        let keys: ArrayRef = Arc::new(Int64Array::from(vec![1]));
        let problem = sent(keys, DataType::UnixTimestamp).err().unwrap();
        assert!(problem.kind == Kind::Unsupported && problem.message.contains("`key`"), "{problem:?}");
    }
}
