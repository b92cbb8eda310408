//! What Feast's server answered, asked of ours over the registry that it had.

use std::collections::BTreeSet;

use feastr::feast::{FeastError, registry_server as wire};
use prost::Message as _;
use serde_json::Value as Json;

use super::client::{Client, listed};
use crate::{
    golden::{committed_root, read_json, recording::Recording, vectors::from_hex},
    servers::grpc::GrpcServer,
    support::{Project, settings},
};

/// A repo whose registry is the recorded one.
fn repo() -> Project {
    let recording = Recording::of_registry_server();
    recording.restore();
    let project = Project::new(&[]);
    project.write("feature_store.yaml", settings("feastlocal"));
    project.copy(&recording.folder.path().join("registry.db"), "data/registry.db");
    project
}

/// Answers in which Feast's differ from ours on purpose, or by what it makes of objects on the way.
fn differs(rpc: &str, note: &str) -> bool {
    match rpc {
        // Feast decodes functions and encodes them again, and names the projects of objects nowhere.
        "GetAnyFeatureView"
        | "GetOnDemandFeatureView"
        | "ListAllFeatureViews"
        | "ListOnDemandFeatureViews"
        | "Proto" => true,
        // Stored as soon as it is answered; in Feast what is cached knows no ids of projects.
        "ListProjectMetadata" => note == "allow_cache",
        _ => false,
    }
}

#[test]
fn every_recorded_call_is_answered_alike() {
    let project = repo();
    let server = GrpcServer::registry(&project, &[]);
    let client = Client::of(&server);
    let recorded = read_json(&committed_root().join("registry_server/grpc.json"));
    let calls = recorded["calls"].as_array().unwrap();
    assert!(calls.len() > 60, "{}", calls.len());
    for call in calls {
        let rpc = call["method"].as_str().unwrap().rsplit('/').next().unwrap();
        let note = call["note"].as_str().unwrap_or_default();
        let answer = client.call(rpc, from_hex(&call["request_hex"]));
        match call["status"].as_str() {
            None => {
                let answer = answer.unwrap_or_else(|status| panic!("{rpc} {note}: {status:?}"));
                if !differs(rpc, note) {
                    assert_same(rpc, note, &answer, &from_hex(&call["response_hex"]));
                }
            }
            Some(status) => assert_refused(rpc, note, answer.unwrap_err(), status, &call["details"]),
        }
    }
}

fn assert_same(rpc: &str, note: &str, ours: &[u8], theirs: &[u8]) {
    if rpc.starts_with("List") && rpc != "ListProjectMetadata" && rpc != "ListDatasetJobs" {
        let ((ours, our_page), (theirs, their_page)) = (listed(ours), listed(theirs));
        assert_eq!(our_page, their_page, "{rpc} {note}");
        // Feast's order is that of the database.
        let sorted = |entries: Vec<bytes::Bytes>| entries.into_iter().collect::<BTreeSet<_>>();
        assert_eq!(sorted(ours), sorted(theirs), "{rpc} {note}");
        return;
    }
    if rpc == "GetRegistryLineage" {
        let sorted = |answer: &[u8]| {
            let mut lineage = wire::Lineage::decode(answer).unwrap();
            for relations in [&mut lineage.relationships, &mut lineage.indirect_relationships] {
                relations.sort_by_key(|relation| format!("{relation:?}"));
            }
            lineage
        };
        assert_eq!(sorted(ours), sorted(theirs), "{rpc} {note}");
        return;
    }
    // What was written meanwhile has times of its own.
    if note != "after ApplyMaterialization" && !(rpc == "GetEntity" && is_extra(theirs)) {
        assert_eq!(ours, theirs, "{rpc} {note}");
    }
}

fn is_extra(entity: &[u8]) -> bool {
    entity.windows(12).any(|text| text == b"extra_entity")
}

fn assert_refused(rpc: &str, note: &str, refused: tonic::Status, status: &str, details: &Json) {
    // Feast's server has a failure of its own where an object has no name.
    if note == "empty entity" {
        assert_eq!(refused.code(), tonic::Code::InvalidArgument, "{refused:?}");
        return;
    }
    let ours: FeastError = serde_json::from_str(refused.message()).unwrap_or_else(|_| panic!("{rpc}: {refused:?}"));
    let theirs: FeastError = serde_json::from_str(details.as_str().unwrap()).unwrap();
    assert_eq!((&ours.module, &ours.class), (&theirs.module, &theirs.class), "{rpc} {note}");
    // It is INTERNAL for permissions in Feast, whose client goes by the class.
    assert!(["NOT_FOUND", "INTERNAL"].contains(&status), "{status}");
    assert_eq!(refused.code(), tonic::Code::NotFound, "{rpc} {note}");
}

#[test]
fn what_feast_decodes_on_the_way_is_given_as_it_is_stored() {
    let project = repo();
    let server = GrpcServer::registry(&project, &[]);
    let client = Client::of(&server);
    let stored = Recording::of_registry_server().rows;
    let row = |name: &str| stored.iter().find(|row| row.name == name).unwrap().proto.clone();
    let name = "transformed_conv_rate";
    assert_eq!(client.get("GetOnDemandFeatureView", "feastlocal", name).unwrap(), row(name));
    let any = client.get("GetAnyFeatureView", "feastlocal", name).unwrap();
    assert_eq!(any, wire::one_field(&wire::any_view(feastr::model::ObjectKind::OnDemandFeatureView, &row(name))));
    // The whole registry says whose project each object is of.
    let whole = client.call("Proto", Vec::new()).unwrap();
    let whole = feastr::feast::registry::messages::Registry::decode(whole).unwrap();
    assert_eq!(whole.feature_views.len(), 2);
    let projects = whole.entities.iter().map(|entity| entity.spec.as_ref().unwrap().project.as_str());
    assert_eq!(projects.collect::<BTreeSet<_>>(), BTreeSet::from(["feastlocal"]));
}
