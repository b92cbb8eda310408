use super::{
    node::{Content, Node},
    read::Read,
};
use crate::diagnostics::{Diagnostics, Span, did_you_mean};

/// Declares a mapping with known keys: a struct whose fields are the keys, with its [`Read`].
///
/// Every struct has a `span` besides its keys. An optional key that is missing or null reads as
/// `None`; a missing required key and an unknown key are errors, and a record without one of its
/// required keys yields nothing.
macro_rules! record {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident, $expected:literal;
        required { $( $(#[$required_meta:meta])* $required:ident: $required_type:ty, )* }
        optional { $( $(#[$optional_meta:meta])* $optional:ident: $optional_type:ty, )* }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone)]
        #[allow(dead_code, reason = "some keys are only checked to be known")]
        $vis struct $name {
            /// The whole mapping.
            pub span: $crate::diagnostics::Span,
            $( $(#[$required_meta])* pub $required: $required_type, )*
            $( $(#[$optional_meta])* pub $optional: Option<$optional_type>, )*
        }

        impl $crate::yaml::Read for $name {
            const EXPECTED: &'static str = $expected;

            fn read(
                node: &$crate::yaml::Node,
                diagnostics: &mut $crate::diagnostics::Diagnostics,
            ) -> Option<Self> {
                const KEYS: &[&str] = &[$( stringify!($required), )* $( stringify!($optional), )*];
                let mut fields = $crate::yaml::Fields::of::<Self>(node, KEYS, diagnostics)?;
                $( let $required = fields.required(stringify!($required), diagnostics); )*
                $( let $optional = fields.optional(stringify!($optional), diagnostics); )*
                Some(Self {
                    span: node.span.clone(),
                    $( $required: $required?, )*
                    $( $optional, )*
                })
            }
        }
    };
}
pub(crate) use record;

/// The entries of a mapping with known keys.
pub struct Fields<'a> {
    span: &'a Span,
    entries: Vec<(&'a str, &'a Node)>,
}

impl<'a> Fields<'a> {
    /// The entries of `node`, after reporting keys that are not among `keys`.
    pub fn of<T: Read>(node: &'a Node, keys: &[&str], diagnostics: &mut Diagnostics) -> Option<Self> {
        let Content::Mapping(mapping) = &node.content else {
            diagnostics.error(&node.span, format!("expected {}, found {}", T::EXPECTED, node.describe()));
            return None;
        };
        let mut entries = Vec::with_capacity(mapping.len());
        let known = |name: &str| keys.iter().any(|key| plain(key) == name);
        for (key, value) in mapping {
            match key.as_text() {
                Some(name) if known(name) => entries.push((name, value)),
                _ => {
                    let written = key.span.text().trim();
                    let help = did_you_mean(written, keys.iter().map(|key| plain(key)));
                    diagnostics.error_with_help(&key.span, format!("unknown key `{written}` in {}", T::EXPECTED), help);
                }
            }
        }
        Some(Self { span: &node.span, entries })
    }

    /// The value of a key that may be missing.
    pub fn optional<T: Read>(&mut self, key: &str, diagnostics: &mut Diagnostics) -> Option<T> {
        let (_, node) = self.entries.iter().find(|(name, _)| *name == plain(key))?;
        if node.is_null() && !T::TAKES_NULL { None } else { T::read(node, diagnostics) }
    }

    /// The value of a key that must be there.
    pub fn required<T: Read>(&mut self, key: &str, diagnostics: &mut Diagnostics) -> Option<T> {
        match self.entries.iter().find(|(name, _)| *name == plain(key)) {
            Some((_, node)) => T::read(node, diagnostics),
            None => {
                diagnostics.error(self.span, format!("`{}` is missing", plain(key)));
                None
            }
        }
    }
}

/// A key as written in YAML: Rust marks fields named like its own words.
fn plain(key: &str) -> &str {
    key.strip_prefix("r#").unwrap_or(key)
}
