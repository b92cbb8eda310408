//! Views that Python wrote: what import and plan make of them, and that the SQL computes the same as Python did.

use std::path::Path;

use insta::assert_snapshot;
use serde_json::{Value as Json, json};

use crate::{
    golden::{committed_tables, recorded_project},
    interop::{INTEROP, feast, python, repo},
    porting::{recorded, registry},
    registries::Backend,
    support::Project,
};

/// The views of `tests/interop/python_views` that are not translated, and why.
const REFUSED: [(&str, &str); 11] = [
    ("as_text", "this type is not translated"),
    ("flags", "a boolean may be missing"),
    ("logarithm", "other last digits than SQL"),
    ("python_half", "more exactly than SQL"),
    ("python_none", "NaN is not None"),
    ("python_singleton", "one row by itself"),
    ("ranked", "`for column in [\"amount\"]:` is not translated"),
    ("scaled", "`inputs[\"amount\"].mean()`"),
    ("seen_hour", "values of type UnixTimestamp"),
    ("shouted", "`inputs[\"city\"].str`"),
    ("whole_ratio", "`//` and `%` are translated for an integer"),
];

/// Over rows with nulls, NaNs, infinities, zeros, negative and extreme numbers; Feast computes both.
#[test]
fn sql_gives_the_values_of_python() {
    let project = Project::new(&[]);
    for file in ["feature_store.yaml", "definitions.py"] {
        project.copy(&Path::new(INTEROP).join("python_views").join(file), file);
    }
    project.write("data/.keep", "");
    compute(&project, "rows");
    feast(&project, &[json!({"apply": {}})]);
    compute(&project, "python");

    let import = project.feastr(&["import", "--translate-python", "--json"]);
    assert_eq!(import.code, 2, "{}", import.stderr);
    let imported = import.json();
    let sketched: Vec<(&str, &str)> = imported["sketched"]
        .as_array()
        .unwrap()
        .iter()
        .map(|view| (view["id"]["name"].as_str().unwrap(), view["reason"].as_str().unwrap()))
        .collect();
    assert_eq!(sketched.len(), REFUSED.len(), "{sketched:#?}");
    for ((name, reason), (expected, part)) in sketched.iter().zip(REFUSED) {
        assert!(*name == expected && reason.contains(part), "{name}: {reason}");
    }
    let translated = imported["translated"].as_array().unwrap();
    assert!(translated.len() >= 30, "{translated:#?}");
    assert_eq!(imported["changes"].as_array().unwrap().len(), translated.len());
    project.feastr(&["apply", "--yes"]).ok();
    project.feastr(&["plan", "--detailed-exitcode"]).ok();

    let compared: Json = serde_json::from_str(&compute(&project, "sql")).unwrap();
    for view in translated {
        let view = &compared[view["name"].as_str().unwrap()];
        assert!(view["differences"].as_array().unwrap().is_empty(), "{view:#}");
        assert!(view["compared"].as_u64() > Some(200) && view["failed"].as_u64() < Some(200), "{view:#}");
    }
}

/// Runs the script that computes the views with Python Feast.
fn compute(project: &Project, what: &str) -> String {
    python("python_views/compare.py", &[project.path("").into(), what.into()])
}

/// The committed recording of a registry with views of Python functions, and services over them.
fn recorded_views() -> Project {
    let tables = committed_tables("local_pandas");
    recorded(&tables, recorded_project(&tables))
}

