//! Registries that Feast wrote: rows go through every database unchanged, files are read and
//! written without touching what a change is not about.

use std::{collections::BTreeSet, path::PathBuf};

use feastr::{
    feast::registry_file::RegistryFile,
    model::ObjectKind,
    registry::{Row, Snapshot, VersionRow, Write},
};
use serde_json::Value;

use super::{
    Backend, TestRegistry,
    contract::{contents, entity, write},
    on_every_backend,
};
use crate::golden::{bytes, golden_root, read_json};

on_every_backend!(recorded_rows_come_back);

const TABLES: [(ObjectKind, &str, &str, &str); 11] = [
    (ObjectKind::Project, "projects", "project_name", "project_proto"),
    (ObjectKind::DataSource, "data_sources", "data_source_name", "data_source_proto"),
    (ObjectKind::Entity, "entities", "entity_name", "entity_proto"),
    (ObjectKind::FeatureView, "feature_views", "feature_view_name", "feature_view_proto"),
    (ObjectKind::OnDemandFeatureView, "on_demand_feature_views", "feature_view_name", "feature_view_proto"),
    (ObjectKind::StreamFeatureView, "stream_feature_views", "feature_view_name", "feature_view_proto"),
    (ObjectKind::LabelView, "label_views", "feature_view_name", "feature_view_proto"),
    (ObjectKind::FeatureService, "feature_services", "feature_service_name", "feature_service_proto"),
    (ObjectKind::Permission, "permissions", "permission_name", "permission_proto"),
    (ObjectKind::SavedDataset, "saved_datasets", "saved_dataset_name", "saved_dataset_proto"),
    (
        ObjectKind::ValidationReference,
        "validation_references",
        "validation_reference_name",
        "validation_reference_proto",
    ),
];

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// What Feast stored in its SQL registry, as writes.
fn recorded(tables: &Value) -> Vec<Write> {
    let mut writes = Vec::new();
    for (kind, table, name, proto) in TABLES {
        for row in tables[table].as_array().into_iter().flatten() {
            let updated = row["last_updated_timestamp"].as_i64().unwrap();
            writes.push(Write::Put(Row { kind, name: text(&row[name]), updated, proto: bytes(&row[proto]) }));
        }
    }
    for row in tables["feature_view_version_history"].as_array().into_iter().flatten() {
        writes.push(Write::AddVersion(VersionRow {
            view: text(&row["feature_view_name"]),
            view_type: text(&row["feature_view_type"]),
            number: i32::try_from(row["version_number"].as_i64().unwrap()).unwrap(),
            proto: bytes(&row["feature_view_proto"]),
            created: row["created_timestamp"].as_i64().unwrap(),
            id: text(&row["version_id"]),
        }));
    }
    for row in tables["managed_infra"].as_array().into_iter().flatten() {
        writes.push(Write::PutInfra { proto: bytes(&row["infra_proto"]), updated: 1 });
    }
    writes
}

fn recorded_rows_come_back(backend: Backend) {
    for recording in ["extra/postgres_rows.json", "local_python/sqlite_rows.json"] {
        let path = golden_root().join("registry").join(recording);
        let tables = read_json(&path);
        let writes = recorded(tables.get("tables").unwrap_or(&tables));
        assert!(writes.len() > 10, "{recording}");
        let project = writes
            .iter()
            .find_map(|write| match write {
                Write::Put(row) if row.kind == ObjectKind::Project => Some(row.name.clone()),
                _ => None,
            })
            .unwrap();
        let test = TestRegistry::new(backend);
        write(test.open().as_ref(), &project, &writes);
        let found = test.open().snapshot(&project).unwrap();
        let mut rows: Vec<Row> = writes
            .iter()
            .filter_map(|write| if let Write::Put(row) = write { Some(row.clone()) } else { None })
            .collect();
        rows.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
        if backend == Backend::File {
            // Views are stored with or without their project; a file gives them all without.
            let names = |rows: &[Row]| rows.iter().map(|row| (row.kind, row.name.clone())).collect::<Vec<_>>();
            assert_eq!(names(&found.rows), names(&rows), "{recording}");
        } else {
            assert_eq!(contents(&found), contents(&Snapshot { rows, ..Snapshot::default() }), "{recording}");
        }
        let versions: BTreeSet<&str> = writes
            .iter()
            .filter_map(|write| if let Write::AddVersion(version) = write { Some(version.view.as_str()) } else { None })
            .collect();
        assert_eq!(found.versions.keys().map(String::as_str).collect::<BTreeSet<_>>(), versions);
    }
}

/// File registries that Feast wrote.
fn recorded_files() -> Vec<PathBuf> {
    ["extra", "local_python"].map(|name| golden_root().join("registry").join(name).join("registry.db")).into()
}

/// The bytes without `version_id` (field 4), which is another one in every file.
fn without_version_id(bytes: &[u8]) -> Vec<u8> {
    let at = bytes.windows(2).position(|two| two == [0x22, 36]).unwrap();
    [&bytes[..at], &bytes[at + 38..]].concat()
}

#[test]
fn a_file_of_feast_is_written_back_byte_for_byte() {
    for path in recorded_files() {
        let original = std::fs::read(&path).unwrap();
        let mut file = RegistryFile::parse(&original).unwrap();
        let project = file.projects().next().unwrap().to_owned();
        let rows: Vec<_> = file.objects(&project).map(|(kind, name, proto)| (kind, name.to_owned(), proto)).collect();
        assert!(rows.len() > 5);
        for (kind, name, proto) in rows {
            file.put(&project, kind, &name, &proto);
        }
        let infra = file.infra(&project);
        if let Some(infra) = infra {
            file.put_infra(&project, &infra);
        }
        let written = file.encode("00000000-0000-0000-0000-000000000000");
        assert_eq!(without_version_id(&written), without_version_id(&original), "{}", path.display());
    }
}

#[test]
fn a_file_of_feast_keeps_other_projects_and_unknown_fields() {
    let test = TestRegistry::new(Backend::File);
    // Field 999, a text, at the end of what a newer Feast wrote.
    let unknown = [0xba, 0x3e, 0x05, b'n', b'e', b'w', b'e', b'r'];
    let original = [std::fs::read(&recorded_files()[0]).unwrap(), unknown.to_vec()].concat();
    std::fs::write(test.path(), &original).unwrap();
    let registry = test.open();
    let theirs = registry.projects().unwrap().remove(0);
    let before = registry.snapshot(&theirs).unwrap();
    write(registry.as_ref(), "mine", &[Write::Put(entity("driver", "mine"))]);
    assert_eq!(registry.snapshot(&theirs).unwrap(), before);
    assert_eq!(registry.snapshot("mine").unwrap().rows, [Row { updated: 0, ..entity("driver", "mine") }]);
    assert!(std::fs::read(test.path()).unwrap().windows(8).any(|bytes| bytes == unknown));
    write(registry.as_ref(), "mine", &[Write::DeleteProject]);
    let touched = |bytes: &[u8]| {
        let mut file = RegistryFile::parse(bytes).unwrap();
        file.touch(i64::from(u32::MAX));
        without_version_id(&file.encode("00000000-0000-0000-0000-000000000000"))
    };
    assert_eq!(touched(&std::fs::read(test.path()).unwrap()), touched(&original));
}
