//! One definition being written: in which order its keys stand, and which are left out.

use std::collections::BTreeMap;

use crate::{
    model::{DUMMY_ENTITY, Entity, Field, PROTECT_TAG, RENAMED_FROM_TAG, Tags, Ttl},
    yaml::Tree,
};

/// The keys of one definition in the order they are written; what equals its default is left out.
#[derive(Default)]
pub(crate) struct Item {
    entries: Vec<(String, Tree)>,
}

impl Item {
    /// The keys of something with a name, which comes first.
    pub(crate) fn named(name: &str) -> Self {
        Self::default().with("name", Tree::Text(name.to_owned()))
    }

    /// A key, whatever its value.
    pub(crate) fn with(mut self, key: &str, value: Tree) -> Self {
        self.entries.push((key.to_owned(), value));
        self
    }

    /// A text; an empty one is the default.
    pub(crate) fn text(self, key: &str, value: &str) -> Self {
        if value.is_empty() { self } else { self.with(key, Tree::Text(value.to_owned())) }
    }

    /// A text whose default is not the empty one.
    pub(crate) fn text_unless(self, key: &str, value: &str, default: &str) -> Self {
        if value == default { self } else { self.with(key, Tree::Text(value.to_owned())) }
    }

    /// A switch that is left out at its default.
    pub(crate) fn flag(self, key: &str, value: bool, default: bool) -> Self {
        if value == default { self } else { self.with(key, Tree::Bool(value)) }
    }

    /// A list of texts; an empty one is the default.
    pub(crate) fn texts(self, key: &str, values: &[String]) -> Self {
        if values.is_empty() { self } else { self.with(key, Tree::texts(values)) }
    }

    /// A mapping of texts; an empty one is the default.
    pub(crate) fn map(self, key: &str, values: &BTreeMap<String, String>) -> Self {
        if values.is_empty() {
            return self;
        }
        let entries = values.iter().map(|(key, value)| (key.clone(), Tree::Text(value.clone()))).collect();
        self.with(key, Tree::Mapping(entries).inline_if_short())
    }

    /// A duration; without limit is the default.
    pub(crate) fn span(self, key: &str, value: Ttl) -> Self {
        if value == Ttl::UNLIMITED { self } else { self.with(key, Tree::Text(value.to_string())) }
    }

    /// The entities of a view; none is the default.
    pub(crate) fn entities(self, names: &[String]) -> Self {
        let declared: Vec<String> = names.iter().filter(|name| *name != DUMMY_ENTITY).cloned().collect();
        self.texts("entities", &declared)
    }

    /// The columns of a view: join keys that their entity does not describe fully, then features.
    pub(crate) fn schema<'a>(
        self,
        entities: &[String],
        entity_columns: &[Field],
        features: &[Field],
        declared: impl Fn(&str) -> Option<&'a Entity>,
    ) -> Self {
        let follows = |column: &Field| {
            let entity =
                entities.iter().filter_map(|name| declared(name)).find(|entity| entity.join_key == column.name);
            let dtype = entity.and_then(|entity| entity.value_type.clone());
            dtype.is_some_and(|dtype| *column == Field::new(&column.name, dtype))
        };
        let entityless = entities.iter().all(|name| name == DUMMY_ENTITY);
        let keys = entity_columns.iter().filter(|column| !entityless && !follows(column));
        self.columns(keys.chain(features).map(|column| column_item(column).short()).collect())
    }

    /// Columns as they are; none is the default.
    pub(crate) fn columns(self, columns: Vec<Tree>) -> Self {
        if columns.is_empty() { self } else { self.with("schema", Tree::List(columns)) }
    }

    /// What every kind of object has, the tags that are keys of the format among them.
    pub(crate) fn labels(self, description: &str, owner: &str, tags: &Tags) -> Self {
        let item = self.text("description", description).text("owner", owner);
        item.tags(tags)
    }

    /// The tags, but for those that are keys of the format.
    pub(crate) fn tags(self, tags: &Tags) -> Self {
        let mut rest = tags.clone();
        let is_protected = tags.get(PROTECT_TAG).is_some_and(|value| value == "true");
        if is_protected {
            rest.remove(PROTECT_TAG);
        }
        let old_name = rest.remove(RENAMED_FROM_TAG).unwrap_or_default();
        self.map("tags", &rest).flag("protect", is_protected, false).text("renamed_from", &old_name)
    }

    /// The mapping of the keys.
    pub(crate) fn done(self) -> Tree {
        Tree::Mapping(self.entries)
    }

    /// On one line where that is short.
    pub(crate) fn short(self) -> Tree {
        self.done().inline_if_short()
    }
}

/// A schema column.
pub(crate) fn column_item(field: &Field) -> Item {
    let item = Item::named(&field.name)
        .with("dtype", Tree::Text(field.dtype.to_string()))
        .text("description", &field.description)
        .map("tags", &field.tags);
    let Some(vector) = &field.vector else { return item };
    let length = Tree::Integer(vector.length.into());
    let item = item.flag("vector_index", vector.index, false);
    let item = if vector.length == 0 { item } else { item.with("vector_length", length) };
    item.text("vector_search_metric", &vector.search_metric)
}
