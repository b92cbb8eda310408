//! What Feast's registry server and its clients say to each other: the service `feast.registry.RegistryServer` of gRPC, its
//! requests and answers. Stored objects in them are their bytes, which nobody decodes on the way.
//!
//! Source: `feast.registry` in Feast's descriptors, `feast/registry_server.py` and `feast/infra/registry/remote.py`.

mod answers;
mod description;
mod messages;
mod requests;

pub use answers::{
    DatasetBegun, DatasetData, DatasetJob, DatasetJobs, Feature, Lineage, List, PageInfo, Reference, Relation,
    TabularRow, WholeRegistry, any_view, one_field, project_metadata,
};
pub use description::{SERVICE, descriptor, rpc_names};
pub use requests::*;
