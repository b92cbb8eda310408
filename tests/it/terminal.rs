//! Questions on a terminal, which util-linux' `script` plays.

use std::{
    io::{Read, Write},
    process::{Command, Stdio},
};

use crate::support::Project;

/// An applied repo whose definitions lose a feature, which needs permission.
fn breaking() -> Project {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    let column = "      - {name: acc_rate, dtype: Float32, description: Share of trips without complaint}\n";
    project.edit("drivers.yaml", column, "");
    project
}

/// What `command` shows and how it ends, when these bytes are typed at its question.
fn typed(project: &Project, command: &str, keys: &[u8]) -> (String, i32) {
    // The parent of the tests may have told their children to ignore Ctrl-C.
    let program = concat!("env --default-signal=INT ", env!("CARGO_BIN_EXE_feastr"));
    let mut child = Command::new("script")
        .args(["--quiet", "--return", "--command", &format!("{program} {command}"), "/dev/null"])
        .current_dir(project.folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut shown = Vec::new();
    let mut byte = [0];
    while !shown.ends_with(b"[y/N] ") {
        assert_eq!(stdout.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&shown));
        shown.push(byte[0]);
    }
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(keys).unwrap();
    // The end of what is typed; `script` passes it on.
    drop(stdin);
    stdout.read_to_end(&mut shown).unwrap();
    let status = child.wait().unwrap();
    (String::from_utf8_lossy(&shown).into_owned(), status.code().unwrap())
}

#[test]
fn only_a_yes_applies() {
    let project = breaking();
    // Enter alone, Escape, the end of the input, and another word.
    for keys in [&b"\n"[..], b"\x1b\n", b"", b"maybe\n"] {
        let (shown, code) = typed(&project, "apply", keys);
        assert_eq!(code, 3, "{keys:?}: {shown}");
        assert!(shown.contains("nothing was applied"), "{keys:?}: {shown}");
    }
    project.feastr(&["plan"]).refused();
    let (shown, code) = typed(&project, "apply", b"y\n");
    assert_eq!(code, 0, "{shown}");
    project.feastr(&["plan", "--detailed-exitcode"]).ok();
    let (shown, code) = typed(&project, "teardown", b"");
    assert_eq!(code, 1, "{shown}");
    assert!(shown.contains("nothing was removed"), "{shown}");
}

#[test]
fn ctrl_c_leaves_the_terminal_as_it_was() {
    let project = breaking();
    let (shown, code) = typed(&project, "apply", b"\x03");
    assert_eq!(code, 130, "{shown}");
    assert!(!shown.contains("\x1b[?25l"), "the cursor is never hidden: {shown}");
    project.feastr(&["plan"]).refused();
}
