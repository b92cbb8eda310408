use std::collections::HashMap;

use arrow::datatypes::DataType as ArrowType;

use super::LoweredSource;
use crate::{
    diagnostics::{Diagnostics, Span, did_you_mean},
    feast::data_types,
    model::{DataSource, Field, SourceKind, SourceProblem, SourceSchema},
    yaml::Spanned,
};

/// Looks at the files of a source; handed in, because definitions do no I/O of their own kind.
pub type InspectSource<'a> = &'a dyn Fn(&DataSource) -> Result<SourceSchema, SourceProblem>;

/// Looks at each source once and remembers what it saw.
pub struct SourceChecks<'a> {
    inspect: InspectSource<'a>,
    seen: HashMap<String, Option<SourceSchema>>,
}

impl<'a> SourceChecks<'a> {
    pub fn new(inspect: InspectSource<'a>) -> Self {
        Self { inspect, seen: HashMap::new() }
    }

    /// Whether feastr can look at the data of a source.
    pub fn can_inspect(source: &DataSource) -> bool {
        matches!(source.kind, SourceKind::File(_))
    }

    /// The columns of a source; says once why it cannot be looked at. Nothing is said about sources of
    /// kinds that cannot be looked at.
    pub fn schema(&mut self, lowered: &LoweredSource, diagnostics: &mut Diagnostics) -> Option<&SourceSchema> {
        if !Self::can_inspect(&lowered.source) {
            return None;
        }
        let inspect = self.inspect;
        self.seen
            .entry(lowered.source.name.clone())
            .or_insert_with(|| match inspect(&lowered.source) {
                Ok(schema) => Some(schema),
                Err(problem) => {
                    diagnostics.error_with_help(&lowered.place, problem.message, problem.help);
                    None
                }
            })
            .as_ref()
    }

    /// Checks a source against its files: it has rows, and its timestamps are timestamps.
    pub fn check(&mut self, lowered: &LoweredSource, diagnostics: &mut Diagnostics) {
        let Some(schema) = self.schema(lowered, diagnostics).cloned() else { return };
        if schema.rows == Some(0) {
            diagnostics.error_with_help(
                &lowered.place,
                format!("source `{}` is empty: {} has no rows", lowered.source.name, place(&lowered.source)),
                "write its data first, or use --skip-source-validation".to_owned(),
            );
        }
        for (column, span) in [
            (&lowered.source.timestamp_field, &lowered.timestamp_field),
            (&lowered.source.created_timestamp_column, &lowered.created_timestamp_column),
        ] {
            if let Some(span) = span {
                check_timestamp(&schema, &lowered.source, column, span, diagnostics);
            }
        }
        let mapped = lowered.source.field_mapping.keys().filter(|column| schema.column(column).is_none());
        for column in mapped {
            let span = lowered.field_mapping.as_ref().unwrap_or(&lowered.place);
            missing_column(&schema, &lowered.source, column, span, diagnostics);
        }
    }

    /// Fills in the timestamp column of a source that names none, if there is no doubt.
    pub fn infer_timestamp(&mut self, lowered: &mut LoweredSource, diagnostics: &mut Diagnostics) {
        if !Self::can_inspect(&lowered.source) {
            diagnostics.error_with_help(
                &lowered.name.span,
                format!("source `{}` does not say which column has the event times", lowered.source.name),
                format!("set `timestamp_field`: feastr takes it from files, not from {} sources", lowered.source.kind),
            );
            return;
        }
        let Some(schema) = self.schema(lowered, diagnostics) else { return };
        let created = &lowered.source.created_timestamp_column;
        let candidates: Vec<&str> = schema
            .columns
            .iter()
            .filter(|column| matches!(column.arrow, ArrowType::Timestamp(_, _)) && column.name != *created)
            .map(|column| column.name.as_str())
            .collect();
        match candidates.as_slice() {
            [only] => lowered.source.timestamp_field = (*only).to_owned(),
            [] => diagnostics.error_with_help(
                &lowered.place,
                format!("no column of {} is a timestamp", place(&lowered.source)),
                "name the column with the event times in `timestamp_field`".to_owned(),
            ),
            several => diagnostics.error_with_help(
                &lowered.place,
                format!("source `{}` does not say which column has the event times", lowered.source.name),
                format!("set `timestamp_field` to one of {}", several.join(", ")),
            ),
        }
    }

