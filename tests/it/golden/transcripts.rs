//! Plans and applies as Feast printed them, step by step, against what feastr says of the same steps.

use std::{collections::BTreeSet, path::Path};

use super::registry_rows::{golden_root, read_json};
use crate::support::{Project, settings};

const VIEWS: &str = "views.yaml";

/// What was edited before the steps of a note, in the order of the recording.
fn edit(repo: &Project, note: &str) {
    let view = |from, to| repo.edit(VIEWS, from, to);
    match note {
        "fresh repository" | "no change" | "no_progress" => {}
        "feature_added" => view(
            "      - {name: avg_daily_trips",
            "      - {name: extra_flag, dtype: Int64}\n      - {name: avg_daily_trips",
        ),
        "ttl_changed" => view("ttl: 1d", "ttl: 30h"),
        "entity_changed" => view(
            "join_keys: [driver_id], ",
            "join_keys: [driver_id], description: person behind the wheel, tags: {k: v}, ",
        ),
        "service_changed" => view(
            "    features: [{driver_hourly_stats: [conv_rate]}",
            "    tags: {k: v}\n    features: [{driver_hourly_stats: [acc_rate]}",
        ),
        "source_changed" => view(
            "    created_timestamp_column: created\n",
            "    created_timestamp_column: created\n    description: raw rows\n    tags: {tier: bronze}\n",
        ),
        "odfv_changed" => view("sql: conv_rate + val_to_add_2", "sql: conv_rate + val_to_add_2 + 1"),
        "online_false" => view("online: true", "online: false"),
        "view_deleted" => std::fs::remove_file(repo.path("fresh.yaml")).unwrap(),
        "everything_deleted" => std::fs::remove_file(repo.path(VIEWS)).unwrap(),
        "permission_deleted" => std::fs::remove_file(repo.path("permissions.yaml")).unwrap(),
        other => panic!("no edit for {other}"),
    }
}

/// The lines about objects and tables.
fn lines(text: &str) -> BTreeSet<String> {
    let words = ["Created ", "Updated ", "Deleted ", "No changes to "];
    let said = |line: &&str| words.iter().any(|word| line.starts_with(word));
    without_colours(text).lines().filter(said).map(str::to_owned).collect()
}

fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    first + &parts.map(|part| part.split_once('m').map_or(part, |(_, rest)| rest)).collect::<String>()
}

/// What feastr says and Feast does not: see docs/compatibility.md.
fn only_ours(line: &str, note: &str) -> bool {
    // Data sources are part of a plan.
    line.contains(" data source ")
        // Feast's `plan` has written the project already.
        || line == "Created project feastlocal" && note == "fresh repository"
}

#[test]
fn plan_and_apply_say_what_feast_said() {
    let repo = Project::new(&[("feature_store.yaml", &settings("feastlocal"))]);
    let definitions = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repos/golden/transcripts");
    for file in [VIEWS, "fresh.yaml", "permissions.yaml"] {
        repo.copy(&definitions.join(file), file);
    }
    let data = golden_root().join("registry/local_pandas/input/data/driver_stats.parquet");
    repo.copy(&data, "data/driver_stats.parquet");
    let recorded = read_json(&golden_root().join("cli/plan_apply_sqlite_online.json"));
    let mut last = String::new();
    let mut wrong = Vec::new();
    for step in recorded.as_array().unwrap() {
        let note = step["note"].as_str().unwrap();
        if note != last {
            edit(&repo, note);
            note.clone_into(&mut last);
        }
        let mut args: Vec<&str> = step["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect();
        // The recording adds a feature that the file does not have.
        args.push("--skip-source-validation");
        // Feast asks nobody.
        match args[0] {
            "apply" => args.push("--yes"),
            "plan" => args.extend(["--allow", "*/*"]),
            _ => {}
        }
        let ours = lines(&repo.feastr(&args).ok().stdout);
        let theirs = lines(step["stdout"].as_str().unwrap());
        let more = ours.difference(&theirs).filter(|line| !only_ours(line, note)).map(|line| format!("+ {line}"));
        let less = theirs.difference(&ours).filter(|line| ours.iter().all(|ours| !hides(ours, line)));
        let less = less.map(|line| format!("- {line}"));
        wrong.extend(more.chain(less).map(|line| format!("{note}, {}: {line}", args[0])));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether one of our lines is the reason why Feast's is not there: a changed source is a change.
fn hides(ours: &str, theirs: &str) -> bool {
    theirs == "No changes to registry" && ours.contains(" data source ")
}

/// Settings that Feast takes and feastr does not, or the other way round; see docs/compatibility.md.
const OTHER_SETTINGS: [(&str, i32); 6] = [
    ("unknown_top_level_key", 1),
    ("unknown_registry_key", 1),
    ("entity_key_version_2", 1),
    ("registry_ttl_text", 0),
    ("auth_unknown", 0),
    ("auth_no_type", 0),
];

#[test]
fn settings_are_refused_as_in_feast() {
    let recorded = read_json(&golden_root().join("cli/yaml_errors.json"));
    let mut wrong = Vec::new();
    for step in recorded.as_array().unwrap() {
        let note = step["note"].as_str().unwrap();
        if note.contains(": ") {
            continue;
        }
        let repo = Project::new(&[]);
        if let Some(text) = step["feature_store_yaml"].as_str() {
            repo.write("feature_store.yaml", text);
        }
        std::fs::create_dir(repo.path("data")).unwrap();
        let output = crate::support::run(repo.command(&["apply"]).env("GOLDEN_PROJECT", "feastlocal"));
        let expected = OTHER_SETTINGS.iter().find(|(other, _)| *other == note);
        let expected = expected.map_or_else(|| step["exit_code"].as_i64().unwrap(), |(_, code)| i64::from(*code));
        if i64::from(output.code) != expected || output.stderr.contains("panicked") {
            wrong.push(format!("{note}: {} instead of {expected}\n{}", output.code, output.stderr));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
