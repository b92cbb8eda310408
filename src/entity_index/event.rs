//! What a bucket tells: an object was written, or is gone.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::model::Timestamp;

/// Something that happened to an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketEvent {
    /// The bucket, or the container.
    pub bucket: String,
    /// The name of the object in it, not encoded.
    pub key: String,
    /// What happened.
    pub change: Change,
    /// When, as the store says.
    pub time: Option<Timestamp>,
    /// What orders the events of one object, where a store has it.
    pub sequencer: Option<String>,
    /// What tells the object's content from another one, where a store has it.
    pub etag: Option<String>,
}

/// What happens to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is there, for the first time or with another content.
    Written,
    /// It is gone, or an older version of it.
    Removed,
    /// Nobody told of it: somebody looked.
    Found,
}

impl Change {
    /// The word that the table of jobs has.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Removed => "removed",
            Self::Found => "found",
        }
    }
}

impl BucketEvent {
    /// Whether the key names a file, and not a folder that some stores keep as an empty object.
    pub(super) fn is_of_a_file(&self) -> bool {
        !self.key.is_empty() && !self.key.ends_with('/')
    }

    /// What is the same when the store tells of the same thing again, and differs for all others. Events that have neither
    /// time nor sequencer are never the same.
    pub(super) fn identity(&self) -> String {
        if self.time.is_none() && self.sequencer.is_none() {
            return Uuid::new_v4().simple().to_string();
        }
        let time = self.time.map(|time| time.micros().to_string());
        let mut digest = Sha256::new();
        for part in [Some(self.change.word()), time.as_deref(), self.sequencer.as_deref(), self.etag.as_deref()] {
            digest.update(part.unwrap_or_default());
            digest.update([0]);
        }
        digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_comes_again_is_the_same() {
        let event = BucketEvent {
            bucket: "b".into(),
            key: "k".into(),
            change: Change::Written,
            time: Some(Timestamp::from_micros(1)),
            sequencer: Some("A".into()),
            etag: None,
        };
        assert_eq!(event.identity(), event.clone().identity());
        let others = [
            BucketEvent { change: Change::Removed, ..event.clone() },
            BucketEvent { time: Some(Timestamp::from_micros(2)), ..event.clone() },
            BucketEvent { sequencer: Some("B".into()), ..event.clone() },
            BucketEvent { etag: Some("B".into()), ..event.clone() },
        ];
        assert!(others.iter().all(|other| other.identity() != event.identity()));
        let unknown = BucketEvent { time: None, sequencer: None, ..event };
        assert_ne!(unknown.identity(), unknown.identity());
    }
}
