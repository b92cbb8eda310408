//! The remote procedures by their names: what each is about, and who answers it.

use bytes::Bytes;

use super::{around, asked::Asked, changes, datasets, objects, room::Work, state::State, whole};
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
    /// What it does with the registry.
    pub(super) work: Work,
    /// Whether it gives one object as it is stored.
    gives_one: bool,
}

/// Who answers a procedure.
type Answer = fn(&Asked<'_>, &[u8]) -> Result<Bytes, Failure>;

const fn of(name: &'static str, kind: ObjectKind, answer: Answer) -> Rpc {
    Rpc { kind: Some(kind), ..about_all(name, answer) }
}

const fn change(name: &'static str, kind: ObjectKind, answer: Answer) -> Rpc {
    Rpc { work: Work::Changing, ..of(name, kind, answer) }
}

const fn one(name: &'static str, kind: ObjectKind, answer: Answer) -> Rpc {
    Rpc { gives_one: true, ..of(name, kind, answer) }
}

const fn about_all(name: &'static str, answer: Answer) -> Rpc {
    Rpc { name, kind: None, answer, work: Work::Reading, gives_one: false }
}

/// All of them.
static RPCS: [Rpc; 55] = [
    change("ApplyEntity", Entity, changes::apply),
    one("GetEntity", Entity, objects::get),
    of("ListEntities", Entity, objects::list),
    change("DeleteEntity", Entity, changes::delete),
    change("ApplyDataSource", DataSource, changes::apply),
    one("GetDataSource", DataSource, objects::get),
    of("ListDataSources", DataSource, objects::list),
    change("DeleteDataSource", DataSource, changes::delete),
    change("ApplyFeatureService", FeatureService, changes::apply),
    one("GetFeatureService", FeatureService, objects::get),
    of("ListFeatureServices", FeatureService, around::list_services),
    change("DeleteFeatureService", FeatureService, changes::delete),
    change("ApplySavedDataset", SavedDataset, changes::apply),
    one("GetSavedDataset", SavedDataset, objects::get),
    of("ListSavedDatasets", SavedDataset, objects::list),
    change("DeleteSavedDataset", SavedDataset, changes::delete),
    change("ApplyValidationReference", ValidationReference, changes::apply),
    one("GetValidationReference", ValidationReference, objects::get),
    of("ListValidationReferences", ValidationReference, objects::list),
    change("DeleteValidationReference", ValidationReference, changes::delete),
    change("ApplyPermission", Permission, changes::apply),
    one("GetPermission", Permission, objects::get),
    of("ListPermissions", Permission, objects::list),
    change("DeletePermission", Permission, changes::delete),
    one("GetFeatureView", FeatureView, objects::get),
    of("ListFeatureViews", FeatureView, objects::list),
    one("GetStreamFeatureView", StreamFeatureView, objects::get),
    of("ListStreamFeatureViews", StreamFeatureView, objects::list),
    one("GetOnDemandFeatureView", OnDemandFeatureView, objects::get),
    of("ListOnDemandFeatureViews", OnDemandFeatureView, objects::list),
    one("GetLabelView", LabelView, objects::get),
    of("ListLabelViews", LabelView, objects::list),
    change("ApplyFeatureView", FeatureView, changes::apply_view),
    one("GetAnyFeatureView", FeatureView, objects::get_any_view),
    of("ListAllFeatureViews", FeatureView, around::list_all_views),
    change("DeleteFeatureView", FeatureView, changes::delete_view),
    change("ApplyMaterialization", FeatureView, changes::apply_materialization),
    change("ApplyProject", Project, changes::apply_project),
    one("GetProject", Project, objects::get_project),
    of("ListProjects", Project, objects::list_projects),
    change("DeleteProject", Project, changes::delete_project),
    of("ListProjectMetadata", Project, whole::project_metadata),
    of("GetInfra", Project, whole::infra),
    change("UpdateInfra", Project, changes::update_infra),
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
