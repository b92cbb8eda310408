//! Python Feast and feastr on the same repo: SQLite online store, DuckDB, and a registry of either kind.

use std::{collections::BTreeSet, ffi::OsString, path::Path, process::Command};

use serde_json::{Value as Json, json};

use crate::{
    registries::{Backend, on_every_backend},
    support::{Project, run},
};

on_every_backend!(@ sqlite Sqlite
    python_feast_finds_what_feastr_declared python_feast_reads_what_feastr_wrote feastr_reads_what_python_feast_wrote
);
on_every_backend!(@ postgres Postgres
    python_feast_finds_what_feastr_declared python_feast_reads_what_feastr_wrote feastr_reads_what_python_feast_wrote
);
on_every_backend!(@ s3 S3
    python_feast_finds_what_feastr_declared python_feast_reads_what_feastr_wrote feastr_reads_what_python_feast_wrote
);

/// Where the scripts and the repo with the definitions, in YAML and in Python, are.
pub const INTEROP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop");

/// All rows are between `EARLIER` and `LATER`, but for an old one; some of each view are after `MIDDLE`.
pub const EARLIER: &str = "2024-11-01";
pub const MIDDLE: &str = "2025-01-02";
pub const LATER: &str = "2025-03-01";
const AFTERWARDS: &str = "2025-04-01";

/// What Python Feast can materialize: not views without entities (with its DuckDB store).
pub const MATERIALIZED_BY_PYTHON: [&str; 3] = ["customer_profile", "stock", "item_facts"];

/// The features of `item_facts`, the only view without a ttl; all other rows are long outdated.
const AGELESS: [&str; 2] = ["title", "weight"];

const PROFILE: &[&str] = &[
    "customer_profile:visits",
    "customer_profile:points",
    "customer_profile:score",
    "customer_profile:spent",
    "customer_profile:city",
    "customer_profile:member",
    "customer_profile:last_order",
    "customer_profile:basket_sizes",
    "customer_profile:ratings",
    "customer_profile:labels",
    "customer_profile:flags",
    "customer_profile:logins",
    "customer_profile:photo",
];

const TRAINING_ROWS: &str = "data/training_rows.parquet";

/// Which features are asked for.
#[derive(Clone, Copy)]
enum Selection {
    Features(&'static [&'static str]),
    Service(&'static str),
}

/// A request that both programs can answer.
pub struct Request {
    selection: Selection,
    full_feature_names: bool,
    /// As the step takes them: a list of entities online, a file otherwise.
    entities: Json,
}

impl Request {
    fn of(selection: Selection) -> Self {
        Self { selection, full_feature_names: false, entities: json!(TRAINING_ROWS) }
    }

    fn with_full_feature_names(self) -> Self {
        Self { full_feature_names: true, ..self }
    }

    fn about(self, entities: Json) -> Self {
        Self { entities, ..self }
    }

    /// As a step of `feast_steps.py`.
    pub fn step(&self, name: &str) -> Json {
        let mut arguments = json!({ "entities": self.entities, "full_feature_names": self.full_feature_names });
        match self.selection {
            Selection::Features(features) => arguments["features"] = json!(features),
            Selection::Service(service) => arguments["service"] = json!(service),
        }
        json!({ name: arguments })
    }

    fn args(&self, command: &str) -> Vec<String> {
        let mut args = vec![command.to_owned()];
        match self.selection {
            Selection::Features(features) => {
                args.push("--features".to_owned());
                args.extend(features.iter().map(|&feature| feature.to_owned()));
            }
            Selection::Service(service) => args.extend(["--feature-service".to_owned(), service.to_owned()]),
        }
        if self.full_feature_names {
            args.push("--full-feature-names".to_owned());
        }
        args
    }

    /// What `feastr get-online` answers, by name like the answer of the step `online`.
    pub fn online(&self, project: &Project) -> Json {
        self.online_with(project, None)
    }

    /// The same with other settings of the repo.
    pub fn online_with(&self, project: &Project, settings: Option<&str>) -> Json {
        let mut args = self.args("get-online");
        args.extend(settings.into_iter().flat_map(|file| ["--feature-store-yaml".to_owned(), file.to_owned()]));
        args.push("--json".to_owned());
        for entity in self.entities.as_array().unwrap() {
            let keys = entity.as_object().unwrap().iter().map(|(key, value)| match value {
                Json::String(text) => format!("{key}={text}"),
                other => format!("{key}={other}"),
            });
            args.extend(["--entity".to_owned(), keys.collect::<Vec<_>>().join(",")]);
        }
        let answer = project.feastr(&args).ok().json();
        let names = answer["metadata"]["feature_names"].as_array().unwrap();
        let results = answer["results"].as_array().unwrap();
        names.iter().zip(results).map(|(name, result)| (name.as_str().unwrap().to_owned(), result.clone())).collect()
    }

