//! Requests that a stranger makes of what the server says about itself: Schemathesis finds none that it cannot take.

use std::process::Command;

use super::{computed, server::FeatureServer};
use crate::support::Project;

/// What answers 501 on purpose.
const UNSUPPORTED: [&str; 2] = ["/search", "/retrieve-online-documents"];

#[test]
fn no_request_that_fits_or_nearly_fits_the_description_is_a_mistake_of_the_server() {
    let project = computed::project();
    let server = FeatureServer::start(&project, &[]);
    schemathesis(&project, &server, &UNSUPPORTED, "examples,coverage,fuzzing", 200);
}

/// Has Schemathesis make requests in these phases of each path of a server but for those that are not supported; so many
/// where it invents them.
pub fn schemathesis(project: &Project, server: &FeatureServer<'_>, unsupported: &[&str], phases: &str, examples: u32) {
    let program = std::env::var_os("FEASTR_SCHEMATHESIS")
        .expect("FEASTR_SCHEMATHESIS names no Schemathesis: run scripts/test.sh, which installs it");
    let mut command = Command::new(program);
    command
        .args(["run", &format!("http://{}/openapi.json", server.address), "--no-color"])
        .current_dir(&project.folder);
    command.args(["--checks", "not_a_server_error", "--phases", phases]);
    command.args(["--max-examples", &examples.to_string(), "--seed", "13", "--generation-database", "none"]);
    unsupported.iter().for_each(|path| {
        command.args(["--exclude-path", path]);
    });
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}\n{}\n{}", String::from_utf8_lossy(&output.stderr), server.said());
    // It has asked.
    assert!(told.contains("generated"), "{told}");
    assert!(!server.said().contains("panicked"), "{}", server.said());
}
