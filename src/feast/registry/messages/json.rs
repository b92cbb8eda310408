//! The JSON mapping of protobuf for our messages: camelCase names, fields at their default left
//! out, bytes in base64, enumerations by name.

use std::{collections::BTreeMap, fmt::Display};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Serialize, Serializer};

use super::Entry;

/// Declares messages: derives what all of them have and leaves unset fields out of their JSON.
macro_rules! messages {
    ($(
        $(#[$about:meta])*
        pub struct $name:ident {
            $( $(#[$attribute:meta])* pub $field:ident: $type:ty, )*
        }
    )*) => {$(
        $(#[$about])*
        #[derive(Clone, PartialEq, prost::Message, serde::Serialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            $(
                $(#[$attribute])*
                #[serde(skip_serializing_if = "crate::feast::registry::messages::json::unset")]
                pub $field: $type,
            )*
        }
    )*
        /// These messages as they are declared.
        pub(super) const DECLARED: &[crate::feast::registry::messages::declared::Message] = &[$(
            crate::feast::registry::messages::declared::Message {
                name: stringify!($name),
                about: &[$( stringify!($about) ),*],
                fields: &[$(
                    crate::feast::registry::messages::declared::Field {
                        name: stringify!($field),
                        attributes: &[$( stringify!($attribute) ),*],
                        kind: stringify!($type),
                    }
                ),*],
            }
        ),*];
    };
}
pub(super) use messages;

/// Declares enumerations together with Feast's names of their values.
macro_rules! enums {
    ($(
        $(#[$about:meta])*
        pub enum $name:ident {
            $( $variant:ident = $number:literal => $text:literal, )*
        }
    )*) => {$(
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
        #[repr(i32)]
        pub enum $name {
            $( $variant = $number, )*
        }

        impl $name {
            /// Feast's name of the value.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $( Self::$variant => $text, )*
                }
            }
        }

        impl $name {
            /// The enumeration as it is declared.
            pub(super) const DECLARED: crate::feast::registry::messages::declared::Enumeration =
                crate::feast::registry::messages::declared::Enumeration {
                    name: stringify!($name),
                    about: &[$( stringify!($about) ),*],
                    values: &[$( ($text, $number) ),*],
                };
        }

        impl From<$name> for &'static str {
            fn from(value: $name) -> Self {
                value.as_str()
            }
        }
    )*};
}
pub(super) use enums;

/// Whether a field holds its default, which neither the wire nor the JSON shows.
pub(super) fn unset<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Bytes as base64 text.
pub(super) fn base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}

/// A 64-bit integer as text, since JSON readers may know only doubles.
pub(super) fn text<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// A single-precision number with the fewest digits that read back to it.
pub(super) fn float<S: Serializer>(value: &f32, serializer: S) -> Result<S::Ok, S::Error> {
    match value.to_string().parse::<f64>() {
        Ok(shortest) if shortest.is_finite() => serializer.serialize_f64(shortest),
        _ if value.is_nan() => serializer.serialize_str("NaN"),
        _ if *value > 0.0 => serializer.serialize_str("Infinity"),
        _ => serializer.serialize_str("-Infinity"),
    }
}

/// A value of an enumeration by name; a number that Feast has no name for stays a number.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum EnumValue {
    Known(&'static str),
    Unknown(i32),
}

impl EnumValue {
    pub(super) fn of<E: TryFrom<i32> + Into<&'static str>>(number: i32) -> Self {
        E::try_from(number).map_or(Self::Unknown(number), |value| Self::Known(value.into()))
    }
}

/// One value of the enumeration `E`.
pub(super) fn name_of<E, S>(number: &i32, serializer: S) -> Result<S::Ok, S::Error>
where
    E: TryFrom<i32> + Into<&'static str>,
    S: Serializer,
{
    EnumValue::of::<E>(*number).serialize(serializer)
}

/// A list of values of the enumeration `E`.
pub(super) fn names_of<E, S>(numbers: &[i32], serializer: S) -> Result<S::Ok, S::Error>
where
    E: TryFrom<i32> + Into<&'static str>,
    S: Serializer,
{
    serializer.collect_seq(numbers.iter().map(|number| EnumValue::of::<E>(*number)))
}

/// A map as an object, sorted by key; the last of several entries with one key counts.
pub(super) fn map<E: Entry, S: Serializer>(entries: &[E], serializer: S) -> Result<S::Ok, S::Error> {
    let sorted: BTreeMap<&str, _> = entries.iter().map(|entry| (entry.key(), entry.json())).collect();
    serializer.collect_map(sorted)
}
