//! The story of `examples/kubeflow`, as one script, with the stand-in.

use std::{path::Path, process::Command};

use crate::{
    servers::kubernetes::{ADMIN, ApiServer},
    support::run,
};

#[test]
fn people_of_kubeflow_share_features_by_roles() {
    let api = ApiServer::start();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/kubeflow.sh");
    let mut command = Command::new("bash");
    command.arg(script).env("FEASTR", env!("CARGO_BIN_EXE_feastr"));
    command.env("KUBE_URL", format!("https://localhost:{}", api.address.port()));
    command.env("KUBE_CA", api.account().join("ca.crt")).env("KUBE_TOKEN", ADMIN);
    let said = run(&mut command).ok();
    assert!(said.stderr.contains("Bob reads what Alice shares, and nothing else"), "{said:?}");
}
