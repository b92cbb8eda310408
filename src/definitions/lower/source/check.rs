//! Sources against their files: whether the columns are there, and of a type that fits.

use std::{collections::HashMap, sync::Arc};

use super::LoweredSource;
use crate::{
    definitions::{CheckTransformation, InspectSource, LoadOptions, LooksAt},
    diagnostics::{Diagnostics, Span, counted, did_you_mean},
    feast::values::data_types,
    model::{DataSource, DataType, FeatureView, Field, SourceKind, TransformationPart},
    problem::{Advice, Problem},
    sources::{self, Column, OpenSource, look_at_all},
};

/// Looks at each source once and remembers what it saw.
pub(crate) struct SourceChecks<'a> {
    looks_at: LooksAt<'a>,
    inspect: InspectSource<'a>,
    check_transformation: CheckTransformation<'a>,
    seen: HashMap<String, Option<Arc<OpenSource>>>,
}

impl<'a> SourceChecks<'a> {
    /// Has seen no source yet.
    pub(crate) fn new(options: &LoadOptions<'a>) -> Self {
        let LoadOptions { looks_at, inspect, check_transformation, .. } = *options;
        Self { looks_at, inspect, check_transformation, seen: HashMap::new() }
    }

    /// Looks whether a view's transformation can be carried out over a source with these columns.
    ///
    /// # Errors
    /// What is wrong, and with which part.
    pub(crate) fn check_transformation(
        &self,
        view: &FeatureView,
        columns: Option<&OpenSource>,
    ) -> Result<(), (Option<TransformationPart>, Problem)> {
        (self.check_transformation)(view, columns)
    }

    /// Whether the data of a source can be looked at.
    pub(crate) fn can_inspect(&self, source: &DataSource) -> bool {
        (self.looks_at)(&source.kind)
    }

    /// A source with its columns; says once why it cannot be looked at, and what is odd about its
    /// files. Nothing is said about sources of kinds that cannot be looked at.
    pub(crate) fn open(&mut self, lowered: &LoweredSource, diagnostics: &mut Diagnostics) -> Option<Arc<OpenSource>> {
        if !self.can_inspect(&lowered.source) {
            return None;
        }
        if let Some(seen) = self.seen.get(&lowered.source.name) {
            return seen.clone();
        }
        let opened = (self.inspect)(&lowered.source);
        self.note(lowered, opened, diagnostics)
    }

