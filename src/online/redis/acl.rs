//! What an account of Redis needs for the values of a project: commands, and patterns of keys.
//!
//! A key ends with the project, and all views over the same join keys share the hash of an entity, so accounts can be kept
//! apart by project and join keys, not by view.

use crate::{
    feast::values::entity_key::EntityKeyEncoder,
    model::{DataType, View},
    online::ViewLayout,
    problem::{Kind, Problem},
};

/// What somebody does with online values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedisRole {
    /// Reads them.
    Reader,
    /// Writes them, too.
    Writer,
    /// Removes those of removed views and features, too, for which all keys of the server are listed.
    Owner,
}

/// Every client.
const CONNECT: &[&str] = &["auth", "hello", "ping", "select", "command", "asking", "cluster|slots"];
const READ: &[&str] = &["hmget"];
/// `hget` and `hdel` are called by the scripts, and the others by Feast or around them.
const WRITE: &[&str] = &[
    "hget",
    "hset",
    "hdel",
    "expire",
    "restore",
    "evalsha",
    "script|load",
    "multi",
    "exec",
    "watch",
    "unwatch",
    "info",
];
const REMOVE: &[&str] = &["scan", "hkeys", "hlen", "del", "unlink"];

impl RedisRole {
    /// The commands of the role.
    pub fn commands(self) -> impl Iterator<Item = &'static str> {
        let more: &[&[&str]] = match self {
            Self::Reader => &[],
            Self::Writer => &[WRITE],
            Self::Owner => &[WRITE, REMOVE],
        };
        [CONNECT, READ].into_iter().chain(more.iter().copied()).flatten().copied()
    }
}

/// The pattern of the keys of a view's entities in a project. Redis takes no blanks and no zero bytes in patterns, so that
/// `?` stands for what is not a usual letter.
///
/// # Errors
/// When its join keys make no key.
pub fn key_pattern(project: &str, view: View<'_>) -> Result<String, Problem> {
    let layout = ViewLayout::of(project, view);
    let encoder = EntityKeyEncoder::new(&layout.join_keys)
        .map_err(|error| Problem::new(Kind::Invalid, format!("view `{}`: {error}", layout.view), None))?;
    let mut pattern = literal(encoder.prefix());
    let lengths: Option<usize> = view.join_keys().iter().map(|key| length(&key.dtype)).sum();
    match lengths.filter(|length| *length > 0) {
        Some(length) => pattern.push_str(&"?".repeat(length)),
        None => pattern.push('*'),
    }
    Ok(pattern + &literal(project.as_bytes()))
}

/// How many bytes the kind, the length and the value of a join key have, where that is always the same: the project stands
/// at its place then.
const fn length(kind: &DataType) -> Option<usize> {
    match kind {
        DataType::Int32 => Some(4 + 4 + 4),
        DataType::Int64 | DataType::UnixTimestamp => Some(4 + 4 + 8),
        _ => None,
    }
}

fn literal(bytes: &[u8]) -> String {
    let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:/@".contains(&byte);
    bytes.iter().map(|byte| if is_usual(*byte) { char::from(*byte) } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DUMMY_JOIN_KEY, FeatureView, Field};

    fn view(keys: &[(&str, DataType)]) -> FeatureView {
        let field = |(name, dtype): &(&str, DataType)| Field::new(*name, dtype.clone());
        FeatureView {
            entities: keys.iter().map(|(name, _)| (*name).to_owned()).collect(),
            entity_columns: keys.iter().map(field).collect(),
            ..FeatureView::new("stats")
        }
    }

    fn pattern(keys: &[(&str, DataType)]) -> String {
        key_pattern("team_a", View::from(&view(keys))).unwrap()
    }

    #[test]
    fn keys_of_numbers_have_one_length() {
        let question = |count: usize| "?".repeat(count);
        assert_eq!(pattern(&[("id", DataType::Int64)]), format!("{}id{}team_a", question(12), question(16)));
        let both = [("b", DataType::Int32), ("a", DataType::UnixTimestamp)];
        assert_eq!(pattern(&both), format!("{}a{}b{}team_a", question(12), question(8), question(28)));
        assert_eq!(pattern(&[("id", DataType::String)]), format!("{}id*team_a", question(12)));
        let mixed = [("b", DataType::Int32), ("a", DataType::String)];
        assert_eq!(pattern(&mixed), format!("{}a{}b*team_a", question(12), question(8)));
        assert_eq!(pattern(&[("a *", DataType::String)]), format!("{}a??*team_a", question(12)));
        assert_eq!(pattern(&[]), format!("{}{DUMMY_JOIN_KEY}*team_a", question(12)));
    }

    #[test]
    fn a_role_has_what_lesser_ones_have() {
        let has = |role: RedisRole, command: &str| role.commands().any(|known| known == command);
        assert!(has(RedisRole::Reader, "hmget") && !has(RedisRole::Reader, "hset"));
        assert!(has(RedisRole::Writer, "hset") && !has(RedisRole::Writer, "scan"));
        assert!(has(RedisRole::Owner, "hset") && has(RedisRole::Owner, "scan"));
    }
}
