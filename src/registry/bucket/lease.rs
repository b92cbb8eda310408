//! Who materializes a view, said in an object beside the registry for as long as it is renewed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    clients::{buckets::Bucket, runtime::wait},
    model::{Timestamp, ViewId},
    problem::Problem,
    registry::{
        digest::short_hex,
        locks::{Holder, view_digest},
    },
};

/// For how long a lease counts that nobody renews.
pub(super) const PERIOD: Duration = Duration::from_secs(30);
/// Clocks differ by less than this: a lease that ended so long ago has ended by every clock.
const SKEW: Duration = Duration::from_secs(3600);

/// What the object says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lease {
    /// As others read it: `materialize of alice@ci-7 (pid 412)`.
    pub(super) holder: String,
    /// Random: tells one lease from all others.
    pub(super) token: String,
    /// When it was taken, by the holder's clock.
    pub(super) taken: Timestamp,
    /// When it was renewed last, by the holder's clock.
    pub(super) renewed: Timestamp,
    /// Until when it counts if it is not renewed again.
    pub(super) expires: Timestamp,
    /// Whether it was given back.
    pub(super) is_over: bool,
}

impl Lease {
    /// A lease that begins now.
    pub(super) fn begin(holder: &str, token: &str, period: Duration) -> Self {
        let now = Timestamp::now();
        let (holder, token) = (holder.to_owned(), token.to_owned());
        Self { holder, token, taken: now, renewed: now, expires: later(now, period), is_over: false }
    }

    /// The same from now on.
    pub(super) fn renewed(&self, period: Duration) -> Self {
        let now = Timestamp::now();
        Self { renewed: now, expires: later(now, period), ..self.clone() }
    }

    /// The same, given back.
    pub(super) fn given_back(&self) -> Self {
        Self { is_over: true, ..self.renewed(Duration::ZERO) }
    }

    /// Whether it has ended by every clock.
    pub(super) fn is_long_over(&self) -> bool {
        later(self.expires, SKEW) < Timestamp::now()
    }

    /// Who has it, for people.
    pub(super) fn holder(&self) -> Holder {
        let since = Timestamp::now().micros().saturating_sub(self.taken.micros());
        Holder { who: Some(self.holder.clone()), since: Some(Duration::from_micros(since.try_into().unwrap_or(0))) }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        // Texts, times and a flag always can be written.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// `None` for what somebody else has put there, which is as good as nothing.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

/// The key of the lease of a view: in a folder of its own, because there is one for every view.
pub(super) fn key(registry: &str, view: ViewId<'_>) -> String {
    format!("{registry}.locks/{}", short_hex(&view_digest(view)))
}

/// Who has the lease now, if somebody has.
///
/// # Errors
/// When the store gives no answer.
pub(super) fn holder(bucket: &Bucket, key: &str) -> Result<Option<Holder>, Problem> {
    let lease = wait(bucket.get(key))?.and_then(|(bytes, _)| Lease::read(&bytes));
    let held = lease.filter(|lease| !lease.is_over && Timestamp::now() < later(lease.expires, PERIOD));
    Ok(held.map(|lease| lease.holder()))
}

fn later(moment: Timestamp, by: Duration) -> Timestamp {
    Timestamp::from_micros(moment.micros().saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
}
