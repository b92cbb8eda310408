use std::collections::BTreeMap;

use super::{
    names::{Taken, check_column_name, check_object_name, not_yet},
    raw::{RawFeatureView, RawField},
    source::LoweredSource,
    source_check::SourceChecks,
};
use crate::{
    diagnostics::{Diagnostics, Span, did_you_mean},
    feast::data_types,
    model::{DUMMY_ENTITY, DUMMY_JOIN_KEY, DataType, Entity, FeatureView, Field, VectorIndex, ViewVersion},
    yaml::Spanned,
};

/// What a view can refer to. `None` stands for something declared that did not lower: its own
/// error is enough.
pub struct Declared {
    pub entities: BTreeMap<String, Option<Entity>>,
    pub sources: BTreeMap<String, Option<LoweredSource>>,
}

/// A declared column with the places of its name and its type.
struct Column {
    field: Field,
    name: Span,
    dtype: Span,
}

/// Lowers one view against what is declared.
pub struct ViewLowering<'a, 'b> {
    pub declared: &'a Declared,
    pub checks: &'a mut SourceChecks<'b>,
    /// Whether columns are compared with the source's files.
    pub validate_sources: bool,
    /// Whether online tables are named after views, which allows word characters only.
    pub tables_named_after_views: bool,
    pub diagnostics: &'a mut Diagnostics,
}

impl ViewLowering<'_, '_> {
    /// The view a definition declares, with `source` already resolved; nothing after an error.
    pub fn lower(&mut self, raw: RawFeatureView, source: &LoweredSource) -> Option<FeatureView> {
        self.check_name(&raw.name);
        not_yet(raw.protect.as_ref(), "protect", self.diagnostics);
        not_yet(raw.renamed_from.as_ref(), "renamed_from", self.diagnostics);
        if let Some(version) = raw.version.as_ref().filter(|version| version.value != "latest") {
            let message = format!("pinning a view to a version (`{}`) is not supported yet", version.value);
            self.diagnostics.error(&version.span, message);
        }
        let name_span = raw.name.span.clone();
        let schema = self.schema(raw.schema.unwrap_or_default(), source);
        let entities = self.entities(raw.entities.unwrap_or_default())?;
        let entity_columns = self.entity_columns(&entities, &schema, source);
        let features = self.features(&entities, schema, source, &name_span)?;
        Some(FeatureView {
            name: raw.name.value,
            entities: match entities.as_slice() {
                [] => vec![DUMMY_ENTITY.to_owned()],
                some => some.iter().map(|(entity, _)| entity.name.clone()).collect(),
            },
            entity_columns: entity_columns?,
            features,
            ttl: raw.ttl.map(|ttl| ttl.0).unwrap_or_default(),
            source: Some(source.source.clone()),
            stream_source: None,
            online: raw.online.unwrap_or(true),
            offline: raw.offline.unwrap_or(false),
            enabled: raw.enabled.unwrap_or(true),
            enable_validation: raw.enable_validation.unwrap_or(false),
            mode: raw.mode.unwrap_or_default(),
            version: ViewVersion::Latest,
            description: raw.description.unwrap_or_default(),
            owner: raw.owner.unwrap_or_default(),
            org: raw.org.unwrap_or_default(),
            tags: raw.tags.unwrap_or_default(),
        })
    }

    fn check_name(&mut self, name: &Spanned<String>) {
        check_object_name(name, "a feature view", self.diagnostics);
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let refused = |c: char| if self.tables_named_after_views { !word(c) } else { "@:".contains(c) };
        if let Some(character) = name.value.chars().find(|c| refused(*c)) {
            let clean: String = name.value.chars().map(|c| if word(c) { c } else { '_' }).collect();
            self.diagnostics.error_with_help(
                &name.span,
                format!("a view name cannot contain `{character}`"),
                format!("call it `{clean}`"),
            );
        }
    }

