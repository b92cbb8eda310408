//! JSON looked at just as far as a type needs it.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};

/// A value of JSON by its kind; numbers, arrays and objects as they are written.
pub(super) enum Json<'a> {
    Null,
    Bool(bool),
    Number(&'a str),
    String(Cow<'a, str>),
    Array,
    Object,
}

impl<'a> Json<'a> {
    /// Looks at a value that is known to be JSON, without blanks around it. `None` for strings with
    /// escapes that stand for no text, such as half of a surrogate pair.
    pub(super) fn look(json: &'a str) -> Option<Self> {
        Some(match json.as_bytes().first()? {
            b'n' => Self::Null,
            b't' => Self::Bool(true),
            b'f' => Self::Bool(false),
            b'"' => Self::String(string(json)?),
            b'[' => Self::Array,
            b'{' => Self::Object,
            _ => Self::Number(json),
        })
    }
}

/// The content of a string.
fn string(json: &str) -> Option<Cow<'_, str>> {
    let content = json.strip_prefix('"')?.strip_suffix('"')?;
    match memchr::memchr(b'\\', content.as_bytes()) {
        None => Some(Cow::Borrowed(content)),
        Some(_) => serde_json::from_str(json).ok().map(Cow::Owned),
    }
}

/// Whether a text is one value of JSON.
pub(super) fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Whether a text is one object of JSON.
pub(super) fn is_object(text: &str) -> bool {
    serde_json::from_str::<AnyObject>(text).is_ok()
}

struct AnyObject;

impl<'de> Deserialize<'de> for AnyObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self)
    }
}

impl<'de> Visitor<'de> for AnyObject {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(self)
    }
}
