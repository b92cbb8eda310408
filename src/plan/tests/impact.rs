//! Severity, reason and impact of changes.

use super::*;
use crate::model::{
    Entity, Expression, ForeignObject, LabelView, Object, OnDemandFeatureView, RENAMED_FROM_TAG, SavedDataset, Use,
    samples::{entity, project},
};

/// What changes of view `v` and what the plan says about it. A service of this repo selects all of
/// it.
#[test]
fn changes_of_a_view_are_assessed() {
    type Edit = fn(&mut FeatureView);
    let cases: &[(&str, Edit, Severity, &str)] = &[
        ("a description", |view| view.description = "new".to_owned(), Severity::Safe, ""),
        ("a ttl", |view| view.ttl = "1d".parse().unwrap(), Severity::Safe, ""),
        (
            "a new feature",
            |view| view.features.push(Field::new("c", DataType::Int64)),
            Severity::Rematerialize,
            "v must be materialized again: feature `c` is new",
        ),
        (
            "a source in another place",
            |view| view.source = Some(source("other")),
            Severity::Rematerialize,
            "v must be materialized again: its source changes",
        ),
        (
            "a source with another description",
            |view| view.source.as_mut().unwrap().description = "x".to_owned(),
            Severity::Safe,
            "",
        ),
        (
            "a removed feature",
            |view| drop(view.features.remove(0)),
            Severity::Destructive,
            "removing `v.a` breaks feature service `s` (owner models@example.com); loses the online values of `v.a`",
        ),
        (
            "two removed features",
            |view| view.features.clear(),
            Severity::Destructive,
            "removing `v.a`, `v.b` breaks feature service `s` (owner models@example.com); loses the online values of \
             `v.a`, `v.b`",
        ),
        (
            "a retyped feature",
            |view| view.features[0].dtype = DataType::Float64,
            Severity::Breaking,
            "changing the type of `v.a` breaks feature service `s` (owner models@example.com); v must be materialized \
             again: feature `a` becomes Float64 (was Float32)",
        ),
        (
            "a retyped join key",
            |view| view.entity_columns[0].dtype = DataType::String,
            Severity::Rematerialize,
            "v must be materialized again: join key `driver_id` becomes String (was Int64)",
        ),
        (
            "another join key",
            |view| view.entity_columns[0].name = "id".to_owned(),
            Severity::Destructive,
            "changing the join keys of `v` breaks feature service `s` (owner models@example.com); loses the online \
             values of v under their present keys; v must be materialized again: its join keys change",
        ),
        (
            "taken offline",
            |view| view.online = false,
            Severity::Breaking,
            "taking offline `v` breaks feature service `s` (owner models@example.com)",
        ),
        (
            "disabled",
            |view| view.enabled = false,
            Severity::Breaking,
            "disabling `v` breaks feature service `s` (owner models@example.com)",
        ),
        (
            "new SQL",
            |view| drop(view.tags.insert(crate::model::SQL_TAG.to_owned(), "SELECT 1".to_owned())),
            Severity::Rematerialize,
            "v must be materialized again: what is computed from its source changes",
        ),
    ];
    let old = view("v", &["a", "b"]);
    let state = applied(&repo(vec![old.clone()], vec![service("s", &[&old])]));
    for (what, edit, severity, reason) in cases {
        let mut new = old.clone();
        edit(&mut new);
        let repo = repo(vec![new.clone()], vec![service("s", &[&new])]).with([source("other")]);
        let plan = planned(&state, &repo);
        let change = change(&plan, ObjectKind::FeatureView, "v");
        assert_eq!((change.severity, change.reason.as_str()), (*severity, *reason), "{what}");
        if let Some(again) = &change.impact.rematerialize {
            assert_eq!(
                again.interval,
                Interval { start: Timestamp::from_micros(0), end: Timestamp::from_micros(3 * DAY) }
            );
        }
    }
}

/// Apply removes the online values of features that are gone, whether or not anybody uses them.
#[test]
fn values_of_removed_features_are_lost_in_every_store() {
    let mut state = applied(&repo(vec![view("v", &["a", "b"])], Vec::new()));
    let less = repo(vec![view("v", &["b"])], Vec::new());
    for online in [setting(None).online, None] {
        let plan = diff(&state, &less, Setting { repo_name: None, online }).unwrap();
        let change = change(&plan, ObjectKind::FeatureView, "v");
        assert_eq!(change.severity, Severity::Destructive);
        let lost = Loss::FeatureValues { view: "v".to_owned(), features: vec!["a".to_owned()] };
        assert_eq!(change.impact.loses, [lost]);
        assert_eq!(plan.blocked(Consent::Named(&[])).len(), 1);
    }
    state.materialized.clear();
    assert_eq!(planned(&state, &less).changes[0].severity, Severity::Safe, "it has no values");
}

