//! Rows that come one batch after the other, such as over a network.

use std::{fs::File, path::PathBuf, sync::Arc};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use parquet::{arrow::ArrowWriter, errors::ParquetError};

use super::Entities;
use crate::{
    problem::{Kind, Problem},
    spill::SpillFolder,
};

/// Collects rows: in memory as long as they are few, and then in a temporary file.
pub struct Collecting {
    schema: SchemaRef,
    /// What messages call the rows.
    shown: &'static str,
    /// How many bytes may be in memory.
    in_memory: usize,
    bytes: usize,
    batches: Vec<RecordBatch>,
    file: Option<Kept>,
}

/// A file that takes rows, and is removed with its folder.
struct Kept {
    writer: ArrowWriter<File>,
    path: PathBuf,
    folder: Arc<SpillFolder>,
}

impl Collecting {
    /// No rows yet, whose columns are those of the schema.
    pub const fn new(schema: SchemaRef, shown: &'static str, in_memory: usize) -> Self {
        Self { schema, shown, in_memory, bytes: 0, batches: Vec::new(), file: None }
    }

    /// Adds rows.
    ///
    /// # Errors
    /// When they are many, and the file cannot be written or has no form for a type.
    pub fn add(&mut self, batch: RecordBatch) -> Result<(), Problem> {
        if let Some(kept) = &mut self.file {
            return kept.writer.write(&batch).map_err(|error| unkept(&error));
        }
        self.bytes += batch.get_array_memory_size();
        self.batches.push(batch);
        if self.bytes > self.in_memory {
            let mut kept = Kept::new(&self.schema)?;
            for batch in self.batches.drain(..) {
                kept.writer.write(&batch).map_err(|error| unkept(&error))?;
            }
            self.file = Some(kept);
        }
        Ok(())
    }

    /// The rows.
    ///
    /// # Errors
    /// As for [`add`](Self::add).
    pub fn finish(self) -> Result<Entities, Problem> {
        match self.file {
            None => Ok(Entities::of_batches(self.schema, self.batches).called(self.shown)),
            Some(Kept { writer, path, folder }) => {
                writer.close().map_err(|error| unkept(&error))?;
                Ok(Entities::of_kept(path, folder, self.shown))
            }
        }
    }
}

impl Kept {
    fn new(schema: &SchemaRef) -> Result<Self, Problem> {
        let folder = Arc::new(SpillFolder::default());
        let path = folder.path()?.join("rows.parquet");
        let file = File::create(&path)?;
        let writer = ArrowWriter::try_new(file, Arc::clone(schema), None).map_err(|error| unkept(&error))?;
        Ok(Self { writer, path, folder })
    }
}

fn unkept(error: &ParquetError) -> Problem {
    Problem::new(Kind::Unavailable, format!("rows cannot be kept in a temporary file: {error}"), None)
}

#[cfg(test)]
mod tests {
    use arrow::{
        array::{ArrayRef, Int64Array},
        datatypes::{DataType, Field, Schema},
    };

    use super::*;

    fn collected(in_memory: usize) -> Entities {
        let schema: SchemaRef = Arc::new(Schema::new(vec![Field::new("a", DataType::Int64, true)]));
        let mut collecting = Collecting::new(Arc::clone(&schema), "the rows", in_memory);
        for start in [0, 10] {
            let column: ArrayRef = Arc::new(Int64Array::from_iter_values(start..start + 10));
            collecting.add(RecordBatch::try_new(Arc::clone(&schema), vec![column]).unwrap()).unwrap();
        }
        collecting.finish().unwrap()
    }

    #[test]
    fn many_rows_are_in_a_file_and_few_in_memory() {
        let [few, many] = [usize::MAX, 1].map(collected);
        assert_eq!([few.is_file(), many.is_file()], [false, true]);
        for rows in [few, many] {
            assert_eq!(rows.shown(), "the rows");
            assert_eq!(rows.open().unwrap().columns().rows, Some(20));
        }
    }
}
