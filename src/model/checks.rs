//! What may be checked of a source's rows; `materialize/checks.rs` does it.

use serde::{Deserialize, Serialize};

use super::{CHECKS_TAG, Tags};

/// What is checked of the rows of a view's source when its values are written to the online store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Checks {
    /// What to do about rows without a join key.
    #[serde(skip_serializing_if = "is_default")]
    pub null_keys: NullKeys,
    /// What to do about values that their type cannot hold.
    #[serde(skip_serializing_if = "is_default")]
    pub out_of_range: OutOfRange,
    /// What to do about rows from the future.
    #[serde(skip_serializing_if = "is_default")]
    pub future: FutureRows,
    /// The fewest rows that an interval has; with fewer nothing of it is written.
    #[serde(skip_serializing_if = "is_default")]
    pub min_rows: u64,
}

/// What happens to rows one of whose join keys is null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NullKeys {
    /// They are counted and left out.
    #[default]
    Skip,
    /// Nothing is written.
    Fail,
}

/// What happens to values that do not fit their declared type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutOfRange {
    /// Writing ends.
    #[default]
    Fail,
    /// They are counted and become null.
    AsNull,
}

/// What happens to rows with an event later than the moment of writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FutureRows {
    /// Nobody looks for them.
    #[default]
    Allow,
    /// They are counted.
    Count,
    /// They are counted, and nothing later than now is written.
    Skip,
    /// Nothing is written.
    Fail,
}

impl NullKeys {
    /// All of them, in the order that messages offer them.
    pub const ALL: [Self; 2] = [Self::Skip, Self::Fail];

    /// The word of the definitions format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Fail => "fail",
        }
    }
}

impl OutOfRange {
    /// All of them, in the order that messages offer them.
    pub const ALL: [Self; 2] = [Self::Fail, Self::AsNull];

    /// The word of the definitions format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::AsNull => "as_null",
        }
    }
}

impl FutureRows {
    /// All of them, in the order that messages offer them.
    pub const ALL: [Self; 4] = [Self::Allow, Self::Count, Self::Skip, Self::Fail];

    /// The word of the definitions format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Count => "count",
            Self::Skip => "skip",
            Self::Fail => "fail",
        }
    }
}

impl Checks {
    /// The checks that the tags of a view hold; the defaults where they hold none.
    ///
    /// # Errors
    /// When the tag is not what feastr writes.
    pub fn of(tags: &Tags) -> Result<Self, serde_json::Error> {
        tags.get(CHECKS_TAG).map_or(Ok(Self::default()), |text| serde_json::from_str(text))
    }

    /// Adds the tag that holds the checks, unless they are the defaults.
    pub fn add_to(self, tags: &mut Tags) {
        if self != Self::default() {
            // Words and a number always have a JSON form.
            tags.insert(CHECKS_TAG.to_owned(), serde_json::to_string(&self).unwrap_or_default());
        }
    }

    /// Whether rows are looked at before any is written.
    pub fn look_ahead(self) -> bool {
        self.null_keys == NullKeys::Fail || self.future != FutureRows::Allow || self.min_rows > 0
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_kept_in_a_tag() {
        let mut tags = Tags::new();
        Checks::default().add_to(&mut tags);
        assert!(tags.is_empty());
        let checks = Checks {
            null_keys: NullKeys::Fail,
            out_of_range: OutOfRange::AsNull,
            future: FutureRows::Skip,
            min_rows: 7,
        };
        checks.add_to(&mut tags);
        assert_eq!(tags[CHECKS_TAG], r#"{"null_keys":"fail","out_of_range":"as_null","future":"skip","min_rows":7}"#);
        assert_eq!(Checks::of(&tags).unwrap(), checks);
        tags.insert(CHECKS_TAG.to_owned(), r#"{"min_rows":1}"#.to_owned());
        assert_eq!(Checks::of(&tags).unwrap(), Checks { min_rows: 1, ..Checks::default() });
        for wrong in ["", "{", r#"{"min_rows":-1}"#, r#"{"newer":1}"#, r#"{"future":"maybe"}"#] {
            tags.insert(CHECKS_TAG.to_owned(), wrong.to_owned());
            assert!(Checks::of(&tags).is_err(), "{wrong}");
        }
    }
}
