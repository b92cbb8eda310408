//! Batches of rows: which columns are wanted, and how large they may become.

use arrow::array::ArrayRef;

use super::{RowProblem, TextColumn, Unfit};

/// A column of a file that is wanted.
pub(crate) struct Wanted {
    name: String,
    column: TextColumn,
    null_if_unfit: bool,
    unfit: u64,
}

impl Wanted {
    /// The column that the file calls `name`, and what its values become. A value that does not fit
    /// is an error, or null and counted.
    pub(crate) fn new(name: impl Into<String>, column: TextColumn, null_if_unfit: bool) -> Self {
        Self { name: name.into(), column, null_if_unfit, unfit: 0 }
    }

    /// What the file calls the column.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// How many values became null because they do not fit.
    pub(crate) fn unfit(&self) -> u64 {
        self.unfit
    }

    /// Appends a value of the row on a line.
    #[inline]
    pub(super) fn push(
        &mut self,
        line: u64,
        push: impl FnOnce(&mut TextColumn) -> Result<(), Unfit>,
    ) -> Result<(), RowProblem> {
        match push(&mut self.column) {
            Ok(()) => Ok(()),
            Err(unfit) => self.push_unfit(line, &unfit),
        }
    }

    #[cold]
    fn push_unfit(&mut self, line: u64, unfit: &Unfit) -> Result<(), RowProblem> {
        if !self.null_if_unfit {
            return Err(RowProblem::of_value(line, &self.name, unfit.to_string()));
        }
        self.unfit += 1;
        self.column.push_null();
        Ok(())
    }

    pub(super) fn push_null(&mut self) {
        self.column.push_null();
    }

    /// The values so far, which are taken out.
    pub(super) fn finish(&mut self) -> ArrayRef {
        self.column.finish()
    }
}

/// Some rows of a file.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    /// The lines on which they begin, also without columns.
    pub lines: Vec<u64>,
    /// The wanted columns, in the order in which they were asked for.
    pub columns: Vec<ArrayRef>,
}

/// How large a batch may become.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) rows: usize,
    /// Bytes of the file.
    pub(super) bytes: usize,
}

impl Limits {
    pub(super) const USUAL: Self = Self { rows: 8_192, bytes: 8 << 20 };
}
