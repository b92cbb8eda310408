//! Definitions that Feast was given in recordings of its errors, in YAML: what feastr says of them.
//!
//! A recording names the mistake in its note and has it in Python, which feastr does not read. The same mistake in YAML is
//! here, over the example's data, so that it is of no importance how the recorded objects are called.

use std::path::Path;

use super::registry_rows::{golden_root, read_json};
use crate::support::{Project, settings};

const ENTITY: &str = "entities: [{name: e, join_keys: [driver_id], value_type: INT64}]\n";
const SOURCE: &str = "data_sources:\n  - {name: s, type: file, path: data/driver_stats.parquet, \
                      timestamp_field: event_timestamp, created_timestamp_column: created}\n";

/// A view over entity `e` and source `s`.
fn view(name: &str, column: &str) -> String {
    format!("  - {{name: '{name}', entities: [e], source: s, schema: [{column}]}}\n")
}

const COLUMN: &str = "{name: conv_rate, dtype: Float32}";

/// The definitions of a recording in YAML, and what feastr says of them: `Ok`, or a part of its error. Nothing for
/// mistakes that only Python code can have, and for those that this repository's recordings do not have.
fn definitions(note: &str) -> Option<(String, Result<(), &'static str>)> {
    let views = |views: &str| format!("{ENTITY}{SOURCE}feature_views:\n{views}");
    let a = || view("a", COLUMN);
    let with_service = |service: &str| format!("{}feature_services:\n{service}", views(&a()));
    let source = |source: &str| format!("{ENTITY}data_sources: [{source}]\nfeature_views:\n{}", a());
    Some(match note {
        "duplicate_feature_view_names" => {
            (views(&(view("same", COLUMN) + &view("same", COLUMN))), Err("is called `same`"))
        }
        "duplicate_names_differ_in_case" => {
            (views(&(view("same", COLUMN) + &view("Same", COLUMN))), Err("may not differ in case only"))
        }
        "duplicate_entity_names" => (
            "entities: [{name: e, value_type: INT64}, {name: e, join_keys: [other]}]\n".to_owned(),
            Err("is called `e`"),
        ),
        "duplicate_data_source_names" => (
            format!("{SOURCE}  - {{name: s, type: file, path: data/other.parquet, timestamp_field: t}}\n"),
            Err("is called `s`"),
        ),
        "duplicate_service_names" => {
            (with_service("  - {name: x, features: [a]}\n  - {name: x, features: [a]}\n"), Err("is called `x`"))
        }
        "entity_not_defined_in_repo" | "entity_given_as_string" => {
            (format!("{SOURCE}feature_views:\n{}", a()), Err("there is no entity `e`"))
        }
        "reserved_entity_name" => {
            ("entities: [{name: __dummy, join_keys: [x]}]\n".to_owned(), Err("`__dummy` is reserved"))
        }
        "reserved_feature_name_event_timestamp" => {
            (views(&view("a", "{name: event_timestamp, dtype: Float32}")), Err("`event_timestamp` is reserved"))
        }
        "reserved_feature_name_created_timestamp" => {
            (views(&view("a", "{name: created_timestamp, dtype: Float32}")), Err("has no column `created_timestamp`"))
        }
        "reserved_double_underscore_feature" => {
            (views(&view("a", "{name: x__y, dtype: Float32}")), Err("has no column `x__y`"))
        }
        "view_name_with_colon" => (views(&view("a:b", COLUMN)), Err("cannot contain `:`")),
        "view_name_with_space" => (views(&view("a b", COLUMN)), Err("cannot contain ` `")),
        "view_name_with_at" => (views(&view("a@v2", COLUMN)), Err("cannot contain `@`")),
        "source_file_missing" => (
            source("{name: s, type: file, path: data/absent.parquet, timestamp_field: event_timestamp}"),
            Err("there is no file `data/absent.parquet`"),
        ),
        "source_column_missing" => {
            (views(&view("a", "{name: absent_column, dtype: Float32}")), Err("has no column `absent_column`"))
        }
        "source_type_mismatch" => (views(&view("a", "{name: conv_rate, dtype: String}")), Err("cannot become String")),
        "timestamp_column_missing" => (
            source("{name: s, type: file, path: data/driver_stats.parquet, timestamp_field: absent_time}"),
            Err("has no column `absent_time`"),
        ),
        "timestamp_inferred_two_candidates" => {
            (source("{name: s, type: file, path: data/driver_stats.parquet}"), Err("does not say which column"))
        }
        "no_source" => (
            format!("{ENTITY}feature_views: [{{name: a, entities: [e], schema: [{COLUMN}]}}]\n"),
            Err("`source` is missing"),
        ),
        "no_schema_inferred" => (views("  - {name: a, entities: [e], source: s}\n"), Ok(())),
        "empty_service" => (with_service("  - {name: x, features: []}\n"), Ok(())),
        "service_with_view_outside_repo" => (
            format!("{ENTITY}{SOURCE}feature_services: [{{name: x, features: [hidden]}}]\n"),
            Err("there is no feature view `hidden`"),
        ),
        "projection_of_unknown_feature" => {
            (with_service("  - {name: x, features: [{a: [nope]}]}\n"), Err("has no feature `nope`"))
        }
        "entity_join_key_same_as_feature" => {
            (views(&view("a", &format!("{{name: driver_id, dtype: Int64}}, {COLUMN}"))), Ok(()))
        }
        "entity_two_join_keys" => ("entities: [{name: e, join_keys: [a, b]}]\n".to_owned(), Err("one join key")),
        "entity_no_value_type" => {
            (format!("entities: [{{name: e, join_keys: [driver_id]}}]\n{SOURCE}feature_views:\n{}", a()), Ok(()))
        }
        "project_name_differs" => ("project: {name: another}\n".to_owned(), Err("another")),
        "project_object" => (
            "project: {name: shop, description: the project, owner: owner@example.com, tags: {a: b}}\n".to_owned(),
            Ok(()),
        ),
        "permission_unknown_action" => ("permissions: [{name: p, actions: [FLY]}]\n".to_owned(), Err("FLY")),
        "empty_repository" => (String::new(), Ok(())),
        "two_projects" | "python_syntax_error" | "python_import_error" => return None,
        other => {
            assert!(std::env::var_os("FEASTR_GOLDEN").is_some(), "no definitions for {other}");
            eprintln!("a mistake that has no definitions in YAML here: {other}");
            return None;
        }
    })
}

#[test]
fn mistakes_that_feast_takes_or_trips_over_are_named() {
    let recorded = read_json(&golden_root().join("cli/apply_errors.json"));
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/feature_repo/data/driver_stats.parquet");
    let (mut wrong, mut compared) = (Vec::new(), 0);
    for note in recorded.as_array().unwrap().iter().map(|step| step["note"].as_str().unwrap()) {
        let Some((text, expected)) = (!note.contains(": ")).then(|| definitions(note)).flatten() else { continue };
        let repo = Project::new(&[("feature_store.yaml", &settings("shop")), ("definitions.yaml", &text)]);
        compared += 1;
        repo.copy(&data, "data/driver_stats.parquet");
        let output = repo.feastr(&["apply"]);
        let as_expected = match expected {
            Ok(()) => output.code == 0,
            // Nothing is written, and the line is shown.
            Err(part) => {
                output.code == 1
                    && output.stderr.contains(part)
                    && output.stderr.contains("--> definitions.yaml:")
                    && !repo.path("data/registry.db").exists()
            }
        };
        if !as_expected {
            wrong.push(format!("{note}: expected {expected:?}\n{}{}", output.stdout, output.stderr));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 0);
}
