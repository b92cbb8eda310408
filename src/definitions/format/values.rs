//! Leaf values of the format: what stands under one key.

use serde_json::{Value, json};

use crate::{
    diagnostics::{Diagnostics, did_you_mean},
    feast::values::data_types,
    model::{
        ConflictPolicy, DataType, FileFormat, FutureRows, NullKeys, OutOfRange, PermissionAction, PermissionType, Ttl,
        ViewVersion,
    },
    yaml::{Content, Node, Read, Scalar, Schemas, Spanned, read_word, word_schema},
};

/// An entry of a collection: what could be read of it. The name alone remains of one with errors,
/// so that whatever refers to it is not reported, too.
#[derive(Debug, Clone)]
pub(crate) struct Item<T> {
    /// Its name; `None` where there is none to read.
    pub name: Option<String>,
    /// What it says; `None` where that cannot be read.
    pub value: Option<T>,
    /// Whether there were errors in it, such as an unknown key.
    pub is_flawed: bool,
}

impl<T: Read> Read for Item<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let named = |(key, _): &&(Node, Node)| key.as_text() == Some("name");
        let name = node.entries().and_then(|entries| entries.iter().find(named)).and_then(|(_, name)| name.as_text());
        let mut found = Diagnostics::default();
        let value = T::read(node, &mut found);
        let is_flawed = found.has_errors();
        diagnostics.append(found);
        Some(Self { name: name.map(str::to_owned), value, is_flawed })
    }

    fn schema(schemas: &mut Schemas) -> Value {
        T::schema(schemas)
    }
}

/// A ttl or another stretch of time as written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timespan(pub Ttl);

impl Read for Timespan {
    const EXPECTED: &'static str = "a duration such as 1d";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let parsed = match node.scalar() {
            Some(Scalar::Integer(0)) => Ok(Ttl::UNLIMITED),
            Some(Scalar::Text(text)) => text.parse::<Ttl>().map_err(|error| (error.to_string(), None)),
            Some(Scalar::Integer(number)) => {
                Err((format!("`{number}` is a duration without a unit"), Some(format!("write {number}s for seconds"))))
            }
            _ => Err((format!("expected {}, found {}", Self::EXPECTED, node.describe()), None)),
        };
        match parsed {
            Ok(ttl) => Some(Self(ttl)),
            Err((message, help)) => {
                diagnostics.error_with_help(&node.span, message, help);
                None
            }
        }
    }

    fn schema(_: &mut Schemas) -> Value {
        let written = r"^\s*(0|([0-9]+(us|ms|s|min|m|h|d|w))+|[Pp]\S+)\s*$";
        json!({ "anyOf": [{ "const": 0 }, { "type": "string", "pattern": written }], "examples": ["90s", "12h", "1d"] })
    }
}

impl Read for DataType {
    const EXPECTED: &'static str = "a type such as Int64";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let text = String::read(node, diagnostics)?;
        match text.parse::<Self>() {
            Ok(dtype) if data_types::to_wire(&dtype).number != 0 => Some(dtype),
            Ok(dtype) => {
                diagnostics.error(&node.span, format!("Feast has no way to store values of type {dtype}"));
                None
            }
            Err(_) => {
                let help = did_you_mean(&text, Self::names());
                diagnostics.error_with_help(&node.span, format!("`{text}` is not a type"), help);
                None
            }
        }
    }

    fn schema(_: &mut Schemas) -> Value {
        let simple: Vec<&str> = Self::names().filter(|name| !name.ends_with(')')).collect();
        json!({ "anyOf": [{ "enum": simple }, { "type": "string", "pattern": r"^\s*(Array|Set|Struct)\s*\(.+\)\s*$" }] })
    }
}

/// The type of an entity's join key, in the spelling of Feast's `ValueType` or of a dtype.
#[derive(Debug, Clone)]
pub(crate) struct EntityValueType(pub DataType);

impl EntityValueType {
    const NAMES: [&str; 5] = ["STRING", "INT64", "INT32", "BYTES", "UNIX_TIMESTAMP"];
}

impl Read for EntityValueType {
    const EXPECTED: &'static str = "a type such as INT64";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let text = String::read(node, diagnostics)?;
        let Some(dtype) = data_types::parse_value_type(&text).or_else(|| text.parse().ok()) else {
            let help = did_you_mean(&text, Self::NAMES);
            diagnostics.error_with_help(&node.span, format!("`{text}` is not a type"), help);
            return None;
        };
        if !dtype.is_join_key() {
            diagnostics.error_with_help(
                &node.span,
                format!("entities cannot be identified by {text} values"),
                format!("use one of {}", Self::NAMES.join(", ")),
            );
            return None;
        }
        Some(Self(dtype))
    }

    fn schema(_: &mut Schemas) -> Value {
        let types = DataType::names().filter(|name| name.parse().is_ok_and(|dtype: DataType| dtype.is_join_key()));
        json!({ "enum": Self::NAMES.into_iter().chain(types).collect::<Vec<_>>() })
    }
}

