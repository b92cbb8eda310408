//! `feastr init`, which never takes a file away.

use crate::support::Project;

#[test]
fn files_that_are_there_stay_unless_told_otherwise() {
    let project = Project::new(&[
        ("shop/drivers.yaml", "mine"),
        ("shop/data/entity_rows.csv", "mine"),
        ("shop/.github/workflows/features.yaml", "mine"),
    ]);
    let refused = project.feastr(&["init", "shop"]).failed().stderr;
    for file in ["shop/drivers.yaml", "shop/data/entity_rows.csv", "shop/.github/workflows/features.yaml"] {
        assert!(refused.contains(file), "{refused}");
        assert_eq!(project.read(file), "mine");
    }
    assert!(refused.contains("--force") && !refused.contains("services.yaml"), "{refused}");
    assert!(!project.path("shop/services.yaml").exists(), "nothing was written");
    project.feastr(&["init", "shop", "--force"]).ok();
    assert!(project.read("shop/drivers.yaml").contains("feature_views:"));
    project.feastr(&["-c", "shop", "plan"]).ok();
}

#[test]
fn projects_are_texts_whatever_they_look_like() {
    let project = Project::new(&[]);
    for name in ["123", "true", "null", "1e5", "1_000", "shop"] {
        project.feastr(&["init", name]).ok();
        let plan = project.feastr(&["-c", name, "plan"]).ok().stdout;
        assert!(plan.starts_with(&format!("Created project {name}\n")), "{plan}");
    }
    assert!(project.read("shop/feature_store.yaml").contains("\nproject: shop\n"), "without needless quotes");
}

#[test]
fn the_working_directory_gives_its_name() {
    let project = Project::new(&[("shop/README", "")]);
    let here = ["init", "."];
    let made = crate::support::run(project.command(&here).current_dir(project.path("shop"))).ok();
    assert!(made.stderr.contains("project shop") && !made.stderr.contains("cd "), "{}", made.stderr);
    let plan = project.feastr(&["-c", "shop", "plan"]).ok().stdout;
    assert!(plan.starts_with("Created project shop\n"), "{plan}");
}
