//! Registries recorded from Feast: every stored message decodes, encodes to the same bytes, and
//! shows the same JSON.

use std::{
    fs,
    path::{Path, PathBuf},
};

use feastr::feast::registry::messages::{
    DataSource, Entity, FeatureService, FeatureView, Infra, LabelView, OnDemandFeatureView, Permission, Project,
    Registry, SavedDataset, StreamFeatureView, ValidationReference, decode,
};
use serde::Serialize;
use serde_json::Value;

use super::{descriptors::Descriptors, repos::registry_files};

/// Where the recordings are.
pub fn golden_root() -> PathBuf {
    std::env::var_os("FEASTR_GOLDEN").map_or_else(committed_root, PathBuf::from)
}

/// Where the recordings of this repository are, whichever the tests are put to.
pub fn committed_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Reads a recorded JSON file.
pub fn read_json(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The bytes of a recorded binary column.
pub fn bytes(column: &Value) -> Vec<u8> {
    let hex = column["hex"].as_str().unwrap().as_bytes();
    hex.chunks(2).map(|digits| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap()).collect()
}

/// The files below `folder` whose names end with `ending`.
pub fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found
}

/// Whether a message survives decoding and encoding, and its JSON.
fn round_trip<M: prost::Message + Default + Serialize>(bytes: &[u8]) -> (bool, Value) {
    let message: M = decode(bytes).unwrap();
    (message.encode_to_vec() == bytes, serde_json::to_value(&message).unwrap())
}

fn round_trip_of(message: &str, bytes: &[u8]) -> (bool, Value) {
    match message {
        "feast.core.DataSource" => round_trip::<DataSource>(bytes),
        "feast.core.Entity" => round_trip::<Entity>(bytes),
        "feast.core.FeatureService" => round_trip::<FeatureService>(bytes),
        "feast.core.FeatureView" => round_trip::<FeatureView>(bytes),
        "feast.core.Infra" => round_trip::<Infra>(bytes),
        "feast.core.LabelView" => round_trip::<LabelView>(bytes),
        "feast.core.OnDemandFeatureView" => round_trip::<OnDemandFeatureView>(bytes),
        "feast.core.Permission" => round_trip::<Permission>(bytes),
        "feast.core.Project" => round_trip::<Project>(bytes),
        "feast.core.Registry" => round_trip::<Registry>(bytes),
        "feast.core.SavedDataset" => round_trip::<SavedDataset>(bytes),
        "feast.core.StreamFeatureView" => round_trip::<StreamFeatureView>(bytes),
        "feast.core.ValidationReference" => round_trip::<ValidationReference>(bytes),
        other => panic!("no struct for {other}"),
    }
}

fn check(descriptors: &Descriptors, message: &str, bytes: &[u8], recorded: &Value, place: &str) {
    let (same_bytes, json) = round_trip_of(message, bytes);
    assert!(same_bytes, "{place}: other bytes");
    assert_eq!(json, descriptors.standard_names(message, recorded), "{place}");
}

#[test]
fn rows_keep_their_bytes_and_show_the_recorded_json() {
    let descriptors = Descriptors::read();
    let folders = ["registry", "registry_server"];
    let files: Vec<PathBuf> =
        folders.iter().flat_map(|folder| files(&golden_root().join(folder), "_rows.json")).collect();
    assert!(!files.is_empty());
    for file in &files {
        let mut checked = 0;
        for (table, rows) in read_json(file).as_object().unwrap() {
            let columns = rows.as_array().unwrap().iter().flat_map(|row| row.as_object().unwrap());
            for (name, column) in columns.filter(|(_, column)| column.get("hex").is_some()) {
                let place = format!("{}: {table}.{name}", file.display());
                let message = column["message"].as_str().unwrap();
                check(&descriptors, message, &bytes(column), &column["json"], &place);
                checked += 1;
            }
        }
        assert!(checked > 10, "only {checked} messages in {}", file.display());
    }
}

#[test]
fn file_registries_keep_their_bytes_and_show_the_recorded_json() {
    let descriptors = Descriptors::read();
    for file in &registry_files() {
        let bytes = fs::read(file).unwrap();
        let recorded = read_json(&file.with_extension("json"));
        check(&descriptors, "feast.core.Registry", &bytes, &recorded, &file.display().to_string());
    }
}

#[test]
fn old_versions_inside_file_registries_keep_their_bytes() {
    for file in registry_files() {
        let registry: Registry = decode(&fs::read(&file).unwrap()).unwrap();
        let records = registry.feature_view_version_history.unwrap().records;
        assert!(!records.is_empty());
        for record in records {
            let message = match record.feature_view_type.as_str() {
                "feature_view" => "feast.core.FeatureView",
                "on_demand_feature_view" => "feast.core.OnDemandFeatureView",
                "stream_feature_view" => "feast.core.StreamFeatureView",
                "label_view" => "feast.core.LabelView",
                other => panic!("no message for {other}"),
            };
            let (same_bytes, _) = round_trip_of(message, &record.feature_view_proto);
            assert!(same_bytes, "{}: {}", file.display(), record.feature_view_name);
        }
    }
}

/// The recorded registries lack most kinds of messages. Samples made from the descriptors have
/// every field of all of them, at its number and under its name.
#[test]
fn every_field_of_every_message_is_known() {
    let descriptors = Descriptors::read();
    for round in 0..descriptors.rounds() {
        let (bytes, json) = descriptors.sample("feast.core.Registry", round);
        let (same_bytes, ours) = round_trip_of("feast.core.Registry", &bytes);
        assert_eq!(ours, json, "round {round}");
        assert!(same_bytes, "round {round}: other bytes");
    }
}