#[test]
fn a_view_that_goes_offline_says_what_becomes_of_its_values() {
    let state = applied(&repo(vec![view("v", &["a"])], Vec::new()));
    let mut offline = view("v", &["a"]);
    offline.online = false;
    let offline = repo(vec![offline], Vec::new());
    let kept = &planned(&state, &offline).changes[0];
    assert_eq!(kept.severity, Severity::Safe);
    assert_eq!(kept.impact.notes, ["the online values of `v` stay as they are and are no longer refreshed"]);
    let removed = &diff(&state, &offline, Setting::default()).unwrap().changes[0];
    assert_eq!((removed.severity, removed.impact.notes.len()), (Severity::Destructive, 0));
}

#[test]
fn an_old_name_that_nothing_has_is_worth_a_note() {
    let mut new = view("new", &["a"]);
    new.tags.insert(RENAMED_FROM_TAG.to_owned(), "odl".to_owned());
    let declared = repo(vec![new], Vec::new());
    let state = applied(&repo(vec![view("old", &["a"])], Vec::new()));
    let notes =
        |state: &RegistryState| change(&planned(state, &declared), ObjectKind::FeatureView, "new").impact.notes.clone();
    let note = "`renamed_from: odl` finds no feature view of that name in the registry, so `new` is a new one";
    assert_eq!(notes(&state), [note]);
    assert!(notes(&RegistryState::default()).is_empty(), "the first apply of an environment");
}

#[test]
fn views_that_were_never_materialized_need_nothing() {
    let old = view("v", &["a"]);
    let mut state = applied(&repo(vec![old], Vec::new()));
    state.materialized.clear();
    let plan = planned(&state, &repo(vec![view("v", &["a", "b"])], Vec::new()));
    assert_eq!(change(&plan, ObjectKind::FeatureView, "v").severity, Severity::Safe);
}

#[test]
fn a_service_that_selects_less_breaks_by_itself() {
    let whole = view("v", &["a", "b"]);
    let part = view("v", &["a"]);
    let state = applied(&repo(vec![whole.clone()], vec![service("s", &[&whole])]));
    let plan = planned(&state, &repo(vec![whole], vec![service("s", &[&part])]));
    let change = change(&plan, ObjectKind::FeatureService, "s");
    assert_eq!(change.severity, Severity::Breaking);
    assert_eq!(
        change.reason,
        "no longer selecting `v.b` breaks what is built on feature service `s` (owner models@example.com)"
    );
}

#[test]
fn foreign_users_are_named_with_whom_to_ask() {
    let old = view("v", &["a", "b"]);
    let mut state = applied(&repo(vec![old], Vec::new()));
    let foreign = |kind, name: &str, owner: &str, uses| ForeignObject {
        id: ObjectId::new(kind, name),
        reason: "it holds Python code".to_owned(),
        owner: owner.to_owned(),
        uses,
        known: None,
    };
    let uses_a = vec![Use::Features { view: "v".to_owned(), features: vec!["a".to_owned()] }];
    state.foreign = vec![
        foreign(ObjectKind::OnDemandFeatureView, "odfv", "", uses_a.clone()),
        foreign(ObjectKind::FeatureService, "s1", "x@y", uses_a.clone()),
        foreign(ObjectKind::FeatureService, "s2", "x@y", uses_a),
        foreign(ObjectKind::FeatureService, "other", "", vec![Use::Entity("driver".to_owned())]),
    ];
    let plan = planned(&state, &repo(vec![view("v", &["b"])], Vec::new()));
    assert_eq!(
        change(&plan, ObjectKind::FeatureView, "v").reason,
        "removing `v.a` breaks on demand feature view `odfv` and feature services `s1`, `s2` (owner x@y); loses the \
         online values of `v.a`"
    );
    let none = Repo::new(project("p")).with([source("stats")]);
    let plan = planned(&state, &none);
    let deleted = change(&plan, ObjectKind::FeatureView, "v");
    assert_eq!(deleted.severity, Severity::Destructive);
    assert_eq!(
        deleted.reason,
        "removing `v` breaks on demand feature view `odfv` and feature services `s1`, `s2` (owner x@y); loses \
         sqlite table p_v with its values"
    );
    assert_eq!(change(&plan, ObjectKind::Entity, "driver").reason, "removing `driver` breaks feature service `other`");
    assert_eq!(plan.kept.len(), 4);
}