#[test]
fn comments_show_python_and_the_same_in_sql() {
    let project = recorded_views();
    let import = project.feastr(&["import"]).ok();
    assert_snapshot!(import.stdout, @r#"
    Wrote entities.yaml (1 object)
    Wrote data_sources.yaml (3 objects)
    Wrote feature_views.yaml (2 objects)
    Wrote permissions.yaml (1 object)
    Wrote on_demand_feature_views.yaml (comments)
    "#);
    assert_snapshot!(import.stderr, @r#"

    YAML cannot express these; they stay in the registry, and plan and apply leave them alone:
      on demand feature view transformed_conv_rate: its transformation is a Python function; SQL can compute it
      on demand feature view transformed_conv_rate_fresh: its transformation is a Python function; SQL can compute it
      feature service driver_activity_v1: it selects from `transformed_conv_rate`, which feastr does not manage
      feature service driver_activity_v2: it selects from `transformed_conv_rate`, which feastr does not manage
      feature service driver_activity_v3: it selects from `transformed_conv_rate_fresh`, which feastr does not manage
    Comments in on_demand_feature_views.yaml show Python functions, and their SQL as far as it is known
    help: with --translate-python those that SQL can compute are written as definitions
    "#);
    let comments = project.read("on_demand_feature_views.yaml");
    assert_snapshot!(comments, @r#"
    #on_demand_feature_views:

    # transformed_conv_rate is computed by this Python function, which the registry keeps:
    # | @on_demand_feature_view(
    # |     sources=[driver_hourly_stats, vals_to_add],
    # |     schema=[Field(name="conv_rate_plus_val1", dtype=Float64), Field(name="conv_rate_plus_val2", dtype=Float64)],
    # |     mode="pandas",
    # | )
    # | def transformed_conv_rate(inputs: pd.DataFrame) -> pd.DataFrame:
    # |     out = pd.DataFrame()
    # |     out["conv_rate_plus_val1"] = inputs["conv_rate"] + inputs["val_to_add"]
    # |     out["conv_rate_plus_val2"] = inputs["conv_rate"] + inputs["val_to_add_2"]
    # |     return out
    # Services that select from it have to be declared as well then: driver_activity_v1, driver_activity_v2
    # The same in SQL. Without `#` in front of its lines it takes the function's place, which plan shows:
    #  - name: transformed_conv_rate
    #    sources: [driver_hourly_stats, vals_to_add]
    #    schema:
    #      - {name: conv_rate_plus_val1, dtype: Float64, sql: CAST(conv_rate AS DOUBLE) + val_to_add}
    #      - {name: conv_rate_plus_val2, dtype: Float64, sql: CAST(conv_rate AS DOUBLE) + val_to_add_2}

    # transformed_conv_rate_fresh is computed by this Python function, which the registry keeps:
    # | @on_demand_feature_view(
    # |     sources=[driver_hourly_stats_fresh, vals_to_add],
    # |     schema=[Field(name="conv_rate_plus_val1", dtype=Float64), Field(name="conv_rate_plus_val2", dtype=Float64)],
    # |     mode="pandas",
    # | )
    # | def transformed_conv_rate_fresh(inputs: pd.DataFrame) -> pd.DataFrame:
    # |     out = pd.DataFrame()
    # |     out["conv_rate_plus_val1"] = inputs["conv_rate"] + inputs["val_to_add"]
    # |     out["conv_rate_plus_val2"] = inputs["conv_rate"] + inputs["val_to_add_2"]
    # |     return out
    # Services that select from it have to be declared as well then: driver_activity_v3
    # The same in SQL. Without `#` in front of its lines it takes the function's place, which plan shows:
    #  - name: transformed_conv_rate_fresh
    #    sources: [driver_hourly_stats_fresh, vals_to_add]
    #    schema:
    #      - {name: conv_rate_plus_val1, dtype: Float64, sql: CAST(conv_rate AS DOUBLE) + val_to_add}
    #      - {name: conv_rate_plus_val2, dtype: Float64, sql: CAST(conv_rate AS DOUBLE) + val_to_add_2}
    "#);
    project.feastr(&["plan", "--skip-source-validation", "--detailed-exitcode"]).ok();

    // Without their marks the definitions in comments are those that a translation writes.
    let uncommented = comments.lines().filter_map(|line| match line.strip_prefix('#') {
        Some(line) if line.starts_with("  ") || line.ends_with("views:") => Some(line),
        Some(_) => None,
        None => Some(line),
    });
    let uncommented = uncommented.collect::<Vec<_>>().join("\n");
    let import = project.feastr(&["import", "--force", "--translate-python"]);
    assert_eq!(import.code, 2);
    assert_snapshot!(import.stderr, @r#"

    Translated from Python to SQL; plan shows them as changes until they are applied:
      on demand feature view transformed_conv_rate
      on demand feature view transformed_conv_rate_fresh
    "#);
    let translated = project.read("on_demand_feature_views.yaml");
    assert_eq!(uncommented.split_whitespace().collect::<Vec<_>>(), translated.split_whitespace().collect::<Vec<_>>());
    assert_snapshot!(project.feastr(&["plan", "--skip-source-validation"]).refused().stdout, @r#"
    Updated on demand feature view transformed_conv_rate
    	expressions.conv_rate_plus_val1: + {name: conv_rate_plus_val1, sql: CAST(conv_rate AS DOUBLE) + val_to_add}
    	expressions.conv_rate_plus_val2: + {name: conv_rate_plus_val2, sql: CAST(conv_rate AS DOUBLE) + val_to_add_2}
    Updated on demand feature view transformed_conv_rate_fresh
    	expressions.conv_rate_plus_val1: + {name: conv_rate_plus_val1, sql: CAST(conv_rate AS DOUBLE) + val_to_add}
    	expressions.conv_rate_plus_val2: + {name: conv_rate_plus_val2, sql: CAST(conv_rate AS DOUBLE) + val_to_add_2}
    No changes to infrastructure

    Breaks:
      computing `transformed_conv_rate` by SQL takes the place of its Python function
      computing `transformed_conv_rate_fresh` by SQL takes the place of its Python function

    Blocked: apply refuses this unless it is allowed:
      update on demand feature view transformed_conv_rate
      update on demand feature view transformed_conv_rate_fresh
      If it is wanted:
        feastr apply --allow update:on-demand-feature-view/transformed_conv_rate --allow update:on-demand-feature-view/transformed_conv_rate_fresh

    Plan: 0 to create, 2 to update, 0 to delete
    "#);
}

#[test]
fn check_says_what_is_computed_and_what_could_be() {
    let project = recorded_views();
    assert_snapshot!(project.feastr(&["transform", "check"]).ok().stdout, @r#"
    VIEW                         KIND                    COMPUTED  WHY
    transformed_conv_rate        on demand feature view  no        it is a Python function; `feastr import --translate-python` makes SQL of it
    transformed_conv_rate_fresh  on demand feature view  no        it is a Python function; `feastr import --translate-python` makes SQL of it
    "#);
    let exit = |project: &Project| project.feastr(&["transform", "check", "--detailed-exitcode"]).code;
    assert_eq!(exit(&project), 2);
    let checked = project.feastr(&["transform", "check", "--json"]).ok().json();
    let first = json!({
        "kind": "on_demand_feature_view",
        "name": "transformed_conv_rate",
        "computed": false,
        "how": null,
        "translatable": true,
        "reason": null,
    });
    assert_eq!(checked["views"][0], first);
    project.feastr(&["import", "--translate-python"]);
    project.feastr(&["apply", "--skip-source-validation", "--yes"]).ok();
    assert_snapshot!(project.feastr(&["transform", "check"]).ok().stdout, @r#"
    VIEW                         KIND                    COMPUTED  WHY
    transformed_conv_rate        on demand feature view  yes       SQL
    transformed_conv_rate_fresh  on demand feature view  yes       SQL
    "#);
    assert_eq!(exit(&project), 0);
    let kinds = repo("kinds", Backend::Sqlite);
    kinds.feastr(&["apply", "--skip-source-validation"]).ok();
    assert_snapshot!(kinds.feastr(&["transform", "check", "--detailed-exitcode"]).ok().stdout, @r#"
    VIEW           KIND                    COMPUTED  WHY
    driver_sums    on demand feature view  yes       SQL
    driver_stream  stream feature view     yes       aggregations
    "#);
    let none = Project::example();
    none.feastr(&["apply"]).ok();
    assert_eq!(none.feastr(&["transform", "check"]).ok().stderr, "Project feastlocal has no views that are computed\n");
}

#[test]
fn sql_takes_the_place_of_a_function_only_when_that_is_wanted() {
    let project = recorded_views();
    project.feastr(&["import", "--translate-python"]);
    project.feastr(&["apply", "--skip-source-validation"]).refused();
    let before = registry(&project, "data/registry.db").snapshot("feastlocal").unwrap();
    let allow = "update:on-demand-feature-view/*";
    project.feastr(&["apply", "--skip-source-validation", "--allow", allow]).ok();
    let after = registry(&project, "data/registry.db").snapshot("feastlocal").unwrap();
    // Nothing but the views themselves, each in a new version beside the function's.
    let changed = before.rows.iter().zip(&after.rows).filter(|(before, after)| before.proto != after.proto);
    let changed: Vec<&str> = changed.map(|(before, _)| before.name.as_str()).collect();
    assert_eq!(changed, ["transformed_conv_rate", "transformed_conv_rate_fresh"]);
    for view in changed {
        assert_eq!(after.versions[view], before.versions[view] + 1);
    }
    project.feastr(&["plan", "--skip-source-validation", "--detailed-exitcode"]).ok();
}
