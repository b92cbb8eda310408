//! A change as the calls that carry it out, in Feast's order: what others hold copies of comes first, and what goes goes
//! last, but for views that make room for one of another kind.

use std::collections::BTreeSet;

use crate::{
    feast::registry::materialized_since,
    model::{Interval, ObjectKind},
    registry::objects::{Row, Snapshot, Write},
};

/// One call.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step<'a> {
    /// Everything of the project goes.
    DeleteProject,
    /// An object comes, or replaces the one of its name.
    Apply(&'a Row),
    /// An interval of a view is in the online store; with the view as it is stored.
    Materialized(&'a Row, Interval),
    /// An object goes.
    Delete(ObjectKind, &'a str),
    /// The record of online infrastructure is replaced.
    Infra(&'a [u8]),
}

/// The calls that carry out these writes on what is there. Versions of views and notes are none: the server makes its own.
pub(super) fn steps<'a>(writes: &'a [Write], before: &'a Snapshot) -> Vec<Step<'a>> {
    let comes: BTreeSet<&str> = writes.iter().filter_map(view_that_comes).collect();
    let mut steps: Vec<(u8, Step<'a>)> = Vec::new();
    let mut is_emptied = false;
    for write in writes {
        match write {
            Write::DeleteProject => {
                steps.clear();
                is_emptied = true;
                // Nothing cannot be removed.
                if before.rows.iter().any(|row| row.kind == ObjectKind::Project) {
                    steps.push((0, Step::DeleteProject));
                }
            }
            Write::Put(row) => {
                let stored = before.rows.iter().find(|old| !is_emptied && old.id() == row.id());
                match stored.and_then(|stored| Some((stored, materialized_since(row.kind, &stored.proto, &row.proto)?)))
                {
                    Some((stored, intervals)) => {
                        let noted = intervals.into_iter().map(|interval| (9, Step::Materialized(stored, interval)));
                        steps.extend(noted);
                    }
                    None => steps.push((rank(row.kind), Step::Apply(row))),
                }
            }
            Write::Delete { kind, name } => {
                let makes_room = kind.is_view() && comes.contains(name.as_str());
                steps.push((if makes_room { 1 } else { 10 }, Step::Delete(*kind, name)));
            }
            Write::PutInfra { proto, .. } => steps.push((11, Step::Infra(proto))),
            Write::AddVersion(_) | Write::PutMetadata { .. } | Write::DeleteMetadata { .. } | Write::Record(_) => {}
        }
    }
    steps.sort_by_key(|(rank, _)| *rank);
    steps.into_iter().map(|(_, step)| step).collect()
}

fn view_that_comes(write: &Write) -> Option<&str> {
    match write {
        Write::Put(row) if row.kind.is_view() => Some(&row.name),
        _ => None,
    }
}

const fn rank(kind: ObjectKind) -> u8 {
    match kind {
        ObjectKind::Project => 2,
        ObjectKind::DataSource => 3,
        ObjectKind::FeatureView | ObjectKind::StreamFeatureView | ObjectKind::LabelView => 4,
        ObjectKind::OnDemandFeatureView => 5,
        ObjectKind::Entity => 6,
        ObjectKind::FeatureService => 7,
        ObjectKind::SavedDataset | ObjectKind::ValidationReference | ObjectKind::Permission => 8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kind: ObjectKind, name: &str) -> Row {
        Row { kind, name: name.to_owned(), updated: 1, proto: vec![] }
    }

    fn words(writes: &[Write], before: &Snapshot) -> Vec<String> {
        let word = |step: Step<'_>| match step {
            Step::DeleteProject => "delete all".to_owned(),
            Step::Apply(row) => format!("apply {}", row.name),
            Step::Materialized(row, _) => format!("materialized {}", row.name),
            Step::Delete(_, name) => format!("delete {name}"),
            Step::Infra(_) => "infra".to_owned(),
        };
        steps(writes, before).into_iter().map(word).collect()
    }

    #[test]
    fn calls_are_in_the_order_of_feast() {
        let put = |kind, name: &str| Write::Put(row(kind, name));
        let delete = |kind, name: &str| Write::Delete { kind, name: name.to_owned() };
        let writes = [
            delete(ObjectKind::FeatureView, "moved"),
            delete(ObjectKind::Entity, "old"),
            put(ObjectKind::FeatureService, "service"),
            put(ObjectKind::Entity, "driver"),
            Write::PutInfra { proto: vec![], updated: 1 },
            put(ObjectKind::OnDemandFeatureView, "moved"),
            put(ObjectKind::FeatureView, "view"),
            put(ObjectKind::DataSource, "source"),
            put(ObjectKind::Project, "p"),
            Write::DeleteMetadata { key: "k".to_owned() },
        ];
        let expected = [
            "delete moved",
            "apply p",
            "apply source",
            "apply view",
            "apply moved",
            "apply driver",
            "apply service",
            "delete old",
            "infra",
        ];
        assert_eq!(words(&writes, &Snapshot::default()), expected);
    }

    #[test]
    fn an_emptied_project_is_deleted_where_there_is_one() {
        let writes = [Write::DeleteProject, Write::Put(row(ObjectKind::Entity, "e"))];
        assert_eq!(words(&writes, &Snapshot::default()), ["apply e"]);
        let there = Snapshot { rows: vec![row(ObjectKind::Project, "p")], ..Snapshot::default() };
        assert_eq!(words(&writes, &there), ["delete all", "apply e"]);
    }
}