#[test]
fn saved_datasets_stay_and_are_users() {
    let old = view("v", &["a"]);
    let mut state = applied(&repo(vec![old], Vec::new()));
    let dataset = SavedDataset {
        name: "training".to_owned(),
        features: vec!["v:a".to_owned()],
        join_keys: Vec::new(),
        full_feature_names: false,
        storage: crate::model::DatasetStorage::File {
            path: "x".to_owned(),
            format: None,
            s3_endpoint_override: String::new(),
        },
        feature_service: String::new(),
        namespace: String::new(),
        collection: String::new(),
        description: String::new(),
        tags: Tags::new(),
    };
    state.objects.insert(ObjectId::new(ObjectKind::SavedDataset, "training"), Object::SavedDataset(dataset));
    let plan = planned(&state, &repo(vec![view("v", &["b"])], Vec::new()));
    assert_eq!(plan.changes.len(), 1);
    assert!(plan.kept.is_empty());
    assert!(plan.changes[0].reason.starts_with("removing `v.a` breaks saved dataset `training`"));
}

#[test]
fn an_entity_with_another_join_key_breaks_views_of_others() {
    let mut state = applied(&repo(vec![view("v", &["a"])], Vec::new()));
    state.foreign.push(ForeignObject {
        id: ObjectId::new(ObjectKind::FeatureView, "python"),
        reason: String::new(),
        owner: String::new(),
        uses: vec![Use::Entity("driver".to_owned())],
        known: None,
    });
    let declared = repo(vec![view("v", &["a"])], Vec::new());
    let declared = declared.with([Entity { join_key: "id".to_owned(), ..entity("driver") }]);
    let plan = planned(&state, &declared);
    let change = change(&plan, ObjectKind::Entity, "driver");
    assert_eq!(change.reason, "changing the join keys of `driver` breaks feature view `python`");
}

/// Two features whose names have the same hash, found by trying.
fn colliding() -> [String; 2] {
    let mut seen = std::collections::HashMap::new();
    for number in 0u32.. {
        let name = format!("f{number}");
        if let Some(other) = seen.insert(crate::feast::values::feature_hash::feature_field("v", &name), name.clone()) {
            return [other, name];
        }
    }
    unreachable!("the number of hashes is limited")
}

#[test]
fn collisions_are_reported_when_a_change_brings_them() {
    let [one, other] = colliding();
    let state = applied(&repo(vec![view("v", &[&one])], Vec::new()));
    let both = repo(vec![view("v", &[&one, &other])], Vec::new());
    let plan = planned(&state, &both);
    let found = &change(&plan, ObjectKind::FeatureView, "v").impact.collisions;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].join_keys, ["driver_id"]);
    assert!(found[0].features.contains(&format!("v:{one}")) && found[0].features.contains(&format!("v:{other}")));

    let later = repo(vec![view("v", &[&one, &other, "harmless"])], Vec::new());
    let plan = planned(&applied(&both), &later);
    assert!(change(&plan, ObjectKind::FeatureView, "v").impact.collisions.is_empty());
}

#[test]
fn label_views_have_tables_while_they_are_online() {
    let label = |online| LabelView {
        features: vec![Field::new("good", DataType::Bool)],
        source: Some(source("stats")),
        online,
        labeler_field: "labeler".to_owned(),
        ..label_view("l")
    };
    let with = |online| repo(Vec::new(), Vec::new()).with([label(online)]);
    let mut state = applied(&with(true));
    state.online_tables.insert("p_l".to_owned(), "online.db".to_owned());
    let plan = planned(&state, &with(false));
    assert_eq!(change(&plan, ObjectKind::LabelView, "l").reason, "loses sqlite table p_l with its values");
    assert_eq!(plan.changes[0].severity, Severity::Destructive);
}

#[test]
fn a_rename_is_one_change_and_its_tag_means_nothing_afterwards() {
    let old = view("old", &["a"]);
    let state = applied(&repo(vec![old.clone()], vec![service("s", &[&old])]));
    let mut new = view("new", &["a"]);
    new.tags.insert(RENAMED_FROM_TAG.to_owned(), "old".to_owned());
    let renamed = repo(vec![new.clone()], vec![service("s", &[&new])]);
    let plan = planned(&state, &renamed);
    let words: Vec<_> = plan.changes.iter().map(|change| (change.action.word(), change.id.name.as_str())).collect();
    assert_eq!(words, [("rename", "new"), ("update", "s")]);
    let rename = &plan.changes[0];
    assert_eq!((rename.severity, rename.action.edits().len()), (Severity::Rematerialize, 0));
    assert_eq!(rename.reason, "new must be materialized again: its values go with its old name, `old`");
    assert_eq!(plan.changes[1].severity, Severity::Safe, "the service selects the same features");
    assert!(plan.blocked(Consent::Named(&[])).is_empty());

    let after = carried_out(state.clone(), &plan);
    assert!(planned(&after, &renamed).is_empty());
    // Users of the old name are broken.
    let mut used = state.clone();
    used.foreign.push(ForeignObject {
        id: ObjectId::new(ObjectKind::FeatureService, "python"),
        reason: String::new(),
        owner: String::new(),
        uses: vec![Use::Features { view: "old".to_owned(), features: Vec::new() }],
        known: None,
    });
    let plan = planned(&used, &renamed);
    assert_eq!(plan.changes[0].severity, Severity::Breaking);
    assert!(plan.changes[0].reason.starts_with("renaming `old` breaks feature service `python`"));
    // While the old one is declared, too, there is nothing to rename.
    let both = planned(&state, &repo(vec![old, new], Vec::new()));
    assert_eq!(change(&both, ObjectKind::FeatureView, "new").action.word(), "create");
}

