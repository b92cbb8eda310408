//! Entities by the values of their join keys.

use std::sync::Arc;

use ahash::RandomState;
use arrow::{
    array::{Array, ArrayRef, AsArray, Int64Array},
    datatypes::{DataType as ArrowType, Int32Type, Int64Type},
    error::ArrowError,
    row::{RowConverter, SortField},
};
use hashbrown::HashMap;

use super::beside::plain;

/// Number of an entity, from 0.
pub(super) type Entity = u32;

/// Stands for no entity: some key is null, or nobody asks about it.
pub(super) const NOBODY: Entity = u32::MAX;

/// The entities that somebody asks about.
pub(super) enum Keys {
    /// There is one, because there are no join keys.
    Everything,
    /// Those with one key that is a number.
    Numbers(HashMap<i64, Entity, RandomState>),
    /// Those with other keys, as bytes that are equal where the values are.
    Bytes(RowConverter, HashMap<Box<[u8]>, Entity, RandomState>),
}

impl Keys {
    /// The entities of rows with these key columns, and the entity of each row.
    ///
    /// # Errors
    /// When values of a column cannot be compared.
    pub(super) fn of(columns: &[ArrayRef], rows: usize) -> Result<(Self, Vec<Entity>), ArrowError> {
        match columns {
            [] => Ok((Self::Everything, vec![0; rows])),
            columns => {
                if let [column] = columns
                    && let Some(numbers) = numbers(column)
                {
                    return Ok(Self::of_numbers(&numbers));
                }
                let columns = comparable(columns)?;
                let fields = columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
                let converter = RowConverter::new(fields)?;
                let mut known: HashMap<Box<[u8]>, Entity, RandomState> = HashMap::default();
                let bytes = converter.convert_columns(&columns)?;
                let mut entity = |row: usize| {
                    if is_null(&columns, row) {
                        return NOBODY;
                    }
                    let bytes = bytes.row(row);
                    known.get(bytes.data()).copied().unwrap_or_else(|| {
                        let next = known.len() as Entity;
                        known.insert(bytes.data().into(), next);
                        next
                    })
                };
                let entities = (0..rows).map(&mut entity).collect();
                Ok((Self::Bytes(converter, known), entities))
            }
        }
    }

    fn of_numbers(numbers: &Int64Array) -> (Self, Vec<Entity>) {
        let mut known: HashMap<i64, Entity, RandomState> = HashMap::default();
        let mut entity = |number: i64| {
            let next = known.len() as Entity;
            *known.entry(number).or_insert(next)
        };
        let entities = numbers.iter().map(|number| number.map_or(NOBODY, &mut entity)).collect();
        (Self::Numbers(known), entities)
    }

    /// The values of each key column, in no order.
    ///
    /// # Errors
    /// When they cannot be had back.
    pub(super) fn values(&self) -> Result<Vec<ArrayRef>, ArrowError> {
        match self {
            Self::Everything => Ok(Vec::new()),
            Self::Numbers(known) => Ok(vec![Arc::new(Int64Array::from_iter_values(known.keys().copied()))]),
            Self::Bytes(converter, known) => {
                let parser = converter.parser();
                converter.convert_rows(known.keys().map(|bytes| parser.parse(bytes)))
            }
        }
    }

    /// How many entities there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Everything => 1,
            Self::Numbers(known) => known.len(),
            Self::Bytes(_, known) => known.len(),
        }
    }

    /// The entities of rows with these key columns, which are of the same types.
    ///
    /// # Errors
    /// When they are not.
    pub(super) fn find(&self, columns: &[ArrayRef], rows: usize) -> Result<Vec<Entity>, ArrowError> {
        match (self, columns) {
            (Self::Everything, _) => Ok(vec![0; rows]),
            (Self::Numbers(known), [column]) => {
                let numbers = numbers(column).ok_or_else(|| other_type(column))?;
                let find = |number: Option<i64>| known.get(&number?).copied();
                Ok(numbers.iter().map(|number| find(number).unwrap_or(NOBODY)).collect())
            }
            (Self::Numbers(_), _) => Err(ArrowError::InvalidArgumentError("there is one join key".to_owned())),
            (Self::Bytes(converter, known), columns) => {
                let columns = comparable(columns)?;
                let bytes = converter.convert_columns(&columns)?;
                let find = |row: usize| match is_null(&columns, row) {
                    true => NOBODY,
                    false => known.get(bytes.row(row).data()).copied().unwrap_or(NOBODY),
                };
                Ok((0..rows).map(find).collect())
            }
        }
    }
}

/// Whole numbers of a column, if it holds some.
fn numbers(column: &ArrayRef) -> Option<Int64Array> {
    match column.data_type() {
        ArrowType::Int64 => Some(column.as_primitive::<Int64Type>().clone()),
        ArrowType::Int32 => Some(column.as_primitive::<Int32Type>().unary(i64::from)),
        _ => None,
    }
}

fn other_type(column: &ArrayRef) -> ArrowError {
    ArrowError::InvalidArgumentError(format!("a join key of {} is compared with whole numbers", column.data_type()))
}

/// Values whose bytes can be compared.
fn comparable(columns: &[ArrayRef]) -> Result<Vec<ArrayRef>, ArrowError> {
    columns.iter().map(plain).collect()
}

fn is_null(columns: &[ArrayRef], row: usize) -> bool {
    columns.iter().any(|column| column.is_null(row))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int32Array, StringArray, StringViewArray};

    use super::*;

    #[test]
    fn equal_keys_are_one_entity_and_null_is_nobody() {
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(7), None, Some(9), Some(7)]));
        let (keys, entities) = Keys::of(&[Arc::clone(&numbers)], 4).unwrap();
        assert_eq!((entities, keys.len()), (vec![0, NOBODY, 1, 0], 2));
        let others: ArrayRef = Arc::new(Int64Array::from(vec![Some(9), Some(8), None]));
        assert_eq!(keys.find(&[others], 3).unwrap(), [1, NOBODY, NOBODY]);

        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), Some("a"), None, Some("")]));
        let (keys, entities) = Keys::of(&[numbers, texts], 4).unwrap();
        assert_eq!((entities, keys.len()), (vec![0, NOBODY, NOBODY, 1], 2));
        let asked: [ArrayRef; 2] =
            [Arc::new(Int64Array::from(vec![7, 7])), Arc::new(StringViewArray::from(vec!["", "a"]))];
        assert_eq!(keys.find(&asked, 2).unwrap(), [1, 0]);
        let other_types: [ArrayRef; 2] = [Arc::new(Int32Array::from(vec![7])), Arc::clone(&asked[1])];
        assert!(keys.find(&other_types, 1).is_err());
    }

    #[test]
    fn without_keys_there_is_one_entity() {
        let (keys, entities) = Keys::of(&[], 3).unwrap();
        assert_eq!((entities, keys.len()), (vec![0; 3], 1));
        assert_eq!(keys.find(&[], 2).unwrap(), [0, 0]);
    }
}
