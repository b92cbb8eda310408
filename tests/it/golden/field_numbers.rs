//! The numbers of fields that are found without decoding, against Feast's own description of its messages.

use std::collections::BTreeMap;

use feastr::{
    feast::registry::{file::RegistryFile, rename_project::rename_project, to_json},
    model::ObjectKind,
};
use serde_json::Value;

use super::descriptors::Descriptors;

fn message(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Project => "feast.core.Project",
        ObjectKind::DataSource => "feast.core.DataSource",
        ObjectKind::Entity => "feast.core.Entity",
        ObjectKind::FeatureView => "feast.core.FeatureView",
        ObjectKind::OnDemandFeatureView => "feast.core.OnDemandFeatureView",
        ObjectKind::StreamFeatureView => "feast.core.StreamFeatureView",
        ObjectKind::LabelView => "feast.core.LabelView",
        ObjectKind::FeatureService => "feast.core.FeatureService",
        ObjectKind::Permission => "feast.core.Permission",
        ObjectKind::SavedDataset => "feast.core.SavedDataset",
        ObjectKind::ValidationReference => "feast.core.ValidationReference",
    }
}

/// The JSON of a sample, whose texts are the names of their fields, with another project and nothing materialized.
fn renamed(json: &mut Value) {
    match json {
        Value::Object(fields) => {
            if fields.remove("materializationIntervals").is_some() {
                fields.remove("state");
            }
            if let Some(project) = fields.get_mut("project").filter(|project| *project == "project") {
                *project = "renamed".into();
            }
            fields.values_mut().for_each(renamed);
        }
        Value::Array(values) => values.iter_mut().for_each(renamed),
        _ => {}
    }
}

#[test]
fn every_name_of_a_project_is_found() {
    let descriptors = Descriptors::read();
    for kind in ObjectKind::ALL.into_iter().filter(|kind| *kind != ObjectKind::Project) {
        for round in 0..descriptors.rounds() {
            let (bytes, mut expected) = descriptors.sample(message(kind), round);
            let changed = rename_project(kind, &bytes, "project", "renamed").unwrap();
            renamed(&mut expected);
            assert_eq!(to_json(kind, &changed).unwrap(), expected, "{kind} {round}");
        }
    }
    let (bytes, mut expected) = descriptors.sample(message(ObjectKind::Project), 0);
    let changed = rename_project(ObjectKind::Project, &bytes, "name", "renamed").unwrap();
    expected["spec"]["name"] = "renamed".into();
    assert_eq!(to_json(ObjectKind::Project, &changed).unwrap(), expected);
}

#[test]
fn objects_of_a_file_are_found_with_their_names_and_projects() {
    let descriptors = Descriptors::read();
    let (mut bytes, _) = descriptors.sample("feast.core.Registry", 0);
    // The last schema version counts.
    bytes.extend(b"\x1a\x011");
    let file = RegistryFile::parse(&bytes).unwrap();
    let kinds = |project: &str| {
        let objects = file.objects(project);
        objects.map(|object| (object.kind, (object.name.clone(), object.message()))).collect::<BTreeMap<_, _>>()
    };
    let (projects, others) = (kinds("name"), kinds("project"));
    assert_eq!(projects.keys().copied().collect::<Vec<_>>(), [ObjectKind::Project]);
    assert_eq!(others.len(), ObjectKind::ALL.len() - 1);
    for (kind, (name, proto)) in others {
        assert_eq!(name, "name", "{kind}");
        let json = to_json(kind, &proto).unwrap();
        let holder = json.get("spec").unwrap_or(&json);
        assert_eq!((holder["name"].as_str(), holder.get("project")), (Some("name"), None), "{kind}");
    }
}
