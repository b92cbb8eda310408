//! `record!` and `tagged!`: a mapping is declared once, and read, checked, defaulted and described by it.

use serde_json::Value;

use super::{
    node::{Content, Node},
    read::{Read, Spanned},
    schema::{ObjectSchema, Schemas},
};
use crate::diagnostics::{Diagnostics, Span, did_you_mean};

/// A mapping with known keys; declared with [`record!`].
pub trait Record: Sized {
    /// What a person should write, as it reads after "expected".
    const NAME: &'static str;

    /// Adds the keys of the mapping as Rust names them.
    fn keys(keys: &mut Vec<&'static str>);

    /// The values of the keys, or `None` after recording what is missing or wrong.
    fn take(fields: &Fields<'_>, diagnostics: &mut Diagnostics) -> Option<Self>;

    /// Adds the keys to the description of the mapping.
    fn describe(object: &mut ObjectSchema, schemas: &mut Schemas);
}

/// Declares a mapping with known keys: a struct whose fields are the keys, with its [`Read`]. The
/// doc comments are also the descriptions of the JSON Schema.
///
/// Every struct has a `span` besides its keys. A missing required key and an unknown key are errors,
/// and a record without one of its required keys yields nothing. An optional key that is missing or
/// null reads as `None`, a defaulted one as its default, and a placed one as its default at the place
/// of the whole mapping. The keys of a flattened record stand in the same mapping.
macro_rules! record {
    (@default) => { Default::default() };
    (@default $default:expr) => { $default };
    (@says) => { None };
    (@says $default:expr) => { Some(serde_json::json!($default)) };
    (
        $(#[doc = $doc:literal])*
        $vis:vis struct $name:ident, $expected:literal;
        $( required { $( $(#[doc = $required_doc:literal])* $required:ident: $required_type:ty, )* } )?
        $( optional { $( $(#[doc = $optional_doc:literal])* $optional:ident: $optional_type:ty, )* } )?
        $( defaulted {
            $( $(#[doc = $defaulted_doc:literal])* $defaulted:ident: $defaulted_type:ty $(= $default:expr)?, )*
        } )?
        $( placed {
            $( $(#[doc = $placed_doc:literal])* $placed:ident: $placed_type:ty = $placed_default:expr, )*
        } )?
        $( flatten { $( $flat:ident: $flat_type:ty, )* } )?
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone)]
        #[allow(dead_code, reason = "some keys are only checked to be known")]
        $vis struct $name {
            /// The whole mapping.
            pub span: $crate::diagnostics::Span,
            $( $( $(#[doc = $required_doc])* pub $required: $required_type, )* )?
            $( $( $(#[doc = $optional_doc])* pub $optional: Option<$optional_type>, )* )?
            $( $( $(#[doc = $defaulted_doc])* pub $defaulted: $defaulted_type, )* )?
            $( $( $(#[doc = $placed_doc])* pub $placed: $crate::yaml::Spanned<$placed_type>, )* )?
            $( $( pub $flat: $flat_type, )* )?
        }

        impl $crate::yaml::Record for $name {
            const NAME: &'static str = $expected;

            fn keys(keys: &mut Vec<&'static str>) {
                $( $( keys.push(stringify!($required)); )* )?
                $( $( keys.push(stringify!($optional)); )* )?
                $( $( keys.push(stringify!($defaulted)); )* )?
                $( $( keys.push(stringify!($placed)); )* )?
                $( $( <$flat_type as $crate::yaml::Record>::keys(keys); )* )?
            }

            fn take(
                fields: &$crate::yaml::Fields<'_>,
                diagnostics: &mut $crate::diagnostics::Diagnostics,
            ) -> Option<Self> {
                $( $( let $required = fields.required(stringify!($required), diagnostics); )* )?
                $( $( let $optional = fields.optional(stringify!($optional), diagnostics); )* )?
                $( $(
                    let $defaulted = fields
                        .optional(stringify!($defaulted), diagnostics)
                        .unwrap_or_else(|| $crate::yaml::record!(@default $($default)?));
                )* )?
                $( $( let $placed = fields.placed(stringify!($placed), $placed_default, diagnostics); )* )?
                $( $( let $flat = <$flat_type as $crate::yaml::Record>::take(fields, diagnostics); )* )?
                Some(Self {
                    span: fields.span().clone(),
                    $( $( $required: $required?, )* )?
                    $( $( $optional, )* )?
                    $( $( $defaulted, )* )?
                    $( $( $placed, )* )?
                    $( $( $flat: $flat?, )* )?
                })
            }

            #[allow(unused_variables, reason = "a record may consist of flattened ones alone")]
            fn describe(object: &mut $crate::yaml::ObjectSchema, schemas: &mut $crate::yaml::Schemas) {
                $( $(
                    object.required::<$required_type>(stringify!($required), &[$($required_doc),*], schemas);
                )* )?
                $( $(
                    object.optional::<$optional_type>(stringify!($optional), &[$($optional_doc),*], schemas);
                )* )?
                $( $(
                    let default = $crate::yaml::record!(@says $($default)?);
                    object.defaulted::<$defaulted_type>(
                        (stringify!($defaulted), default), &[$($defaulted_doc),*], schemas,
                    );
                )* )?
                $( $(
                    let default = Some(serde_json::json!($placed_default));
                    object.defaulted::<$placed_type>(
                        (stringify!($placed), default), &[$($placed_doc),*], schemas,
                    );
                )* )?
                $( $( <$flat_type as $crate::yaml::Record>::describe(object, schemas); )* )?
            }
        }

        impl $crate::yaml::Read for $name {
            const EXPECTED: &'static str = $expected;

            fn read(
                node: &$crate::yaml::Node,
                diagnostics: &mut $crate::diagnostics::Diagnostics,
            ) -> Option<Self> {
                let fields = $crate::yaml::Fields::of::<Self>(node, diagnostics)?;
                <Self as $crate::yaml::Record>::take(&fields, diagnostics)
            }

            fn schema(schemas: &mut $crate::yaml::Schemas) -> serde_json::Value {
                schemas.record::<Self>(stringify!($name), &[$($doc),*])
            }
        }
    };
}
pub(crate) use record;

/// Declares a mapping whose key `type` decides which other keys it has: an enum of records.
macro_rules! tagged {
    (
        $(#[doc = $doc:literal])*
        $vis:vis enum $name:ident, $expected:literal {
            $( $word:literal => $variant:ident($record:ty), )+
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone)]
        #[allow(clippy::large_enum_variant, reason = "they are read once and consumed")]
        $vis enum $name {
            $( $variant($record), )+
        }

        impl $crate::yaml::Read for $name {
            const EXPECTED: &'static str = $expected;

            fn read(
                node: &$crate::yaml::Node,
                diagnostics: &mut $crate::diagnostics::Diagnostics,
            ) -> Option<Self> {
                let (word, rest) = $crate::yaml::split_type::<Self>(node, &[$($word),+], diagnostics)?;
                match word {
                    $( $word => <$record as $crate::yaml::Read>::read(&rest, diagnostics).map(Self::$variant), )+
                    _ => None,
                }
            }

            fn schema(schemas: &mut $crate::yaml::Schemas) -> serde_json::Value {
                let variants = [$( schemas.variant::<$record>(stringify!($record), $word), )+];
                serde_json::json!({ "oneOf": variants })
            }
        }
    };
}
pub(crate) use tagged;

/// The `type` of a mapping, which must be one of `words`, and the mapping without it.
pub fn split_type<T: Read>(
    node: &Node,
    words: &[&'static str],
    diagnostics: &mut Diagnostics,
) -> Option<(&'static str, Node)> {
    let Content::Mapping(entries) = &node.content else {
        diagnostics.error(&node.span, format!("expected {}, found {}", T::EXPECTED, node.describe()));
        return None;
    };
    let Some((_, value)) = entries.iter().find(|(key, _)| key.as_text() == Some("type")) else {
        let help = match words {
            [only] => format!("write `type: {only}`"),
            several => format!("write `type:` and one of {}", several.join(", ")),
        };
        diagnostics.error_with_help(&node.span, format!("`type` is missing in {}", T::EXPECTED), help);
        return None;
    };
    let written = String::read(value, diagnostics)?;
    let Some(word) = words.iter().find(|word| **word == written) else {
        let help = did_you_mean(&written, words.iter().copied());
        diagnostics.error_with_help(&value.span, format!("`{written}` is not a type of {}", bare(T::EXPECTED)), help);
        return None;
    };
    let rest = entries.iter().filter(|(key, _)| key.as_text() != Some("type")).cloned().collect();
    Some((word, Node { span: node.span.clone(), content: Content::Mapping(rest) }))
}

/// Words such as `a data source` without their article.
fn bare(expected: &str) -> &str {
    expected.split_once(' ').map_or(expected, |(_, noun)| noun)
}

/// The entries of a mapping with known keys.
pub struct Fields<'a> {
    span: &'a Span,
    /// What the mapping is, in words.
    name: &'static str,
    entries: Vec<(&'a str, &'a Node)>,
}

impl<'a> Fields<'a> {
    /// The entries of `node`, after reporting keys that the record does not have.
    pub fn of<T: Record>(node: &'a Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let Content::Mapping(mapping) = &node.content else {
            diagnostics.error(&node.span, format!("expected {}, found {}", T::NAME, node.describe()));
            return None;
        };
        let mut keys = Vec::new();
        T::keys(&mut keys);
        let mut entries = Vec::with_capacity(mapping.len());
        for (key, value) in mapping {
            match key.as_text() {
                Some(name) if keys.iter().any(|key| plain(key) == name) => entries.push((name, value)),
                _ => {
                    let written = key.span.text().trim();
                    let help = did_you_mean(written, keys.iter().map(|key| plain(key)));
                    diagnostics.error_with_help(&key.span, format!("unknown key `{written}` in {}", T::NAME), help);
                }
            }
        }
        Some(Self { span: &node.span, name: T::NAME, entries })
    }

    /// The whole mapping.
    pub fn span(&self) -> &Span {
        self.span
    }

    /// The value of a key that may be missing.
    pub fn optional<T: Read>(&self, key: &str, diagnostics: &mut Diagnostics) -> Option<T> {
        let (_, node) = self.entries.iter().find(|(name, _)| *name == plain(key))?;
        if node.is_null() && !T::TAKES_NULL { None } else { T::read(node, diagnostics) }
    }

    /// The value of a key that may be missing, else `default` at the place of the mapping.
    pub fn placed<T: Read>(&self, key: &str, default: impl Into<T>, diagnostics: &mut Diagnostics) -> Spanned<T> {
        self.optional(key, diagnostics).unwrap_or_else(|| Spanned { value: default.into(), span: self.span.clone() })
    }

    /// The value of a key that must be there.
    pub fn required<T: Read>(&self, key: &str, diagnostics: &mut Diagnostics) -> Option<T> {
        match self.entries.iter().find(|(name, _)| *name == plain(key)) {
            Some((_, node)) => T::read(node, diagnostics),
            None => {
                diagnostics.error(self.span, format!("`{}` is missing in {}", plain(key), self.name));
                None
            }
        }
    }
}

/// A key as written in YAML: Rust marks fields named like its own words.
pub(super) fn plain(key: &str) -> &str {
    key.strip_prefix("r#").unwrap_or(key)
}

/// Reads a value as one of a closed set of words.
pub fn read_word<T: Copy>(
    node: &Node,
    (what, words): (&str, &[T]),
    as_str: fn(T) -> &'static str,
    diagnostics: &mut Diagnostics,
) -> Option<T> {
    let written = String::read(node, diagnostics)?;
    let found = words.iter().copied().find(|word| as_str(*word) == written);
    if found.is_none() {
        let help = did_you_mean(&written, words.iter().map(|word| as_str(*word)));
        diagnostics.error_with_help(&node.span, format!("there is no {what} `{written}`"), help);
    }
    found
}

/// A closed set of words as JSON Schema.
pub fn word_schema<T: Copy>(words: &[T], as_str: fn(T) -> &'static str) -> Value {
    serde_json::json!({ "enum": words.iter().map(|word| as_str(*word)).collect::<Vec<_>>() })
}
