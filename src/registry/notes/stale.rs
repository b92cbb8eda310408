//! Until when online values were made by an earlier definition of their view, which lets a run replace values of the
//! same moment.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::note;
use crate::{model::Timestamp, registry::objects::Write};

/// The key of the note about a view.
pub(crate) fn key(view: &str) -> String {
    note::key("feastr.stale.", Sha256::digest(view))
}

/// Notes that values of a view until a moment were made by another definition than the present one.
pub fn put_stale(view: &str, until: Timestamp, now: Timestamp) -> Write {
    note::put(key(view), &until.micros(), now)
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
