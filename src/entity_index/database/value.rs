use crate::model::Timestamp;

/// A value in a statement.
#[derive(Debug, Clone, Copy)]
pub(in crate::entity_index) enum Value<'a> {
    Text(&'a str),
    Integer(i64),
    Moment(Timestamp),
}

/// A value in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::entity_index) enum Cell {
    Null,
    Text(String),
    Integer(i64),
    Moment(Timestamp),
}

impl Cell {
    /// The number; 0 where it is none.
    pub(in crate::entity_index) const fn integer(&self) -> i64 {
        if let Self::Integer(number) = self { *number } else { 0 }
    }

    /// The text, if there is one.
    pub(in crate::entity_index) fn text(self) -> Option<String> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The moment, if there is one; some databases have texts for them.
    pub(in crate::entity_index) fn moment(&self) -> Option<Timestamp> {
        match self {
            Self::Moment(moment) => Some(*moment),
            Self::Text(text) => Timestamp::absolute(text),
            Self::Null | Self::Integer(_) => None,
        }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(moment: Timestamp) -> Self {
        Self::Moment(moment)
    }
}
