//! Names of folders that say which value a column has in all rows below them.

use std::fmt::Write as _;

use arrow::{
    array::{Array, RecordBatch},
    error::ArrowError,
    util::display::{ArrayFormatter, FormatOptions},
};

/// What stands for null, in Hive and all that read its folders.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// The folders of the rows of a batch.
pub(super) struct FolderNames<'a> {
    columns: Vec<(String, &'a dyn Array, ArrayFormatter<'a>)>,
}

impl<'a> FolderNames<'a> {
    /// By the values of these columns.
    pub(super) fn of(batch: &'a RecordBatch, by: &[usize]) -> Result<Self, ArrowError> {
        // No format may borrow from here.
        static FORMAT: FormatOptions<'static> = FormatOptions::new();
        let schema = batch.schema_ref();
        let column = |&position: &usize| {
            let values = batch.column(position).as_ref();
            Ok((escaped(schema.field(position).name()), values, ArrayFormatter::try_new(values, &FORMAT)?))
        };
        Ok(Self { columns: by.iter().map(column).collect::<Result<_, ArrowError>>()? })
    }

    /// The folder of a row, such as `day=2024-01-01/city=K%3Aln`.
    pub(super) fn folder(&self, row: usize) -> String {
        let mut folder = String::new();
        for (name, values, text) in &self.columns {
            if !folder.is_empty() {
                folder.push('/');
            }
            folder.push_str(name);
            folder.push('=');
            match values.is_null(row) {
                true => folder.push_str(NULL),
                false => folder.push_str(&escaped(&text.value(row).to_string())),
            }
        }
        folder
    }
}

/// A text with `%XX` for what Hive writes so.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        let special = matches!(
            letter,
            '\0'..='\x1f'
                | '\x7f'
                | '"'
                | '#'
                | '%'
                | '\''
                | '*'
                | '/'
                | ':'
                | '='
                | '?'
                | '\\'
                | '{'
                | '['
                | ']'
                | '^'
        );
        match special {
            // Writing to a text does not fail.
            true => _ = write!(escaped, "%{:02X}", u32::from(letter)),
            false => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BooleanArray, Date32Array, Int64Array, StringArray, TimestampMicrosecondArray};

    use super::*;

    #[test]
    fn folders_are_named_as_hive_names_them() {
        let texts = [Some("plain"), Some("a/b=c d%\"?"), Some("ü.\n"), Some(""), None];
        let batch = RecordBatch::try_from_iter([
            ("s p", Arc::new(StringArray::from(texts.to_vec())) as Arc<dyn Array>),
            ("a:n", Arc::new(Int64Array::from(vec![Some(-1), Some(0), None, Some(2), None]))),
        ])
        .unwrap();
        let names = FolderNames::of(&batch, &[0, 1]).unwrap();
        assert_eq!(
            (0..5).map(|row| names.folder(row)).collect::<Vec<_>>(),
            [
                "s p=plain/a%3An=-1",
                "s p=a%2Fb%3Dc d%25%22%3F/a%3An=0",
                "s p=ü.%0A/a%3An=__HIVE_DEFAULT_PARTITION__",
                "s p=/a%3An=2",
                "s p=__HIVE_DEFAULT_PARTITION__/a%3An=__HIVE_DEFAULT_PARTITION__",
            ]
        );
    }

    #[test]
    fn moments_days_and_truths_have_their_usual_texts() {
        let batch = RecordBatch::try_from_iter([
            ("d", Arc::new(Date32Array::from(vec![19_723])) as Arc<dyn Array>),
            ("b", Arc::new(BooleanArray::from(vec![true]))),
            ("t", Arc::new(TimestampMicrosecondArray::from(vec![1_500_000]).with_timezone("UTC"))),
        ])
        .unwrap();
        let names = FolderNames::of(&batch, &[0, 1, 2]).unwrap();
        assert_eq!(names.folder(0), "d=2024-01-01/b=true/t=1970-01-01T00%3A00%3A01.500Z");
    }
}
