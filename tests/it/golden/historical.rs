//! Historical retrieval as Feast's DuckDB store answered it.
//!
//! The registry that the cases are asked of is written by Feast itself, from the recording's own definitions.

use std::{collections::BTreeSet, fs, path::Path};

use arrow::{
    array::{ArrayRef, AsArray, RecordBatch, UInt64Array},
    compute::{cast, concat_batches, take},
    datatypes::{FieldRef, TimestampMicrosecondType},
    row::{RowConverter, SortField},
};
use feastr::{
    feast::registry::messages::{Registry, decode},
    model::Timestamp,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

use super::{
    registry_rows::{files, golden_root, read_json},
    repos::copy_data,
};
use crate::{
    interop::feast,
    support::{Output, Project},
};

#[test]
fn every_case_is_answered_as_recorded() {
    let root = golden_root().join("historical");
    let project = applied_by_feast(&root.join("input"));
    let on_demand = on_demand(&decode(&project.read_bytes("data/registry.db")).unwrap());
    let (mut same, mut refused) = (0, 0);
    for entry in fs::read_dir(root.join("cases")).unwrap() {
        let folder = entry.unwrap().path();
        let case = read_json(&folder.join("case.json"));
        let name = case["name"].as_str().unwrap();
        let output = retrieve(&project, &folder, &case);
        if mentions(&case, &on_demand) {
            let output = output.failed();
            assert!(output.stderr.contains("cannot be served"), "{name}: {}", output.stderr);
        } else if case["duckdb"]["error"].as_str().is_some_and(is_about_texts_as_keys) {
            // Feast refuses keys written as texts; feastr reads them as the declared numbers.
            output.ok();
        } else if case["entity"].is_null()
            && case["duckdb"]["error"].as_str().is_some_and(is_about_ranges)
            && has_range(&case)
        {
            // Feast's DuckDB store knows no ranges of time; feastr does.
            output.ok();
            assert_in_range(name, &case["options"], &read(&project.path("out.parquet")));
        } else if case["duckdb"]["error"].is_string() {
            output.failed();
            refused += 1;
        } else {
            output.ok();
            let expected = read(&folder.join("duckdb.parquet"));
            let actual = read(&project.path("out.parquet"));
            assert_same(name, &read(&folder.join("entity.parquet")), &expected, &actual);
            same += 1;
        }
        let _ = fs::remove_file(project.path("out.parquet"));
    }
    assert!(same > 0 && refused > 0, "no cases under {}", root.display());
}

/// The on-demand views of the recording, as expressions: those of a recording with other functions are not known here.
const IN_SQL: &str = "on_demand_feature_views:
  - name: odfv_pandas
    sources: [day_view, vals_to_add]
    schema:
      - {name: conv_rate_plus_val1, dtype: Float64, sql: \"conv_rate::DOUBLE + val_to_add\"}
      - {name: conv_rate_plus_val2, dtype: Float64, sql: \"conv_rate::DOUBLE + val_to_add_2\"}
  - name: odfv_python
    sources: [day_view, vals_to_add]
    schema:
      - {name: py_sum, dtype: Float64, sql: \"conv_rate::DOUBLE + val_to_add\"}
feature_services:
  - {name: svc_odfv, features: [day_view: [avg_daily_trips], odfv_pandas]}
";

#[test]
fn views_that_are_expressions_instead_of_functions_are_answered_as_recorded() {
    let root = golden_root().join("historical");
    let project = applied_by_feast(&root.join("input"));
    let names = on_demand(&decode(&project.read_bytes("data/registry.db")).unwrap());
    if names.iter().any(|name| !IN_SQL.contains(&format!("name: {name}"))) {
        return;
    }
    project.feastr(&["import"]).ok();
    fs::remove_file(project.path("data/registry.db")).unwrap();
    project.write("on_demand.yaml", IN_SQL);
    project.feastr(&["apply", "-q"]).ok();
    let mut same = 0;
    for entry in fs::read_dir(root.join("cases")).unwrap() {
        let folder = entry.unwrap().path();
        let case = read_json(&folder.join("case.json"));
        let name = case["name"].as_str().unwrap();
        if !mentions(&case, &names) {
            continue;
        }
        let output = retrieve(&project, &folder, &case);
        if case["duckdb"]["error"].is_string() {
            assert!(output.failed().stderr.contains("there is no column `val_to_add`"), "{name}");
            continue;
        }
        output.ok();
        let expected = read(&folder.join("duckdb.parquet"));
        // The order of inputs that nobody asked for is another one in each run of Feast.
        let actual = in_order_of(&expected, &read(&project.path("out.parquet")));
        assert_same(name, &read(&folder.join("entity.parquet")), &expected, &actual);
        fs::remove_file(project.path("out.parquet")).unwrap();
        same += 1;
    }
    assert!(same > 0, "no cases under {}", root.display());
}

/// The same columns in the order of another table, but for those that are not in it.
fn in_order_of(other: &RecordBatch, rows: &RecordBatch) -> RecordBatch {
    let schema = rows.schema();
    assert_eq!(schema.fields().len(), other.num_columns());
    let position = |field: &FieldRef| schema.index_of(field.name()).unwrap();
    rows.project(&other.schema().fields().iter().map(position).collect::<Vec<_>>()).unwrap()
}

/// A repo whose file registry Feast wrote from definitions of the recording.
fn applied_by_feast(input: &Path) -> Project {
    let settings = "project: recorded\nprovider: local\nregistry: data/registry.db\nonline_store: {type: sqlite, path: \
                    data/online_store.db}\noffline_store: {type: duckdb}\nentity_key_serialization_version: 3\n";
    let project = Project::new(&[("feature_store.yaml", settings)]);
    copy_data(input, &project);
    for definitions in files(input, ".py") {
        project.copy(&definitions, definitions.strip_prefix(input).unwrap().to_str().unwrap());
    }
    feast(&project, &[json!({ "apply": {} })]);
    project
}

/// The on-demand views, and the services that select from one: feastr runs no Python functions.
fn on_demand(registry: &Registry) -> BTreeSet<String> {
    let views = registry.on_demand_feature_views.iter().filter_map(|view| view.spec.as_ref());
    let views: BTreeSet<String> = views.map(|spec| spec.name.clone()).collect();
    let services = registry.feature_services.iter().filter_map(|service| service.spec.as_ref());
    let over_views =
        services.filter(|spec| spec.features.iter().any(|member| views.contains(&member.feature_view_name)));
    let services: BTreeSet<String> = over_views.map(|spec| spec.name.clone()).collect();
    views.union(&services).cloned().collect()
}

fn mentions(case: &Value, names: &BTreeSet<String>) -> bool {
    let features = case["features"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mentioned =
        features.map(|reference| reference.split([':', '@']).next().unwrap()).chain(case["feature_service"].as_str());
    mentioned.into_iter().any(|name| names.contains(name))
}

/// Whether Feast refused to join a column of texts to one of another type.
fn is_about_texts_as_keys(error: &str) -> bool {
    error.starts_with("IbisTypeError") && error.contains(":string are not comparable")
}

/// Whether Feast's store does not know what a range of time is.
fn is_about_ranges(error: &str) -> bool {
    error.starts_with("TypeError") && (error.contains("'start_date'") || error.contains("'end_date'"))
}

fn has_range(case: &Value) -> bool {
    ["start_date", "end_date"].iter().any(|end| case["options"][end].is_string())
}

/// The rows of a range have times in it, one behind the other.
fn assert_in_range(name: &str, options: &Value, rows: &RecordBatch) {
    let moment = |key: &str, otherwise: i64| {
        let text = options[key].as_str().map(|text| Timestamp::parse(text, Timestamp::now()).unwrap().micros());
        text.unwrap_or(otherwise)
    };
    let times = rows.column_by_name("event_timestamp").unwrap().as_primitive::<TimestampMicrosecondType>().values();
    assert!(times.is_sorted(), "{name}: {times:?}");
    let range = moment("start_date", i64::MIN)..=moment("end_date", Timestamp::now().micros());
    assert!(times.iter().all(|time| range.contains(time)), "{name}: {times:?}");
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

/// Feast may return the rows in another order, feastr has that of the entity rows. Pandas recorded integers with a null
/// as floats, so numbers are compared as the kind we wrote.
fn assert_same(name: &str, entities: &RecordBatch, expected: &RecordBatch, actual: &RecordBatch) {
    let names = |batch: &RecordBatch| {
        let schema = batch.schema();
        schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(actual), names(expected), "{name}");
    for (field, column) in entities.schema().fields().iter().zip(entities.columns()) {
        let written = actual.column_by_name(field.name()).unwrap();
        assert_eq!(written, &cast(column, written.data_type()).unwrap(), "{name}: {field} of the entity rows");
    }
    let cast_columns = expected.columns().iter().enumerate().map(|(index, column)| {
        let field = expected.schema().field(index).name().clone();
        let (recorded_type, written_type) = (column.data_type(), actual.column(index).data_type());
        let same_kind = recorded_type == written_type || (recorded_type.is_floating() && written_type.is_integer());
        assert!(same_kind, "{name}: {field} is {written_type}, recorded as {recorded_type}");
        cast(column, written_type).unwrap()
    });
    let expected = in_order(&cast_columns.collect::<Vec<_>>());
    for (index, written) in in_order(actual.columns()).iter().enumerate() {
        assert_eq!(written, &expected[index], "{name}: {}", actual.schema().field(index));
    }
}

/// The rows of these columns in the order of their values.
fn in_order(columns: &[ArrayRef]) -> Vec<ArrayRef> {
    let fields = columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
    let rows = RowConverter::new(fields).unwrap().convert_columns(columns).unwrap();
    let mut order: Vec<usize> = (0..rows.num_rows()).collect();
    order.sort_by_key(|index| rows.row(*index));
    let order = UInt64Array::from_iter_values(order.into_iter().map(|index| index as u64));
    columns.iter().map(|column| take(column, &order, None).unwrap()).collect()
}
