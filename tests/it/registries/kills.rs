//! Applies that are killed: the registry holds the old state or the new one, and the next apply
//! completes.

use super::{
    Backend, TestRegistry, on_every_backend,
    repo::{Repo, registered},
};
use crate::killer::Killer;

on_every_backend!(a_killed_apply_leaves_the_old_state_or_the_new_one);

fn a_killed_apply_leaves_the_old_state_or_the_new_one(backend: Backend) {
    // Where nothing is locked, a run is one write.
    let kills = if backend.store().is_some() { 40 } else { 100 };
    let test = TestRegistry::new(backend);
    let repo = Repo::new(&test);
    repo.declare(0);
    let mut killer = Killer::new(&repo.project, &["apply", "--yes"]);
    let (mut old, mut new, mut round) = (0, 0, 0);
    while killer.cut_off < kills {
        round += 1;
        repo.declare(round);
        killer.kill(&mut repo.project.command(&["apply", "--yes"]));
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
