//! What the columns of a source's files hold.

use arrow::datatypes::{DataType as ArrowType, Field, FieldRef};

use super::{
    parquet::is_uuid,
    unify::{element, unify},
};
use crate::{feast::values, model::DataType};

/// The columns of a set of files.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Columns {
    /// In the order of the first file; those that only others have, and those of folders, behind.
    pub columns: Vec<Column>,
    /// Number of rows; `None` where counting would mean reading everything.
    pub rows: Option<u64>,
}

impl Columns {
    /// The column of this name, as it is written.
    pub fn get(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Notes that a file has a column twice.
    pub fn note_twice(&mut self, name: &str, file: &str) {
        if let Some(column) = self.columns.iter_mut().find(|column| column.name == name) {
            column.twice_in.get_or_insert_with(|| file.to_owned());
        }
    }

    /// Notes that a file has a column.
    pub fn add(&mut self, name: &str, holds: Holds, file: &str) {
        let kind = ColumnKind { holds, files: 1, first: file.to_owned() };
        match self.columns.iter_mut().find(|column| column.name == name) {
            None => {
                self.columns.push(Column { name: name.to_owned(), kinds: vec![kind], twice_in: None, in_folders: None })
            }
            Some(column) => match column.kinds.iter_mut().find(|known| known.holds == kind.holds) {
                None => column.kinds.push(kind),
                Some(known) => known.files += 1,
            },
        }
    }
}

/// A column as the files have it, before any field mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// As the file has it.
    pub name: String,
    /// Every kind of values that it has in some file; there is at least one.
    pub kinds: Vec<ColumnKind>,
    /// A file that has the column twice, if there is one.
    pub twice_in: Option<String>,
    /// Set if folders (`day=2026-01-01`) give it to files that have it themselves, and what differs:
    /// the file's values count.
    pub in_folders: Option<String>,
}

/// A kind of values, and where they are.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnKind {
    /// What is in it.
    pub holds: Holds,
    /// Number of files in which it is.
    pub files: usize,
    /// One of them.
    pub first: String,
}

/// What values of a column are in a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Holds {
    /// Values with a type.
    Typed(FieldRef),
    /// Texts, which become what is asked for: those of CSV files and of folder names.
    Text,
    /// Values of JSON files, which become what is asked for. The first rows look like this type.
    Json(ArrowType),
}

impl Holds {
    /// The Arrow type of the values as they stand in the file.
    pub fn arrow(&self) -> &ArrowType {
        match self {
            Self::Typed(field) => field.data_type(),
            Self::Text => &ArrowType::Utf8,
            Self::Json(seen) => seen,
        }
    }

    /// Whether values are found by reading texts.
    pub const fn is_text(&self) -> bool {
        !matches!(self, Self::Typed(_))
    }
}

/// Arrow's name of a type, as a person would say it.
pub(crate) fn type_name(kind: &ArrowType) -> String {
    match kind {
        ArrowType::Utf8 | ArrowType::LargeUtf8 | ArrowType::Utf8View => "text".to_owned(),
        ArrowType::Binary | ArrowType::LargeBinary | ArrowType::BinaryView => "binary".to_owned(),
        ArrowType::Boolean => "boolean".to_owned(),
        ArrowType::Dictionary(_, value) => type_name(value),
        ArrowType::Struct(_) => "struct".to_owned(),
        ArrowType::Map(entries, _) => match entries.data_type() {
            ArrowType::Struct(fields) if fields.len() == 2 => {
                let [key, value] = [0, 1].map(|index| type_name(fields[index].data_type()));
                format!("map of {key} to {value}")
            }
            _ => "map".to_owned(),
        },
        other => match element(other) {
            Some(elements) => format!("list of {}", type_name(elements.data_type())),
            None => other.to_string().to_lowercase(),
        },
    }
}

impl Column {
    /// A column of values of one type.
    pub fn typed(name: &str, kind: ArrowType) -> Self {
        let holds = Holds::Typed(std::sync::Arc::new(arrow::datatypes::Field::new("", kind, true)));
        let kind = ColumnKind { holds, files: 1, first: String::new() };
        Self { name: name.to_owned(), kinds: vec![kind], twice_in: None, in_folders: None }
    }

    /// The type that the column declares when nobody does; `None` when its values have none, or none
    /// in common.
    pub fn data_type(&self) -> Option<DataType> {
        let is_uuid = |kind: &ColumnKind| matches!(&kind.holds, Holds::Typed(field) if is_uuid(field));
        if self.kinds.iter().all(is_uuid) {
            return Some(DataType::Uuid);
        }
        let mut kinds = self.kinds.iter().map(|kind| kind.holds.arrow());
        let first = kinds.next()?.clone();
        values::infer(&kinds.try_fold(first, |known, kind| unify(&known, kind))?)
    }

    /// The column as new rows have it beside the others: of their type, or of one that holds the values of all of them; of
    /// texts that become what is asked for a text.
    pub fn field(&self) -> Field {
        if self.kinds.iter().any(|kind| kind.holds.is_text()) {
            return Field::new(&self.name, ArrowType::Utf8, true);
        }
        let kinds = self.kinds.iter().map(|kind| Some(kind.holds.arrow().clone()));
        let unified = kinds.reduce(|one, other| unify(&one?, &other?)).flatten();
        match (self.kinds.as_slice(), unified) {
            ([ColumnKind { holds: Holds::Typed(field), .. }], _)
            | ([ColumnKind { holds: Holds::Typed(field), .. }, ..], None) => {
                field.as_ref().clone().with_name(&self.name)
            }
            (_, unified) => Field::new(&self.name, unified.unwrap_or(ArrowType::Utf8), true),
        }
    }

    /// Whether the values are texts of numbers with any digits.
    pub fn is_written_number(&self) -> bool {
        matches!(self.kinds.as_slice(), [ColumnKind { holds: Holds::Json(ArrowType::Float64), .. }])
    }

    /// Whether the values are moments by their type.
    pub fn is_timestamp(&self) -> bool {
        self.kinds.iter().all(|kind| matches!(kind.holds.arrow(), ArrowType::Timestamp(..)))
    }

    /// Whether the values are whole numbers by their type.
    pub fn is_integer(&self) -> bool {
        self.kinds.iter().all(|kind| kind.holds.arrow().is_integer())
    }

    /// The kinds in words, with a file of each where there are several.
    pub fn describe(&self) -> String {
        match self.kinds.as_slice() {
            [only] => type_name(only.holds.arrow()),
            several => {
                let part = |kind: &ColumnKind| {
                    let others = match kind.files - 1 {
                        0 => String::new(),
                        1 => " and one more file".to_owned(),
                        more => format!(" and {more} more files"),
                    };
                    format!("{} in {}{others}", type_name(kind.holds.arrow()), kind.first)
                };
                several.iter().map(part).collect::<Vec<_>>().join(", ")
            }
        }
    }
}
