//! The bytes of a row group in a bucket: those of the columns that are read, fetched side by side.
//!
//! A row group of usual size is fetched whole, also before it is its turn; a large one column by column, a window at a
//! time, so that memory does not follow its size.

use std::{
    io,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::{Buf as _, Bytes, buf::Reader};
use parquet::{
    arrow::arrow_reader::ArrowReaderMetadata,
    errors::{ParquetError, Result},
    file::reader::{ChunkReader, Length},
};

use super::files::Stored;
use crate::{
    clients::runtime::{self, Begun},
    problem::Problem,
};

/// Bytes of a row group that are fetched at once.
const WHOLE: u64 = 32 << 20;
/// Bytes of all windows of a row group, of which each column has two.
const WINDOWS: u64 = 48 << 20;
/// The least of a window: asking costs more than these bytes.
const LEAST_WINDOW: u64 = 256 << 10;
/// Room for a page's header.
const HEADER: u64 = 64 << 10;

type Fetching = Begun<std::result::Result<Vec<Bytes>, Problem>>;

/// A row group that is to be read.
pub(super) struct StoredGroup {
    object: Stored,
    /// The bytes of its columns, sorted.
    columns: Vec<Range<u64>>,
    begun: Option<Fetching>,
}

impl StoredGroup {
    /// Asks for nothing yet. `roots` are the columns that are read.
    pub(super) fn new(object: &Stored, metadata: &ArrowReaderMetadata, roots: &[usize], group: usize) -> Self {
        let schema = metadata.parquet_schema();
        let chunks = metadata.metadata().row_group(group).columns().iter().enumerate();
        let wanted = chunks.filter(|(leaf, _)| roots.contains(&schema.get_column_root_idx(*leaf)));
        let size = object.object().bytes;
        // What a damaged footer says may be anything.
        let range = |(start, length): (u64, u64)| start.min(size)..start.saturating_add(length).min(size);
        let mut columns: Vec<Range<u64>> = wanted.map(|(_, chunk)| range(chunk.byte_range())).collect();
        columns.retain(|range| !range.is_empty());
        columns.sort_unstable_by_key(|range| range.start);
        Self { object: object.clone(), columns, begun: None }
    }

    /// How many bytes are kept while it is fetched whole.
    pub(super) fn bytes(&self) -> u64 {
        self.columns.iter().map(|range| range.end - range.start).sum()
    }

    /// Whether it is fetched whole.
    pub(super) fn is_whole(&self) -> bool {
        self.bytes() <= WHOLE
    }

    /// Begins to fetch it, if it is fetched whole.
    ///
    /// # Errors
    /// When nothing can be asked for.
    pub(super) fn begin(&mut self) -> std::result::Result<(), Problem> {
        if self.begun.is_none() && self.is_whole() {
            self.begun = Some(fetch(&self.object, self.columns.clone())?);
        }
        Ok(())
    }

    /// What the decoder reads from.
    ///
    /// # Errors
    /// When it cannot be fetched.
    pub(super) fn opened(mut self) -> std::result::Result<GroupBytes, Problem> {
        self.begin()?;
        let columns = match self.begun {
            Some(begun) => {
                let fetched = runtime::wait(begun)?;
                let whole = |(range, bytes): (Range<u64>, Bytes)| Column::whole(range, bytes);
                self.columns.into_iter().zip(fetched).map(whole).collect()
            }
            None => {
                let window = WINDOWS / 2 / self.columns.len().max(1) as u64;
                let window = window.max(LEAST_WINDOW);
                self.columns.into_iter().map(|range| Column::of_windows(range, window)).collect()
            }
        };
        let size = self.object.object().bytes;
        Ok(GroupBytes(Arc::new(Group { object: self.object, size, columns, failed: Mutex::default() })))
    }
}

fn fetch(object: &Stored, ranges: Vec<Range<u64>>) -> std::result::Result<Fetching, Problem> {
    if let Some(here) = object.parts_here(&ranges) {
        return Ok(runtime::begun(async move { Ok(here) })?);
    }
    let (bucket, object) = object.parts();
    Ok(runtime::begun(async move { bucket.ranges(&object, &ranges).await })?)
}

/// The bytes of a row group for the decoder.
#[derive(Clone)]
pub(super) struct GroupBytes(Arc<Group>);

struct Group {
    object: Stored,
    size: u64,
    columns: Vec<Column>,
    failed: Mutex<Option<Problem>>,
}

/// The bytes of a column, of which a part is here.
struct Column {
    range: Range<u64>,
    window: u64,
    here: Mutex<Here>,
}

/// What is here of a column, and what is on its way.
#[derive(Default)]
struct Here {
    start: u64,
    bytes: Bytes,
    next: Option<(Range<u64>, Fetching)>,
}

impl Here {
    fn get(&self, range: &Range<u64>) -> Option<Bytes> {
        let end = self.start + self.bytes.len() as u64;
        (self.start <= range.start && range.end <= end).then(|| {
            let at = |position: u64| usize::try_from(position - self.start).unwrap_or(usize::MAX).min(self.bytes.len());
            self.bytes.slice(at(range.start)..at(range.end))
        })
    }
}

impl Column {
    fn whole(range: Range<u64>, bytes: Bytes) -> Self {
        let here = Mutex::new(Here { start: range.start, bytes, next: None });
        Self { range, window: 0, here }
    }

    fn of_windows(range: Range<u64>, window: u64) -> Self {
        Self { range, window, here: Mutex::default() }
    }

    /// Bytes of the column, which decoders ask for in their order.
    fn get(&self, wanted: Range<u64>, object: &Stored) -> std::result::Result<Bytes, Problem> {
        let mut here = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = here.get(&wanted) {
            return Ok(bytes);
        }
        // Of what is here the end, and behind it what is on its way.
        let mut kept = Vec::new();
        let mut start = wanted.start;
        let end_here = here.start + here.bytes.len() as u64;
        if here.start <= start && start < end_here {
            kept.extend_from_slice(&here.get(&(start..end_here)).unwrap_or_default());
            start = end_here;
        }
        if let Some((range, fetching)) = here.next.take().filter(|(range, _)| range.start == start) {
            kept.extend_from_slice(&first(runtime::wait(fetching)?));
            start = range.end;
        }
        if start < wanted.end {
            let end = wanted.end.max(start.saturating_add(self.window)).min(self.range.end);
            let missing = start..end;
            kept.extend_from_slice(&first(runtime::wait(fetch(object, vec![missing])?)?));
            start = end;
        }
        let next = start..start.saturating_add(self.window).min(self.range.end);
        let next = if next.is_empty() { None } else { Some((next.clone(), fetch(object, vec![next])?)) };
        *here = Here { start: wanted.start, bytes: kept.into(), next };
        Ok(here.get(&wanted).unwrap_or_default())
    }
}

fn first(fetched: Vec<Bytes>) -> Bytes {
    fetched.into_iter().next().unwrap_or_default()
}

impl GroupBytes {
    /// The problem that kept bytes from being read, if there was one.
    pub(super) fn failure(&self) -> Option<Problem> {
        self.0.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn get(&self, wanted: Range<u64>) -> Result<Bytes> {
        let group = &self.0;
        let index = group.columns.partition_point(|column| column.range.end <= wanted.start);
        let column = group.columns.get(index).filter(|column| column.range.start <= wanted.start);
        let column = column.filter(|column| wanted.end <= column.range.end).ok_or_else(|| {
            ParquetError::EOF(format!("bytes {} to {} are not those of a column", wanted.start, wanted.end))
        })?;
        column.get(wanted, &group.object).map_err(|problem| {
            let error = ParquetError::External(Box::new(io::Error::other(problem.clone())));
            *group.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(problem);
            error
        })
    }
}

impl Length for GroupBytes {
    fn len(&self) -> u64 {
        self.0.size
    }
}

impl ChunkReader for GroupBytes {
    type T = Reader<Bytes>;

    /// Decoders read headers of pages so, and nothing else.
    fn get_read(&self, start: u64) -> Result<Self::T> {
        let ends = self.0.columns.iter().map(|column| column.range.end);
        let end = ends.into_iter().find(|end| start < *end).unwrap_or(start);
        self.get(start..end.min(start.saturating_add(HEADER))).map(Bytes::reader)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        self.get(start..start.saturating_add(length as u64))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        clients::buckets::{Bucket, Expected},
        config::BucketUrl,
    };

    /// An object whose bytes tell where they are.
    fn stored(size: usize) -> (Stored, Vec<u8>) {
        let bucket = Arc::new(Bucket::in_memory(&BucketUrl::parse("s3://b").unwrap().unwrap()));
        let bytes: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
        runtime::wait(bucket.put("x", bytes.clone().into(), Expected::Nothing)).unwrap();
        let object = runtime::wait(bucket.head("x")).unwrap().unwrap();
        (Stored::new(&bucket, object), bytes)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn windows_have_the_bytes_of_the_object(
            window in 1_u64..400,
            steps in prop::collection::vec((0_u64..300, 1_u64..500), 1..40),
        ) {
            let (object, bytes) = stored(5_000);
            let column = Column::of_windows(1_000..4_900, window);
            let mut start = 1_000;
            for (gap, length) in steps {
                start += gap;
                let wanted = start..(start + length).min(4_900);
                if wanted.is_empty() {
                    break;
                }
                let got = column.get(wanted.clone(), &object).unwrap();
                let at = |position: u64| usize::try_from(position).unwrap();
                prop_assert_eq!(&got[..], &bytes[at(wanted.start)..at(wanted.end)]);
                // A header is looked at before its page is read.
                if length % 3 != 0 {
                    start = wanted.end;
                }
            }
        }
    }
}
