use arrow::{
    array::{Array, ArrayRef, AsArray},
    buffer::NullBuffer,
    datatypes::DataType as ArrowType,
};
use prost::Message;

use super::{EncodeError, lists::Lists, node::Node, texts::Texts};
use crate::{
    feast::{
        values::{infer, value::Map},
        wire,
    },
    model::DataType,
};

/// A column of values by name (`feast.types.Map`): structs, maps or texts of JSON objects.
pub(super) enum Objects {
    Structs { nulls: Option<NullBuffer>, members: Vec<(String, Node)> },
    Maps { entries: Lists, keys: Texts, values: Box<Node> },
    Json(Texts),
}

impl Objects {
    /// Columns of structs must have every declared member; without declared members, and in maps,
    /// values have the type their column has.
    pub(super) fn bind(declared: Option<&[(String, DataType)]>, array: &ArrayRef) -> Result<Option<Self>, EncodeError> {
        match (array.data_type(), declared) {
            (ArrowType::Struct(_), Some(declared)) => {
                let structs = array.as_struct();
                let mut members = Vec::with_capacity(declared.len());
                for (name, dtype) in declared {
                    let Some(column) = structs.column_by_name(name) else { return Ok(None) };
                    members.push((name.clone(), Node::bind_inner(dtype, column)?));
                }
                Ok(Some(Self::Structs { nulls: array.nulls().cloned(), members }))
            }
            (ArrowType::Struct(fields), None) => {
                let mut members = Vec::with_capacity(fields.len());
                for (field, column) in fields.iter().zip(array.as_struct().columns()) {
                    let Some(node) = bind_inferred(column)? else { return Ok(None) };
                    members.push((field.name().clone(), node));
                }
                Ok(Some(Self::Structs { nulls: array.nulls().cloned(), members }))
            }
            (ArrowType::Map(..), _) => {
                let maps = array.as_map();
                match (Lists::of_maps(array), Texts::bind(maps.keys()), bind_inferred(maps.values())?) {
                    (Some(entries), Some(keys), Some(values)) => {
                        Ok(Some(Self::Maps { entries, keys, values: Box::new(values) }))
                    }
                    _ => Ok(None),
                }
            }
            _ => Ok(Texts::bind(array).map(Self::Json)),
        }
    }

    /// Appends the map of a row with its length; a null row appends nothing and answers false.
    pub(super) fn write(&self, row: usize, out: &mut Vec<u8>) -> Result<bool, EncodeError> {
        match self {
            Self::Structs { nulls, members } => {
                if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                    return Ok(false);
                }
                wire::delimited(out, |out| {
                    members.iter().try_for_each(|(name, node)| write_entry(name, node, row, out))
                })?;
            }
            Self::Maps { entries, keys, values } => {
                let Some(mut range) = entries.get(row) else { return Ok(false) };
                wire::delimited(out, |out| {
                    range.try_for_each(|entry| write_entry(keys.get(entry).unwrap_or_default(), values, entry, out))
                })?;
            }
            Self::Json(texts) => {
                let Some(text) = texts.get(row) else { return Ok(false) };
                let map = Map::from_json(text).map_err(|error| EncodeError::json(text, &error))?;
                wire::bytes(&map.encode_to_vec(), out);
            }
        }
        Ok(true)
    }
}

fn bind_inferred(array: &ArrayRef) -> Result<Option<Node>, EncodeError> {
    match array.data_type() {
        ArrowType::Null => Ok(Some(Node::Null)),
        column => infer(column).map(|dtype| Node::bind_inner(&dtype, array)).transpose(),
    }
}

/// One entry of the protobuf map, with key and value even when they are empty.
fn write_entry(name: &str, node: &Node, row: usize, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    wire::key(1, wire::DELIMITED, out);
    wire::delimited(out, |out| {
        wire::key(1, wire::DELIMITED, out);
        wire::bytes(name.as_bytes(), out);
        wire::key(2, wire::DELIMITED, out);
        wire::delimited(out, |out| node.write(row, out).map(drop))
    })
}