#[test]
fn a_view_of_another_kind_is_one_change() {
    let old = view("v", &["a"]);
    let state = applied(&repo(vec![old.clone()], vec![service("s", &[&old])]));
    let declared = repo(Vec::new(), vec![service("s", &[&old])]).with([stream_view(&view("v", &["a", "b"]))]);
    let plan = planned(&state, &declared);
    assert_eq!(plan.changes.len(), 1, "{:#?}", plan.changes);
    let replaced = change(&plan, ObjectKind::StreamFeatureView, "v");
    assert_eq!((replaced.action.word(), replaced.severity), ("replace", Severity::Rematerialize));
    let paths: Vec<&str> = replaced.action.edits().iter().map(|edit| edit.path.as_str()).collect();
    assert_eq!(paths, ["features.b"]);
    assert!(plan.tables.is_empty(), "both kinds keep their values in the same table");
}

/// A service names the columns of those who read it, and the keys they ask with.
#[test]
fn another_alias_or_other_join_keys_break_what_is_built_on_a_service() {
    type Edit = fn(&mut FeatureService);
    let cases: &[(&str, Edit, Severity)] = &[
        ("a description", |service| service.description = "new".to_owned(), Severity::Safe),
        ("an alias", |service| service.features[0].name_alias = Some("w".to_owned()), Severity::Breaking),
        (
            "a join key",
            |service| drop(service.features[0].join_key_map.insert("driver_id".to_owned(), "id".to_owned())),
            Severity::Breaking,
        ),
        (
            "an alias besides",
            |service| {
                let mut again = service.features[0].clone();
                again.name_alias = Some("w".to_owned());
                service.features.push(again);
            },
            Severity::Safe,
        ),
    ];
    let old = view("v", &["a", "b"]);
    let state = applied(&repo(vec![old.clone()], vec![service("s", &[&old])]));
    for (what, edit, severity) in cases {
        let mut service = service("s", &[&old]);
        edit(&mut service);
        let plan = planned(&state, &repo(vec![old.clone()], vec![service]));
        let change = change(&plan, ObjectKind::FeatureService, "s");
        assert_eq!(change.severity, *severity, "{what}");
        if *severity == Severity::Breaking {
            let reason = "giving `v` another alias or other join keys breaks what is built on feature service `s` (owner \
                          models@example.com)";
            assert_eq!(change.reason, reason, "{what}");
        }
    }
}

/// A view that a Python function computes, as the registry has it beside others.
fn with_python_view(state: &mut RegistryState, expressions: Vec<Expression>) -> OnDemandFeatureView {
    let known = OnDemandFeatureView { features: vec![Field::new("x", DataType::Float64)], ..on_demand_view("python") };
    let declared = OnDemandFeatureView { expressions, ..known.clone() };
    state.foreign.push(ForeignObject {
        id: ObjectId::new(ObjectKind::OnDemandFeatureView, "python"),
        reason: "its transformation is a Python function".to_owned(),
        owner: String::new(),
        uses: Vec::new(),
        known: Some(Box::new(Object::OnDemandFeatureView(known))),
    });
    declared
}

#[test]
fn sql_in_place_of_a_python_function_needs_consent() {
    let view = view("v", &["a"]);
    let mut state = applied(&repo(vec![view.clone()], Vec::new()));
    let sql = Expression { name: "x".to_owned(), sql: "1".to_owned() };
    let python = with_python_view(&mut state, vec![sql]);
    let undeclared = planned(&state, &repo(vec![view.clone()], Vec::new()));
    assert!(undeclared.changes.is_empty() && undeclared.kept.len() == 1);

    let plan = planned(&state, &repo(vec![view], Vec::new()).with([python]));
    let change = change(&plan, ObjectKind::OnDemandFeatureView, "python");
    assert_eq!(change.action.word(), "update");
    assert_eq!(change.severity, Severity::Breaking);
    assert_eq!(change.reason, "computing `python` by SQL takes the place of its Python function");
    assert!(plan.kept.is_empty());
    assert_eq!(plan.blocked(Consent::Named(&[])).len(), 1);
}
