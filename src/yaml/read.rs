//! Values out of nodes. A mistake is recorded and leaves a gap, so that reading goes on.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    node::{Content, Node, Scalar},
    schema::Schemas,
};
use crate::diagnostics::{Diagnostics, Span};

/// A value that can be taken from a [`Node`].
pub trait Read: Sized {
    /// What a person should write, as it reads after "expected".
    const EXPECTED: &'static str;

    /// Whether a written `null` is a value; otherwise it counts as nothing written.
    const TAKES_NULL: bool = false;

    /// The value, or `None` after recording why the node holds none.
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self>;

    /// What is accepted, as JSON Schema.
    fn schema(schemas: &mut Schemas) -> Value;
}

/// A value with the place it was written at.
#[derive(Debug, Clone)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

impl<T: Read> Read for Spanned<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        T::read(node, diagnostics).map(|value| Self { value, span: node.span.clone() })
    }

    fn schema(schemas: &mut Schemas) -> Value {
        T::schema(schemas)
    }
}

impl Read for Node {
    const EXPECTED: &'static str = "a value";
    const TAKES_NULL: bool = true;

    fn read(node: &Node, _: &mut Diagnostics) -> Option<Self> {
        Some(node.clone())
    }

    fn schema(_: &mut Schemas) -> Value {
        json!({})
    }
}

impl Read for String {
    const EXPECTED: &'static str = "a text";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        match node.scalar() {
            Some(Scalar::Text(text)) => Some(text.clone()),
            Some(Scalar::Bool(_) | Scalar::Integer(_) | Scalar::Float(_)) => {
                let written = node.span.text().trim();
                diagnostics.error_with_help(
                    &node.span,
                    format!("expected {}, found {}", Self::EXPECTED, node.describe()),
                    format!("put it in quotes: \"{written}\""),
                );
                None
            }
            _ => wrong_kind::<Self>(node, diagnostics),
        }
    }

    fn schema(_: &mut Schemas) -> Value {
        json!({ "type": "string" })
    }
}

impl Read for bool {
    const EXPECTED: &'static str = "true or false";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        match node.scalar() {
            Some(Scalar::Bool(value)) => Some(*value),
            _ => wrong_kind::<Self>(node, diagnostics),
        }
    }

    fn schema(_: &mut Schemas) -> Value {
        json!({ "type": "boolean" })
    }
}

impl Read for i64 {
    const EXPECTED: &'static str = "a whole number";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        match node.scalar() {
            Some(Scalar::Integer(value)) => Some(*value),
            _ => wrong_kind::<Self>(node, diagnostics),
        }
    }

    fn schema(_: &mut Schemas) -> Value {
        json!({ "type": "integer" })
    }
}

impl Read for i32 {
    const EXPECTED: &'static str = i64::EXPECTED;

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let value = i64::read(node, diagnostics)?;
        Self::try_from(value)
            .map_err(|_| diagnostics.error(&node.span, format!("the number {value} is too large")))
            .ok()
    }

    fn schema(_: &mut Schemas) -> Value {
        json!({ "type": "integer", "minimum": Self::MIN, "maximum": Self::MAX })
    }
}

impl Read for f64 {
    const EXPECTED: &'static str = "a number";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        match node.scalar() {
            Some(Scalar::Float(value)) => Some(*value),
            #[expect(clippy::cast_precision_loss, reason = "settings are small numbers")]
            Some(Scalar::Integer(value)) => Some(*value as Self),
            _ => wrong_kind::<Self>(node, diagnostics),
        }
    }

    fn schema(_: &mut Schemas) -> Value {
        json!({ "type": "number" })
    }
}

impl<T: Read> Read for Vec<T> {
    const EXPECTED: &'static str = "a list";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        match &node.content {
            // Broken items are reported and left out, so that the good ones are still checked.
            Content::List(items) => Some(items.iter().filter_map(|item| T::read(item, diagnostics)).collect()),
            Content::Scalar(Scalar::Text(text)) if !text.contains('\n') => {
                let message = format!("expected {}, found {}", Self::EXPECTED, node.describe());
                diagnostics.error_with_help(&node.span, message, format!("write [{}]", node.span.text().trim()));
                None
            }
            _ => wrong_kind::<Self>(node, diagnostics),
        }
    }

    fn schema(schemas: &mut Schemas) -> Value {
        json!({ "type": "array", "items": T::schema(schemas) })
    }
}

/// Text to text; plain numbers and booleans count as the text they are written as.
impl Read for BTreeMap<String, String> {
    const EXPECTED: &'static str = "a mapping of texts";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let Content::Mapping(entries) = &node.content else {
            return wrong_kind::<Self>(node, diagnostics);
        };
        let texts = |(key, value): &(Node, Node)| {
            let (key, value) = (scalar_text(key, diagnostics), scalar_text(value, diagnostics));
            Some((key?, value?))
        };
        Some(entries.iter().filter_map(texts).collect())
    }

    fn schema(_: &mut Schemas) -> Value {
        json!({ "type": "object", "additionalProperties": { "type": ["string", "number", "boolean", "null"] } })
    }
}

fn scalar_text(node: &Node, diagnostics: &mut Diagnostics) -> Option<String> {
    match node.scalar() {
        Some(Scalar::Text(text)) => Some(text.clone()),
        Some(Scalar::Null) => Some(String::new()),
        Some(_) => Some(node.span.text().trim().to_owned()),
        None => wrong_kind::<String>(node, diagnostics),
    }
}

/// Records that the node is of another kind than wanted.
pub(super) fn wrong_kind<T: Read>(node: &Node, diagnostics: &mut Diagnostics) -> Option<T> {
    diagnostics.error(&node.span, format!("expected {}, found {}", T::EXPECTED, node.describe()));
    None
}

impl Node {
    /// The single value, unless the node is a list or a mapping.
    pub fn scalar(&self) -> Option<&Scalar> {
        match &self.content {
            Content::Scalar(scalar) => Some(scalar),
            Content::List(_) | Content::Mapping(_) => None,
        }
    }

    /// Whether nothing was written, or `null`.
    pub fn is_null(&self) -> bool {
        self.scalar() == Some(&Scalar::Null)
    }

    /// The entries of a mapping.
    pub fn entries(&self) -> Option<&[(Self, Self)]> {
        match &self.content {
            Content::Mapping(entries) => Some(entries),
            Content::Scalar(_) | Content::List(_) => None,
        }
    }

    /// The text of a text scalar.
    pub fn as_text(&self) -> Option<&str> {
        match self.scalar() {
            Some(Scalar::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The node in words, for messages.
    pub fn describe(&self) -> String {
        match &self.content {
            Content::Scalar(Scalar::Null) => "nothing".to_owned(),
            Content::Scalar(Scalar::Bool(value)) => format!("the boolean {value}"),
            Content::Scalar(Scalar::Integer(_) | Scalar::Float(_)) => format!("the number {}", self.span.text().trim()),
            // What was filled in from the environment may be a password.
            Content::Scalar(Scalar::Text(text)) if self.span.text().contains(text) => format!("the text `{text}`"),
            Content::Scalar(Scalar::Text(_)) => "a text".to_owned(),
            Content::List(_) => "a list".to_owned(),
            Content::Mapping(_) => "a mapping".to_owned(),
        }
    }
}
