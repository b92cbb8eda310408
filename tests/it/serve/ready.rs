//! `feastr ready`, which scripts and containers ask.

use super::server::FeatureServer;
use crate::{
    servers::free_port,
    support::{Output, Project},
};

fn ask(project: &Project, args: &[&str]) -> Output {
    project.feastr(&[&["ready"], args].concat())
}

#[test]
fn servers_that_answer_are_ready() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    let server = FeatureServer::start(&project, &[]);
    let url = format!("http://{}", server.address);
    let said = ask(&project, &["--wait", "30s", &url]).ok();
    assert_eq!((said.stdout.as_str(), said.stderr), ("", format!("{url} is ready\n")));
    assert_eq!(ask(&project, &["--quiet", &url, &format!("{url}/")]).ok().stderr, "");
}

#[test]
fn who_is_away_or_has_nothing_to_answer_is_not_ready() {
    let port = free_port();
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    let redis = format!("type: redis\n  connection_string: 127.0.0.1:{port}");
    project.edit("feature_store.yaml", "type: sqlite\n  path: data/online_store.db", &redis);
    let server = FeatureServer::start(&project, &[]);
    let refused = ask(&project, &[&format!("http://{}", server.address)]).failed().stderr;
    assert!(refused.contains(&format!("is not ready: Redis at 127.0.0.1:{port}")), "{refused}");
    for scheme in ["http", "grpc"] {
        let refused = ask(&project, &["--wait", "1s", &format!("{scheme}://127.0.0.1:{port}")]).failed().stderr;
        assert!(refused.contains("cannot be reached") && refused.contains("start it, or correct its URL"), "{refused}");
    }
    let refused = ask(&project, &["localhost:6566"]).failed().stderr;
    assert!(refused.contains("write http://HOST:PORT or grpc://HOST:PORT"), "{refused}");
}
