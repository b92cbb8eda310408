//! Requests that a stranger makes of what the server says about itself: Schemathesis finds none that it cannot take.

use std::process::Command;

use super::{computed, server::FeatureServer};

/// What answers 501 on purpose.
const UNSUPPORTED: [&str; 2] = ["/search", "/retrieve-online-documents"];

#[test]
fn no_request_that_fits_or_nearly_fits_the_description_is_a_mistake_of_the_server() {
    let project = computed::project();
    let server = FeatureServer::start(&project, &[]);
    let program = std::env::var_os("FEASTR_SCHEMATHESIS")
        .expect("FEASTR_SCHEMATHESIS names no Schemathesis: run scripts/test.sh, which installs it");
    let mut command = Command::new(program);
    command
        .args(["run", &format!("http://{}/openapi.json", server.address), "--no-color"])
        .current_dir(&project.folder);
    command.args(["--checks", "not_a_server_error", "--phases", "examples,coverage,fuzzing"]);
    command.args(["--max-examples", "200", "--seed", "13", "--generation-database", "none"]);
    UNSUPPORTED.iter().for_each(|path| {
        command.args(["--exclude-path", path]);
    });
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}\n{}\n{}", String::from_utf8_lossy(&output.stderr), server.said());
    // It has asked.
    assert!(told.contains("generated"), "{told}");
    assert!(!server.said().contains("panicked"), "{}", server.said());
}