impl Read for ViewVersion {
    const EXPECTED: &'static str = "a version such as latest or v2";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let text = String::read(node, diagnostics)?;
        let parsed = text.parse();
        if parsed.is_err() {
            let help = "write `latest`, or the number of a version such as `v2`".to_owned();
            diagnostics.error_with_help(&node.span, format!("`{text}` is not a version"), help);
        }
        parsed.ok()
    }

    fn schema(_: &mut Schemas) -> Value {
        json!({ "type": "string", "pattern": "^([lL][aA][tT][eE][sS][tT]|([vV]|[vV][eE][rR][sS][iI][oO][nN])[0-9]+|)$" })
    }
}

/// Reads model types that are closed sets of words.
macro_rules! words {
    ($($name:ident, $expected:literal, $what:literal, $words:expr;)*) => { $(
        impl Read for $name {
            const EXPECTED: &'static str = $expected;

            fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
                read_word(node, ($what, &$words[..]), Self::as_str, diagnostics)
            }

            fn schema(_: &mut Schemas) -> Value {
                word_schema(&$words[..], Self::as_str)
            }
        }
    )* };
}

words! {
    FileFormat, "a file format", "file format", FileFormat::ALL;
    ConflictPolicy, "a conflict policy", "conflict policy", ConflictPolicy::ALL;
    NullKeys, "`skip` or `fail`", "way to treat null keys", NullKeys::ALL;
    OutOfRange, "`fail` or `as_null`", "way to treat values that do not fit", OutOfRange::ALL;
    FutureRows, "`allow`, `count`, `skip` or `fail`", "way to treat rows in the future", FutureRows::ALL;
    PermissionType, "a type of object such as FeatureView", "type of object", PermissionType::ALL;
}

/// One text, or several.
#[derive(Debug, Clone, Default)]
pub(crate) struct OneOrMany(pub Vec<Spanned<String>>);

impl Read for OneOrMany {
    const EXPECTED: &'static str = "a text, or a list of texts";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        match &node.content {
            Content::Scalar(_) => Spanned::read(node, diagnostics).map(|text| Self(vec![text])),
            _ => Vec::read(node, diagnostics).map(Self),
        }
    }

    fn schema(schemas: &mut Schemas) -> Value {
        json!({ "anyOf": [{ "type": "string" }, Vec::<String>::schema(schemas)] })
    }
}

/// Permitted actions with Feast's shorthands spelled out, each action once.
#[derive(Debug, Clone)]
pub(crate) struct Actions(pub Vec<PermissionAction>);

impl Actions {
    /// Feast's shorthands, in the order Feast spells them out.
    const SHORTHANDS: [(&str, &[PermissionAction]); 4] = {
        use PermissionAction::{Create, Delete, Describe, ReadOffline, ReadOnline, Update, WriteOffline, WriteOnline};
        [
            ("ALL", PermissionAction::ALL),
            ("CRUD", &[Create, Describe, Update, Delete]),
            ("READ", &[ReadOffline, ReadOnline]),
            ("WRITE", &[WriteOffline, WriteOnline]),
        ]
    };

    fn words() -> Vec<&'static str> {
        let shorthands = Self::SHORTHANDS.iter().map(|(word, _)| *word);
        shorthands.chain(PermissionAction::ALL.iter().map(|action| action.as_str())).collect()
    }

    fn of(word: &str) -> Option<&'static [PermissionAction]> {
        let word = word.to_ascii_uppercase();
        let shorthand = Self::SHORTHANDS.iter().find(|(name, _)| *name == word).map(|(_, actions)| *actions);
        shorthand.or_else(|| {
            let position = PermissionAction::ALL.iter().position(|action| action.as_str() == word)?;
            PermissionAction::ALL.get(position..=position)
        })
    }
}

impl Read for Actions {
    const EXPECTED: &'static str = "actions such as [DESCRIBE, READ]";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut actions = Vec::new();
        for word in OneOrMany::read(node, diagnostics)?.0 {
            match Self::of(&word.value) {
                Some(meant) => {
                    for action in meant {
                        if !actions.contains(action) {
                            actions.push(*action);
                        }
                    }
                }
                None => {
                    let help = did_you_mean(&word.value, Self::words());
                    diagnostics.error_with_help(&word.span, format!("there is no action `{}`", word.value), help);
                }
            }
        }
        Some(Self(actions))
    }

    fn schema(_: &mut Schemas) -> Value {
        let lower = Self::words().into_iter().map(str::to_lowercase);
        let word = json!({ "enum": Self::words().into_iter().map(str::to_owned).chain(lower).collect::<Vec<_>>() });
        json!({ "anyOf": [word, { "type": "array", "items": word, "minItems": 1 }] })
    }
}