    /// The declared columns with their places, join keys among them.
    fn schema(&mut self, raw: Vec<RawField>, source: &LoweredSource) -> Vec<Column> {
        let mut taken = Taken::exact("column");
        let mut columns = Vec::with_capacity(raw.len());
        for column in raw {
            check_column_name(&column.name, self.diagnostics);
            if let Some(renamed) = source.source.field_mapping.get(&column.name.value) {
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

    /// The declared entities of the view; nothing when one of them is unknown or broken.
    fn entities(&mut self, names: Vec<Spanned<String>>) -> Option<Vec<(Entity, Span)>> {
        let mut entities: Vec<(Entity, Span)> = Vec::with_capacity(names.len());
        let mut complete = true;
        for name in names {
            match self.declared.entities.get(&name.value) {
                Some(Some(entity)) => {
                    if let Some((other, _)) = entities.iter().find(|(other, _)| other.join_key == entity.join_key) {
                        let message = format!("entities `{}` and `{}` have the same join key", other.name, entity.name);
                        self.diagnostics.error(&name.span, message);
                    }
                    entities.push((entity.clone(), name.span));
                }
                Some(None) => complete = false,
                None => {
                    let help = did_you_mean(&name.value, self.declared.entities.keys().map(String::as_str));
                    let message = format!("there is no entity `{}`", name.value);
                    self.diagnostics.error_with_help(&name.span, message, help);
                    complete = false;
                }
            }
        }
        complete.then_some(entities)
    }

    /// One column per join key: typed by the schema, else by the entity, else by the source.
    fn entity_columns(
        &mut self,
        entities: &[(Entity, Span)],
        schema: &[Column],
        source: &LoweredSource,
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
                (None, None) => self.inferred_join_key(entity, span, source).map(|field| (field, span)),
            };
            if let Some((field, span)) = field {
                if self.validate_sources {
                    self.checks.check_column(source, &field, [span, span], self.diagnostics);
                }
                columns.push(field);
            }
        }
        (columns.len() == entities.len()).then_some(columns)
    }

    fn inferred_join_key(&mut self, entity: &Entity, span: &Span, source: &LoweredSource) -> Option<Field> {
        let schema = self.checks.schema(source, self.diagnostics)?;
        let column = schema.column(source.source.unmapped(&entity.join_key));
        let dtype = column.and_then(|column| data_types::infer(&column.arrow)).filter(DataType::is_join_key);
        if dtype.is_none() {
            self.diagnostics.error_with_help(
                span,
                format!(
                    "the type of join key `{}` cannot be taken from source `{}`",
                    entity.join_key, source.source.name
                ),
                format!("give entity `{}` a `value_type`", entity.name),
            );
        }
        dtype.map(|dtype| Field::new(&entity.join_key, dtype))
    }

    /// The declared features; where there are none, every other column of the source.
    fn features(
        &mut self,
        entities: &[(Entity, Span)],
        schema: Vec<Column>,
        source: &LoweredSource,
        name_span: &Span,
    ) -> Option<Vec<Field>> {
        let is_join_key = |name: &str| entities.iter().any(|(entity, _)| entity.join_key == name);
        let declared: Vec<Column> = schema.into_iter().filter(|column| !is_join_key(&column.field.name)).collect();
        if !declared.is_empty() {
            if self.validate_sources {
                for column in &declared {
                    let places = [&column.name, &column.dtype];
                    self.checks.check_column(source, &column.field, places, self.diagnostics);
                }
            }
            return Some(declared.into_iter().map(|column| column.field).collect());
        }
        let columns = self.checks.schema(source, self.diagnostics)?.columns.clone();
        let described = &source.source;
        let mut features = Vec::new();
        for column in columns {
            let name = described.mapped(&column.name);
            let is_time = column.name == described.timestamp_field || column.name == described.created_timestamp_column;
            if is_time || is_join_key(name) || column.name.starts_with("__") {
                continue;
            }
            match data_types::infer(&column.arrow) {
                Some(dtype) => features.push(Field::new(name, dtype)),
                None => self.diagnostics.error_with_help(
                    name_span,
                    format!("the type of column `{}` ({}) has no counterpart in Feast", column.name, column.arrow),
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

fn lower_field(raw: RawField) -> Field {
    let vector = VectorIndex {
        index: raw.vector_index.unwrap_or(false),
        length: raw.vector_length.unwrap_or(0),
        search_metric: raw.vector_search_metric.unwrap_or_default(),
    };
    Field {
        name: raw.name.value,
        dtype: raw.dtype.value,
        description: raw.description.unwrap_or_default(),
        tags: raw.tags.unwrap_or_default(),
        vector: (vector != VectorIndex::default()).then_some(vector),
    }
}
