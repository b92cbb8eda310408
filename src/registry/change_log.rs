//! Who changed what, for people: noted in the transaction of the change.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::objects::{Snapshot, Write};
use crate::{
    model::{Author, ChangeKind, ChangeRecord, DUMMY_ENTITY, ObjectChange, ObjectId, ObjectKind, Timestamp},
    problem::Problem,
};

/// The changes of a project, all that were made since they are noted. They stay when the project goes.
pub trait ChangeLog: Send + Sync {
    /// The newest changes, the newest first. Writes nothing.
    ///
    /// # Errors
    /// When they cannot be read.
    fn changes(&self, project: &str, wanted: &WantedChanges) -> Result<Vec<ChangeRecord>, Problem>;
}

/// Which changes are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WantedChanges {
    /// At most so many.
    pub limit: usize,
    /// Those of an object with this name, of whatever kind.
    pub name: Option<String>,
    /// Those of this kind of objects.
    pub kind: Option<ObjectKind>,
    /// Those at this time and later.
    pub since: Option<Timestamp>,
}

impl WantedChanges {
    /// The newest ones that are wanted among those of a project, the newest first.
    pub(crate) fn among(&self, mut records: Vec<ChangeRecord>) -> Vec<ChangeRecord> {
        records.retain(|record| self.has(record));
        records.sort_by(|a, b| (b.at, &a.id).cmp(&(a.at, &b.id)));
        records.truncate(self.limit);
        records
    }

    /// Whether a change is wanted.
    pub(crate) fn has(&self, record: &ChangeRecord) -> bool {
        let is_it = |change: &ObjectChange| {
            self.name.as_ref().is_none_or(|name| change.id.name == *name)
                && self.kind.is_none_or(|kind| change.id.kind == kind)
        };
        self.since.is_none_or(|since| record.at >= since)
            && ((self.name.is_none() && self.kind.is_none()) || record.changes.iter().any(is_it))
    }
}

/// The notes among what is written.
pub(crate) fn records(writes: &[Write]) -> Vec<ChangeRecord> {
    let record = |write: &Write| match write {
        Write::Record(record) => Some(ChangeRecord::clone(record)),
        _ => None,
    };
    writes.iter().filter_map(record).collect()
}

/// What is written, with a note about what it does to a project that holds `snapshot`.
pub fn with_record(mut writes: Vec<Write>, snapshot: &Snapshot, author: &Author, at: Timestamp) -> Vec<Write> {
    let record = change_record(snapshot, &writes, author, at);
    writes.extend(record.map(|record| Write::Record(Box::new(record))));
    writes
}

/// The note about what `writes` do to a project that holds `snapshot`; `None` if no object comes, changes or goes.
pub fn change_record(snapshot: &Snapshot, writes: &[Write], author: &Author, at: Timestamp) -> Option<ChangeRecord> {
    let before: BTreeMap<(ObjectKind, &str), &[u8]> =
        snapshot.rows.iter().map(|row| ((row.kind, row.name.as_str()), row.proto.as_slice())).collect();
    let mut after = before.clone();
    for write in writes {
        match write {
            Write::Put(row) => {
                after.insert((row.kind, &row.name), &row.proto);
            }
            Write::Delete { kind, name } => {
                after.remove(&(*kind, name.as_str()));
            }
            Write::DeleteProject => after.clear(),
            Write::AddVersion(_)
            | Write::PutInfra { .. }
            | Write::PutMetadata { .. }
            | Write::DeleteMetadata { .. }
            | Write::Record(_) => {}
        }
    }
    let ids: BTreeSet<_> = before.keys().chain(after.keys()).filter(|(_, name)| *name != DUMMY_ENTITY).collect();
    let change = |id: &&(ObjectKind, &str)| {
        let change = match (before.get(*id), after.get(*id)) {
            (None, _) => ChangeKind::Created,
            (_, None) => ChangeKind::Deleted,
            (Some(before), Some(after)) if before != after => ChangeKind::Updated,
            _ => return None,
        };
        Some(ObjectChange { id: ObjectId::new(id.0, id.1), change })
    };
    let changes: Vec<ObjectChange> = ids.iter().filter_map(change).collect();
    let (id, author) = (Uuid::new_v4().to_string(), author.clone());
    (!changes.is_empty()).then(|| ChangeRecord { id, at, author, changes, plan: None })
}

/// The note about something that belongs to an object and changes, though its row does not.
pub fn record_of_update(id: ObjectId, author: &Author, at: Timestamp) -> ChangeRecord {
    let changes = vec![ObjectChange { id, change: ChangeKind::Updated }];
    ChangeRecord { id: Uuid::new_v4().to_string(), at, author: author.clone(), changes, plan: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Row;

    fn put(name: &str, proto: &[u8]) -> Write {
        Write::Put(row(name, proto))
    }

    fn row(name: &str, proto: &[u8]) -> Row {
        Row { kind: ObjectKind::Entity, name: name.to_owned(), updated: 1, proto: proto.to_vec() }
    }

    #[test]
    fn what_is_written_as_it_was_is_no_change() {
        let snapshot = Snapshot { rows: vec![row("a", b"1"), row("b", b"1"), row("c", b"1")], ..Snapshot::default() };
        let author = Author { command: "apply".to_owned(), by: "us".to_owned(), from: None };
        let noted = |writes: &[Write]| change_record(&snapshot, writes, &author, Timestamp::from_micros(5));
        assert_eq!(noted(&[put("a", b"1"), put(DUMMY_ENTITY, b"")]), None);
        let delete = Write::Delete { kind: ObjectKind::Entity, name: "c".to_owned() };
        let record = noted(&[put("a", b"1"), put("b", b"2"), delete, put("d", b"1")]).unwrap();
        let told: Vec<_> = record.changes.iter().map(|change| (change.id.name.as_str(), change.change)).collect();
        assert_eq!(told, [("b", ChangeKind::Updated), ("c", ChangeKind::Deleted), ("d", ChangeKind::Created)]);
        let record = noted(&[Write::DeleteProject, put("a", b"1")]).unwrap();
        assert_eq!(record.changes.len(), 2);
    }

    #[test]
    fn changes_are_found_by_kind_name_and_time() {
        let record = |at: i64, name: &str| ChangeRecord {
            id: at.to_string(),
            at: Timestamp::from_micros(at),
            author: Author::default(),
            changes: vec![ObjectChange { id: ObjectId::new(ObjectKind::Entity, name), change: ChangeKind::Created }],
            plan: None,
        };
        let all = [record(1, "a"), record(2, "b"), record(3, "a")];
        let found = |wanted: WantedChanges| {
            wanted.among(all.to_vec()).into_iter().map(|record| record.id).collect::<Vec<_>>().join(" ")
        };
        let any = WantedChanges { limit: 9, ..WantedChanges::default() };
        assert_eq!(found(any.clone()), "3 2 1");
        assert_eq!(found(WantedChanges { limit: 2, ..any.clone() }), "3 2");
        assert_eq!(found(WantedChanges { name: Some("a".to_owned()), ..any.clone() }), "3 1");
        assert_eq!(found(WantedChanges { kind: Some(ObjectKind::DataSource), ..any.clone() }), "");
        assert_eq!(found(WantedChanges { since: Some(Timestamp::from_micros(2)), ..any }), "3 2");
    }
}
