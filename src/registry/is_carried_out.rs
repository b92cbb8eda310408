//! Whether a project is as a change makes it: for those who lost the answer to one.

use std::collections::BTreeMap;

use super::{
    notes::LAST_UPDATED,
    objects::{Snapshot, Write},
};
use crate::model::ObjectKind;

/// What a change leaves of something: its bytes, or that it is gone.
type Left<'a> = Option<&'a [u8]>;

/// Whether what is in `snapshot` is what these writes make. The time of the last change does not count, because everybody
/// sets it. A snapshot of one view has nothing of infrastructure and versions.
pub(super) fn is_carried_out(writes: &[Write], snapshot: &Snapshot, is_of_view: bool) -> bool {
    let mut objects: BTreeMap<(ObjectKind, &str), Left<'_>> = BTreeMap::new();
    let mut notes: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    let mut versions: BTreeMap<&str, i32> = BTreeMap::new();
    let (mut infra, mut is_whole) = (None, false);
    for write in writes {
        match write {
            Write::Put(row) => drop(objects.insert((row.kind, &row.name), Some(&row.proto))),
            Write::Delete { kind, name } => {
                objects.insert((*kind, name), None);
                versions.remove(name.as_str());
            }
            Write::AddVersion(version) => {
                let highest = versions.entry(&version.view).or_insert(version.number);
                *highest = version.number.max(*highest);
            }
            Write::PutInfra { proto, .. } => infra = Some(proto),
            Write::PutMetadata { key, value, .. } => drop(notes.insert(key, Some(value))),
            Write::DeleteMetadata { key } => drop(notes.insert(key, None)),
            // It is written with the rest, or not.
            Write::Record(_) => {}
            Write::DeleteProject => {
                objects.clear();
                notes.clear();
                versions.clear();
                (infra, is_whole) = (None, true);
            }
        }
    }
    notes.remove(LAST_UPDATED);
    let has_notes = notes.iter().all(|(key, value)| snapshot.metadata.get(*key).map(String::as_str) == *value);
    let has_objects = objects.iter().all(|((kind, name), left)| snapshot.proto(*kind, name) == *left);
    let is_alone = !is_whole || snapshot.rows.iter().all(|row| objects.contains_key(&(row.kind, row.name.as_str())));
    let has_versions = versions.iter().all(|(view, number)| snapshot.versions.get(*view) >= Some(number));
    let has_infra = infra.is_none_or(|infra| snapshot.infra.as_ref() == Some(infra));
    has_notes && has_objects && is_alone && (is_of_view || has_versions && has_infra)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{Memory, Objects as _, objects::Row};

    fn row(name: &str, text: &str) -> Row {
        Row { kind: ObjectKind::Entity, name: name.to_owned(), updated: 1, proto: text.as_bytes().to_vec() }
    }

    fn note(key: &'static str, value: &str) -> Write {
        Write::PutMetadata { key: key.into(), value: value.to_owned(), updated: 1 }
    }

    #[test]
    fn a_change_is_carried_out_when_all_of_it_is_there() {
        let registry = Memory::default();
        let with = |writes: &[Write]| {
            registry.update("p", &mut |_| Some(writes.to_vec())).unwrap();
            registry.snapshot("p").unwrap()
        };
        let before = with(&[Write::Put(row("a", "1")), Write::Put(row("b", "1")), note("k", "1")]);
        let delete = Write::Delete { kind: ObjectKind::Entity, name: "b".to_owned() };
        let change = [Write::Put(row("a", "2")), delete, note("k", "2"), note(LAST_UPDATED, "7")];
        assert!(!is_carried_out(&change, &before, false));
        let after = with(&change);
        assert!(is_carried_out(&change, &after, false));
        // Of others only what the change is not about.
        let later = with(&[Write::Put(row("c", "1")), note(LAST_UPDATED, "8")]);
        assert!(is_carried_out(&change, &later, false));
        for other in [Write::Put(row("a", "3")), Write::Put(row("b", "1")), note("k", "3")] {
            assert!(!is_carried_out(&change, &with(&[other]), false));
        }
        let anew = [Write::Put(row("x", "1")), Write::DeleteProject, Write::Put(row("y", "1"))];
        assert!(!is_carried_out(&anew, &later, false));
        assert!(is_carried_out(&anew, &with(&anew), false));
    }
}
