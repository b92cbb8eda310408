//! Access tokens.

use std::fmt;

use super::claims::Claims;
use crate::{config::Password, model::Timestamp};

/// An access token. It never reaches a message.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    pub(super) text: Password,
    /// When it ends, if anybody said so.
    pub(super) expires: Option<Timestamp>,
    /// What another one is to be had for.
    pub(super) refresh: Option<Password>,
}

impl Token {
    /// A token that says itself when it ends.
    pub(super) fn new(text: String) -> Self {
        let expires = Claims::read(&text).and_then(|claims| claims.expires());
        Self { text: Password(text), expires, refresh: None }
    }

    /// The text, to be sent and kept, not to be shown.
    pub(super) fn text(&self) -> &str {
        &self.text.0
    }

    /// The header `authorization` of requests.
    pub fn header(&self) -> String {
        format!("Bearer {}", self.text.0)
    }

    /// What it says of itself and of whom it is about; `None` if it is not made to be read.
    pub fn claims(&self) -> Option<Claims> {
        Claims::read(&self.text.0)
    }

    /// When it ends, if anybody said so.
    pub const fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// Whether it has ended at a moment.
    pub fn has_ended(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("expires", &self.expires).finish_non_exhaustive()
    }
}
