use prost::Message as _;

use crate::{feast::well_known, model::Timestamp};

/// The event time beside stored values, a `google.protobuf.Timestamp`. Of stored ones nanoseconds count, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventTime(well_known::Timestamp);

impl EventTime {
    /// A stored time; malformed bytes count as 1970.
    pub fn read(bytes: &[u8]) -> Self {
        Self(well_known::Timestamp::decode(bytes).unwrap_or_default())
    }

    /// The bytes of the time.
    pub fn bytes(self) -> Vec<u8> {
        self.0.encode_to_vec()
    }

    /// Whether it is the first moment of 1970, which stands for no time at all.
    pub fn is_epoch(self) -> bool {
        self.0 == well_known::Timestamp::default()
    }
}

impl From<Timestamp> for EventTime {
    fn from(time: Timestamp) -> Self {
        Self(time.into())
    }
}

impl From<EventTime> for Timestamp {
    /// Whole microseconds, rounded towards the past.
    fn from(time: EventTime) -> Self {
        time.0.into()
    }
}
