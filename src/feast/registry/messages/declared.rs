//! How messages and enumerations are declared, for [`described`](super::described).

/// A message.
pub(super) struct Message {
    pub(super) name: &'static str,
    pub(super) about: &'static [&'static str],
    pub(super) fields: &'static [Field],
}

/// A field of a message.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) attributes: &'static [&'static str],
    pub(super) kind: &'static str,
}

/// An enumeration.
pub(super) struct Enumeration {
    pub(super) name: &'static str,
    pub(super) about: &'static [&'static str],
    pub(super) values: &'static [(&'static str, i32)],
}
