use sha2::{Digest as _, Sha256};

use crate::registry::{digest::short_hex, objects::Snapshot};

/// What a snapshot is recognised by: another one after every change that a decision could see.
pub fn revision(snapshot: &Snapshot) -> String {
    let mut digest = Sha256::new();
    let mut add = |part: &[u8]| {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    };
    for row in &snapshot.rows {
        add(row.kind.as_str().as_bytes());
        add(row.name.as_bytes());
        add(&row.updated.to_le_bytes());
        add(&row.proto);
    }
    add(b"infra");
    if let Some(infra) = &snapshot.infra {
        add(infra);
    }
    add(b"versions");
    for (view, number) in &snapshot.versions {
        add(view.as_bytes());
        add(&number.to_le_bytes());
    }
    add(b"notes");
    for (key, value) in &snapshot.metadata {
        add(key.as_bytes());
        add(value.as_bytes());
    }
    short_hex(&digest.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::ObjectKind, registry::objects::Row};

    #[test]
    fn every_change_is_another_revision() {
        let row = Row { kind: ObjectKind::Entity, name: "e".to_owned(), updated: 1, proto: vec![1] };
        let with = |rows: Vec<Row>| Snapshot { rows, ..Snapshot::default() };
        let snapshots = [
            Snapshot::default(),
            with(vec![row.clone()]),
            with(vec![Row { proto: vec![2], ..row.clone() }]),
            with(vec![Row { updated: 2, ..row.clone() }]),
            with(vec![Row { kind: ObjectKind::Project, ..row.clone() }]),
            with(vec![row.clone(), Row { name: "f".to_owned(), ..row }]),
            Snapshot { infra: Some(vec![]), ..Snapshot::default() },
            Snapshot { versions: [("v".to_owned(), 0)].into(), ..Snapshot::default() },
            Snapshot { versions: [("v".to_owned(), 1)].into(), ..Snapshot::default() },
            Snapshot { metadata: [("v".to_owned(), "0".to_owned())].into(), ..Snapshot::default() },
        ];
        let revisions: std::collections::BTreeSet<String> = snapshots.iter().map(revision).collect();
        assert_eq!(revisions.len(), snapshots.len());
    }
}