    /// Runs `feastr get-historical` with these options; gives the lines that it prints.
    fn historical(&self, project: &Project, options: &[&str]) -> Vec<Json> {
        let mut args = self.args("get-historical");
        args.extend(["--entities", TRAINING_ROWS].into_iter().chain(options.iter().copied()).map(str::to_owned));
        let output = project.feastr(&args).ok();
        output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

pub fn online_requests() -> Vec<Request> {
    let baskets = json!([
        { "customer_id": 1, "shop_id": "a", "item_no": 1 },
        { "customer_id": 4, "shop_id": "b", "item_no": 2 },
        { "customer_id": 5, "shop_id": "1", "item_no": 23 },
        { "customer_id": 1, "shop_id": "12", "item_no": 3 },
        { "customer_id": 1, "shop_id": "unknown", "item_no": 1 },
    ]);
    let customers: Vec<Json> = [1, 2, 3, 4, 5, 99].map(|id| json!({ "customer_id": id })).into();
    let items: Vec<Json> = [1, 2, 3, 4].map(|number| json!({ "item_no": number })).into();
    let pairs = json!([{ "customer_id": 1, "friend_id": 2 }, { "customer_id": 4, "friend_id": 1 }]);
    let elsewhere = json!([{ "other_shop_id": "a", "item_no": 1 }, { "other_shop_id": "b", "item_no": 2 }]);
    vec![
        Request::of(Selection::Features(PROFILE)).about(json!(customers)),
        Request::of(Selection::Service("selling")).about(baskets.clone()),
        Request::of(Selection::Service("selling")).with_full_feature_names().about(baskets),
        Request::of(Selection::Service("friends")).with_full_feature_names().about(pairs),
        Request::of(Selection::Service("items")).about(json!(items)),
        Request::of(Selection::Service("restocking")).about(elsewhere),
        // Without an entity; Feast needs another view in the request to know how many rows to answer.
        Request::of(Selection::Features(&["weather:temperature", "weather:rainy", "item_facts:title"]))
            .about(json!(items)),
    ]
}

/// The place of a request whose answer loses nothing as JSON: no Float32, no number beyond JSON.
const SELLING: usize = 1;

fn historical_requests() -> Vec<Request> {
    vec![
        Request::of(Selection::Features(PROFILE)),
        Request::of(Selection::Service("selling")),
        Request::of(Selection::Service("selling")).with_full_feature_names(),
        Request::of(Selection::Service("friends")).with_full_feature_names(),
        Request::of(Selection::Service("items")),
        Request::of(Selection::Features(&["weather:temperature", "weather:rainy", "item_facts:title"])),
    ]
}

fn python_feast_finds_what_feastr_declared(registry: Backend) {
    let project = shop(registry);
    project.feastr(&["apply"]).ok();
    let steps = [
        json!({ "plan": {} }),
        json!({ "objects": {} }),
        json!({ "apply": {} }),
        json!({ "apply": {} }),
        json!({ "cli": { "arguments": ["feature-views", "list"] } }),
        json!({ "cli": { "arguments": ["feature-services", "describe", "selling"] } }),
        json!({ "objects": {} }),
    ];
    let [plan, objects, first, second, list, description, afterwards] = feast(&project, &steps).try_into().unwrap();
    assert_eq!(plan, "No changes to registry\nNo changes to infrastructure\n");
    assert_declared(&objects);
    assert_eq!(first, second, "the first apply of Python Feast says more than it always does");
    let verbs = ["Created", "Updated", "Deleted", "Creating", "Deploying", "Removing"];
    assert!(!verbs.iter().any(|verb| first.as_str().unwrap().contains(verb)), "{first}");
    assert_eq!(afterwards, objects);
    for view in ["customer_profile", "stock", "item_facts", "weather", "customer_city"] {
        assert!(list.as_str().unwrap().lines().any(|line| line.starts_with(view)), "{list}");
    }
    assert!(description.as_str().unwrap().contains("What the shop assistant sees"), "{description}");
    assert_nothing_to_do(&project);
}

fn python_feast_reads_what_feastr_wrote(registry: Backend) {
    let project = shop(registry);
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", EARLIER, MIDDLE]).ok();
    let (online, historical) = (online_requests(), historical_requests());
    let first: Vec<Json> = online.iter().map(|request| request.online(&project)).collect();

    let mut steps = online_steps();
    for (number, request) in historical.iter().enumerate() {
        let file = format!("data/joined_{number}.parquet");
        request.historical(&project, &["--output", &file]);
        // Read by Python as well, so that the columns' types are compared, too.
        steps.extend([request.step("historical"), json!({ "read": { "path": file } })]);
    }
    let selling_lines = historical[SELLING].historical(&project, &["--format", "jsonl"]);
    steps.push(json!({ "materialize": { "start": MIDDLE, "end": LATER, "views": MATERIALIZED_BY_PYTHON } }));
    steps.extend(online_steps());
    let mut answers = feast(&project, &steps).into_iter();

    for (request, feastr) in online.iter().zip(&first) {
        assert_same_answer(request, feastr, &answers.next().unwrap());
    }
    for (number, request) in historical.iter().enumerate() {
        let (feast, feastr) = (answers.next().unwrap(), answers.next().unwrap());
        assert_eq!(feastr, feast, "{}", request.step("historical"));
        if number == SELLING {
            let names = feast["names"].as_array().unwrap();
            let row = |line: &Json| names.iter().map(|name| line[name.as_str().unwrap()].clone()).collect::<Json>();
            assert_eq!(selling_lines.iter().map(row).collect::<Json>(), feast["rows"]);
        }
    }

    // Python Feast has gone on where feastr stopped; now it is feastr's turn again.
    answers.next();
    let second: Vec<Json> = online.iter().map(|request| request.online(&project)).collect();
    for (request, feastr) in online.iter().zip(&second) {
        assert_same_answer(request, feastr, &answers.next().unwrap());
    }
    assert_ne!(first, second, "Python Feast materialized nothing new");
    assert_nothing_to_do(&project);
    let report = project.feastr(&["materialize-incremental", AFTERWARDS]).ok().stdout;
    assert!(report.contains("customer_profile  2025-03-01T00:00:00Z  2025-04-01T00:00:00Z"), "{report}");
}

fn feastr_reads_what_python_feast_wrote(registry: Backend) {
    let project = shop(registry);
    let mut steps = vec![
        json!({ "apply": {} }),
        json!({ "materialize": { "start": EARLIER, "end": MIDDLE, "views": MATERIALIZED_BY_PYTHON } }),
    ];
    steps.extend(online_steps());
    let answers = feast(&project, &steps);
    assert_nothing_to_do(&project);
    let online = online_requests();
    for (request, feast) in online.iter().zip(&answers[2..]) {
        assert_same_answer(request, &request.online(&project), feast);
    }

    // feastr goes on where Python Feast stopped. Then it is Python's turn, with all rows again.
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", MIDDLE, LATER]).ok();
    let second: Vec<Json> = online.iter().map(|request| request.online(&project)).collect();
    let mut steps = online_steps();
    steps.extend([
        json!({ "objects": {} }),
        json!({ "materialize": { "start": EARLIER, "end": LATER, "views": MATERIALIZED_BY_PYTHON } }),
        json!({ "apply": {} }),
    ]);
    steps.extend(online_steps());
    let mut answers = feast(&project, &steps).into_iter();
    for (request, feastr) in online.iter().zip(&second) {
        assert_same_answer(request, feastr, &answers.next().unwrap());
    }
    assert_declared(&answers.next().unwrap());
    for (request, feast) in online.iter().zip(answers.skip(2)) {
        assert_same_answer(request, &request.online(&project), &feast);
    }
    assert_nothing_to_do(&project);
}

#[test]
fn python_feast_reads_a_copied_registry() {
    let project = shop(Backend::Sqlite);
    project.feastr(&["apply"]).ok();
    let settings = project.read("feature_store.yaml");
    let path = settings.lines().find_map(|line| line.trim().strip_prefix("path: sqlite:///")).unwrap();
    project.feastr(&["registry", "copy", ".", "sqlite:///data/copy.db"]).ok();
    std::fs::remove_file(project.path(path)).unwrap();
    project.edit("feature_store.yaml", path, "data/copy.db");
    let [plan, objects] = feast(&project, &[json!({ "plan": {} }), json!({ "objects": {} })]).try_into().unwrap();
    assert_eq!(plan, "No changes to registry\nNo changes to infrastructure\n");
    assert_declared(&objects);
    assert_nothing_to_do(&project);
}

/// Feast joins by the renamed key alone when only one of two keys is renamed, and so finds other
/// items' stock: it is not a reference here.
#[test]
fn a_view_with_one_of_two_keys_renamed_is_joined_by_both() {
    let project = shop(Backend::Sqlite);
    project.feastr(&["apply"]).ok();
    let rows = Request::of(Selection::Service("restocking")).historical(&project, &["--format", "jsonl"]);
    let amounts: Vec<Json> = rows.iter().map(|row| row["amount"].clone()).collect();
    assert_eq!(json!(amounts), json!([null, null, null, null, null, null, null, null, 2, null]));
}

/// The repo with its data and a registry of its own, not applied yet.
pub fn shop(registry: Backend) -> Project {
    let project = repo("repo", registry);
    python("sample_data.py", &[project.path("data").into()]);
    project
}

/// A repo with an empty registry of its own.
pub fn repo(name: &str, registry: Backend) -> Project {
    let mut project = Project::new(&[]);
    for file in ["feature_store.yaml", "definitions.yaml", "definitions.py"] {
        project.copy(&Path::new(INTEROP).join(name).join(file), file);
    }
    if let Some(store) = registry.store() {
        project.edit("feature_store.yaml", "registry_type: sql", "registry_type: file");
        project.edit("feature_store.yaml", "sqlite:///data/registry.db", &registry.place_in_bucket());
        project.environment = store.environment();
    }
    if let Some(server) = registry.server() {
        let url = server.url(&server.create_database());
        project.edit("feature_store.yaml", "sqlite:///data/registry.db", &url);
    }
    project
}

/// Runs steps of `feast_steps.py` and gives their results.
pub fn feast(project: &Project, steps: &[Json]) -> Vec<Json> {
    project.write("data/steps.json", json!(steps).to_string());
    let args = [project.path("").into(), project.path("data/steps.json").into()];
    let output =
        run(script("feast_steps.py", &args).envs(project.environment.iter().map(|(name, value)| (name, value))));
    serde_json::from_str(&output.ok().stdout).unwrap()
}

/// Runs a script with the Python that has Feast; gives its standard output.
pub fn python(name: &str, args: &[OsString]) -> String {
    run(&mut script(name, args)).ok().stdout
}

fn script(name: &str, args: &[OsString]) -> Command {
    let python = std::env::var_os("FEASTR_FEAST_PYTHON")
        .expect("FEASTR_FEAST_PYTHON names no Python with Feast: run scripts/test.sh, which installs one");
    let mut command = Command::new(python);
    command.arg(Path::new(INTEROP).join(name)).args(args).env("TZ", "UTC");
    command
}

pub fn online_steps() -> Vec<Json> {
    online_requests().iter().map(|request| request.step("online")).collect()
}

#[track_caller]
pub fn assert_same_answer(request: &Request, feastr: &Json, feast: &Json) {
    let about = request.step("online");
    let (feastr, feast) = (feastr.as_object().unwrap(), feast.as_object().unwrap());
    let names = |answer: &serde_json::Map<String, Json>| answer.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(feastr), names(feast), "{about}");
    for (name, theirs) in feast {
        let ours = &feastr[name];
        assert_eq!(ours["values"], theirs["values"], "{name}: {about}");
        assert_eq!(ours["event_timestamps"], theirs["event_timestamps"], "{name}: {about}");
        let expected: Vec<&str> = (0..ours["values"].as_array().unwrap().len())
            .map(|row| status(name, &theirs["values"][row], theirs["statuses"][row].as_str().unwrap()))
            .collect();
        assert_eq!(ours["statuses"], json!(expected), "{name}: {about}");
    }
}

/// The right status: Feast knows only PRESENT and NOT_FOUND, and does not look at ttls.
fn status(name: &str, value: &Json, feast: &str) -> &'static str {
    let is_key = name.ends_with("_id") || name == "item_no";
    match feast {
        "NOT_FOUND" => "NOT_FOUND",
        "PRESENT" if is_key => "PRESENT",
        "PRESENT" if !AGELESS.contains(&name) => "OUTSIDE_MAX_AGE",
        "PRESENT" if value.is_null() => "NULL_VALUE",
        "PRESENT" => "PRESENT",
        other => panic!("Feast has answered {other}"),
    }
}

#[track_caller]
fn assert_declared(objects: &Json) {
    for (kind, count) in
        [("projects", 1), ("entities", 4), ("data_sources", 4), ("feature_views", 5), ("feature_services", 4)]
    {
        let objects = &objects[kind];
        assert_eq!(objects["registered"].as_object().unwrap().len(), count, "{kind}");
        assert_eq!(objects["registered"], objects["declared"], "{kind}");
    }
}

#[track_caller]
pub fn assert_nothing_to_do(project: &Project) {
    project.feastr(&["plan", "--detailed-exitcode"]).ok();
}
