//! Repos of definitions: one with every kind of object, and one per group of mistakes.

use std::path::{Path, PathBuf};

use feastr::{
    config::{self, StoreConfig},
    definitions::{self, LoadOptions},
    diagnostics::{Diagnostics, SourceText},
    model::{ObjectKind, Repo, SourceKind},
    problem::{Kind, Problem},
};

use crate::{
    golden::imported_repos,
    support::{Project, settings},
};

/// Set to write what is found instead of comparing it.
const ACCEPT: &str = "FEASTR_ACCEPT";

fn repos(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repos").join(kind)
}

/// The files of a repo of the tests, below `folder`.
fn copy(project: &Project, folder: &Path, below: &str) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = format!("{below}{}", entry.file_name().to_str().unwrap());
        match entry.file_type().unwrap().is_dir() {
            true => copy(project, &entry.path(), &format!("{name}/")),
            false => project.copy(&entry.path(), &name),
        }
    }
}

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        match entry.extension().and_then(|ending| ending.to_str()) {
            Some("yaml" | "yml") => files.push(entry),
            _ if entry.is_dir() => files.extend(yaml_files(&entry)),
            _ => {}
        }
    }
    files
}

#[test]
fn every_mistake_is_drawn_where_it_was_made() {
    let mut wrong = Vec::new();
    let mut cases: Vec<_> = std::fs::read_dir(repos("invalid")).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() > 10);
    for case in cases {
        let project = Project::new(&[("feature_store.yaml", &settings("broken"))]);
        copy(&project, &case, "");
        let found = project.feastr(&["plan", "--skip-source-validation"]).failed().stderr;
        let expected = case.join("expected.txt");
        if std::env::var_os(ACCEPT).is_some() {
            std::fs::write(&expected, &found).unwrap();
        } else if std::fs::read_to_string(&expected).unwrap_or_default() != found {
            wrong.push(format!("{}:\n{found}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The configuration of a repo, as a command reads it.
fn config(project: &Project) -> StoreConfig {
    let path = project.path("feature_store.yaml");
    let file = std::sync::Arc::new(SourceText::new(path.clone(), project.read("feature_store.yaml")));
    config::load(&file, [project.folder.path(), &path], &|_| None, &mut Diagnostics::default()).unwrap()
}

fn load(project: &Project, skip_view_names: bool) -> Result<Repo, Vec<String>> {
    let options = LoadOptions {
        validate_sources: false,
        skip_view_names,
        looks_at: &|kind| matches!(kind, SourceKind::File(_)),
        inspect: &|source| Err(Problem::new(Kind::Invalid, format!("{} is looked at", source.name), None)),
        misfits: &|_| Ok(Vec::new()),
        check_transformation: &|_, _| Ok(()),
        display_path: &|path| path.strip_prefix(project.folder.path()).unwrap().to_owned(),
    };
    let mut diagnostics = Diagnostics::default();
    let repo = definitions::load(&config(project), &options, &mut diagnostics).unwrap();
    let found = diagnostics.into_sorted().into_iter().map(|diagnostic| diagnostic.message).collect::<Vec<_>>();
    match repo {
        Some(repo) if found.is_empty() => Ok(repo),
        _ => Err(found),
    }
}

#[test]
fn every_kind_of_object_is_read() {
    let project = Project::new(&[("feature_store.yaml", &settings("everything"))]);
    copy(&project, &repos("valid/everything"), "");
    let repo = load(&project, false).unwrap();
    let objects = repo.objects();
    for kind in ObjectKind::ALL {
        assert!(objects.keys().any(|id| id.kind == kind), "{kind}");
    }
    // Everything declared has a place, and nothing else.
    assert_eq!(objects.keys().collect::<Vec<_>>(), repo.places.keys().collect::<Vec<_>>());
    let place = |kind, name: &str| {
        let place = &repo.places[&feastr::model::ObjectId::new(kind, name)];
        format!("{}:{}:{}", place.file.display(), place.line, place.column)
    };
    assert_eq!(place(ObjectKind::Project, "everything"), "sources.yaml:3:9");
    assert_eq!(place(ObjectKind::DataSource, "clicks_history"), "sources.yaml:42:13");
    assert_eq!(place(ObjectKind::DataSource, "red"), "sources.yaml:60:29");
    assert_eq!(place(ObjectKind::FeatureService, "driver_activity"), "more/services.yaml:2:11");
}

#[test]
fn names_of_views_of_different_kinds_may_agree_when_wanted() {
    let project = Project::new(&[
        ("feature_store.yaml", &settings("p")),
        (
            "a.yaml",
            "label_views:\n  - {name: v, schema: [{name: x, dtype: Int64}]}\n\
             feature_views:\n  - {name: V, source: null, schema: [{name: x, dtype: Int64}]}\n",
        ),
    ]);
    assert_eq!(load(&project, false).unwrap_err().len(), 1);
    assert_eq!(load(&project, true).unwrap().objects().len(), 3);
    // Within a kind they still may not.
    project.edit(
        "a.yaml",
        "feature_views:\n",
        "feature_views:\n  - {name: V, source: null, schema: [{name: y, dtype: Int64}]}\n",
    );
    assert_eq!(load(&project, true).unwrap_err().len(), 1);
}

fn as_json(path: &Path) -> Option<serde_json::Value> {
    // As editors read it: `y` is a text.
    let options = serde_yaml::options! { strict_booleans: true };
    serde_yaml::from_str_with_options(&std::fs::read_to_string(path).ok()?, options).ok()
}

#[test]
fn the_schema_agrees_with_the_reader() {
    let schema = Project::new(&[]).feastr(&["schema"]).ok().json();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/feature_repo");
    // What import makes of registries that Feast wrote has every type of value.
    let imported = imported_repos();
    let folders: Vec<PathBuf> =
        [repos("valid"), example].into_iter().chain(imported.iter().map(|repo| repo.path(""))).collect();
    let valid: Vec<_> = folders.iter().flat_map(|folder| yaml_files(folder)).collect();
    let valid: Vec<_> = valid.iter().filter(|path| !path.ends_with("feature_store.yaml")).collect();
    assert!(valid.len() > 5);
    for path in valid {
        let errors: Vec<_> = validator.iter_errors(&as_json(path).unwrap()).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
    }
    // What is wrong in form; references, names and expressions only the program knows.
    for case in ["unknown_keys", "wrong_types", "missing_keys"] {
        let path = repos("invalid").join(case).join("definitions.yaml");
        let document = as_json(&path).unwrap();
        assert!(!validator.is_valid(&document), "{case}");
        // Each collection by itself is wrong, so that nothing hides behind another error.
        for (collection, items) in document.as_object().unwrap() {
            let alone = match items.as_array() {
                Some(items) => items.iter().map(|item| serde_json::json!({ collection.as_str(): [item] })).collect(),
                None => vec![serde_json::json!({ collection.as_str(): items })],
            };
            for one in alone {
                assert!(!validator.is_valid(&one), "{case}: {one}");
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_one_finding_among_others() {
    let project = Project::example();
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, project.path(name)).unwrap();
    link("nobody@host.1234:5678", ".#drivers.yaml");
    project.feastr(&["plan"]).ok();
    link("gone.yaml", "dangling.yaml");
    link("data", "folder.yaml");
    let pipe = std::process::Command::new("mkfifo").arg(project.path("pipe.yaml")).status().unwrap();
    assert!(pipe.success());
    project.write("odd.yaml", "feature_vews: []\n");
    let found = project.feastr(&["plan"]).failed().stderr;
    for part in [
        "the file cannot be read: No such file or directory (os error 2)\n --> dangling.yaml",
        "this is not a regular file\n --> pipe.yaml",
        "unknown key `feature_vews`",
        "3 errors in the repo",
    ] {
        assert!(found.contains(part), "{part}: {found}");
    }
}

#[test]
fn a_repo_without_definitions_is_pointed_out() {
    let project = Project::new(&[("feature_store.yaml", &settings("empty"))]);
    let plan = project.feastr(&["plan"]).ok();
    assert!(plan.stderr.contains("has no definition files"), "{}", plan.stderr);
    project.write("entities.yaml", "entities: []\n");
    assert_eq!(project.feastr(&["plan"]).ok().stderr, "");
}

#[test]
fn one_mistake_is_one_finding() {
    let project = Project::example();
    let findings = |file: &str, from: &str, to: &str| {
        let before = project.read(file);
        project.edit(file, from, to);
        let found = project.feastr(&["plan"]).failed().stderr;
        project.write(file, before);
        assert!(found.contains("error: 1 error in the repo"), "{found}");
        found
    };
    let typo = findings("feature_store.yaml", "registry_type: sql", "registry_tpye: sql");
    assert!(typo.contains("did you mean `registry_type`?"), "{typo}");
    findings("drivers.yaml", "join_keys: [driver_id]", "join_key: driver_id");
    findings("drivers.yaml", "ttl: 1d", "ttl: 100000000000d");
    findings("drivers.yaml", "path: data/driver_stats.parquet", "path: s3://bucket/driver_stats.parquet");
    let unnamed =
        Project::new(&[("feature_store.yaml", &settings("unnamed")), ("entities.yaml", "entities: [{name: ''}]\n")]);
    assert!(unnamed.feastr(&["plan"]).failed().stderr.contains("error: 1 error in the repo"));
    let url = "path: postgresql://feast:s3cret@localhost/feast?sslmod=verify-full";
    let option = findings("feature_store.yaml", "path: sqlite:///data/registry.db", url);
    assert!(option.contains("did you mean `sslmode`?") && !option.contains("s3cret"), "{option}");
}

#[test]
fn the_same_mistake_a_thousand_times_is_shown_a_hundred_times() {
    let entities: String = (0..1000).map(|n| format!("  - {{name: e{n}, join_kes: [x]}}\n")).collect();
    let project = Project::new(&[
        ("feature_store.yaml", &settings("many")),
        ("entities.yaml", &format!("entities:\n{entities}")),
    ]);
    let found = project.feastr(&["plan"]).failed().stderr;
    assert_eq!(found.matches("unknown key `join_kes`").count(), 100);
    assert!(found.ends_with("… and 900 more\n\nerror: 1000 errors in the repo; nothing was done\n"), "{found}");
}

#[test]
fn names_have_no_control_characters() {
    let project = Project::example();
    for (file, from, to) in [
        ("services.yaml", "name: driver_activity_v1", r#"name: "a\n::error::b""#),
        ("drivers.yaml", "{name: conv_rate,", r#"{name: "conv\0rate","#),
        ("drivers.yaml", "- name: driver\n", "- name: \"dri\\e[2Jver\"\n"),
    ] {
        let before = project.read(file);
        project.edit(file, from, to);
        let found = project.feastr(&["plan", "--skip-source-validation"]).failed().stderr;
        assert!(found.contains("has the control character \\u{"), "{found}");
        assert!(!found.contains("\n::error"), "{found}");
        project.write(file, before);
    }
}
