//! Decisions beside those of Feast's own enforcer: types, patterns of names, policies, actions, tags, and several permissions.

use std::{
    collections::BTreeMap,
    io::Write as _,
    process::{Command, Stdio},
};

use feastr::{
    model::{Object, Permission, PermissionAction, PermissionType, Policy, RegistryState, Tags},
    permissions::{Permissions, Resource, Unruled, User},
};
use serde_json::{Value as Json, json};

use crate::interop::INTEROP;

/// Why a decision is not Feast's. Feast allows what feastr denies, or fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Difference {
    /// Feast looks for required tags where no object has them, and goes on as if they were there.
    Tags,
    /// The pattern looks around or backwards, which takes more than linear time: it grants nothing here.
    Pattern,
    /// Feast fails at a pattern that is none; it grants nothing here, and others are asked.
    Broken,
}

struct Case {
    what: String,
    permissions: Vec<Permission>,
    kind: PermissionType,
    name: &'static str,
    tags: Tags,
    user: User,
    actions: Vec<PermissionAction>,
    difference: Option<Difference>,
}

fn permission() -> Permission {
    Permission {
        name: "one".to_owned(),
        types: vec![PermissionType::FeatureView],
        name_patterns: Vec::new(),
        required_tags: Tags::new(),
        actions: PermissionAction::ALL.to_vec(),
        policy: Policy::Roles(vec!["reader".to_owned()]),
        tags: Tags::new(),
    }
}

fn case(what: String, permissions: Vec<Permission>) -> Case {
    Case {
        what,
        permissions,
        kind: PermissionType::FeatureView,
        name: "driver_stats",
        tags: Tags::new(),
        user: user("ann", &["reader"], &[], &[]),
        actions: vec![PermissionAction::ReadOnline],
        difference: None,
    }
}

