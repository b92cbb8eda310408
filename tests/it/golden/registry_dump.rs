//! `feast registry-dump`, recorded, against the dump of the same repos' registry rows.

use feastr::feast::registry::{
    dump_json::registry_dump,
    messages::{Infra, Project, ProjectMetadata, Registry, decode},
};
use serde_json::Value;

use super::{
    recording::recordings,
    registry_rows::{bytes, golden_root, read_json},
};

fn messages<M: prost::Message + Default>(rows: &Value, table: &str, column: &str) -> Vec<M> {
    rows[table].as_array().unwrap().iter().map(|row| decode(&bytes(&row[column])).unwrap()).collect()
}

/// The registry of the repo in one recorded folder.
fn registry(folder: &str) -> Registry {
    let rows = read_json(&golden_root().join("registry").join(folder).join("sqlite_rows.json"));
    let metadata =
        rows["feast_metadata"].as_array().unwrap().iter().filter(|row| row["metadata_key"] == "project_uuid");
    let infra: Vec<Infra> = messages(&rows, "managed_infra", "infra_proto");
    Registry {
        entities: messages(&rows, "entities", "entity_proto"),
        data_sources: messages(&rows, "data_sources", "data_source_proto"),
        feature_views: messages(&rows, "feature_views", "feature_view_proto"),
        feature_services: messages(&rows, "feature_services", "feature_service_proto"),
        on_demand_feature_views: messages(&rows, "on_demand_feature_views", "feature_view_proto"),
        permissions: messages(&rows, "permissions", "permission_proto"),
        projects: messages(&rows, "projects", "project_proto"),
        infra: infra.into_iter().next(),
        project_metadata: metadata
            .map(|row| ProjectMetadata {
                project: row["project_id"].as_str().unwrap().to_owned(),
                project_uuid: row["metadata_value"].as_str().unwrap().to_owned(),
            })
            .collect(),
        ..Registry::default()
    }
}

/// The text without what differs from run to run.
fn comparable(text: &str) -> Vec<String> {
    let varying = ["createdTimestamp", "lastUpdatedTimestamp", "projectUuid", "path"];
    let line = |line: &str| match line.split_once(": ") {
        Some((key, value)) if varying.contains(&key.trim().trim_matches('"')) => {
            format!("{key}: …{}", &value[value.rfind('"').unwrap()..])
        }
        _ => line.to_owned(),
    };
    text.trim_end().lines().map(line).collect()
}

#[test]
fn dumps_equal_those_of_feast() {
    let transcripts = read_json(&golden_root().join("cli/inspect.json"));
    let recorded = transcripts.as_array().unwrap().iter().filter(|run| run["args"][0] == "registry-dump");
    let recorded: Vec<&str> = recorded.map(|run| run["stdout"].as_str().unwrap()).collect();
    assert!(!recorded.is_empty());
    for text in recorded {
        let json: Value = serde_json::from_str(text).unwrap();
        let project = json["project"].as_str().unwrap();
        // Several repos may have the same project, with other functions in their on-demand views.
        let repos = recordings().into_iter().filter(|name| registry(name).projects.iter().any(|one| is(one, project)));
        let ours: Vec<Vec<String>> = repos
            .map(|name| {
                let dump = registry_dump(project, &registry(&name)).unwrap();
                comparable(&serde_json::to_string_pretty(&dump).unwrap())
            })
            .collect();
        let theirs = comparable(text);
        if !ours.contains(&theirs) {
            assert_eq!(ours.first(), Some(&theirs), "{project}");
        }
    }
}

fn is(message: &Project, project: &str) -> bool {
    message.spec.as_ref().is_some_and(|spec| spec.name == project)
}
