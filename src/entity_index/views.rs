//! The views whose entities the index knows: those with join keys over files.

use sha2::{Digest as _, Sha256};

use crate::model::{DataSource, Field, FileFormat, FileSource, Object, RegistryState, SourceKind};

/// A view over files, with its entities.
#[derive(Debug, Clone)]
pub struct IndexedView {
    /// Its name.
    pub name: String,
    /// Its entities and their join keys.
    pub entities: Vec<IndexedEntity>,
    /// Where its rows are.
    pub source: DataSource,
}

/// An entity of a view.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexedEntity {
    /// Its name.
    pub name: String,
    /// Its join key, as the view knows it.
    pub key: Field,
}

impl IndexedView {
    /// The files behind it.
    pub(super) fn files(&self) -> Option<&FileSource> {
        match &self.source.kind {
            SourceKind::File(file) => Some(file),
            _ => None,
        }
    }

    /// The names of its entities, as the table of jobs has them.
    pub(super) fn entity_names(&self) -> String {
        self.entities.iter().map(|entity| entity.name.as_str()).collect::<Vec<_>>().join(",")
    }

    /// What changes when other columns are read than before.
    pub(super) fn digest(&self) -> String {
        let mut digest = Sha256::new();
        let columns = [self.source.event_column(), self.source.created_column()];
        let keys =
            self.entities.iter().flat_map(|entity| [entity.name.as_str(), self.source.unmapped(&entity.key.name)]);
        for text in columns.into_iter().chain(keys) {
            digest.update(text);
            digest.update([0]);
        }
        digest.update(format!("{:?}", self.files().map(|file| (file.format, &file.delimiter, &file.timestamp_format))));
        digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The views of a registry that the index knows. Views that are computed of the rows of their source are not among them,
/// nor are Delta tables, whose log decides which files count.
pub fn indexed_views(state: &RegistryState) -> Vec<IndexedView> {
    state.objects.values().filter_map(indexed).collect()
}

fn indexed(object: &Object) -> Option<IndexedView> {
    let names = match object {
        Object::FeatureView(view) => &view.entities,
        Object::StreamFeatureView(view) => &view.entities,
        Object::LabelView(view) => &view.entities,
        _ => return None,
    };
    let view = object.view()?;
    let source = view.source?;
    let source = source.kind.batch_source().unwrap_or(source);
    let SourceKind::File(file) = &source.kind else { return None };
    let is_read = file.format != Some(FileFormat::Delta) && !source.timestamp_field.is_empty();
    if !is_read || view.is_transformed() || view.join_keys().is_empty() {
        return None;
    }
    let entities =
        names.iter().zip(view.join_keys()).map(|(name, key)| IndexedEntity { name: name.clone(), key: key.clone() });
    Some(IndexedView { name: view.name.to_owned(), entities: entities.collect(), source: source.clone() })
}
