//! Plans and applies as Feast printed them, step by step, against what feastr says of the same steps.

use std::collections::BTreeSet;

use feastr::{feast::values::data_types::parse_value_type, model::ObjectKind};
use serde_json::{Value, json};

use super::{
    recording::recorded_tables,
    registry_rows::{golden_root, read_json},
    repos::RecordedRepo,
};
use crate::support::{Project, settings};

/// Feast's words for kinds of objects, with the sections of definitions.
const KINDS: [(&str, &str); 5] = [
    ("entity", "entities"),
    ("feature view", "feature_views"),
    ("on demand feature view", "on_demand_feature_views"),
    ("feature service", "feature_services"),
    ("permission", "permissions"),
];

/// The definitions of a repo, in the form of `feastr export --json`, which is YAML, too.
struct Definitions(Value);

impl Definitions {
    /// What was recorded of a repo. The functions of its on-demand views are expressions here.
    fn of(repo: &RecordedRepo) -> Self {
        let scratch = repo.declare(&settings(&repo.project));
        scratch.feastr(&["apply", "--skip-source-validation"]).ok();
        let mut definitions = Self(scratch.feastr(&["export", "--json"]).ok().json());
        let tables = recorded_tables(repo.name(), "sqlite");
        let of_kind = |table: &str, proto: &str| -> Vec<Value> {
            let rows = tables[table].as_array().into_iter().flatten();
            let specs = rows.map(|row| row[proto]["json"]["spec"].clone());
            specs.filter(|spec| repo.state.foreign.iter().any(|foreign| spec["name"] == *foreign.id.name)).collect()
        };
        for spec in of_kind("on_demand_feature_views", "feature_view_proto") {
            definitions.objects("on_demand_feature_views").push(on_demand_view(&spec));
        }
        for spec in of_kind("feature_services", "feature_service_proto") {
            let members: Vec<Value> =
                spec["features"].as_array().unwrap().iter().map(|member| definitions.projection(member)).collect();
            definitions.objects("feature_services").push(json!({ "name": spec["name"], "features": members }));
        }
        definitions
    }

    /// The objects of a section, which is there afterwards.
    fn objects(&mut self, section: &str) -> &mut Vec<Value> {
        self.0.as_object_mut().unwrap().entry(section).or_insert(json!([])).as_array_mut().unwrap()
    }

    fn object(&mut self, section: &str, name: &str) -> &mut Value {
        let found = self.objects(section).iter_mut().find(|object| object["name"] == name);
        found.unwrap_or_else(|| panic!("no {name} among {section}"))
    }

    fn features(&mut self, view: &str) -> Vec<Value> {
        let views = ["feature_views", "on_demand_feature_views"].map(|section| self.objects(section).clone()).concat();
        let view = views.iter().find(|other| other["name"] == view).unwrap_or_else(|| panic!("no view {view}"));
        view["schema"].as_array().unwrap().iter().map(|field| field["name"].clone()).collect()
    }

    /// What a service selects from a view: everything, unless fewer features are recorded than the view has.
    fn projection(&mut self, member: &Value) -> Value {
        let view = member["feature_view_name"].as_str().unwrap();
        let features: Vec<Value> =
            member["feature_columns"].as_array().unwrap().iter().map(|column| column["name"].clone()).collect();
        let mut projection = json!({ "view": view });
        if features.len() < self.features(view).len() {
            projection["features"] = json!(features);
        }
        for (ours, theirs) in [("name_alias", "feature_view_name_alias"), ("join_key_map", "join_key_map")] {
            if let Some(value) = member.get(theirs) {
                projection[ours] = value.clone();
            }
        }
        projection
    }

    /// Makes the change that a note names to the object that Feast found changed.
    fn edit(&mut self, note: &str, said: &BTreeSet<String>) {
        let changed = |section: &str| {
            let (word, _) = KINDS.iter().find(|(_, other)| *other == section).unwrap();
            let mut lines = said.iter().filter_map(|line| line.strip_prefix(&format!("Updated {word} ")));
            lines.next().unwrap_or_else(|| panic!("{note}: no {word} was updated")).to_owned()
        };
        let tags = json!({ "tier": "bronze" });
        match note {
            "feature_added" => {
                let view = self.object("feature_views", &changed("feature_views"));
                let fields = view["schema"].as_array_mut().unwrap();
                fields.insert(fields.len() - 1, json!({ "name": "extra_flag_of_the_test", "dtype": "Int64" }));
            }
            "ttl_changed" => self.object("feature_views", &changed("feature_views"))["ttl"] = json!("4321h"),
            "online_false" => self.object("feature_views", &changed("feature_views"))["online"] = json!(false),
            "entity_changed" => {
                let entity = self.object("entities", &changed("entities"));
                entity["description"] = json!("changed by the test");
                entity["tags"] = tags;
            }
            "service_changed" => {
                let name = changed("feature_services");
                let first = self.object("feature_services", &name)["features"][0].clone();
                let features = self.features(first["view"].as_str().unwrap());
                let service = self.object("feature_services", &name);
                service["tags"] = tags;
                let other = features.iter().find(|feature| first["features"] != json!([feature])).unwrap();
                service["features"][0]["features"] = json!([other]);
            }
            "source_changed" => {
                let view = self.object("feature_views", &changed("feature_views")).clone();
                let source = self.object("data_sources", view["source"].as_str().unwrap()).clone();
                let name = source["batch_source"].as_str().unwrap_or(source["name"].as_str().unwrap());
                let source = self.object("data_sources", name);
                source["description"] = json!("changed by the test");
                source["tags"] = tags;
            }
            "odfv_changed" => {
                let view = self.object("on_demand_feature_views", &changed("on_demand_feature_views"));
                let expression = format!("{} + 1", view["schema"][0]["sql"].as_str().unwrap());
                view["schema"][0]["sql"] = json!(expression);
            }
            _ => {
                let updated: Vec<_> = said.iter().filter(|line| line.starts_with("Updated ")).collect();
                assert!(updated.is_empty(), "{note}: the test does not know what was changed before {updated:?}");
            }
        }
        for (word, section) in KINDS {
            let deleted =
                |object: &Value| said.contains(&format!("Deleted {word} {}", object["name"].as_str().unwrap()));
            self.objects(section).retain(|object| !deleted(object));
        }
    }
}

