//! A call as those see it who answer it.

use std::net::IpAddr;

use super::state::State;
use crate::{
    app::{Caller, registered::Freshness},
    model::{Author, ObjectKind},
    problem::{Kind, Problem},
};

/// A call that is answered.
pub(super) struct Asked<'a> {
    pub(super) state: &'a State,
    pub(super) caller: &'a Caller,
    /// The name of the procedure.
    pub(super) name: &'static str,
    /// The kind of object that it is about, if it is about one.
    pub(super) kind: Option<ObjectKind>,
    /// The id of the call, for the log.
    pub(super) id: &'a str,
    /// Where the client is.
    pub(super) address: Option<IpAddr>,
}

impl Asked<'_> {
    /// Who changes something by this call.
    pub(super) fn author(&self) -> Author {
        let from = self.address.map(|address| address.to_string());
        Author { from, ..self.caller.author(self.name) }
    }

    /// The request in a message.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn request<M: prost::Message + Default>(&self, body: &[u8]) -> Result<M, Problem> {
        M::decode(body).map_err(|error| {
            let message = format!("this is no request of {}: {error}", self.name);
            Problem::new(Kind::Invalid, message, None)
        })
    }
}

/// How right the answer has to be for a client that allows what is kept, or does not.
pub(super) const fn freshness(allow_cache: bool) -> Freshness {
    if allow_cache { Freshness::Kept } else { Freshness::Now }
}
