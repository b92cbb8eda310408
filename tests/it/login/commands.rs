//! `feastr login`, `whoami` and `logout`.

use std::{fs, path::PathBuf};

use super::{client, provider::Provider, with_auth};
use crate::support::Project;

/// The files that logins are kept in.
fn kept(project: &Project) -> Vec<PathBuf> {
    let entries = fs::read_dir(project.path(".config/feastr/logins")).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_login_with_another_device_is_kept_for_later_commands() {
    let provider = Provider::start();
    let project = client(&provider, "");
    let nobody = project.feastr(&["whoami"]).failed();
    assert!(
        nobody.stderr.contains("nobody is logged in") && nobody.stderr.contains("feastr login"),
        "{}",
        nobody.stderr
    );

    provider.set_device(&["authorization_pending", "authorization_pending"], Ok(()));
    let login = project.feastr(&["login"]).ok();
    let page = provider.http.url("/page?code=ABCD-EFGH");
    assert!(login.stderr.contains(&page) && login.stderr.contains("ABCD-EFGH"), "{}", login.stderr);
    assert!(login.stderr.contains("Logged in as ann, with reader"), "{}", login.stderr);
    let [file] = kept(&project).try_into().unwrap();
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions()) & 0o777, 0o600);

    let who = project.feastr(&["whoami"]).ok();
    assert!(who.stdout.starts_with("ann, with reader\n"), "{}", who.stdout);
    let who = project.feastr(&["whoami", "--json"]).ok().json();
    assert_eq!((&who["user"], &who["roles"][0], &who["groups"][0]), (&"ann".into(), &"reader".into(), &"team".into()));
    assert_eq!((&who["audience"][0], &who["token_of"]), (&"store".into(), &"who is logged in".into()));
    let grants = provider.grants();
    assert_eq!(grants.len(), 3, "a token that counts is used again: {grants:?}");

    let out = project.feastr(&["logout", "--json"]).ok().json();
    assert_eq!(out, serde_json::json!({ "was_logged_in": true, "provider_told": true }));
    assert_eq!(provider.http.asked("/revoke").len(), 1);
    assert!(kept(&project).is_empty());
    project.feastr(&["whoami"]).failed();
    assert!(project.feastr(&["logout"]).ok().stderr.contains("Nobody is logged in"));
}

#[test]
fn a_login_that_ends_soon_is_renewed() {
    let provider = Provider::start();
    let project = client(&provider, "");
    provider.set_lives(10);
    project.feastr(&["login"]).ok();
    project.feastr(&["whoami"]).ok();
    // Another one than the first, with the refresh token that came with it.
    provider.set_lives(300);
    project.feastr(&["whoami"]).ok();
    project.feastr(&["whoami"]).ok();
    let grants = provider.grants();
    assert_eq!(grants[1..], ["refresh_token", "refresh_token"], "{grants:?}");

    provider.set_lives(10);
    project.feastr(&["login"]).ok();
    provider.end_logins();
    let over = project.feastr(&["whoami"]).failed().stderr;
    assert!(over.contains("is over: Token is not active") && over.contains("feastr login"), "{over}");
}

#[test]
fn a_login_that_is_refused_or_waits_too_long_is_none() {
    let provider = Provider::start();
    let project = client(&provider, "");
    for (error, said) in [("access_denied", "was refused"), ("expired_token", "nobody has agreed")] {
        provider.set_device(&["authorization_pending"], Err(error));
        let output = project.feastr(&["login"]).failed().stderr;
        assert!(output.contains(said) && output.contains("feastr login"), "{output}");
        assert!(kept(&project).is_empty());
    }
}

#[test]
fn logins_of_different_clients_are_kept_apart() {
    let provider = Provider::start();
    let project = client(&provider, "");
    project.feastr(&["login"]).ok();
    project.edit("feature_store.yaml", "client_id: store", "client_id: other");
    project.feastr(&["whoami"]).failed();
    project.feastr(&["login"]).ok();
    assert_eq!(kept(&project).len(), 2);
    let mut command = project.command(&["whoami"]);
    command.env("XDG_CONFIG_HOME", project.path("elsewhere"));
    assert_eq!(command.output().unwrap().status.code(), Some(1), "another place for settings");
}

#[test]
fn without_auth_servers_are_told_nothing() {
    let project = with_auth("");
    assert!(project.feastr(&["whoami"]).ok().stderr.contains("no `auth`"));
    assert_eq!(project.feastr(&["whoami", "--json"]).ok().json(), serde_json::Value::Null);
    let login = project.feastr(&["login"]).failed().stderr;
    assert!(login.contains("no identity provider") && login.contains("auth_discovery_url"), "{login}");
}

#[test]
fn tokens_come_from_where_the_settings_say() {
    let provider = Provider::start();
    let who = |more: &str| client(&provider, more).feastr(&["whoami", "--json"]).ok().json();
    assert_eq!(who(", username: ann, password: right")["user"], "ann");
    assert_eq!(who(", username: ann, password: right, client_secret: hush")["user"], "ann");
    assert_eq!(who(", client_secret: hush")["user"], "service-account-store");
    let asked = provider.http.asked("/token");
    assert_eq!(asked[0].field("client_secret"), None, "a public client has no secret");
    assert_eq!(asked[1].field("client_secret").as_deref(), Some("hush"));
    assert!(asked.iter().all(|asked| asked.authorization.is_none() && asked.field("scope").is_none()));

    let token = super::provider::token("eve", 300, 1);
    assert_eq!(who(&format!(", token: {token}"))["user"], "eve");
    let project = client(&provider, ", token_env_var: MINE");
    let run = |project: &Project, name: &str, value: &str| {
        let mut command = project.command(&["whoami", "--json"]);
        crate::support::run(command.env(name, value))
    };
    assert_eq!(run(&project, "MINE", &token).ok().json()["user"], "eve");
    assert!(run(&project, "MINE", "").failed().stderr.contains("no token in the environment variable MINE"));
    let project = client(&provider, "");
    assert_eq!(run(&project, "FEAST_OIDC_TOKEN", &token).ok().json()["user"], "eve");
    let secret = run(&project, "INTRA_COMMUNICATION_BASE64", "c2VjcmV0").ok().json();
    assert_eq!(secret["user"], serde_json::Value::Null);
    assert!(!secret.to_string().contains("c2VjcmV0"), "{secret}");

    project.write("token", &token);
    let settings = project.read("feature_store.yaml");
    project.write("feature_store.yaml", settings + "feastr: {auth: {token_file: token}}\n");
    assert_eq!(project.feastr(&["whoami", "--json"]).ok().json()["user"], "eve");
    project.write("token", super::provider::token("bob", 300, 1) + "\n");
    assert_eq!(project.feastr(&["whoami", "--json"]).ok().json()["user"], "bob");
}
