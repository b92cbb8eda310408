//! Many programs at once on one registry.

use std::{
    process::Stdio,
    sync::{Arc, Barrier},
};

use super::{
    Backend, TestRegistry, on_every_backend,
    repo::{Repo, registered},
};

on_every_backend!(applies_of_many_processes_are_serial);
on_every_backend!(@ locked Locked applies_of_many_processes_are_serial);

fn applies_of_many_processes_are_serial(backend: Backend) {
    const PROCESSES: u32 = 16;
    let test = TestRegistry::new(backend);
    let barrier = Arc::new(Barrier::new(PROCESSES as usize));
    let outputs: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..PROCESSES)
            .map(|round| {
                let (test, barrier) = (&test, Arc::clone(&barrier));
                scope.spawn(move || {
                    let repo = Repo::new(test);
                    repo.declare(round);
                    let mut command = repo.project.command(&["apply", "--yes"]);
                    command.stdout(Stdio::piped()).stderr(Stdio::piped());
                    barrier.wait();
                    command.output().unwrap()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for output in &outputs {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    // The last one stands, whole: entity, view and service are of the same round.
    let last = registered(&test).expect("an apply is wholly in");
    let repo = Repo::new(&test);
    repo.declare(last);
    let plan = repo.project.feastr(&["plan"]).ok();
    assert!(plan.stdout.contains("No changes"), "{}", plan.stdout);
}
