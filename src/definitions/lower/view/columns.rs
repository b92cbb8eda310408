//! The columns of a view: join keys of its entities, features that it declares, and what is taken from the source
//! when it declares none.

use super::{
    super::{
        names::{Taken, check_column_name, check_feature_name},
        source::{LoweredSource, Role},
    },
    ViewLowering,
};
use crate::{
    definitions::format::RawField,
    diagnostics::{Missing, Span},
    model::{DUMMY_ENTITY, DUMMY_JOIN_KEY, DataType, Entity, Field, VectorIndex},
    yaml::Spanned,
};

/// The resolved entities and columns of a view.
pub(crate) struct ViewColumns {
    /// Entity names; only the dummy for a view without entities.
    pub entities: Vec<String>,
    /// One column per join key, in the order of `entities`.
    pub entity_columns: Vec<Field>,
    /// The other columns, in the order of the schema or the source.
    pub features: Vec<Field>,
}

/// Where a view's columns come from.
#[derive(Clone, Copy)]
pub(crate) struct Origin<'a> {
    /// The source with the history; `None` when the view has none.
    pub source: Option<&'a LoweredSource>,
    /// Whether the columns are those of the source, not the result of a computation.
    pub as_they_are: bool,
    /// What else knows types of join keys.
    pub join_keys: JoinKeyTypes<'a>,
}

/// What knows the type of a join key that neither schema nor entity tell.
#[derive(Clone, Copy)]
pub(crate) enum JoinKeyTypes<'a> {
    /// Nothing but the source.
    Source,
    /// Feast takes them for texts.
    Text,
    /// The views behind an on-demand view.
    Inputs(&'a [Field]),
}

/// A declared column with the places of its name and its type.
struct Column {
    field: Field,
    name: Span,
    dtype: Span,
}

impl ViewLowering<'_, '_> {
    /// The entities and columns of the view called `name`; `None` after an error.
    pub(super) fn columns(
        &mut self,
        name: &Spanned<String>,
        entities: Vec<Spanned<String>>,
        schema: Option<Spanned<Vec<RawField>>>,
        origin: Origin<'_>,
    ) -> Option<ViewColumns> {
        let schema_span = schema.as_ref().map(|schema| schema.span.clone());
        let schema = self.schema(schema.map(|schema| schema.value).unwrap_or_default(), origin.source);
        let entities = self.entities(entities)?;
        let entity_columns = self.entity_columns(&entities, &schema, origin);
        let features = self.features(&entities, schema, origin, (name, schema_span));
        Some(ViewColumns { entities: entity_names(&entities), entity_columns: entity_columns?, features: features? })
    }

    /// Reports what is wrong with the entities and columns of a view whose source is broken.
    pub(super) fn without_source<T>(
        &mut self,
        entities: Vec<Spanned<String>>,
        schema: Option<Spanned<Vec<RawField>>>,
    ) -> Option<T> {
        self.schema(schema.map(|schema| schema.value).unwrap_or_default(), None);
        self.entities(entities);
        None
    }

    /// The entity names of a view and its join key columns; `None` after an error.
    pub(super) fn entity_part(
        &mut self,
        entities: Vec<Spanned<String>>,
        origin: Origin<'_>,
    ) -> Option<(Vec<String>, Vec<Field>)> {
        let entities = self.entities(entities)?;
        let columns = self.entity_columns(&entities, &[], origin)?;
        Some((entity_names(&entities), columns))
    }

    /// The declared columns with their places, join keys among them.
    fn schema(&mut self, raw: Vec<RawField>, source: Option<&LoweredSource>) -> Vec<Column> {
        let mut taken = Taken::exact("column");
        let mut columns = Vec::with_capacity(raw.len());
        let mut indexed: Option<Span> = None;
        for column in raw {
            check_column_name(&column.name, self.diagnostics);
            if let Some(index) = column.vector_index.as_ref().filter(|index| index.value) {
                if indexed.is_some() {
                    let help = "index one column, and put the other into a view of its own".to_owned();
                    self.diagnostics.error_with_help(&index.span, "a view has at most one `vector_index`", help);
                }
                indexed = Some(index.span.clone());
            }
            if let Some(renamed) = source.and_then(|source| source.source.field_mapping.get(&column.name.value)) {
                self.diagnostics.error_with_help(
                    &column.name.span,
                    format!("the source's field_mapping renames column `{}`", column.name.value),
                    format!("use its new name, `{renamed}`"),
                );
            } else if taken.take(&column.name, self.diagnostics) {
                let (name, dtype) = (column.name.span.clone(), column.dtype.span.clone());
                columns.push(Column { field: lower_field(column), name, dtype });
            }
        }
        columns
    }

