//! The tags that keys of the format become.

use crate::{
    definitions::format::{
        RawConnectionRef, RawLabels,
        tags::{TRACK_METRICS_TAG, WrittenTags},
    },
    model::{CONNECTION_PREFIX, PROTECT_TAG, RENAMED_FROM_TAG, Tags},
};

impl RawLabels {
    /// The tags of the object, those of its keys among them.
    pub(crate) fn into_tags(self) -> Tags {
        let Self { tags: WrittenTags(mut tags), protect, renamed_from, .. } = self;
        if protect {
            tags.insert(PROTECT_TAG.to_owned(), "true".to_owned());
        }
        if let Some(old) = renamed_from {
            tags.insert(RENAMED_FROM_TAG.to_owned(), old.value);
        }
        tags
    }
}

impl RawConnectionRef {
    /// Adds the tags in which Feast keeps the reference.
    pub(crate) fn add_to(self, tags: &mut Tags) {
        let mut add = |key: &str, value: String| tags.insert(format!("{CONNECTION_PREFIX}{key}"), value);
        add("provider", self.provider.value);
        add("name", self.name.value);
        for (key, value) in [("namespace", self.namespace), ("connection-type", self.connection_type)] {
            if !value.is_empty() {
                add(key, value);
            }
        }
        // Feast leaves its default out.
        if !self.auth_type.is_empty() && self.auth_type != "secret" {
            add("auth-type", self.auth_type);
        }
        for (key, value) in self.params {
            add(&format!("param.{key}"), value);
        }
    }
}

/// Adds the tag with which Feast marks on-demand views whose computation it measures.
pub(crate) fn track_metrics(tags: &mut Tags) {
    tags.insert(TRACK_METRICS_TAG.to_owned(), "true".to_owned());
}
