//! Registries on a disk without room for what is written.

use std::process::Command;

use super::{
    Backend, TestRegistry, on_every_backend,
    repo::{Repo, registered},
};
use crate::support::run;

on_every_backend!(@ sqlite Sqlite a_full_disk_leaves_the_old_state);
on_every_backend!(@ file File a_full_disk_leaves_the_old_state);

fn a_full_disk_leaves_the_old_state(backend: Backend) {
    let test = TestRegistry::new(backend);
    let repo = Repo::new(&test);
    repo.declare(1);
    repo.project.feastr(&["apply"]).ok();
    repo.declare(2);
    let entities: String =
        (0..300).map(|number| format!("  - {{name: entity_{number}, description: {}}}\n", "x".repeat(500))).collect();
    repo.project.write("more.yaml", format!("entities:\n{entities}"));
    // Enough for the new online table.
    let room = test.path().metadata().unwrap().len() + 60_000;
    let apply = repo.project.command(&["apply", "--yes"]);
    // The limit is an error of each write, where a shell does not leave the signal to kill.
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; exec prlimit --fsize=\"$0\" \"$@\"", &room.to_string()]);
    limited.arg(apply.get_program()).args(apply.get_args()).current_dir(apply.get_current_dir().unwrap());
    let refused = run(&mut limited).failed();
    let path = test.path().display().to_string();
    assert!(refused.stderr.contains(&path) && refused.stderr.contains("help: "), "{}", refused.stderr);
    assert_eq!(registered(&test), Some(1));
    let mut left: Vec<_> =
        std::fs::read_dir(test.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    // Of the apply before.
    left.retain(|name| name != "registry.db.changes.jsonl");
    left.sort();
    assert_eq!(left, ["registry.db", "registry.db.lock"]);

    repo.project.feastr(&["apply", "--yes"]).ok();
    assert_eq!(registered(&test), Some(2));
    repo.project.feastr(&["plan", "--detailed-exitcode"]).ok();
}
