use crate::{
    feast::{registry::messages as wire, values::data_types},
    model::{Field, VectorIndex},
};

/// A column as stored, with the types that hide in tags.
pub(crate) fn field_from_message(message: &wire::FeatureSpecV2) -> Field {
    let (dtype, tags) = data_types::from_wire(message.value_type, &wire::to_map(&message.tags));
    let vector = VectorIndex {
        index: message.vector_index,
        length: message.vector_length,
        search_metric: message.vector_search_metric.clone(),
    };
    Field {
        name: message.name.clone(),
        dtype,
        description: message.description.clone(),
        tags,
        vector: (vector != VectorIndex::default()).then_some(vector),
    }
}

/// A column as Feast stores it: parts of types that have no number of their own become tags.
pub(crate) fn field_to_message(field: &Field) -> wire::FeatureSpecV2 {
    let dtype = data_types::to_wire(&field.dtype);
    let mut tags = field.tags.clone();
    tags.extend(dtype.tags);
    let vector = field.vector.clone().unwrap_or_default();
    wire::FeatureSpecV2 {
        name: field.name.clone(),
        value_type: dtype.number,
        tags: wire::from_map(&tags),
        description: field.description.clone(),
        vector_index: vector.index,
        vector_search_metric: vector.search_metric,
        vector_length: vector.length,
    }
}

/// Columns as stored, in their order.
pub(crate) fn fields_from_messages(messages: &[wire::FeatureSpecV2]) -> Vec<Field> {
    messages.iter().map(field_from_message).collect()
}

/// The messages of `fields`; one that is stored alike is taken over as it is.
pub(crate) fn fields_to_messages(fields: &[Field], stored: &[wire::FeatureSpecV2]) -> Vec<wire::FeatureSpecV2> {
    fields
        .iter()
        .map(|field| {
            let same = stored.iter().find(|message| field_from_message(message) == *field);
            same.cloned().unwrap_or_else(|| field_to_message(field))
        })
        .collect()
}

/// Columns sorted by name, for comparisons in which their order does not count.
pub(crate) fn by_name(fields: &[Field]) -> Vec<&Field> {
    let mut fields: Vec<_> = fields.iter().collect();
    fields.sort_by(|a, b| a.name.cmp(&b.name));
    fields
}