    /// The declared entities of the view; `None` when one of them is unknown or broken.
    fn entities(&mut self, names: Vec<Spanned<String>>) -> Option<Vec<(Entity, Span)>> {
        let mut entities: Vec<(Entity, Span)> = Vec::with_capacity(names.len());
        let mut complete = true;
        for name in names {
            match self.entities.get(&name.value) {
                Some(Some(entity)) => {
                    if let Some((other, _)) = entities.iter().find(|(other, _)| other.join_key == entity.join_key) {
                        let message = if other.name == entity.name {
                            format!("entity `{}` is listed twice", entity.name)
                        } else {
                            format!("entities `{}` and `{}` have the same join key", other.name, entity.name)
                        };
                        self.diagnostics.error(&name.span, message);
                    }
                    entities.push((entity.clone(), name.span));
                }
                Some(None) => complete = false,
                None => {
                    let known = self.entities.keys().map(String::as_str);
                    self.diagnostics.missing(&name.span, Missing::named("entity", &name.value), known);
                    complete = false;
                }
            }
        }
        complete.then_some(entities)
    }

    /// One column per join key: typed by the schema, else by the entity, else by the origin.
    fn entity_columns(
        &mut self,
        entities: &[(Entity, Span)],
        schema: &[Column],
        origin: Origin<'_>,
    ) -> Option<Vec<Field>> {
        if entities.is_empty() {
            return Some(vec![Field::new(DUMMY_JOIN_KEY, DataType::String)]);
        }
        let mut columns = Vec::with_capacity(entities.len());
        for (entity, span) in entities {
            let declared = schema.iter().find(|column| column.field.name == entity.join_key);
            let field = match (declared, &entity.value_type) {
                (Some(Column { field, dtype: span, .. }), value_type) => {
                    if let Some(expected) = value_type.as_ref().filter(|expected| **expected != field.dtype) {
                        let message = format!(
                            "join key `{}` is {} here, but entity `{}` has {expected} values",
                            field.name, field.dtype, entity.name
                        );
                        self.diagnostics.error(span, message);
                    } else if !field.dtype.is_join_key() {
                        let message = format!("entities cannot be identified by {} values", field.dtype);
                        self.diagnostics.error(span, message);
                    }
                    Some((field.clone(), span))
                }
                (None, Some(value_type)) => Some((Field::new(&entity.join_key, value_type.clone()), span)),
                (None, None) => {
                    self.join_key_type(entity, span, origin).map(|dtype| (Field::new(&entity.join_key, dtype), span))
                }
            };
            if let Some((field, span)) = field {
                let role = Role::Key { entity: &entity.name, in_schema: declared.is_some() };
                self.compare(origin, (&field, role), [span, span]);
                columns.push(field);
            }
        }
        (columns.len() == entities.len()).then_some(columns)
    }

    fn join_key_type(&mut self, entity: &Entity, span: &Span, origin: Origin<'_>) -> Option<DataType> {
        let dtype = match (origin.join_keys, origin.source) {
            (JoinKeyTypes::Text, _) => Some(DataType::String),
            (JoinKeyTypes::Inputs(fields), _) => {
                fields.iter().find(|field| field.name == entity.join_key).map(|field| field.dtype.clone())
            }
            (JoinKeyTypes::Source, Some(source)) if self.checks.can_inspect(&source.source) => {
                let opened = self.checks.open(source, self.diagnostics)?;
                let column = opened.columns().get(source.source.unmapped(&entity.join_key));
                column.and_then(crate::sources::Column::data_type).filter(DataType::is_join_key)
            }
            (JoinKeyTypes::Source, _) => None,
        };
        if dtype.is_none() {
            let origin = origin.source.map(|source| format!(" or source `{}`", source.source.name)).unwrap_or_default();
            self.diagnostics.error_with_help(
                span,
                format!("the type of join key `{}` cannot be taken from the schema{origin}", entity.join_key),
                format!("give entity `{}` a `value_type`", entity.name),
            );
        }
        dtype
    }

