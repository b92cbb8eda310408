//! The remote procedures by their names: what each is about, and who answers it.

use bytes::Bytes;

use super::{objects, state::State};
use crate::{
    app::{Caller, registered::Freshness},
    model::ObjectKind::{self, *},
    problem::{Kind, Problem},
};

/// A remote procedure.
pub(super) struct Rpc {
    /// Its name in the service.
    pub(super) name: &'static str,
    /// The kind of object that it is about, if it is about one.
    pub(super) kind: Option<ObjectKind>,
    /// Answers it; may wait for the registry.
    pub(super) answer: fn(&Asked<'_>, &[u8]) -> Result<Bytes, Problem>,
}

/// A call that is answered.
pub(super) struct Asked<'a> {
    pub(super) state: &'a State,
    pub(super) caller: &'a Caller,
    pub(super) rpc: &'static Rpc,
}

const fn of(name: &'static str, kind: ObjectKind, answer: fn(&Asked<'_>, &[u8]) -> Result<Bytes, Problem>) -> Rpc {
    Rpc { name, kind: Some(kind), answer }
}

/// All of them.
static RPCS: [Rpc; 23] = [
    of("GetEntity", Entity, objects::get),
    of("ListEntities", Entity, objects::list),
    of("GetDataSource", DataSource, objects::get),
    of("ListDataSources", DataSource, objects::list),
    of("GetFeatureView", FeatureView, objects::get),
    of("ListFeatureViews", FeatureView, objects::list),
    of("GetStreamFeatureView", StreamFeatureView, objects::get),
    of("ListStreamFeatureViews", StreamFeatureView, objects::list),
    of("GetOnDemandFeatureView", OnDemandFeatureView, objects::get),
    of("ListOnDemandFeatureViews", OnDemandFeatureView, objects::list),
    of("GetLabelView", LabelView, objects::get),
    of("ListLabelViews", LabelView, objects::list),
    of("GetAnyFeatureView", FeatureView, objects::get_any_view),
    of("GetFeatureService", FeatureService, objects::get),
    of("GetSavedDataset", SavedDataset, objects::get),
    of("ListSavedDatasets", SavedDataset, objects::list),
    of("GetValidationReference", ValidationReference, objects::get),
    of("ListValidationReferences", ValidationReference, objects::list),
    of("GetPermission", Permission, objects::get),
    of("ListPermissions", Permission, objects::list),
    of("GetProject", Project, objects::get_project),
    of("ListProjects", Project, objects::list_projects),
    of("ListFeatureServices", FeatureService, objects::list_services),
];

impl Rpc {
    /// The procedure of this name.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        RPCS.iter().find(|rpc| rpc.name == name)
    }

    /// Whether a call is answered from memory without waiting for anybody.
    pub(super) fn is_quick(&self, state: &State, body: &[u8]) -> bool {
        let is_get = self.name.starts_with("Get") && self.kind.is_some();
        is_get && objects::is_at_hand(self, state, body)
    }
}

impl Asked<'_> {
    /// The request in a message.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn request<M: prost::Message + Default>(&self, body: &[u8]) -> Result<M, Problem> {
        M::decode(body).map_err(|error| {
            let message = format!("this is no request of {}: {error}", self.rpc.name);
            Problem::new(Kind::Invalid, message, None)
        })
    }
}

/// How right the answer has to be for a client that allows what is kept, or does not.
pub(super) const fn freshness(allow_cache: bool) -> Freshness {
    if allow_cache { Freshness::Kept } else { Freshness::Now }
}
