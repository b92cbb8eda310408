//! Registries that Feast wrote: rows go through every database unchanged, files are read and
//! written without touching what a change is not about.

use std::collections::BTreeSet;

use feastr::{
    feast::registry::file::RegistryFile,
    model::ObjectKind,
    registry::{Row, Snapshot, Write},
};

use super::{
    Backend, TestRegistry,
    contract::{contents, entity, write},
    on_every_backend,
};
use crate::golden::{bytes, recorded_tables, recorded_writes, recordings_of, registry_files};

on_every_backend!(recorded_rows_come_back);

fn recorded_rows_come_back(backend: Backend) {
    let of = |database: &'static str| recordings_of(database).into_iter().map(move |name| (name, database));
    for (recording, database) in of("sqlite").chain(of("postgres")) {
        let tables = recorded_tables(&recording, database);
        let mut writes = recorded_writes(&tables);
        for row in tables["managed_infra"].as_array().into_iter().flatten() {
            writes.push(Write::PutInfra { proto: bytes(&row["infra_proto"]), updated: 1 });
        }
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
        if backend.is_message() {
            // Views are stored with or without their project; a message gives them all without.
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

/// The bytes without `version_id` (field 4), which is another one in every file.
fn without_version_id(bytes: &[u8]) -> Vec<u8> {
    let at = bytes.windows(2).position(|two| two == [0x22, 36]).unwrap();
    [&bytes[..at], &bytes[at + 38..]].concat()
}

#[test]
fn a_file_of_feast_is_written_back_byte_for_byte() {
    for path in registry_files() {
        let original = std::fs::read(&path).unwrap();
        let mut file = RegistryFile::parse(&original).unwrap();
        let project = file.projects().next().unwrap().to_owned();
        let rows: Vec<_> =
            file.objects(&project).map(|object| (object.kind, object.name.clone(), object.message())).collect();
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

on_every_backend!(@ file_of_feast File a_file_of_feast_keeps_other_projects_and_unknown_fields);
on_every_backend!(@ s3_of_feast S3 a_file_of_feast_keeps_other_projects_and_unknown_fields);

fn a_file_of_feast_keeps_other_projects_and_unknown_fields(backend: Backend) {
    let test = TestRegistry::new(backend);
    // Field 999, a text, at the end of what a newer Feast wrote.
    let unknown = [0xba, 0x3e, 0x05, b'n', b'e', b'w', b'e', b'r'];
    let original = [std::fs::read(&registry_files()[0]).unwrap(), unknown.to_vec()].concat();
    test.put_bytes(&original);
    let registry = test.open();
    let theirs = registry.projects().unwrap().remove(0);
    let before = registry.snapshot(&theirs).unwrap();
    write(registry.as_ref(), "mine", &[Write::Put(entity("driver", "mine"))]);
    assert_eq!(registry.snapshot(&theirs).unwrap(), before);
    assert_eq!(registry.snapshot("mine").unwrap().rows, [Row { updated: 0, ..entity("driver", "mine") }]);
    assert!(test.bytes().windows(8).any(|bytes| bytes == unknown));
    write(registry.as_ref(), "mine", &[Write::DeleteProject]);
    let touched = |bytes: &[u8]| {
        let mut file = RegistryFile::parse(bytes).unwrap();
        file.touch(i64::from(u32::MAX));
        without_version_id(&file.encode("00000000-0000-0000-0000-000000000000"))
    };
    assert_eq!(touched(&test.bytes()), touched(&original));
}
