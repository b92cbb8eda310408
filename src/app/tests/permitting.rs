//! What users may: use cases look at what is registered before they do something. Operators and servers may everything.

use std::time::{Duration, Instant};

use super::{
    pushing::rows,
    serving::{driver, features},
    *,
};
use crate::{
    app::{
        get_historical::HistoricalJoin,
        get_online::{Request, get_online},
        push::{ViewRequest, push_to_view},
    },
    clients::runtime::wait,
    config::WithoutPermissions,
    model::{Permission, PermissionAction, PermissionType, Policy, Tags},
    permissions::User,
};

fn user(roles: &[&str]) -> Caller {
    let roles = roles.iter().map(|role| (*role).to_owned()).collect();
    Caller::User(Arc::new(User { name: "ann".to_owned(), roles, ..User::default() }))
}

/// Permission to do something with the view `a`.
fn permission(action: PermissionAction, role: &str) -> Permission {
    Permission {
        name: role.to_owned(),
        types: vec![PermissionType::FeatureView],
        name_patterns: vec!["a".to_owned()],
        required_tags: Tags::new(),
        actions: vec![action],
        policy: Policy::Roles(vec![role.to_owned()]),
        tags: Tags::new(),
    }
}

fn house() -> House {
    use PermissionAction::{ReadOffline, ReadOnline, WriteOnline};
    let permissions =
        [permission(ReadOnline, "reader"), permission(WriteOnline, "writer"), permission(ReadOffline, "trainer")];
    House::applied(&with_views(&["a", "b"]).with(permissions), &[(1, 10, 1.0)])
}

fn read(house: &House, caller: &Caller, names: &[&str]) -> Result<(), Failure> {
    let (features, entities, deadline) = (features(names), driver(1), Instant::now() + Duration::from_secs(60));
    wait(get_online(&house.store, caller, Request { features: &features, entities: (&entities).into(), deadline }))
        .map(drop)
}

fn write(house: &House, caller: &Caller, view: &str) -> Result<(), Failure> {
    let rows = rows(&[(Some(1), Some(20), Some(2.0))]);
    let request = ViewRequest { view, rows: &rows, allow_future: false, compute: false, look: false };
    push_to_view(&house.store, caller, request).map(drop)
}

fn materialize(house: &House, caller: &Caller, views: &[&str]) -> Result<(), Failure> {
    let views: Vec<String> = views.iter().map(|view| (*view).to_owned()).collect();
    let request = MaterializeRequest { views: &views, ..materialization(fixed(0, 20)) };
    Materialization::plan(&house.store, caller, request)?.run(&Cancel::default()).map(drop)
}

fn join(house: &House, caller: &Caller, names: &[&str]) -> Result<(), Failure> {
    HistoricalJoin::plan(&house.store, caller, &features(names), false).map(drop)
}

fn denied(outcome: Result<(), Failure>) -> String {
    let problem = problem(outcome.unwrap_err());
    assert_eq!(problem.kind, Kind::Denied, "{problem}");
    problem.message
}

#[test]
fn a_user_may_what_a_permission_allows_with_each_view() {
    let house = house();
    let [reader, writer, trainer] = ["reader", "writer", "trainer"].map(|role| user(&[role]));
    read(&house, &reader, &["a:x"]).unwrap();
    write(&house, &writer, "a").unwrap();
    materialize(&house, &writer, &["a"]).unwrap();
    join(&house, &trainer, &["a:x"]).unwrap();
    for other in [&writer, &trainer, &user(&[])] {
        let message = denied(read(&house, other, &["a:x"]));
        let why = "permission `reader` requires one of the roles reader";
        assert_eq!(message, format!("`ann` is denied READ_ONLINE on FeatureView:a: {why}"));
    }
    for other in [&reader, &trainer] {
        denied(write(&house, other, "a"));
        denied(materialize(&house, other, &["a"]));
    }
    denied(join(&house, &reader, &["a:x"]));
    // No permission is about the other one, which is asked for beside the first.
    assert!(denied(read(&house, &reader, &["a:x", "b:x"])).ends_with("FeatureView:b: no permission is about it"));
    denied(write(&house, &writer, "b"));
    denied(materialize(&house, &writer, &[]));
    denied(join(&house, &trainer, &["b:x", "a:x"]));
}

#[test]
fn operators_and_servers_may_everything() {
    let house = house();
    for caller in [caller(), Caller::Internal] {
        read(&house, &caller, &["a:x", "b:x"]).unwrap();
        write(&house, &caller, "b").unwrap();
        materialize(&house, &caller, &[]).unwrap();
        join(&house, &caller, &["a:x", "b:x"]).unwrap();
    }
}

#[test]
fn what_does_not_exist_is_not_found_whoever_asks() {
    let house = house();
    for caller in [caller(), user(&[])] {
        assert_eq!(read(&house, &caller, &["c:x"]).unwrap_err().kind(), Kind::NotFound);
        assert_eq!(write(&house, &caller, "c").unwrap_err().kind(), Kind::NotFound);
    }
}

#[test]
fn without_permissions_the_setting_decides() {
    for (without_permissions, is_allowed) in [(WithoutPermissions::Allow, true), (WithoutPermissions::Deny, false)] {
        let auth = AuthConfig { without_permissions, ..AuthConfig::default() };
        let config = StoreConfig { auth, ..config() };
        let house = House::with(config, Some(Box::new(MemoryOnlineStore::default())));
        house.apply(&with_views(&["a"])).unwrap();
        let outcome = read(&house, &user(&[]), &["a:x"]);
        assert_eq!(outcome.is_ok(), is_allowed, "{outcome:?}");
    }
}
