//! Feast's layout (`feast/infra/online_stores/redis.py`): a hash per entity, which all views over the
//! same join keys share.

use crate::{
    feast::values::{EventTime, entity_key, feature_hash::feature_field},
    model::Timestamp,
    online::{view_layout::ViewLayout, writer::Replace},
};

/// The field that holds the event time of a view's values.
pub(crate) fn time_field(view: &str) -> Vec<u8> {
    [b"_ts:", view.as_bytes()].concat()
}

/// All fields of a view, that of the time first.
pub(crate) fn fields(layout: &ViewLayout) -> Vec<Vec<u8>> {
    let features = layout.features.iter().map(|feature| feature_field(&layout.view, feature).to_vec());
    std::iter::once(time_field(&layout.view)).chain(features).collect()
}

/// A time as it is stored: a `google.protobuf.Timestamp`.
pub(crate) fn time_value(time: Timestamp) -> Vec<u8> {
    EventTime::from(time).bytes()
}

/// Decodes a stored time; malformed bytes count as 1970.
pub(crate) fn read_time(bytes: &[u8]) -> Timestamp {
    EventTime::read(bytes).into()
}

/// Whether a row replaces one with a stored time. As in Feast one of the same moment does not unless it is
/// asked for, and the epoch counts as nothing stored.
pub(crate) fn replaces(event: Timestamp, stored: &[u8], replace: Replace) -> bool {
    let stored = EventTime::read(stored);
    if stored.is_epoch() {
        return true;
    }
    match replace {
        Replace::Outdated => EventTime::from(event) > stored,
        Replace::NotNewer => EventTime::from(event) >= stored,
        Replace::Everything => true,
    }
}

/// Appends the key of an entity's hash: its serialized entity key, then the project.
pub(crate) fn push_key(key: &mut Vec<u8>, entity: &[u8], project: &str) {
    key.extend_from_slice(entity);
    key.extend_from_slice(project.as_bytes());
}

/// Whether a key is that of an entity over these join keys in this project, and not one of a project
/// whose name ends alike. `prefix` is what the keys over the join keys begin with.
pub(crate) fn is_key_of(key: &[u8], prefix: &[u8], project: &str) -> bool {
    let entity = key.strip_suffix(project.as_bytes()).filter(|entity| entity.starts_with(prefix));
    entity.is_some_and(|entity| entity_key::decode(entity).is_ok())
}

/// A key in words, for messages.
pub(crate) fn describe(key: &[u8], project: &str) -> String {
    let entity = key.strip_suffix(project.as_bytes()).and_then(|entity| entity_key::decode(entity).ok());
    match entity {
        Some(parts) => parts.iter().map(|(name, part)| format!("{name}={part}")).collect::<Vec<_>>().join(", "),
        None => format!("the key \"{}\"", key.escape_ascii()),
    }
}

/// The pattern of SCAN that finds the keys over join keys in a project, and perhaps others.
pub(crate) fn pattern(prefix: &[u8], project: &str) -> Vec<u8> {
    let mut pattern = Vec::with_capacity(prefix.len() * 2 + project.len() + 1);
    escape(prefix, &mut pattern);
    pattern.push(b'*');
    escape(project.as_bytes(), &mut pattern);
    pattern
}

fn escape(bytes: &[u8], pattern: &mut Vec<u8>) {
    for byte in bytes {
        if b"*?[]^-\\".contains(byte) {
            pattern.push(b'\\');
        }
        pattern.push(*byte);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::feast::values::entity_key::{EntityKeyEncoder, KeyPart};

    fn key(names: &[&str], parts: &[KeyPart<'_>], project: &str) -> Vec<u8> {
        let mut key = Vec::new();
        let mut entity = Vec::new();
        EntityKeyEncoder::new(names).unwrap().encode(parts, &mut entity).unwrap();
        push_key(&mut key, &entity, project);
        key
    }

    fn prefix(names: &[&str]) -> Vec<u8> {
        EntityKeyEncoder::new(names).unwrap().prefix().to_vec()
    }

    #[test]
    fn keys_of_projects_and_entities_that_look_alike_are_told_apart() {
        let one = prefix(&["k"]);
        assert!(is_key_of(&key(&["k"], &[KeyPart::String("x")], "demo"), &one, "demo"));
        assert!(!is_key_of(&key(&["k"], &[KeyPart::String("x")], "my_demo"), &one, "demo"));
        assert!(!is_key_of(&key(&["k"], &[KeyPart::String("x")], "demo"), &one, "my_demo"));
        assert!(is_key_of(&key(&["k"], &[KeyPart::String("demo")], "demo"), &one, "demo"));
        assert!(!is_key_of(&key(&["k", "l"], &[KeyPart::Int64(1), KeyPart::Int64(2)], "demo"), &one, "demo"));
        assert!(!is_key_of(b"demo", &one, "demo"));
    }

    #[test]
    fn keys_are_described_by_their_entity() {
        assert_eq!(describe(&key(&["k"], &[KeyPart::Int64(7)], "p"), "p"), "k=7");
        assert_eq!(describe(b"x\0p", "p"), "the key \"x\\x00p\"");
    }

    #[test]
    fn patterns_hold_no_wildcards_but_their_own() {
        assert_eq!(pattern(b"\x2a\0[a-b]", "p?"), b"\\\x2a\0\\[a\\-b\\]*p\\?");
    }

    proptest! {
        #[test]
        fn a_project_finds_its_own_keys_alone(value: String, project in "[a-z_]{1,6}", other in "[a-z_]{1,6}") {
            let key = key(&["k"], &[KeyPart::String(&value)], &project);
            prop_assert!(is_key_of(&key, &prefix(&["k"]), &project));
            prop_assert_eq!(is_key_of(&key, &prefix(&["k"]), &other), project == other);
        }

        #[test]
        fn times_come_back(micros in -62_135_596_800_000_000i64..253_402_300_799_999_999) {
            let time = Timestamp::from_micros(micros);
            prop_assert_eq!(read_time(&time_value(time)), time);
        }
    }
}