    /// Compares a column with the files of the source, if the view takes it from there; `places` are
    /// those of its name and its type.
    fn compare(&mut self, origin: Origin<'_>, column: (&Field, Role<'_>), places: [&Span; 2]) {
        if let Some(source) = origin.source.filter(|_| origin.as_they_are && self.validate_sources) {
            self.checks.check_column(source, column, places, self.diagnostics);
        }
    }

    /// The declared features; where there are none, every other column of the source.
    fn features(
        &mut self,
        entities: &[(Entity, Span)],
        schema: Vec<Column>,
        origin: Origin<'_>,
        (name, schema_span): (&Spanned<String>, Option<Span>),
    ) -> Option<Vec<Field>> {
        let is_join_key = |name: &str| entities.iter().any(|(entity, _)| entity.join_key == name);
        let declared: Vec<Column> = schema.into_iter().filter(|column| !is_join_key(&column.field.name)).collect();
        if !declared.is_empty() {
            for column in &declared {
                check_feature_name(&column.field.name, &column.name, self.diagnostics);
                self.compare(origin, (&column.field, Role::Feature), [&column.name, &column.dtype]);
            }
            return Some(declared.into_iter().map(|column| column.field).collect());
        }
        match origin.source.filter(|source| origin.as_they_are && self.checks.can_inspect(&source.source)) {
            Some(source) => self.inferred_features(&is_join_key, source, &name.span),
            None => {
                self.diagnostics.error_with_help(
                    schema_span.as_ref().unwrap_or(&name.span),
                    format!("view `{}` has no feature", name.value),
                    "declare its columns in `schema`; only those of files can be left out".to_owned(),
                );
                None
            }
        }
    }

    fn inferred_features(
        &mut self,
        is_join_key: &dyn Fn(&str) -> bool,
        source: &LoweredSource,
        name_span: &Span,
    ) -> Option<Vec<Field>> {
        let opened = self.checks.open(source, self.diagnostics)?;
        self.checks.check_mapped_names(source, self.diagnostics);
        let described = &source.source;
        let mut features = Vec::new();
        for column in &opened.columns().columns {
            let name = described.mapped(&column.name);
            let is_time = column.name == described.event_column() || column.name == described.created_column();
            if is_time || is_join_key(name) || column.name.starts_with("__") {
                continue;
            }
            check_feature_name(name, name_span, self.diagnostics);
            match column.data_type() {
                Some(dtype) => features.push(Field::new(name, dtype)),
                None => self.diagnostics.error_with_help(
                    name_span,
                    match column.kinds.len() {
                        1 => format!(
                            "the type of column `{}` ({}) has no counterpart in Feast",
                            column.name,
                            column.describe()
                        ),
                        _ => format!("files differ in the type of column `{}`: {}", column.name, column.describe()),
                    },
                    "declare the view's columns in `schema` and leave it out".to_owned(),
                ),
            }
        }
        if features.is_empty() {
            self.diagnostics.error_with_help(
                name_span,
                format!("source `{}` has no column that could be a feature", described.name),
                "declare the view's columns in `schema`".to_owned(),
            );
        }
        Some(features)
    }
}

fn entity_names(entities: &[(Entity, Span)]) -> Vec<String> {
    match entities {
        [] => vec![DUMMY_ENTITY.to_owned()],
        some => some.iter().map(|(entity, _)| entity.name.clone()).collect(),
    }
}

/// A column as written.
pub(crate) fn lower_field(raw: RawField) -> Field {
    let vector = VectorIndex {
        index: raw.vector_index.is_some_and(|index| index.value),
        length: raw.vector_length,
        search_metric: raw.vector_search_metric,
    };
    Field {
        name: raw.name.value,
        dtype: raw.dtype.value,
        description: raw.description,
        tags: raw.tags.0,
        vector: (vector != VectorIndex::default()).then_some(vector),
    }
}
