//! Encryption and tokens, before Sail.

use super::{
    encrypting::{Encrypting, TOKEN},
    repo,
};
use crate::servers::spark::sail;

#[test]
fn servers_prove_who_they_are_and_are_told_who_asks() {
    let proxy = Encrypting::before(sail());
    let check = |parameters: &str, authority: bool| {
        let mut project = repo(&format!("sc://localhost:{}/;{parameters}", proxy.port()));
        project.environment.push(("SPARK_CONNECT_AUTHENTICATE_TOKEN", "another".to_owned()));
        if authority {
            let settings = project.read("feature_store.yaml");
            let engine = format!("feastr: {{engine: {{ca_file: '{}', wait: 1s}}}}", proxy.authority().display());
            project.write("feature_store.yaml", format!("{settings}\n{engine}\n"));
        }
        project.feastr(&["engine", "check"])
    };
    // Who sends a token means encryption.
    check(&format!("token={TOKEN}"), true).ok();

    let unknown = check(&format!("token={TOKEN}"), false).failed();
    assert!(unknown.stderr.contains("does not prove who it is"), "{}", unknown.stderr);
    assert!(unknown.stderr.contains("`ca_file` under `feastr.engine`"), "{}", unknown.stderr);
    let token = check("use_ssl=true", true).failed();
    assert!(token.stderr.contains("no such token") && token.stderr.contains("token=…"), "{}", token.stderr);
    let plain = check(&format!("token={TOKEN};use_ssl=false"), true).failed();
    assert!(plain.stderr.contains("cannot be reached"), "{}", plain.stderr);
    for told in [unknown, token, plain] {
        assert!(!told.stderr.contains(TOKEN), "{}", told.stderr);
    }

    let mut without = repo(&format!("{}/;token={TOKEN}", sail().address()));
    without.edit("feature_store.yaml", "{spark.remote", "{spark.app.name: x, spark.remote");
    without.environment.clear();
    let told = without.feastr(&["engine", "check"]).failed();
    assert!(told.stderr.contains("answers without encryption"), "{}", told.stderr);
}
