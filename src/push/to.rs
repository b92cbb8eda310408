use std::fmt;

use serde::{Serialize, Serializer};

/// Where pushed rows go; the words are those of Feast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum To {
    /// The newest of each entity to the online store.
    #[default]
    Online,
    /// All of them to where the history of the source is.
    Offline,
    /// Both.
    OnlineAndOffline,
}

impl To {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Online, Self::Offline, Self::OnlineAndOffline];

    /// Whether values go to the online store.
    pub const fn online(self) -> bool {
        matches!(self, Self::Online | Self::OnlineAndOffline)
    }

    /// Whether rows go to the history.
    pub const fn offline(self) -> bool {
        matches!(self, Self::Offline | Self::OnlineAndOffline)
    }

    /// Feast's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Offline => "offline",
            Self::OnlineAndOffline => "online_and_offline",
        }
    }
}

impl fmt::Display for To {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for To {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
