//! Pushes that are killed: what they had confirmed is there, nothing half is read, and the same rows can be pushed again.

use std::{collections::BTreeSet, fmt::Write as _};

use serde_json::json;

use super::{HEADING, applied, files, historical, online};
use crate::{killer::Killer, support::Project};

const KILLS: u32 = 40;
const DRIVERS: usize = 3_000;
const PUSH: [&str; 6] = ["push", "stats_push", "-i", "rows.csv", "--to", "online_and_offline"];

/// A row for each driver, all at a minute and with its number as trips.
fn write_rows(project: &Project, minute: u32) {
    let mut rows = HEADING.to_owned();
    for driver in 0..DRIVERS {
        writeln!(rows, "{driver},2026-11-20T10:{minute:02}:00Z,2026-11-20T12:00:00Z,0.25,0.5,{minute}").unwrap();
    }
    project.write("rows.csv", rows);
}

/// The files that readers of the history take for data.
fn visible(project: &Project) -> BTreeSet<String> {
    let added = files(&project.path("data/driver_stats.parquet.d"));
    added.into_iter().filter(|file| !file.starts_with('.')).collect()
}

fn at_ten(project: &Project, minute: u32) -> serde_json::Value {
    historical(project, "fresh", 7, &format!("2026-11-20T10:{minute:02}:30Z"))
}

#[test]
fn a_push_that_is_killed_leaves_nothing_half_in_the_history() {
    let project = applied();
    write_rows(&project, 0);
    let mut killer = Killer::new(&project, &PUSH);
    let mut confirmed = 0;
    let (mut killed_before, mut killed_after) = (0, 0);
    for minute in 1.. {
        if killer.cut_off >= KILLS || minute > 59 {
            break;
        }
        write_rows(&project, minute);
        let (before, cut_off) = (visible(&project), killer.cut_off);
        killer.kill(&mut project.command(&PUSH));
        let after = visible(&project);
        assert!(after.is_superset(&before));
        let seen = at_ten(&project, minute);
        match (killer.cut_off > cut_off, after.len() - before.len()) {
            // It was done: all of it is there.
            (false, added) => {
                assert_eq!((added, &seen), (1, &json!(minute)));
                assert_eq!(online(&project, 7)["fresh"], json!(minute));
                confirmed = minute;
            }
            // Its rows are all there, or none of them; in the history only when they are online.
            (true, 1) => {
                killed_after += 1;
                assert_eq!(seen, json!(minute));
                let drivers = [0, DRIVERS as i64 / 2, DRIVERS as i64 - 1];
                assert!(drivers.iter().all(|driver| online(&project, *driver)["fresh"] == json!(minute)));
            }
            (true, added) => {
                killed_before += 1;
                assert_eq!(added, 0);
                assert_ne!(seen, json!(minute));
            }
        }
        assert!(online(&project, 7)["fresh"].as_i64().unwrap() >= i64::from(confirmed));
    }
    assert!(killed_before > 0, "none was killed before its end, {killed_after} after it");
    // The same rows again are stored as if nothing had happened.
    write_rows(&project, 59);
    project.feastr(&PUSH).ok();
    assert_eq!((at_ten(&project, 59), online(&project, 7)["trips"].clone()), (json!(59), json!(59)));
    // What is hidden is not read, and may be deleted.
    let hidden = files(&project.path("data/driver_stats.parquet.d")).len() - visible(&project).len();
    project.feastr(&["plan", "--detailed-exitcode"]).ok();
    assert!(hidden > 0, "no push was killed while it wrote");
}

/// Ctrl-C removes what is hidden.
#[test]
#[cfg(unix)]
fn a_push_that_is_interrupted_cleans_up() {
    use std::{
        process::{Command, Stdio},
        thread::sleep,
        time::Duration,
    };
    let project = applied();
    write_rows(&project, 1);
    for wait in (0..).map(|step| 2 * step).take(60) {
        let mut child = project.command(&PUSH).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        sleep(Duration::from_millis(wait));
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        child.wait().unwrap();
        let added = files(&project.path("data/driver_stats.parquet.d"));
        assert!(added.iter().all(|file| !file.starts_with('.')), "{added:?}");
    }
}
