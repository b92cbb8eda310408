//! Historical retrieval as Feast's DuckDB store answered it.

use std::{fs, path::Path};

use arrow::{
    array::RecordBatch,
    compute::{cast, concat_batches},
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use super::registry_rows::{golden_root, read_json};
use crate::support::{Output, Project, settings};

/// Cases that Feast refuses and feastr answers: keys written as texts are read as numbers.
const ANSWERED: [&str; 1] = ["string_keys"];

/// The names of on-demand views, which definitions cannot express yet.
const ON_DEMAND: [&str; 4] = ["odfv_pandas", "odfv_python", "odfv_one_output", "svc_odfv"];

#[test]
fn every_case_is_answered_as_recorded() {
    let root = golden_root().join("historical");
    let project = Project::new(&[
        ("feature_store.yaml", &settings("feastlocal_hist")),
        ("definitions.yaml", include_str!("../../repos/golden/historical/definitions.yaml")),
    ]);
    for entry in fs::read_dir(root.join("input/data")).unwrap() {
        let path = entry.unwrap().path();
        project.copy(&path, &format!("data/{}", path.file_name().unwrap().to_str().unwrap()));
    }
    project.feastr(&["apply"]).ok();
    let (mut same, mut refused) = (0, 0);
    for entry in fs::read_dir(root.join("cases")).unwrap() {
        let folder = entry.unwrap().path();
        let case = read_json(&folder.join("case.json"));
        let name = case["name"].as_str().unwrap();
        let output = retrieve(&project, &folder, &case);
        if mentions_on_demand(&case) {
            let output = output.failed();
            assert!(output.stderr.contains("there is no feature"), "{name}: {}", output.stderr);
        } else if ANSWERED.contains(&name) {
            output.ok();
        } else if case["duckdb"]["error"].is_string() {
            output.failed();
            refused += 1;
        } else {
            output.ok();
            let expected = read(&folder.join("duckdb.parquet"));
            let actual = read(&project.path("out.parquet"));
            assert_same(name, &expected, &actual);
            same += 1;
        }
        let _ = fs::remove_file(project.path("out.parquet"));
    }
    assert!(same > 0 && refused > 0, "no cases under {}", root.display());
}

fn mentions_on_demand(case: &Value) -> bool {
    let features = case["features"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let names = features.map(|reference| reference.split(':').next().unwrap()).chain(case["feature_service"].as_str());
    names.into_iter().any(|name| ON_DEMAND.contains(&name))
}

fn retrieve(project: &Project, folder: &Path, case: &Value) -> Output {
    let mut args = vec!["get-historical".to_owned(), "-o".to_owned(), "out.parquet".to_owned()];
    for feature in case["features"].as_array().into_iter().flatten() {
        args.extend(["--features".to_owned(), feature.as_str().unwrap().to_owned()]);
    }
    if let Some(service) = case["feature_service"].as_str() {
        args.extend(["--feature-service".to_owned(), service.to_owned()]);
    }
    for (option, value) in case["options"].as_object().unwrap() {
        match value.as_str() {
            // Retrieval by time range, which Feast's DuckDB store refuses and feastr has not yet.
            Some(time) => args.extend([format!("--{}", option.trim_end_matches("_date")), time.to_owned()]),
            None if value == true => args.push(format!("--{}", option.replace('_', "-"))),
            None => {}
        }
    }
    let entities = folder.join("entity.parquet");
    if entities.exists() {
        args.extend(["--entities".to_owned(), entities.display().to_string()]);
    }
    project.feastr(&args)
}

fn read(path: &Path) -> RecordBatch {
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).unwrap()).unwrap().build().unwrap();
    let schema = arrow::array::RecordBatchReader::schema(&reader);
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    concat_batches(&schema, &batches).unwrap()
}

/// Pandas recorded integers with a null as floats, so numbers are compared as the kind we wrote.
fn assert_same(name: &str, expected: &RecordBatch, actual: &RecordBatch) {
    let names = |batch: &RecordBatch| {
        let schema = batch.schema();
        schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(actual), names(expected), "{name}");
    for (index, column) in expected.columns().iter().enumerate() {
        let field = expected.schema().field(index).name().clone();
        let written = actual.column(index);
        let (recorded_type, written_type) = (column.data_type(), written.data_type());
        let same_kind = recorded_type == written_type || (recorded_type.is_floating() && written_type.is_integer());
        assert!(same_kind, "{name}: {field} is {written_type}, recorded as {recorded_type}");
        assert_eq!(written, &cast(column, written_type).unwrap(), "{name}: {field}");
    }
}
