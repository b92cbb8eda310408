//! Online values that an earlier definition of their view has made: notes about the project, which
//! let a run replace values of the same moment.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::{locks::short_hex, objects::Write};
use crate::model::Timestamp;

/// Feast's note about the last change of a project.
pub const LAST_UPDATED: &str = "last_updated_timestamp";

/// A digest of the view's name follows, because Feast's table has 50 characters for keys.
fn key(view: &str) -> String {
    format!("feastr.stale.{}", short_hex(&Sha256::digest(view).into()))
}

/// The keys of the notes that matter to whoever changes one view.
pub fn notes_of_view(view: &str) -> [String; 2] {
    [key(view), LAST_UPDATED.to_owned()]
}

/// Notes that values of a view until a moment were made by another definition than the present one.
pub fn put_stale(view: &str, until: Timestamp, now: Timestamp) -> Write {
    Write::PutMetadata { key: key(view).into(), value: until.micros().to_string(), updated: now.seconds() }
}

/// Removes the note, when the view goes.
pub fn forget_stale(view: &str) -> Write {
    Write::DeleteMetadata { key: key(view) }
}

/// Until when values of a view were made by another definition; `None` if none were.
pub fn stale_until(metadata: &BTreeMap<String, String>, view: &str) -> Option<Timestamp> {
    metadata.get(&key(view))?.parse().ok().map(Timestamp::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_read_back_and_fit_the_column() {
        let view = "a name longer than the column: ".repeat(5);
        let (until, now) = (Timestamp::from_micros(-5), Timestamp::from_micros(7_000_000));
        let Write::PutMetadata { key, value, updated } = put_stale(&view, until, now) else { panic!("no note") };
        assert!(key.len() <= 50);
        assert_eq!(updated, 7);
        assert_eq!(forget_stale(&view), Write::DeleteMetadata { key: key.to_string() });
        let metadata = BTreeMap::from([(key.into_owned(), value)]);
        assert_eq!(stale_until(&metadata, &view), Some(until));
        assert_eq!(stale_until(&metadata, "another"), None);
    }
}