/// An on-demand view whose outputs are expressions over one of its inputs.
fn on_demand_view(spec: &Value) -> Value {
    let sources: Vec<&Value> = spec["sources"].as_object().unwrap().values().collect();
    let projections = sources.iter().filter_map(|source| source.get("feature_view_projection"));
    let inputs = projections.clone().flat_map(|projection| projection["feature_columns"].as_array().unwrap());
    let is_number =
        |column: &&Value| ["FLOAT", "DOUBLE", "INT32", "INT64"].iter().any(|kind| column["value_type"] == *kind);
    let input = inputs.into_iter().find(is_number).map_or("1", |column| column["name"].as_str().unwrap());
    let views = projections.map(|projection| &projection["feature_view_name"]);
    let requests = sources.iter().filter_map(|source| source.get("request_data_source")).map(|source| &source["name"]);
    let outputs = spec["features"].as_array().unwrap().iter().map(|output| {
        let dtype = parse_value_type(output["value_type"].as_str().unwrap()).unwrap().to_string();
        json!({ "name": output["name"], "dtype": dtype, "sql": format!("{input} * 2") })
    });
    json!({
        "name": spec["name"],
        "sources": views.chain(requests).collect::<Vec<_>>(),
        "schema": outputs.collect::<Vec<_>>(),
    })
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
        || line.starts_with("Created project ") && note == "fresh repository"
}

#[test]
fn plan_and_apply_say_what_feast_said() {
    let recorded = read_json(&golden_root().join("cli/plan_apply_sqlite_online.json"));
    let recorded = recorded.as_array().unwrap();
    let created = lines(recorded[0]["stdout"].as_str().unwrap());
    let recorded_repo = RecordedRepo::all().into_iter().find(|repo| objects(repo).is_subset(&created));
    let recorded_repo = recorded_repo.unwrap_or_else(|| panic!("no recorded repo has the objects of {created:?}"));
    let repo = Project::new(&[("feature_store.yaml", &settings(&recorded_repo.project))]);
    let mut definitions = Definitions::of(&recorded_repo);
    let mut last = String::new();
    let (mut wrong, mut compared) = (Vec::new(), 0);
    for step in recorded {
        let note = step["note"].as_str().unwrap();
        let theirs = lines(step["stdout"].as_str().unwrap());
        if note != last {
            definitions.edit(note, &theirs);
            repo.write("definitions.yaml", definitions.0.to_string());
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
        compared += theirs.len();
        let more = ours.difference(&theirs).filter(|line| !only_ours(line, note)).map(|line| format!("+ {line}"));
        let less = theirs.difference(&ours).filter(|line| ours.iter().all(|ours| !hides(ours, line)));
        let less = less.map(|line| format!("- {line}"));
        wrong.extend(more.chain(less).map(|line| format!("{note}, {}: {line}", args[0])));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 0);
}

/// The lines about the creation of a repo's objects.
fn objects(repo: &RecordedRepo) -> BTreeSet<String> {
    let kinds = [
        (ObjectKind::Entity, "entity"),
        (ObjectKind::FeatureView, "feature view"),
        (ObjectKind::OnDemandFeatureView, "on demand feature view"),
        (ObjectKind::FeatureService, "feature service"),
        (ObjectKind::Permission, "permission"),
    ];
    let names = |(kind, word)| repo.names(kind).map(move |name| format!("Created {word} {name}"));
    kinds.into_iter().flat_map(names).collect()
}

/// Whether one of our lines is the reason why Feast's is not there: a changed source is a change.
fn hides(ours: &str, theirs: &str) -> bool {
    theirs == "No changes to registry" && ours.contains(" data source ")
}

/// Settings that Feast takes and feastr does not, or the other way round; see docs/compatibility.md.
const OTHER_SETTINGS: [(&str, i32); 4] =
    [("unknown_top_level_key", 1), ("unknown_registry_key", 1), ("entity_key_version_2", 1), ("registry_ttl_text", 0)];

#[test]
fn settings_are_refused_as_in_feast() {
    let recorded = read_json(&golden_root().join("cli/yaml_errors.json"));
    let (mut wrong, mut compared) = (Vec::new(), 0);
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
        let mut command = repo.command(&["apply"]);
        for variable in variables(step["feature_store_yaml"].as_str().unwrap_or_default()) {
            command.env(variable, "project_of_the_test");
        }
        let output = crate::support::run(&mut command);
        compared += 1;
        let expected = OTHER_SETTINGS.iter().find(|(other, _)| *other == note);
        let expected = expected.map_or_else(|| step["exit_code"].as_i64().unwrap(), |(_, code)| i64::from(*code));
        if i64::from(output.code) != expected || output.stderr.contains("panicked") {
            wrong.push(format!("{note}: {} instead of {expected}\n{}", output.code, output.stderr));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 0);
}

/// The environment variables that settings name: `${NAME}`.
fn variables(settings: &str) -> impl Iterator<Item = &str> {
    settings.split("${").skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name)
}
