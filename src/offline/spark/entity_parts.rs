//! Entity rows on their way to the server: in messages, part after part, each of which has a statement of its own; or as files, all of
//! them at once, where they are many and there is a place that both see.

use std::{collections::VecDeque, ops::Range};

use arrow::{array::ArrayRef, record_batch::RecordBatch};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::properties::WriterProperties,
};
use uuid::Uuid;

use super::{
    cluster::Way,
    plan,
    session::Session,
    upload::{ENTITIES, SentEntities, SentRows},
    written::new_folder,
};
use crate::{
    model::Timestamp,
    offline::point_in_time::EntityRows,
    problem::{Kind, Problem},
    retrieval::JoinKey,
    staging::{Manifest, StagedFolder},
};

/// Entity rows that are read at once, and sent in one message if they are not too wide.
pub(super) const MOST: usize = 1_000_000;

/// From so many on they go as files if they can: Spark reads what is in a message anew for each statement, slowly.
const MANY: usize = 100_000;

/// The parts of entity rows. Files of theirs are removed with this value.
pub(super) struct EntityParts<'a> {
    way: Way<'a>,
    session: &'a Session,
    entities: EntityRows<'a>,
    keys: &'a [&'a JoinKey],
    /// Gives more columns of so many rows that come next.
    more: Box<dyn FnMut(usize) -> Result<Vec<ArrayRef>, Problem> + 'a>,
    is_begun: bool,
    waiting: VecDeque<(SentEntities, Range<usize>)>,
    staged: Option<StagedFolder>,
}

/// Entity rows that the server knows, and their numbers.
pub(super) struct EntityPart {
    pub(super) rows: SentRows,
    pub(super) numbers: Range<usize>,
}

impl<'a> EntityParts<'a> {
    /// Those of some entity rows, of which none is read yet, by the keys of a join.
    pub(super) fn new(
        (way, session): (Way<'a>, &'a Session),
        (entities, keys): (EntityRows<'a>, &'a [&'a JoinKey]),
        more: impl FnMut(usize) -> Result<Vec<ArrayRef>, Problem> + 'a,
    ) -> Self {
        let waiting = VecDeque::new();
        Self { way, session, entities, keys, more: Box::new(more), is_begun: false, waiting, staged: None }
    }

    /// Makes the next part known to the server; none when all were.
    ///
    /// # Errors
    /// When rows cannot be read or are not joined on Spark, or the server does not take them, or their files cannot be written.
    pub(super) fn next(&mut self) -> Result<Option<EntityPart>, Problem> {
        loop {
            if let Some((sent, numbers)) = self.waiting.pop_front() {
                let rows = sent.send(self.session, &numbers)?;
                return Ok(Some(EntityPart { rows, numbers }));
            }
            let Some(sent) = self.read()? else { return Ok(None) };
            let parts = sent.parts();
            let is_much = sent.count() >= MANY || parts.len() > 1;
            if !self.is_begun && is_much && self.way.config.staging_location.is_some() {
                return self.stage(sent).map(Some);
            }
            self.is_begun = true;
            self.waiting.extend(parts.into_iter().map(|part| (sent.clone(), part)));
        }
    }

    fn read(&mut self) -> Result<Option<SentEntities>, Problem> {
        let Some(asked) = self.entities.next(MOST)? else { return Ok(None) };
        let more = (self.more)(asked.count)?;
        SentEntities::of(&asked, self.entities.ticks(), self.keys)?.with(more).map(Some)
    }

    /// Writes all rows to files.
    fn stage(&mut self, first: SentEntities) -> Result<EntityPart, Problem> {
        self.is_begun = true;
        let run = format!("feastr-rows-{}", Uuid::new_v4());
        let filling = new_folder(self.way.config, self.way.whereabouts, &run)?.begin()?;
        let (mut count, mut times, mut next) = (0, None::<(i64, i64)>, Some(first));
        while let Some(sent) = next {
            self.way.cancel.check()?;
            filling.put(&format!("part-{count:012}.parquet"), &file(&sent.numbered_from(count)?)?)?;
            count += sent.count();
            times = match (times, sent.times()) {
                (Some((first, last)), Some((least, greatest))) => Some((first.min(least), last.max(greatest))),
                (known, new) => known.or(new),
            };
            next = self.read()?;
        }
        let manifest = Manifest {
            format_version: Manifest::FORMAT_VERSION,
            id: run,
            written: Timestamp::now(),
            rows: Some(count as u64),
            files: filling.files()?,
            view: None,
        };
        let folder = self.staged.insert(filling.finish(&manifest)?);
        let name = self.session.name(ENTITIES, plan::files("parquet", folder.location(), &[]))?;
        Ok(EntityPart { rows: SentRows { name, count: count as u64, times }, numbers: 0..count })
    }
}

impl Drop for EntityParts<'_> {
    fn drop(&mut self) {
        if let Some(folder) = &self.staged {
            // Nobody asks for what is left.
            let _ = folder.remove();
        }
    }
}

/// Rows as a parquet file.
fn file(rows: &RecordBatch) -> Result<Vec<u8>, Problem> {
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    let written = || {
        let mut writer = ArrowWriter::try_new(Vec::new(), rows.schema(), Some(properties))?;
        writer.write(rows)?;
        writer.into_inner()
    };
    written().map_err(|error: ParquetError| {
        Problem::new(Kind::Internal, format!("cannot write entity rows as parquet: {error}"), None)
    })
}
