//! The remote procedures by their names: what each is about, and who answers it.

use bytes::Bytes;

use super::{around, asked::Asked, changes, datasets, objects, state::State, whole};
use crate::{
    app::Failure,
    model::ObjectKind::{self, *},
};

/// A remote procedure.
pub(super) struct Rpc {
    /// Its name in the service.
    pub(super) name: &'static str,
    /// The kind of object that it is about, if it is about one.
    pub(super) kind: Option<ObjectKind>,
    /// Answers it; may wait for the registry.
    pub(super) answer: Answer,
    /// Whether it gives one object as it is stored.
    gives_one: bool,
}

/// Who answers a procedure.
type Answer = fn(&Asked<'_>, &[u8]) -> Result<Bytes, Failure>;

const fn of(name: &'static str, kind: ObjectKind, answer: Answer) -> Rpc {
    Rpc { name, kind: Some(kind), answer, gives_one: false }
}

const fn one(name: &'static str, kind: ObjectKind, answer: Answer) -> Rpc {
    Rpc { gives_one: true, ..of(name, kind, answer) }
}

const fn about_all(name: &'static str, answer: Answer) -> Rpc {
    Rpc { name, kind: None, answer, gives_one: false }
}

/// All of them.
static RPCS: [Rpc; 55] = [
    of("ApplyEntity", Entity, changes::apply),
    one("GetEntity", Entity, objects::get),
    of("ListEntities", Entity, objects::list),
    of("DeleteEntity", Entity, changes::delete),
    of("ApplyDataSource", DataSource, changes::apply),
    one("GetDataSource", DataSource, objects::get),
    of("ListDataSources", DataSource, objects::list),
    of("DeleteDataSource", DataSource, changes::delete),
    of("ApplyFeatureService", FeatureService, changes::apply),
    one("GetFeatureService", FeatureService, objects::get),
    of("ListFeatureServices", FeatureService, around::list_services),
    of("DeleteFeatureService", FeatureService, changes::delete),
    of("ApplySavedDataset", SavedDataset, changes::apply),
    one("GetSavedDataset", SavedDataset, objects::get),
    of("ListSavedDatasets", SavedDataset, objects::list),
    of("DeleteSavedDataset", SavedDataset, changes::delete),
    of("ApplyValidationReference", ValidationReference, changes::apply),
    one("GetValidationReference", ValidationReference, objects::get),
    of("ListValidationReferences", ValidationReference, objects::list),
    of("DeleteValidationReference", ValidationReference, changes::delete),
    of("ApplyPermission", Permission, changes::apply),
    one("GetPermission", Permission, objects::get),
    of("ListPermissions", Permission, objects::list),
    of("DeletePermission", Permission, changes::delete),
    one("GetFeatureView", FeatureView, objects::get),
    of("ListFeatureViews", FeatureView, objects::list),
    one("GetStreamFeatureView", StreamFeatureView, objects::get),
    of("ListStreamFeatureViews", StreamFeatureView, objects::list),
    one("GetOnDemandFeatureView", OnDemandFeatureView, objects::get),
    of("ListOnDemandFeatureViews", OnDemandFeatureView, objects::list),
    one("GetLabelView", LabelView, objects::get),
    of("ListLabelViews", LabelView, objects::list),
    of("ApplyFeatureView", FeatureView, changes::apply_view),
    one("GetAnyFeatureView", FeatureView, objects::get_any_view),
    of("ListAllFeatureViews", FeatureView, around::list_all_views),
    of("DeleteFeatureView", FeatureView, changes::delete_view),
    of("ApplyMaterialization", FeatureView, changes::apply_materialization),
    of("ApplyProject", Project, changes::apply_project),
    one("GetProject", Project, objects::get_project),
    of("ListProjects", Project, objects::list_projects),
    of("DeleteProject", Project, changes::delete_project),
    of("ListProjectMetadata", Project, whole::project_metadata),
    of("GetInfra", Project, whole::infra),
    of("UpdateInfra", Project, changes::update_infra),
    of("Refresh", Project, whole::refresh),
    about_all("Commit", whole::commit),
    about_all("Proto", whole::everything),
    about_all("GetRegistryLineage", around::lineage),
    about_all("GetObjectRelationships", around::relationships),
    about_all("ListFeatures", around::list_features),
    about_all("GetFeature", around::get_feature),
    of("CreateDatasetFromRetrieval", SavedDataset, datasets::create),
    of("GetDatasetData", SavedDataset, datasets::data),
    about_all("GetDatasetJobStatus", datasets::job),
    about_all("ListDatasetJobs", datasets::jobs),
];

impl Rpc {
    /// The procedure of this name.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        RPCS.iter().find(|rpc| rpc.name == name)
    }

    /// Whether a call is answered from memory without waiting for anybody.
    pub(super) fn is_quick(&self, state: &State, body: &[u8]) -> bool {
        self.gives_one && objects::is_at_hand(self.kind, state, body)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::feast::registry_server::rpc_names;

    #[test]
    fn every_procedure_of_the_service_is_answered() {
        let answered: BTreeSet<&str> = RPCS.iter().map(|rpc| rpc.name).collect();
        assert_eq!((answered.len(), answered), (RPCS.len(), rpc_names().collect()));
    }
}
