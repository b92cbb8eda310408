//! The features of the rows that count, read by the places of these rows.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, new_null_array},
    compute::interleave,
    datatypes::{DataType as ArrowType, UInt64Type},
    error::ArrowError,
};

use super::{
    beside::{plain, plain_type},
    moments::{Moment, NEVER},
    winners::NOWHERE,
};
use crate::{
    offline::{Cancel, reading::read, view_source::ViewScan},
    problem::{Kind, Problem},
    sources::Places,
};

/// Features at the moments of one chunk of entity rows.
pub(super) struct Features {
    /// For each feature its values as they were read, and a single null behind them.
    columns: Vec<Vec<ArrayRef>>,
    /// Where the features of each moment are: the array, and the row in it.
    of_moments: Vec<(u32, u32)>,
    /// Values that are null because they do not fit.
    pub unfit: u64,
}

impl Features {
    /// Reads features of the row at the place of each moment; at [`NOWHERE`] all of them are null.
    ///
    /// # Errors
    /// When the files cannot be read, or a value does not fit.
    pub(super) fn read(scan: ViewScan, places: &[u64], cancel: &Cancel) -> Result<Self, Problem> {
        let first = scan.columns.first_feature();
        let kinds: Vec<ArrowType> =
            scan.scan.columns().into_iter().skip(first).take(scan.columns.features).map(plain_type).collect();
        let wanted = Places::new(places.iter().copied().filter(|place| *place != NOWHERE).collect());
        let scan = Arc::new(scan.scan.with_places().only(wanted.clone()));
        let mut read_rows = if wanted.as_slice().is_empty() || kinds.is_empty() {
            Vec::new()
        } else {
            let with_places = first + kinds.len();
            read(&scan, cancel, |rows| {
                let places = rows.columns[with_places].as_primitive::<UInt64Type>().values();
                let columns = rows.columns[first..with_places].iter().map(plain).collect::<Result<Vec<_>, _>>();
                Ok((places.first().copied().unwrap_or(NOWHERE), columns.map_err(failed)?, rows.count))
            })?
        };
        // Threads read parts of the files in any order; within a batch places are one behind the other.
        read_rows.sort_unstable_by_key(|(first, ..)| *first);
        let nulls = u32::try_from(read_rows.len()).unwrap_or(u32::MAX);
        let mut starts = Vec::with_capacity(read_rows.len());
        let mut columns: Vec<Vec<ArrayRef>> = vec![Vec::with_capacity(read_rows.len() + 1); kinds.len()];
        let mut start = 0;
        for (_, batch, count) in read_rows {
            starts.push(start);
            start += count;
            columns.iter_mut().zip(batch).for_each(|(column, array)| column.push(array));
        }
        if !kinds.is_empty() && start != wanted.as_slice().len() {
            return Err(Problem::new(Kind::Conflict, "the files of a source changed while they were read", None));
        }
        columns.iter_mut().zip(&kinds).for_each(|(column, kind)| column.push(new_null_array(kind, 1)));
        let of_moment = |place: &u64| match wanted.as_slice().binary_search(place) {
            Ok(rank) if !starts.is_empty() => {
                let batch = starts.partition_point(|start| *start <= rank) - 1;
                (batch as u32, (rank - starts[batch]) as u32)
            }
            _ => (nulls, 0),
        };
        Ok(Self { columns, of_moments: places.iter().map(of_moment).collect(), unfit: scan.unfit() })
    }

    /// The features of entity rows that ask about these moments.
    ///
    /// # Errors
    /// When they are larger than arrays can be.
    pub(super) fn of(&self, moments: &[Moment]) -> Result<Vec<ArrayRef>, Problem> {
        let place = |column: &Vec<ArrayRef>| {
            let nulls = (column.len() - 1, 0);
            let place = |moment: &Moment| match *moment {
                NEVER => nulls,
                moment => {
                    let (batch, row) = self.of_moments[moment as usize];
                    (batch as usize, row as usize)
                }
            };
            moments.iter().map(place).collect::<Vec<_>>()
        };
        let Some(places) = self.columns.first().map(place) else { return Ok(Vec::new()) };
        let gather = |column: &Vec<ArrayRef>| {
            let arrays: Vec<&dyn Array> = column.iter().map(AsRef::as_ref).collect();
            interleave(&arrays, &places)
        };
        self.columns.iter().map(gather).collect::<Result<_, _>>().map_err(failed)
    }
}

fn failed(error: ArrowError) -> Problem {
    Problem::new(Kind::Internal, format!("cannot put features together: {error}"), None)
}