fn user(name: &str, roles: &[&str], groups: &[&str], namespaces: &[&str]) -> User {
    let set = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    User {
        name: name.to_owned(),
        roles: set(roles),
        groups: set(groups),
        namespaces: set(namespaces),
        ..User::default()
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn labels(tags: &[(&str, &str)]) -> Tags {
    tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// Each type of object under permissions for it, for feature views, for two others, and for all.
fn types() -> Vec<Case> {
    let mut cases = Vec::new();
    for kind in PermissionType::ALL {
        let others = vec![PermissionType::Entity, PermissionType::StreamFeatureView];
        for types in [vec![*kind], vec![PermissionType::FeatureView], others, PermissionType::ALL.to_vec()] {
            let what = format!("{kind:?} under {types:?}");
            cases.push(Case { kind: *kind, ..case(what, vec![Permission { types, ..permission() }]) });
        }
    }
    cases
}

fn names() -> Vec<Case> {
    let mut cases = Vec::new();
    for name in ["driver_stats", "driver", "my_driver_stats", "Driver_stats", "driver_stats\n", "dríver_1"] {
        for patterns in [
            &[][..],
            &["driver_stats"],
            &["driver.*"],
            &["driver*"],
            &[" driver_stats "],
            &["a|driver"],
            &["nothing", r"\w+"],
            &["[a-z_]+"],
            &["(?i)driver_STATS"],
            &[r"driver_stats\Z"],
            &["driver_(?=stats)stats"],
            &["(driver)_stats|(x)\\1"],
            &["*driver"],
        ] {
            let is_broken = patterns == ["*driver"];
            let needs_more = patterns == ["driver_(?=stats)stats"] || patterns == ["(driver)_stats|(x)\\1"];
            // Python's end of the text has no such word in Rust.
            let is_foreign = patterns == [r"driver_stats\Z"];
            let difference = match () {
                () if is_broken => Some(Difference::Broken),
                () if (needs_more || is_foreign) && name == "driver_stats" => Some(Difference::Pattern),
                () => None,
            };
            let permissions = vec![Permission { name_patterns: words(patterns), ..permission() }];
            cases.push(Case { name, difference, ..case(format!("{name:?} under {patterns:?}"), permissions) });
        }
    }
    cases
}

fn policies() -> Vec<Case> {
    let users = [
        user("ann", &[], &[], &[]),
        user("ann", &["reader", "tester"], &[], &[]),
        user("ann", &["Reader"], &[], &[]),
        user("ann", &[], &["science"], &[]),
        user("ann", &[], &[], &["models"]),
        user("ann", &["science"], &["models"], &["reader"]),
        user("", &["reader"], &["science"], &["models"]),
    ];
    let policies = [
        Policy::AllowAll,
        Policy::Roles(words(&["writer", "reader"])),
        Policy::Groups(words(&["science"])),
        Policy::Namespaces(words(&["models"])),
        Policy::GroupsAndNamespaces { groups: words(&["science"]), namespaces: words(&["models"]) },
    ];
    let mut cases = Vec::new();
    for user in &users {
        for policy in &policies {
            let permissions = vec![Permission { policy: policy.clone(), ..permission() }];
            cases.push(Case { user: user.clone(), ..case(format!("{user:?} under {policy:?}"), permissions) });
        }
    }
    cases
}

fn actions() -> Vec<Case> {
    use PermissionAction::{Describe, ReadOffline, ReadOnline, WriteOffline, WriteOnline};
    let mut cases = Vec::new();
    for action in PermissionAction::ALL {
        for allowed in [vec![*action], vec![Describe, ReadOnline], PermissionAction::ALL.to_vec()] {
            let what = format!("{action:?} under {allowed:?}");
            let permissions = vec![Permission { actions: allowed, ..permission() }];
            cases.push(Case { actions: vec![*action], ..case(what, permissions) });
        }
    }
    let apart = [vec![WriteOnline], vec![WriteOffline]].map(|actions| Permission { actions, ..permission() });
    for (what, permissions) in [
        ("two in one", vec![Permission { actions: vec![WriteOnline, WriteOffline, ReadOffline], ..permission() }]),
        ("two in two", apart.to_vec()),
        ("one of two", apart[..1].to_vec()),
    ] {
        cases.push(Case { actions: vec![WriteOnline, WriteOffline], ..case(what.to_owned(), permissions) });
    }
    cases
}

fn tags() -> Vec<Case> {
    let mut cases = Vec::new();
    for required in [&[][..], &[("team", "search")], &[("team", "search"), ("tier", "1")]] {
        for tags in
            [&[][..], &[("team", "search")], &[("team", "Search")], &[("team", "search"), ("tier", "1"), ("more", "")]]
        {
            let is_met = required.iter().all(|tag| tags.contains(tag));
            let permissions = vec![Permission { required_tags: labels(required), ..permission() }];
            let difference = (!is_met).then_some(Difference::Tags);
            let what = format!("{tags:?} under {required:?}");
            cases.push(Case { tags: labels(tags), difference, ..case(what, permissions) });
        }
    }
    cases
}

/// Several permissions, and none.
fn several() -> Vec<Case> {
    let roles = |name: &str, role: &str| Permission {
        name: name.to_owned(),
        policy: Policy::Roles(words(&[role])),
        ..permission()
    };
    let entity = Permission { types: vec![PermissionType::Entity], policy: Policy::AllowAll, ..permission() };
    let broken = Permission { name_patterns: words(&["("]), policy: Policy::AllowAll, ..permission() };
    let mut cases: Vec<Case> = [
        ("the second lets", vec![roles("a", "writer"), roles("b", "reader")]),
        ("the first lets", vec![roles("a", "reader"), roles("b", "writer")]),
        ("none lets", vec![roles("a", "writer"), roles("b", "tester")]),
        ("another type lets", vec![roles("a", "writer"), entity.clone()]),
        ("only another type", vec![entity]),
        ("three", vec![roles("a", "x"), roles("b", "y"), roles("c", "reader")]),
        ("none at all", Vec::new()),
    ]
    .map(|(what, permissions)| case(what.to_owned(), permissions))
    .into();
    cases
        .push(Case { user: user("", &["reader"], &[], &[]), ..case("none at all, and nobody".to_owned(), Vec::new()) });
    let beside = case("a broken one beside a right one".to_owned(), vec![broken, roles("b", "reader")]);
    cases.push(Case { difference: Some(Difference::Broken), ..beside });
    cases
}

impl Case {
    fn json(&self) -> Json {
        let words = |all: Vec<&'static str>| json!(all);
        let of_permission = |permission: &Permission| {
            json!({
                "name": permission.name,
                "types": words(permission.types.iter().map(|kind| kind.as_str()).collect()),
                "name_patterns": permission.name_patterns,
                "actions": words(permission.actions.iter().map(|action| action.as_str()).collect()),
                "policy": permission.policy,
                "required_tags": permission.required_tags,
            })
        };
        json!({
            "type": self.kind.as_str(), "name": self.name, "tags": self.tags, "user": self.user.name,
            "roles": self.user.roles, "groups": self.user.groups, "namespaces": self.user.namespaces,
            "actions": words(self.actions.iter().map(|action| action.as_str()).collect()),
            "permissions": self.permissions.iter().map(of_permission).collect::<Vec<_>>(),
        })
    }

    fn is_allowed(&self) -> bool {
        // Permissions of one name would be one: each has its place in the order of the case.
        let named = self.permissions.iter().enumerate().map(|(place, permission)| {
            let object = Object::Permission(Permission { name: format!("{place}"), ..permission.clone() });
            (object.id(), object)
        });
        let state = RegistryState { objects: named.collect::<BTreeMap<_, _>>(), ..RegistryState::default() };
        let resource = Resource { kind: self.kind, name: self.name, tags: &self.tags };
        Permissions::of(&state, Unruled::Allow).decide(&self.user, resource, &self.actions).allowed
    }
}

/// What Feast decides.
fn decided(cases: &[Case]) -> Vec<String> {
    let python = std::env::var_os("FEASTR_FEAST_PYTHON").expect("FEASTR_FEAST_PYTHON names no Python with Feast");
    let mut command = Command::new(python);
    command.arg(format!("{INTEROP}/permission_matrix.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let input = json!(cases.iter().map(Case::json).collect::<Vec<_>>()).to_string();
    process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn decisions_are_feasts_but_for_its_mistakes() {
    let cases: Vec<Case> = [types(), names(), policies(), actions(), tags(), several()].into_iter().flatten().collect();
    let decided = decided(&cases);
    assert!(cases.len() >= 200 && decided.len() == cases.len(), "{} cases", cases.len());
    let mut wrong = Vec::new();
    for (case, theirs) in cases.iter().zip(&decided) {
        let ours = if case.is_allowed() { "allowed" } else { "denied" };
        let is_right = match case.difference {
            None => ours == theirs,
            Some(Difference::Tags | Difference::Pattern) => (ours, theirs.as_str()) == ("denied", "allowed"),
            Some(Difference::Broken) => theirs == "error",
        };
        if !is_right {
            wrong.push(format!("{} ({:?}): {ours} here, {theirs} by Feast", case.what, case.difference));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let allowed = decided.iter().filter(|decision| *decision == "allowed").count();
    assert!(allowed > 50 && decided.len() - allowed > 50, "{allowed} of {} are allowed", decided.len());
}
