//! One column, built from texts.

mod from_json;
mod from_text;
mod json;
mod node;
mod texts;

use arrow::array::ArrayRef;
use serde_json::value::RawValue;

use super::{TextRules, Unfit, times::Times};
use crate::model::DataType;
use json::Json;
use node::{Node, Values};
use texts::TextKind;

/// Collects the values of one column, each read strictly as what was declared.
///
/// From CSV the empty field and `null`, `NULL`, `Null`, `None`, `NA`, `N/A`, `<NA>`, `NaT`, `\N` are null,
/// and so are `NaN` and `nan` but for floats. A String is the text as it is, and so are bytes, of
/// which only the empty field is null. In JSON null is null.
pub(crate) struct TextColumn {
    node: Node,
    times: Times,
    /// Whether values of JSON are read like fields of CSV.
    json_is_text: bool,
}

impl TextColumn {
    /// A column of values of a declared type, as its [`carrier`](super::carrier). `None` for types
    /// that no column holds.
    pub(crate) fn value(declared: &DataType, rules: &TextRules) -> Option<Self> {
        Some(Self::new(Node::new(declared)?, rules))
    }

    /// A column of join keys that people write: as [`value`](Self::value), but moments may be seconds
    /// since 1970, and it makes no difference whether JSON has a number or a text. `None` likewise.
    pub(crate) fn key(declared: &DataType) -> Option<Self> {
        let column = Self::value(declared, &TextRules::default())?;
        Some(Self { times: Times::OfKeys, json_is_text: true, ..column })
    }

    /// A column of times as Int64: nanoseconds since 1970 UTC. Times beyond them, before 1677 and
    /// after 2262, do not fit.
    pub(crate) fn time(rules: &TextRules) -> Self {
        Self::new(Node::with(Values::Nanos(Vec::new()), "time"), rules)
    }

    /// A column of texts as they are written: from CSV nothing is null, from JSON only null, and what
    /// is not a string is its JSON.
    pub(crate) fn as_is() -> Self {
        Self::new(Node::with(Values::text(TextKind::AsIs), "text"), &TextRules::default())
    }

    fn new(mut node: Node, rules: &TextRules) -> Self {
        node.tell_times(&rules.times);
        Self { node, times: Times::new(&rules.times), json_is_text: false }
    }

    /// Appends the value of a field of CSV, whose quotes are gone.
    ///
    /// # Errors
    /// When it does not fit the type; then nothing is appended.
    pub(crate) fn push_text(&mut self, text: &str) -> Result<(), Unfit> {
        self.node.push_text(text, &self.times)
    }

    /// Appends a value of JSON.
    ///
    /// # Errors
    /// When it does not fit the type; then nothing is appended.
    pub(crate) fn push_json(&mut self, json: &RawValue) -> Result<(), Unfit> {
        if !self.json_is_text {
            return self.node.push_json(json.get(), &self.times);
        }
        match Json::look(json.get()) {
            Some(Json::Null) => {
                self.push_null();
                Ok(())
            }
            Some(Json::String(content)) => self.push_text(&content),
            _ => self.push_text(json.get()),
        }
    }

    /// Appends null.
    pub(crate) fn push_null(&mut self) {
        self.node.push_null();
    }

    /// What was appended since the last time.
    pub(crate) fn finish(&mut self) -> ArrayRef {
        self.node.finish()
    }
}

#[cfg(test)]
mod tests;