    fn note(
        &mut self,
        lowered: &LoweredSource,
        opened: Result<OpenSource, Problem>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Arc<OpenSource>> {
        let opened = match opened {
            Ok(opened) => {
                for oddity in opened.oddities() {
                    let help = oddity.help();
                    diagnostics.warning(&lowered.place, oddity.message, help);
                }
                Some(Arc::new(opened))
            }
            Err(problem) => {
                diagnostics.problem(&lowered.place, problem);
                None
            }
        };
        self.seen.insert(lowered.source.name.clone(), opened.clone());
        opened
    }

    /// Looks at several sources side by side, before anybody asks about one of them.
    pub(crate) fn open_all(&mut self, sources: &[&LoweredSource], diagnostics: &mut Diagnostics) {
        let sources: Vec<_> = sources.iter().filter(|lowered| self.can_inspect(&lowered.source)).collect();
        let inspect = self.inspect;
        let opened = look_at_all(&sources, |lowered| &lowered.source, |lowered| inspect(&lowered.source));
        for (lowered, opened) in sources.into_iter().zip(opened) {
            self.note(lowered, opened, diagnostics);
        }
    }

    /// Checks a source against its files: it has rows, and its timestamps are timestamps.
    pub(crate) fn check(&mut self, lowered: &LoweredSource, diagnostics: &mut Diagnostics) {
        let Some(schema) = self.open(lowered, diagnostics) else { return };
        if schema.columns().rows == Some(0) {
            let message = format!("source `{}` is empty: {} has no rows", lowered.source.name, place(&lowered.source));
            diagnostics.error_with_advice(&lowered.place, message, Advice::WriteData);
        }
        for (column, span) in [
            (lowered.source.event_column(), &lowered.timestamp_field),
            (lowered.source.created_column(), &lowered.created_timestamp_column),
        ] {
            if let Some(span) = span {
                check_timestamp(&schema, &lowered.source, column, span, diagnostics);
            }
        }
        for name in [&lowered.source.timestamp_field, &lowered.source.created_timestamp_column] {
            check_mapped_name(&schema, lowered, name, diagnostics);
        }
        let mapped = lowered.source.field_mapping.keys().filter(|column| schema.columns().get(column).is_none());
        for column in mapped {
            missing_column(&schema, &lowered.source, column, mapping_place(lowered), diagnostics);
        }
    }

    /// Checks that no name of the source's mapping is also that of another column.
    pub(crate) fn check_mapped_names(&mut self, lowered: &LoweredSource, diagnostics: &mut Diagnostics) {
        let Some(schema) = self.open(lowered, diagnostics) else { return };
        for name in lowered.source.field_mapping.values() {
            check_mapped_name(&schema, lowered, name, diagnostics);
        }
    }

    /// Fills in the timestamp column of a source that names none, if there is no doubt.
    pub(crate) fn infer_timestamp(&mut self, lowered: &mut LoweredSource, diagnostics: &mut Diagnostics) {
        if !self.can_inspect(&lowered.source) {
            diagnostics.error_with_help(
                &lowered.name.span,
                format!("source `{}` does not say which column has the event times", lowered.source.name),
                format!("set `timestamp_field`: feastr takes it from files, not from {} sources", lowered.source.kind),
            );
            return;
        }
        let Some(schema) = self.open(lowered, diagnostics) else { return };
        let created = lowered.source.created_column();
        let candidates: Vec<&str> = schema
            .columns()
            .columns
            .iter()
            .filter(|column| column.is_timestamp() && column.name != created)
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

    /// Checks that a view's column is in its source and can hold the declared type; `places` are
    /// those of its name and its type.
    pub(crate) fn check_column(
        &mut self,
        lowered: &LoweredSource,
        (field, role): (&Field, Role<'_>),
        [name, dtype]: [&Span; 2],
        diagnostics: &mut Diagnostics,
    ) {
        let Some(schema) = self.open(lowered, diagnostics) else { return };
        check_mapped_name(&schema, lowered, &field.name, diagnostics);
        let column = lowered.source.unmapped(&field.name);
        let Some(found) = schema.columns().get(column) else {
            missing_column(&schema, &lowered.source, column, name, diagnostics);
            return;
        };
        if !schema.accepts(found, &role.reading(&field.dtype)) {
            let help = role.help(column, found);
            diagnostics.error_with_help(
                dtype,
                format!(
                    "column `{column}` of {} has {} values, which cannot become {}",
                    place(&lowered.source),
                    found.describe(),
                    field.dtype
                ),
                help,
            );
        } else if let Err(problem) = schema.check(found, &role.reading(&field.dtype)) {
            diagnostics.problem(dtype, problem);
        } else if let (Role::Key { .. }, files @ 1..) = (role, schema.missing_in(found)) {
            let message = missing_in(files, column, &lowered.source);
            diagnostics.warning(name, message, "their rows are of no entity, and left out".to_owned());
        }
    }
}

/// What a column is to the view that reads it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Role<'a> {
    Feature,
    /// The join key of this entity, whose type the view's schema says or else the entity.
    Key {
        entity: &'a str,
        in_schema: bool,
    },
}

impl Role<'_> {
    fn reading(self, declared: &DataType) -> sources::Role {
        match self {
            Self::Feature => sources::Role::Value(declared.clone()),
            Self::Key { .. } => sources::Role::Key(declared.clone()),
        }
    }

    /// What to do about a column whose values cannot become what is declared.
    fn help(self, column: &str, found: &Column) -> Option<String> {
        let fitting = found.data_type();
        let Self::Key { entity, in_schema } = self else {
            return fitting.map(|dtype| format!("declare it as {dtype}"));
        };
        Some(match fitting.filter(DataType::is_join_key) {
            Some(dtype) if in_schema => {
                format!("declare it as {dtype}, as well as the `value_type` of entity `{entity}` if it has one")
            }
            Some(dtype) => {
                format!("give entity `{entity}` the value_type {}", data_types::value_type_name(&dtype))
            }
            None => {
                format!("write column `{column}` as whole numbers or texts: no entity is identified by such values")
            }
        })
    }
}

/// Refuses a name that the mapping gives one column and that another one has in the files. Feast takes one of them for
/// training data and the other one for online values, so a view cannot have said which it wants.
fn check_mapped_name(schema: &OpenSource, lowered: &LoweredSource, name: &str, diagnostics: &mut Diagnostics) {
    let mapping = &lowered.source.field_mapping;
    let column = lowered.source.unmapped(name);
    // A column that is renamed itself leaves its name to another.
    if column == name || schema.columns().get(name).is_none() || mapping.contains_key(name) {
        return;
    }
    diagnostics.error_with_help(
        mapping_place(lowered),
        format!(
            "`field_mapping` calls column `{column}` `{name}`, and {} has a column `{name}` besides",
            place(&lowered.source)
        ),
        format!("call `{column}` something else: Feast reads now one of them, now the other"),
    );
}

/// Where a source renames columns.
fn mapping_place(lowered: &LoweredSource) -> &Span {
    lowered.field_mapping.as_ref().unwrap_or(&lowered.place)
}

fn check_timestamp(schema: &OpenSource, source: &DataSource, column: &str, span: &Span, diagnostics: &mut Diagnostics) {
    match schema.columns().get(column) {
        // Said where the mapping names it.
        None if source.field_mapping.contains_key(column) => {}
        None => missing_column(schema, source, column, span, diagnostics),
        Some(found) if !schema.accepts(found, &sources::Role::Time) => {
            let times = schema.columns().columns.iter().filter(|column| schema.accepts(column, &sources::Role::Time));
            let times: Vec<_> = times.map(|column| column.name.as_str()).collect();
            let mut help = did_you_mean(column, times);
            if found.is_integer() {
                let counted = match source.kind {
                    SourceKind::Postgres(_) => {
                        "for times that are counted write a `query` with to_timestamp(…) instead of a `table`"
                    }
                    _ => "for times that are counted write for example `timestamp_format: epoch_seconds`",
                };
                help = Some(help.map_or_else(|| counted.to_owned(), |help| format!("{help}; {counted}")));
            }
            diagnostics.error_with_help(
                span,
                format!("column `{column}` of {} holds {} values, not times", place(source), found.describe()),
                help,
            );
        }
        Some(found) => {
            if let Err(problem) = schema.check(found, &sources::Role::Time) {
                diagnostics.problem(span, problem);
            } else if let files @ 1.. = schema.missing_in(found)
                && column == source.event_column()
            {
                let message = missing_in(files, column, source);
                diagnostics.warning(span, message, "their rows have no event time, and are left out".to_owned());
            }
        }
    }
}

fn missing_in(files: usize, column: &str, source: &DataSource) -> String {
    format!("column `{column}` is missing in {} of {}", counted(files as u64, "file"), place(source))
}

fn missing_column(schema: &OpenSource, source: &DataSource, column: &str, span: &Span, diagnostics: &mut Diagnostics) {
    let help = did_you_mean(column, schema.columns().columns.iter().map(|column| column.name.as_str()));
    diagnostics.error_with_help(span, format!("{} has no column `{column}`", place(source)), help);
}

fn place(source: &DataSource) -> String {
    match &source.kind {
        SourceKind::File(file) => format!("`{}`", file.path),
        _ => format!("source `{}`", source.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::DataType as ArrowType;

    use crate::{definitions::testing::findings_over, sources::Columns};

    const TIME: ArrowType = ArrowType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, None);

    /// What is wrong with a view of `schema` and with its source, over files with these columns.
    fn found([keys, schema, entity]: [&str; 3], columns: &[(&str, ArrowType)]) -> Vec<String> {
        let columns = columns.iter().map(|(name, kind)| Column::typed(name, kind.clone()));
        let text = format!(
            "entities: [{{name: e, join_keys: [id]{entity}}}]\nfeature_views:\n  - name: v\n    entities: [e]\n    \
             schema: [{schema}]\n    source: {{type: file, path: x, {keys}}}\n"
        );
        findings_over(&text, Columns { columns: columns.collect(), rows: Some(1) })
    }

    const P: &str = "{name: p, dtype: Int64}";
    const INT64: &str = ", value_type: INT64";

    #[test]
    fn times_may_be_named_as_the_mapping_names_them() {
        let columns = [("id", ArrowType::Int64), ("p", ArrowType::Int64), ("ts", TIME), ("cr", TIME)];
        let mapped = "timestamp_field: at, created_timestamp_column: made, field_mapping: {ts: at, cr: made}";
        assert_eq!(found([mapped, P, INT64], &columns), [""; 0]);
        // Nor are they features of a view that leaves its columns to the files.
        assert_eq!(found([mapped, "", INT64], &columns), [""; 0]);
        let swapped = "timestamp_field: ts, field_mapping: {ts: cr, cr: ts}";
        assert_eq!(found([swapped, P, INT64], &columns), [""; 0]);
        let gone = "timestamp_field: at, field_mapping: {time: at}";
        assert_eq!(found([gone, P, INT64], &columns), ["`x` has no column `time` (there are `id`, `p`, `ts`, `cr`)"]);
        let same = "timestamp_field: at, created_timestamp_column: ts, field_mapping: {ts: at}";
        let twice = "`created_timestamp_column` is the same column as `timestamp_field`";
        assert_eq!(found([same, P, INT64], &columns), [twice]);
    }

    #[test]
    fn a_name_is_not_for_two_columns() {
        let columns = [("id", ArrowType::Int64), ("p", ArrowType::Int64), ("q", ArrowType::Int64), ("ts", TIME)];
        let besides = "`field_mapping` calls column `q` `p`, and `x` has a column `p` besides";
        let help = "call `q` something else: Feast reads now one of them, now the other";
        let expected = [format!("{besides} ({help})")];
        assert_eq!(found(["timestamp_field: ts, field_mapping: {q: p}", P, INT64], &columns), expected);
        assert_eq!(found(["timestamp_field: ts, field_mapping: {q: p}", "", INT64], &columns), expected);
        // Of no concern to a view that does not use the name.
        let other = "{name: ts2, dtype: UnixTimestamp}";
        assert_eq!(found(["timestamp_field: ts, field_mapping: {q: p, ts: ts2}", other, INT64], &columns), [""; 0]);
        let time = found(["timestamp_field: ts, field_mapping: {q: ts}", P, INT64], &columns);
        assert!(time.iter().any(|found| found.contains("calls column `q` `ts`, and `x` has")), "{time:?}");
        let key = found(["timestamp_field: ts, field_mapping: {q: id}", P, INT64], &columns);
        assert!(key.iter().any(|found| found.contains("calls column `q` `id`, and `x` has")), "{key:?}");
        let two =
            found(["timestamp_field: ts, field_mapping: {p: r, q: r}", "{name: r, dtype: Int64}", INT64], &columns);
        assert_eq!(two, ["`field_mapping` calls both `p` and `q` `r` (rename one of them to something else)"]);
    }

    #[test]
    fn a_join_key_is_advised_a_type_it_can_have() {
        let with = |id: ArrowType| [("id", id), ("p", ArrowType::Int64), ("ts", TIME)];
        let float = "column `id` of `x` has float64 values, which cannot become String (write column `id` as whole \
                     numbers or texts: no entity is identified by such values)";
        let text = ", value_type: STRING";
        assert_eq!(found(["timestamp_field: ts", P, text], &with(ArrowType::Float64)), [float]);
        let number = "column `id` of `x` has int64 values, which cannot become String (give entity `e` the value_type \
                      INT64)";
        assert_eq!(found(["timestamp_field: ts", P, text], &with(ArrowType::Int64)), [number]);
        let declared = "{name: id, dtype: String}, {name: p, dtype: Int64}";
        let here = "column `id` of `x` has int64 values, which cannot become String (declare it as Int64, as well as \
                    the `value_type` of entity `e` if it has one)";
        assert_eq!(found(["timestamp_field: ts", declared, ""], &with(ArrowType::Int64)), [here]);
    }

    #[test]
    fn times_are_texts_or_counted_where_the_source_says_so() {
        let over = |keys: &str, at: ArrowType| {
            let columns = [("id", ArrowType::Int64), ("p", ArrowType::Int64), ("at", at)];
            found([&format!("timestamp_field: at, {keys}"), P, INT64], &columns)
        };
        let text = ArrowType::Dictionary(Box::new(ArrowType::Int32), Box::new(ArrowType::Utf8));
        for at in [ArrowType::Utf8, ArrowType::LargeUtf8, text, ArrowType::Date32, TIME] {
            assert_eq!(over("file_format: parquet", at), [""; 0]);
        }
        let counted = over("file_format: parquet", ArrowType::Int64);
        let help = "for times that are counted write for example `timestamp_format: epoch_seconds`";
        assert_eq!(counted, [format!("column `at` of `x` holds int64 values, not times ({help})")]);
        assert_eq!(over("timestamp_format: epoch_millis", ArrowType::Int64), [""; 0]);
        assert_eq!(over("timestamp_format: '%Y%m%d'", ArrowType::Int64).len(), 1, "a number in parquet is not a text");
        assert_eq!(over("timestamp_format: epoch_seconds", ArrowType::Boolean).len(), 1);
    }
}
