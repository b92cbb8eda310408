//! Who asks, and whether they may: a token of RSA that is known to the server, and a decision among 20 permissions; beside a
//! token that is new.
//!
//! `cargo bench --bench who_asks` starts an identity provider of its own; printed are medians and 99th percentiles
//! in microseconds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a benchmark"
)]

#[path = "../tests/it/servers/identity_provider.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod identity_provider;

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use feastr::{
    app::{Caller, Gate},
    clients::runtime::runtime,
    config,
    diagnostics::{Diagnostics, SourceText},
    model::{Object, Permission, PermissionAction, PermissionType, Policy, RegistryState, Tags, Timestamp},
    permissions::{Permissions, Resource, Unruled},
};
use identity_provider::{IdentityProvider, SigningKey};
use jsonwebtoken::Algorithm;

const KNOWN: usize = 100_000;
const NEW: usize = 2_000;

fn main() {
    let key = SigningKey::rsa("key", Algorithm::RS256);
    let provider = IdentityProvider::start(&[&key]);
    let (gate, permissions) = (gate(&provider), permissions());
    let token =
        |user: usize| format!("Bearer {}", key.sign(&provider.claims(&format!("user-{user}"), &["super-reader"])));
    let known = token(0);
    let new: Vec<String> = (1..=NEW).map(token).collect();
    let runtime = runtime().unwrap();
    let ask = |header: &str| {
        let began = Instant::now();
        let caller = runtime.block_on(gate.caller([header.as_bytes()])).unwrap();
        let Caller::User(user) = caller else { panic!("nobody is known") };
        let tags = Tags::new();
        let resource = Resource { kind: PermissionType::FeatureView, name: "driver_hourly_stats", tags: &tags };
        assert!(permissions.decide(&user, resource, &[PermissionAction::ReadOnline]).allowed);
        began.elapsed()
    };
    ask(&known);
    tell("a token that is known", (0..KNOWN).map(|_| ask(&known)).collect());
    tell("a token that is new", new.iter().map(|header| ask(header)).collect());
}

fn gate(provider: &IdentityProvider) -> Gate {
    let settings = format!("project: p\nregistry: r.db\n{}", provider.server_settings());
    let file = Arc::new(SourceText::settings("/repo/feature_store.yaml", settings));
    let paths = ["/repo", "/repo/feature_store.yaml"].map(Path::new);
    let config = config::load(&file, paths, &|_| None, &mut Diagnostics::default()).unwrap();
    Gate::of(&config.auth, Caller::Operator("a benchmark".to_owned()), None, Timestamp::now).unwrap()
}

/// The last one of 20 lets the user.
fn permissions() -> Permissions {
    let objects = (0..20).map(|number| {
        let object = Object::Permission(Permission {
            name: format!("permission-{number:02}"),
            types: vec![PermissionType::FeatureView],
            name_patterns: vec!["customer_.*".to_owned(), "driver_.*".to_owned()],
            required_tags: Tags::new(),
            actions: PermissionAction::ALL.to_vec(),
            policy: Policy::Roles(vec![if number == 19 { "super-reader" } else { "other" }.to_owned()]),
            tags: Tags::new(),
        });
        (object.id(), object)
    });
    Permissions::of(&RegistryState { objects: objects.collect(), ..RegistryState::default() }, Unruled::Deny)
}

fn tell(what: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    let micros = |share: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a place"
        )]
        let place = ((took.len() - 1) as f64 * share) as usize;
        took[place].as_secs_f64() * 1e6
    };
    println!("{what}: {:.1} µs, 99 of 100 within {:.1} µs", micros(0.5), micros(0.99));
}
