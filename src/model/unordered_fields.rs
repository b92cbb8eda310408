use std::ops::Deref;

use serde::Serialize;

use super::Field;

/// Columns that are the same in every order: Feast keeps those of stream views in a set, and stores them as they fall out
/// of it (`StreamFeatureView.to_proto`).
#[derive(Debug, Clone, Default, Serialize)]
#[serde(transparent)]
pub struct UnorderedFields(Vec<Field>);

impl UnorderedFields {
    /// The columns sorted by name.
    pub fn by_name(&self) -> Vec<&Field> {
        let mut fields: Vec<_> = self.0.iter().collect();
        fields.sort_by(|a, b| a.name.cmp(&b.name));
        fields
    }
}

impl From<Vec<Field>> for UnorderedFields {
    fn from(fields: Vec<Field>) -> Self {
        Self(fields)
    }
}

impl Deref for UnorderedFields {
    type Target = [Field];

    fn deref(&self) -> &[Field] {
        &self.0
    }
}

impl PartialEq for UnorderedFields {
    fn eq(&self, other: &Self) -> bool {
        self.by_name() == other.by_name()
    }
}
