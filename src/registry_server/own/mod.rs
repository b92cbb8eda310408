//! The service of feastr's own clients (`feastr.registry.v1.RegistryStore`): the registry in whole.

mod answers;
mod call;
mod changing;
mod holding;
mod service;
mod status;

pub(super) use service::OwnCalls;
