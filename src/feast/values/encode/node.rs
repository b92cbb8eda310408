//! Columns of any shape as values on the wire; what Feast does with nulls, sets and empty lists is decided here.

use std::{collections::HashSet, ops::Range};

use arrow::{
    array::{ArrayRef, new_null_array},
    datatypes::DataType as ArrowType,
};

use super::{
    EncodeError,
    lists::Lists,
    numbers::convert,
    scalar::{Position, Scalar},
};
use crate::{
    feast::{values::data_types::value_field, wire},
    model::DataType,
};

/// A column that is written as [`Value`](crate::feast::values::value::Value)s.
pub(super) enum Node {
    /// A column of nulls, which are values of any type.
    Null,
    Scalar {
        field: u32,
        scalar: Scalar,
    },
    List {
        field: u32,
        lists: Lists,
        elements: Elements,
        /// Whether equal scalars are written once and null ones not at all.
        set: bool,
    },
}

pub(super) enum Elements {
    Scalar(Box<Scalar>),
    Nested(Box<Node>),
}

impl Node {
    /// A column of a source.
    pub(super) fn bind_column(declared: &DataType, array: &ArrayRef) -> Result<Self, EncodeError> {
        Self::bind(declared, array, Position::Column)
    }

    /// What is inside a column: a member of structs, the values of maps, lists of lists.
    pub(super) fn bind_inner(declared: &DataType, array: &ArrayRef) -> Result<Self, EncodeError> {
        Self::bind(declared, array, Position::Member)
    }

    fn bind(declared: &DataType, array: &ArrayRef, position: Position) -> Result<Self, EncodeError> {
        let incompatible = || EncodeError::incompatible(declared, array);
        let field = value_field(declared).ok_or_else(incompatible)?;
        match array.data_type() {
            ArrowType::Null => return Ok(Self::Null),
            ArrowType::Dictionary(_, values) => return Self::bind(declared, &convert(array, values)?, position),
            _ => {}
        }
        let (element, set) = match declared {
            DataType::Array(element) => (element, false),
            DataType::Set(element) => (element, true),
            declared => {
                let scalar = Scalar::bind(declared, array, position)?.ok_or_else(incompatible)?;
                return Ok(Self::Scalar { field, scalar });
            }
        };
        let (lists, elements) = Lists::bind(array).ok_or_else(incompatible)?;
        let position = if set { Position::SetElement } else { Position::Element };
        let elements = Elements::bind(element, elements, position)?.ok_or_else(incompatible)?;
        Ok(Self::List { field, lists, elements, set })
    }

    /// Appends the value of a row; a null row appends nothing and answers false.
    pub(super) fn write(&self, row: usize, out: &mut Vec<u8>) -> Result<bool, EncodeError> {
        match self {
            Self::Null => Ok(false),
            Self::Scalar { field, scalar } => {
                let start = out.len();
                wire::key(*field, scalar.wire_type(), out);
                let written = scalar.write(row, out)?;
                if !written {
                    out.truncate(start);
                }
                Ok(written)
            }
            Self::List { field, lists, elements, set } => {
                let Some(range) = lists.get(row) else { return Ok(false) };
                wire::key(*field, wire::DELIMITED, out);
                wire::delimited(out, |out| elements.write(range, *set, out))?;
                Ok(true)
            }
        }
    }

    /// Whether a row is a list without elements.
    fn is_empty_list(&self, row: usize) -> bool {
        matches!(self, Self::List { lists, .. } if lists.get(row).is_some_and(|range| range.is_empty()))
    }
}

/// A column type that can hold list elements of a declared type.
fn some_column_type(declared: &DataType) -> ArrowType {
    match declared {
        DataType::Bytes => ArrowType::Binary,
        DataType::String | DataType::Json | DataType::Uuid | DataType::TimeUuid => ArrowType::Utf8,
        DataType::Map | DataType::Struct(_) => ArrowType::Utf8,
        _ => ArrowType::Int64,
    }
}

impl Elements {
    fn bind(declared: &DataType, array: &ArrayRef, position: Position) -> Result<Option<Self>, EncodeError> {
        match (declared, array.data_type()) {
            (DataType::Array(_) | DataType::Set(_), _) => {
                Ok(Some(Self::Nested(Box::new(Node::bind_inner(declared, array)?))))
            }
            (_, ArrowType::Dictionary(_, values)) => Self::bind(declared, &convert(array, values)?, position),
            (_, ArrowType::Null) => {
                Self::bind(declared, &new_null_array(&some_column_type(declared), array.len()), position)
            }
            _ => Ok(Scalar::bind(declared, array, position)?.map(Box::new).map(Self::Scalar)),
        }
    }

    /// Appends the content of a list message.
    fn write(&self, range: Range<usize>, set: bool, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Self::Scalar(scalar) if scalar.wire_type() == wire::DELIMITED => write_fields(scalar, range, set, out),
            Self::Scalar(scalar) => write_packed(scalar, range, set, out),
            // Feast writes equal lists of a set as often as they are there.
            Self::Nested(node) => write_lists(node, range, out),
        }
    }
}

/// Appends scalars of variable length, each as a field of its own.
fn write_fields(scalar: &Scalar, range: Range<usize>, set: bool, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let mut elements = ScalarElements::new(scalar, set);
    for index in range {
        let field = out.len();
        wire::key(1, wire::DELIMITED, out);
        if !elements.write(index, out)? {
            out.truncate(field);
        }
    }
    Ok(())
}

/// Appends scalars of fixed length or varints, all in one field; none make no field.
fn write_packed(scalar: &Scalar, range: Range<usize>, set: bool, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let mut elements = ScalarElements::new(scalar, set);
    let field = out.len();
    wire::key(1, wire::DELIMITED, out);
    let packed = out.len();
    wire::delimited(out, |out| {
        for index in range {
            elements.write(index, out)?;
        }
        Ok::<_, EncodeError>(())
    })?;
    if out[packed..] == [0] {
        out.truncate(field);
    }
    Ok(())
}

/// Appends lists in a list.
fn write_lists(node: &Node, range: Range<usize>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    for index in range {
        wire::key(1, wire::DELIMITED, out);
        // Feast writes an empty list inside a list as a value without a kind.
        if node.is_empty_list(index) {
            out.push(0);
        } else {
            wire::delimited(out, |out| node.write(index, out).map(drop))?;
        }
    }
    Ok(())
}

/// The scalars of one list or set.
struct ScalarElements<'a> {
    scalar: &'a Scalar,
    /// What a set has already; `None` for a list.
    seen: Option<HashSet<Vec<u8>>>,
}

impl<'a> ScalarElements<'a> {
    fn new(scalar: &'a Scalar, set: bool) -> Self {
        Self { scalar, seen: set.then(HashSet::new) }
    }

    /// Appends an element. A set has no nulls and nothing twice: then this appends nothing and answers false.
    fn write(&mut self, index: usize, out: &mut Vec<u8>) -> Result<bool, EncodeError> {
        let start = out.len();
        let is_null = !self.scalar.write(index, out)?;
        let Some(seen) = &mut self.seen else {
            if is_null {
                self.scalar.write_null_element(out);
            }
            return Ok(true);
        };
        if is_null {
            return Ok(false);
        }
        let is_new = self.scalar.identity(&out[start..]).is_none_or(|identity| seen.insert(identity));
        if !is_new {
            out.truncate(start);
        }
        Ok(is_new)
    }
}
