//! How much a scan will read, as the footers of the files tell.

use super::scan::{FileContent, Scan};

/// How much of something is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// All there is.
    pub all: u64,
    /// What is read of it.
    pub read: u64,
}

impl Share {
    fn add(&mut self, amount: u64, is_read: bool) {
        self.all += amount;
        self.read += if is_read { amount } else { 0 };
    }
}

/// How much a scan will read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// Files.
    pub files: Share,
    /// Pieces of parquet files that are read or left out as a whole.
    pub row_groups: Share,
    /// Bytes in the files: all of them, and those of the wanted columns where they are read.
    pub bytes: Share,
    /// Rows; of texts nobody knows them before they are read.
    pub rows: Share,
}

impl Scan {
    /// How much will be read, given what footers say of times.
    pub fn size(&self) -> Size {
        let mut size = Size::default();
        for file in &self.files {
            let all = file.bytes;
            let FileContent::Parquet { footer, reading, roots } = &file.content else {
                size.files.add(1, true);
                size.bytes.add(all, true);
                continue;
            };
            let mut is_read = false;
            size.bytes.all += all;
            for (number, group) in footer.row_groups().iter().enumerate() {
                let inside = !self.is_outside(file, footer, number);
                is_read |= inside;
                size.row_groups.add(1, inside);
                size.rows.add(u64::try_from(group.num_rows()).unwrap_or(0), inside);
                if inside {
                    let schema = reading.parquet_schema();
                    let wanted = group.columns().iter().enumerate();
                    let wanted = wanted.filter(|(leaf, _)| roots.contains(&schema.get_column_root_idx(*leaf)));
                    let bytes = wanted.map(|(_, chunk)| u64::try_from(chunk.compressed_size()).unwrap_or(0));
                    size.bytes.read += bytes.sum::<u64>();
                }
            }
            size.files.add(1, is_read);
        }
        size
    }
}
