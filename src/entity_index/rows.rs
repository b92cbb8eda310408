//! The rows of a file as the index keeps them: of each entity its key, and the times. No other column is read.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray as _, BooleanArray, Int64Array},
    compute::{filter, is_not_null},
    datatypes::Int64Type,
    error::ArrowError,
};

use super::{
    database::EntityRows,
    views::{IndexedEntity, IndexedView},
};
use crate::{
    problem::{Kind, Problem},
    sources::{OpenSource, Part, Role, ScanRun, Ticks, Wanted, as_texts},
};

/// Reads the rows of one entity, part by part.
pub(super) struct FileRows {
    run: ScanRun,
    part: Option<Part>,
    /// What event times count, and creation times, if there are any.
    ticks: [Ticks; 2],
    /// How many rows are behind, kept or not.
    behind: usize,
}

impl FileRows {
    /// Decides how the columns are read.
    ///
    /// # Errors
    /// When one is missing, or its values cannot be what they should.
    pub(super) fn of(file: &OpenSource, view: &IndexedView, entity: &IndexedEntity) -> Result<Self, Problem> {
        let source = &view.source;
        let wanted = |column: &str, role| Wanted { column: column.to_owned(), role, null_if_unfit: false };
        let mut columns = vec![
            wanted(source.unmapped(&entity.key.name), Role::Key(entity.key.dtype.clone())),
            wanted(source.event_column(), Role::Time),
        ];
        let created = source.created_column();
        if file.columns().get(created).is_some() {
            columns.push(wanted(created, Role::Time));
        }
        let scan = Arc::new(file.scan(columns)?);
        Ok(Self { ticks: [scan.ticks(1), scan.ticks(2)], run: scan.run(), part: None, behind: 0 })
    }

    /// The next rows, without those that have no key or no time; none at the end.
    ///
    /// # Errors
    /// When rows cannot be read.
    pub(super) fn next(&mut self) -> Result<Option<EntityRows>, Problem> {
        loop {
            let Some(part) = &mut self.part else {
                match self.run.part()? {
                    Some(part) => self.part = Some(part),
                    None => return Ok(None),
                }
                continue;
            };
            match self.run.batch(part)? {
                Some(rows) => {
                    let first = self.behind;
                    self.behind += rows.count;
                    let rows = self.kept(&rows.columns, first);
                    return rows.map(Some).map_err(|error| Problem::new(Kind::Internal, error.to_string(), None));
                }
                None => self.part = None,
            }
        }
    }

    fn kept(&self, columns: &[ArrayRef], first: usize) -> Result<EntityRows, ArrowError> {
        let ids = as_texts(&columns[0])?;
        let (has_id, has_time) = (is_not_null(&ids)?, is_not_null(&columns[1])?);
        let counts = BooleanArray::new(has_id.values() & has_time.values(), None);
        let kept = |array: &ArrayRef| match counts.true_count() == counts.len() {
            true => Ok(Arc::clone(array)),
            false => filter(array, &counts),
        };
        let micros = |array: &ArrayRef, ticks: Ticks| -> Result<Int64Array, ArrowError> {
            let ticked = kept(array)?;
            Ok(ticked.as_primitive::<Int64Type>().unary(|moment| ticks.to_micros(moment)))
        };
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values((first as i64..).take(columns[0].len())));
        Ok(EntityRows {
            file_rows: kept(&numbers)?.as_primitive::<Int64Type>().clone(),
            ids: kept(&ids)?.as_string::<i32>().clone(),
            events: micros(&columns[1], self.ticks[0])?,
            created: columns.get(2).map(|created| micros(created, self.ticks[1])).transpose()?,
        })
    }
}
