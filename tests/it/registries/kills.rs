//! Applies that are killed: the registry holds the old state or the new one, and the next apply
//! completes.

use std::{
    process::Stdio,
    thread::sleep,
    time::{Duration, Instant},
};

use super::{
    Backend, TestRegistry, on_every_backend,
    repo::{Repo, registered},
};

on_every_backend!(a_killed_apply_leaves_the_old_state_or_the_new_one);

fn a_killed_apply_leaves_the_old_state_or_the_new_one(backend: Backend) {
    const KILLS: u32 = 100;
    let test = TestRegistry::new(backend);
    let repo = Repo::new(&test);
    repo.declare(0);
    let began = Instant::now();
    repo.project.feastr(&["apply", "--yes"]).ok();
    let whole = began.elapsed();
    let (mut old, mut new) = (0, 0);
    for round in 1..=KILLS {
        repo.declare(round);
        let mut command = repo.project.command(&["apply", "--yes"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        sleep(moment(whole, round, KILLS));
        let _ = child.kill();
        child.wait().unwrap();
        match registered(&test) {
            Some(found) if found == round => new += 1,
            Some(found) if found == round - 1 => old += 1,
            found => panic!("round {round}: {found:?}"),
        }
        repo.project.feastr(&["apply", "--yes"]).ok();
        assert_eq!(registered(&test), Some(round));
        assert_eq!(repo.online_tables(), [format!("p_view_{round}")]);
    }
    // Otherwise all kills came too early or too late to say anything.
    assert!(old > 0 && new > 0, "{old} old, {new} new");
}

/// Kills spread over a run, from its first moment to beyond its end, in no order.
fn moment(whole: Duration, round: u32, kills: u32) -> Duration {
    whole * (round * 37 % kills) * 5 / (kills * 4)
}
