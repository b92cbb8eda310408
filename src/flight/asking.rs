//! Who asks, of what calls bring along.

use std::net::{IpAddr, SocketAddr};

use axum::{extract::ConnectInfo, http::header::AUTHORIZATION};
use tonic::Request;

use crate::{
    app::{Caller, Gate},
    problem::Problem,
};

/// Who asks.
#[derive(Debug, Clone)]
pub(super) struct Asking {
    /// To use cases.
    pub(super) caller: Caller,
    /// Whose the rows are that are kept between calls: nobody else finds them.
    pub(super) owner: Owner,
}

/// Who owns what is kept between calls.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    /// Where nobody is asked for a name: who asks from this address.
    Address(Option<IpAddr>),
    /// Somebody with this name.
    User(String),
    /// Another server of the same store.
    Internal,
}

/// What a call says of who makes it, before it is known whether that is so.
#[derive(Debug)]
pub(super) struct Claimed {
    authorization: Vec<Vec<u8>>,
    address: Option<IpAddr>,
}

impl Claimed {
    /// What a call says.
    pub(super) fn by<T>(request: &Request<T>) -> Self {
        let headers = request.metadata().clone().into_headers();
        Self {
            authorization: headers.get_all(AUTHORIZATION).iter().map(|value| value.as_bytes().to_vec()).collect(),
            address: request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip()),
        }
    }

    /// Who makes the call.
    ///
    /// # Errors
    /// When nobody knows, or nobody can know now.
    pub(super) async fn checked(self, gate: &Gate) -> Result<Asking, Problem> {
        let caller = gate.caller(self.authorization.iter().map(Vec::as_slice)).await?;
        let owner = match &caller {
            Caller::User(user) => Owner::User(user.name.clone()),
            Caller::Internal => Owner::Internal,
            Caller::Operator(_) => Owner::Address(self.address),
        };
        Ok(Asking { caller, owner })
    }
}
