//! Rows of a log: each is a JSON object, of which the reader of logs asks for values by their path.

use std::ops::Range;

use delta_kernel::{
    EngineData, KernelError, KernelResult,
    engine_data::{GetData, ListItem, MapItem, RowVisitor, StringArrayAccessor},
    expressions::{ArrayData, ColumnName},
    schema::{DataType, SchemaRef},
};
use serde_json::Value;

/// Rows with what is known of their columns.
pub(super) struct Rows {
    schema: SchemaRef,
    rows: Vec<Value>,
}

impl Rows {
    pub(super) const fn new(schema: SchemaRef, rows: Vec<Value>) -> Self {
        Self { schema, rows }
    }

    /// The rows in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Value> {
        self.rows.iter()
    }
}

/// What is at a path in a row; null if there is nothing.
pub(super) fn at<'a>(row: &'a Value, path: &[String]) -> &'a Value {
    path.iter().fold(row, |value, name| value.get(name).unwrap_or(&Value::Null))
}

impl EngineData for Rows {
    fn visit_rows(&self, columns: &[ColumnName], visitor: &mut dyn RowVisitor) -> KernelResult<()> {
        let columns: Vec<Cells<'_>> = columns.iter().map(|column| Cells::new(&self.rows, column.path())).collect();
        let getters: Vec<&dyn GetData<'_>> = columns.iter().map(|cells| cells as _).collect();
        visitor.visit(self.rows.len(), &getters)
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn append_columns(&self, _: SchemaRef, _: Vec<ArrayData>) -> KernelResult<Box<dyn EngineData>> {
        Err(KernelError::unsupported("rows of a log with more columns"))
    }

    fn apply_selection_vector(self: Box<Self>, selected: Vec<bool>) -> KernelResult<Box<dyn EngineData>> {
        if selected.len() > self.rows.len() {
            return Err(KernelError::InvalidSelectionVector(format!("{} > {}", selected.len(), self.rows.len())));
        }
        let is_selected = selected.into_iter().chain(std::iter::repeat(true));
        let rows = self.rows.into_iter().zip(is_selected).filter_map(|(row, selected)| selected.then_some(row));
        Ok(Box::new(Self::new(self.schema, rows.collect())))
    }

    fn has_field(&self, name: &ColumnName) -> bool {
        let mut fields = Some(self.schema.as_ref());
        name.path().iter().all(|part| {
            let Some(field) = fields.and_then(|fields| fields.field(part)) else { return false };
            fields = match field.data_type() {
                DataType::Struct(members) => Some(members),
                _ => None,
            };
            true
        })
    }
}

/// One column: a value per row.
struct Cells<'a> {
    values: Vec<&'a Value>,
    /// Elements of lists and values of maps, of all rows.
    texts: Texts,
    /// Keys of maps.
    keys: Texts,
    /// Which of them are those of a row.
    ranges: Vec<Range<usize>>,
}

impl<'a> Cells<'a> {
    fn new(rows: &'a [Value], path: &[String]) -> Self {
        let values: Vec<&Value> = rows.iter().map(|row| at(row, path)).collect();
        let (mut texts, mut keys, mut ranges) = (Texts::default(), Texts::default(), Vec::with_capacity(rows.len()));
        for value in &values {
            let first = texts.0.len();
            match value {
                Value::Array(elements) => texts.0.extend(elements.iter().map(text)),
                Value::Object(entries) => {
                    keys.0.extend(entries.keys().cloned().map(Some));
                    texts.0.extend(entries.values().map(text));
                }
                _ => {}
            }
            ranges.push(first..texts.0.len());
        }
        Self { values, texts, keys, ranges }
    }

    /// The value of a row, which `read` must understand; `None` is null.
    fn get<T>(&'a self, row: usize, name: &str, read: impl Fn(&'a Value) -> Option<T>) -> KernelResult<Option<T>> {
        match self.values.get(row).copied() {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match read(value) {
                Some(read) => Ok(Some(read)),
                None => Err(KernelError::unexpected_column_type(name)),
            },
        }
    }
}

/// What lists and maps hold are texts.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

impl<'a> GetData<'a> for Cells<'_> {
    fn get_bool(&'a self, row: usize, name: &str) -> KernelResult<Option<bool>> {
        self.get(row, name, Value::as_bool)
    }

    fn get_int(&'a self, row: usize, name: &str) -> KernelResult<Option<i32>> {
        self.get(row, name, |value| i32::try_from(value.as_i64()?).ok())
    }

    fn get_long(&'a self, row: usize, name: &str) -> KernelResult<Option<i64>> {
        self.get(row, name, Value::as_i64)
    }

    fn get_str(&'a self, row: usize, name: &str) -> KernelResult<Option<&'a str>> {
        self.get(row, name, Value::as_str)
    }

    fn get_list(&'a self, row: usize, name: &str) -> KernelResult<Option<ListItem<'a>>> {
        let list = |value: &Value| value.is_array().then(|| ListItem::new(&self.texts, self.ranges[row].clone()));
        self.get(row, name, list)
    }

    fn get_map(&'a self, row: usize, name: &str) -> KernelResult<Option<MapItem<'a>>> {
        let map =
            |value: &Value| value.is_object().then(|| MapItem::new(&self.keys, &self.texts, self.ranges[row].clone()));
        self.get(row, name, map)
    }
}

#[derive(Default)]
struct Texts(Vec<Option<String>>);

impl StringArrayAccessor for Texts {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn value(&self, index: usize) -> &str {
        self.0.get(index).and_then(Option::as_deref).unwrap_or_default()
    }

    fn is_valid(&self, index: usize) -> bool {
        self.0.get(index).is_some_and(Option::is_some)
    }
}
