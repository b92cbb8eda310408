//! The rows of a request: columns of values by their names, as pandas writes a frame.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{problem::Problem, retrieval::Entities};

/// What messages call the rows, as the request does.
const SHOWN: &str = "df";

/// Columns as they are written: no digit is lost before it is known what a column holds.
#[derive(Debug)]
pub(super) struct Frame(Vec<(String, Column)>);

/// The text of a list.
#[derive(Debug)]
struct Column(Box<RawValue>);

impl Frame {
    /// The rows.
    ///
    /// # Errors
    /// When the columns are not of one length.
    pub(super) fn rows(&self) -> Result<Entities, Problem> {
        let mut columns: Vec<(String, Vec<&RawValue>)> = Vec::with_capacity(self.0.len());
        for (name, column) in &self.0 {
            // They were looked at when they were read.
            columns.push((name.clone(), serde_json::from_str(column.0.get()).unwrap_or_default()));
        }
        Ok(Entities::of_json(columns)?.called(SHOWN))
    }
}

impl<'de> Deserialize<'de> for Frame {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Columns;
        impl<'de> Visitor<'de> for Columns {
            type Value = Frame;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("lists of values by the names of columns")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Frame, A::Error> {
                let mut columns = Vec::new();
                while let Some(column) = map.next_entry()? {
                    columns.push(column);
                }
                Ok(Frame(columns))
            }
        }
        deserializer.deserialize_map(Columns)
    }
}

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        match text.get().starts_with('[') {
            true => Ok(Self(text)),
            false => Err(D::Error::custom("Input should be a list")),
        }
    }
}