    /// Checks that a source has a column that something is computed from.
    pub fn check_exists(&mut self, lowered: &LoweredSource, name: &Spanned<String>, diagnostics: &mut Diagnostics) {
        let Some(schema) = self.schema(lowered, diagnostics).cloned() else { return };
        let column = lowered.source.unmapped(&name.value);
        if schema.column(column).is_none() {
            missing_column(&schema, &lowered.source, column, &name.span, diagnostics);
        }
    }

    /// Checks that a view's column is in its source and can hold the declared type; `places` are
    /// those of its name and its type.
    pub fn check_column(
        &mut self,
        lowered: &LoweredSource,
        field: &Field,
        [name, dtype]: [&Span; 2],
        diagnostics: &mut Diagnostics,
    ) {
        let Some(schema) = self.schema(lowered, diagnostics).cloned() else { return };
        let column = lowered.source.unmapped(&field.name);
        let Some(found) = schema.column(column) else {
            missing_column(&schema, &lowered.source, column, name, diagnostics);
            return;
        };
        // Values of text files become what is declared when they are read.
        if !is_text_file(&lowered.source) && !data_types::accepts(&field.dtype, &found.arrow) {
            let help = data_types::infer(&found.arrow).map(|dtype| format!("declare it as {dtype}"));
            diagnostics.error_with_help(
                dtype,
                format!(
                    "column `{column}` of {} has {} values, which cannot become {}",
                    place(&lowered.source),
                    arrow_name(&found.arrow),
                    field.dtype
                ),
                help,
            );
        }
    }
}

fn check_timestamp(
    schema: &SourceSchema,
    source: &DataSource,
    column: &str,
    span: &Span,
    diagnostics: &mut Diagnostics,
) {
    match schema.column(column) {
        None => missing_column(schema, source, column, span, diagnostics),
        Some(found) if !is_time(source, &found.arrow) => {
            let times = schema.columns.iter().filter(|column| is_time(source, &column.arrow));
            let help = did_you_mean(column, times.map(|column| column.name.as_str()));
            diagnostics.error_with_help(
                span,
                format!("column `{column}` of {} holds {} values, not times", place(source), arrow_name(&found.arrow)),
                help,
            );
        }
        Some(_) => {}
    }
}

/// Text files have no types of their own: their times are texts until they are read.
fn is_time(source: &DataSource, arrow: &ArrowType) -> bool {
    let typed = matches!(arrow, ArrowType::Timestamp(_, _) | ArrowType::Date32 | ArrowType::Date64);
    typed || (is_text_file(source) && matches!(arrow, ArrowType::Utf8))
}

fn is_text_file(source: &DataSource) -> bool {
    use crate::model::FileFormat::{Csv, Json};
    matches!(&source.kind, SourceKind::File(file) if matches!(file.format, Some(Csv | Json)))
}

fn missing_column(
    schema: &SourceSchema,
    source: &DataSource,
    column: &str,
    span: &Span,
    diagnostics: &mut Diagnostics,
) {
    let help = did_you_mean(column, schema.columns.iter().map(|column| column.name.as_str()));
    diagnostics.error_with_help(span, format!("{} has no column `{column}`", place(source)), help);
}

fn place(source: &DataSource) -> String {
    match &source.kind {
        SourceKind::File(file) => format!("`{}`", file.path),
        _ => format!("source `{}`", source.name),
    }
}

fn arrow_name(arrow: &ArrowType) -> String {
    match arrow {
        ArrowType::Utf8 | ArrowType::LargeUtf8 | ArrowType::Utf8View => "text".to_owned(),
        ArrowType::Binary | ArrowType::LargeBinary | ArrowType::BinaryView => "binary".to_owned(),
        ArrowType::Boolean => "boolean".to_owned(),
        ArrowType::Dictionary(_, value) => arrow_name(value),
        other => other.to_string().to_lowercase(),
    }
}
