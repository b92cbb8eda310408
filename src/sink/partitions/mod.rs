//! Rows in a folder of files, one folder below it for each value of some columns, as Hive names them.

mod names;

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::Arc,
};

use arrow::{
    array::{RecordBatch, UInt32Array},
    compute::take_record_batch,
    datatypes::{DataType, SchemaRef},
};

use self::names::FolderNames;
use super::{
    Format,
    file::FileRows,
    folder::Folder,
    writer::{Complete, OpenRows, RowWriter, SinkError},
};
use crate::{
    diagnostics::did_you_mean,
    problem::{Kind, Problem},
};

/// So many files are written at the same time. The one that was used longest ago is completed when there would be more;
/// later rows of its folder go to another file.
const MOST_OPEN: usize = 100;

/// Rows that wait to be written take about so many bytes at most, in all files together.
const MOST_WAITING: usize = 128 << 20;

/// A folder of files in one format, whose columns `by` are in the names of folders; without any, one file has all rows.
pub struct Partitions {
    /// Where the files go.
    pub folder: Folder,
    /// How they are written.
    pub format: Format,
    /// The names of columns.
    pub by: Vec<String>,
}

impl Partitions {
    /// Begins to write when the columns are known.
    pub fn opening(self) -> OpenRows {
        Box::new(move |schema| Ok(Box::new(PartitionedRows::open(self, schema)?)))
    }
}

struct PartitionedRows {
    folder: Folder,
    format: Format,
    /// Which columns are in the names of folders.
    by: Vec<usize>,
    /// Which ones are in the files.
    kept: Vec<usize>,
    /// The columns of the files.
    schema: SchemaRef,
    /// Files that are being written, by their folder.
    open: HashMap<String, OpenFile>,
    /// How many files were begun in each folder.
    begun: HashMap<String, usize>,
    /// Counts uses, to find the file that was used longest ago.
    uses: u64,
}

struct OpenFile {
    rows: Box<FileRows>,
    used: u64,
}

impl PartitionedRows {
    fn open(partitions: Partitions, schema: &SchemaRef) -> Result<Self, SinkError> {
        let Partitions { folder, format, by } = partitions;
        let by = positions(&by, schema)?;
        let kept: Vec<usize> = (0..schema.fields().len()).filter(|column| !by.contains(column)).collect();
        if kept.is_empty() {
            let message = "all columns would be in the names of folders, and none in the files";
            return Err(Problem::new(Kind::Invalid, message, "partition by fewer columns".to_owned()).into());
        }
        let schema = Arc::new(schema.project(&kept)?);
        let (open, begun) = (HashMap::new(), HashMap::new());
        let mut rows = Self { folder, format, by, kept, schema, open, begun, uses: 0 };
        // A result without rows is a file without rows; of folders nobody knows which there would be.
        if rows.by.is_empty() {
            rows.file_in("")?;
        }
        Ok(rows)
    }

    /// The file that takes rows of a folder, which is begun if there is none.
    fn file_in(&mut self, folder: &str) -> Result<&mut FileRows, SinkError> {
        self.uses += 1;
        if !self.open.contains_key(folder) {
            if self.open.len() >= MOST_OPEN {
                self.complete_oldest()?;
            }
            let number = self.begun.entry(folder.to_owned()).or_default();
            let target = self.folder.file(Path::new(folder), *number, self.format.ending())?;
            *number += 1;
            let format = self.format;
            let open = Box::new(move |target, schema: &SchemaRef| format.writer(target, schema));
            let rows = Box::new(FileRows::open(open, target, &self.schema)?);
            self.open.insert(folder.to_owned(), OpenFile { rows, used: 0 });
        }
        match self.open.get_mut(folder) {
            Some(file) => {
                file.used = self.uses;
                Ok(&mut file.rows)
            }
            None => Err(Problem::new(Kind::Internal, "a file that was just opened is gone", None).into()),
        }
    }

    /// Completes the file that was used longest ago.
    fn complete_oldest(&mut self) -> Result<(), SinkError> {
        let oldest = self.open.iter().min_by_key(|(_, file)| file.used).map(|(folder, _)| folder.clone());
        self.complete_one(oldest)
    }

    /// Completes the file with the most rows that wait.
    fn complete_fullest(&mut self) -> Result<(), SinkError> {
        let fullest = self.open.iter().max_by_key(|(_, file)| file.rows.waiting()).map(|(folder, _)| folder.clone());
        self.complete_one(fullest)
    }

    /// Completes the file of a folder; later rows of it go to another file.
    fn complete_one(&mut self, folder: Option<String>) -> Result<(), SinkError> {
        match folder.and_then(|folder| self.open.remove(&folder)) {
            Some(file) => file.rows.complete()?.appear(),
            None => Ok(()),
        }
    }

    /// Writes what waits in the fullest files until little enough is left.
    fn make_room(&mut self) -> Result<(), SinkError> {
        let mut waiting: usize = self.open.values().map(|file| file.rows.waiting()).sum();
        while waiting > MOST_WAITING {
            let Some(fullest) = self.open.values_mut().max_by_key(|file| file.rows.waiting()) else { break };
            let before = fullest.rows.waiting();
            fullest.rows.flush()?;
            let less = before.saturating_sub(fullest.rows.waiting());
            // In buckets bytes wait until a part is full, but for the last ones of a file.
            if less == 0 && before > MOST_WAITING / MOST_OPEN {
                waiting -= before;
                self.complete_fullest()?;
                continue;
            }
            // What is left are small things of many files.
            if less == 0 {
                break;
            }
            waiting -= less;
        }
        Ok(())
    }
}

impl RowWriter for PartitionedRows {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), SinkError> {
        let rows = batch.project(&self.kept)?;
        if self.by.is_empty() {
            self.file_in("")?.write(&rows)?;
        } else {
            let names = FolderNames::of(batch, &self.by)?;
            // Sorted, so that files do not depend on chance.
            let mut folders: BTreeMap<String, Vec<u32>> = BTreeMap::new();
            for (row, number) in (0..batch.num_rows()).zip(0..) {
                folders.entry(names.folder(row)).or_default().push(number);
            }
            for (folder, members) in folders {
                let members = take_record_batch(&rows, &UInt32Array::from(members))?;
                self.file_in(&folder)?.write(&members)?;
            }
        }
        self.make_room()
    }

    fn complete(self: Box<Self>) -> Result<Box<dyn Complete>, SinkError> {
        for file in self.open.into_values() {
            file.rows.complete()?.appear()?;
        }
        Ok(Box::new(self.folder))
    }
}

/// Where columns are by whose values rows are parted.
fn positions(by: &[String], schema: &SchemaRef) -> Result<Vec<usize>, Problem> {
    let invalid = |message: String, help: Option<String>| Err(Problem::new(Kind::Invalid, message, help));
    let mut positions = Vec::with_capacity(by.len());
    for name in by {
        let Some((position, field)) = schema.column_with_name(name) else {
            let help = did_you_mean(name, schema.fields().iter().map(|field| field.name().as_str()));
            return invalid(format!("the result has no column `{name}` to partition by"), help);
        };
        let kind = field.data_type();
        if kind.is_nested() || matches!(kind, DataType::Binary | DataType::LargeBinary | DataType::FixedSizeBinary(_)) {
            return invalid(format!("column `{name}` holds {kind} values, which cannot be names of folders"), None);
        }
        if positions.contains(&position) {
            return invalid(format!("the result is to be partitioned by column `{name}` twice"), None);
        }
        positions.push(position);
    }
    Ok(positions)
}

#[cfg(test)]
mod tests;
