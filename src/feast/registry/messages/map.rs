//! Map fields, kept as the list of entries they are on the wire.
//!
//! Feast writes entries in any order and always with a value, even an empty one. Lists of entries
//! keep both, so that an untouched message encodes to the bytes it was read from.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Serialize;

use super::{
    OnDemandSource, ValueTypeEnum,
    json::{EnumValue, messages},
};

/// An entry of a map field.
pub(super) trait Entry {
    /// The key; the empty text when the wire has none.
    fn key(&self) -> &str;

    /// The value as JSON shows it.
    fn json(&self) -> impl Serialize;
}

messages! {
    /// An entry of `map<string, string>`: tags, field mappings, properties.
    pub struct MapEntry {
        #[prost(string, optional, tag = "1")]
        pub key: Option<String>,
        #[prost(string, optional, tag = "2")]
        pub value: Option<String>,
    }

    /// An entry of `feast.core.OnDemandFeatureViewSpec.sources`.
    pub struct OnDemandSourceEntry {
        /// Name of the source view or of the request source.
        #[prost(string, optional, tag = "1")]
        pub key: Option<String>,
        #[prost(message, optional, tag = "2")]
        pub value: Option<OnDemandSource>,
    }

    /// An entry of `feast.core.DataSource.RequestDataOptions.deprecated_schema`.
    pub struct ValueTypeEntry {
        /// Name of the request field.
        #[prost(string, optional, tag = "1")]
        pub key: Option<String>,
        /// A [`ValueTypeEnum`].
        #[prost(int32, optional, tag = "2")]
        pub value: Option<i32>,
    }
}

impl MapEntry {
    /// An entry as Feast writes it: key and value are both present.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: Some(key.into()), value: Some(value.into()) }
    }
}

/// The entries of a map, sorted by key.
pub fn from_map(map: &BTreeMap<String, String>) -> Vec<MapEntry> {
    map.iter().map(|(key, value)| MapEntry::new(key, value)).collect()
}

/// The map that entries stand for; the last of several entries with one key counts.
pub fn to_map(entries: &[MapEntry]) -> BTreeMap<String, String> {
    entries.iter().map(|entry| (entry.key().to_owned(), entry.value().to_owned())).collect()
}

impl Entry for MapEntry {
    fn key(&self) -> &str {
        MapEntry::key(self)
    }

    fn json(&self) -> impl Serialize {
        self.value()
    }
}

impl Entry for OnDemandSourceEntry {
    fn key(&self) -> &str {
        OnDemandSourceEntry::key(self)
    }

    fn json(&self) -> impl Serialize {
        self.value.as_ref().map_or_else(|| Cow::Owned(OnDemandSource::default()), Cow::Borrowed)
    }
}

impl Entry for ValueTypeEntry {
    fn key(&self) -> &str {
        ValueTypeEntry::key(self)
    }

    fn json(&self) -> impl Serialize {
        EnumValue::of::<ValueTypeEnum>(self.value())
    }
}
