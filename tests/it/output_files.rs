//! Where results are written: files, links to them, and what is not a file.

use std::{
    fs,
    os::unix::fs::{FileTypeExt as _, symlink},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{
    materialize_runs::{END, START, applied},
    support::{Project, run},
};

/// A command that writes a file, without the file's name; and how the file starts.
const WRITERS: [(&[&str], &str); 4] = [
    (&["materialize", START, END, "--report"], "{"),
    (&["materialize", START, END, "--metrics-file"], "# HELP"),
    (&["plan", "--out"], "{"),
    (
        &[
            "get-historical",
            "--entities",
            "data/entity_rows.csv",
            "--feature-service",
            "driver_activity_v2",
            "--format",
            "csv",
            "-o",
        ],
        "driver_id,",
    ),
];

fn is_link(project: &Project, path: &str) -> bool {
    fs::symlink_metadata(project.path(path)).unwrap().is_symlink()
}

#[test]
fn links_are_followed_also_to_files_that_are_not_there() {
    let project = applied();
    for (command, start) in WRITERS {
        let _ = fs::remove_dir_all(project.path("links"));
        project.write("links/real/there", "old");
        symlink("real/there", project.path("links/one")).unwrap();
        symlink("one", project.path("links/two")).unwrap();
        symlink("real/new", project.path("links/dangling")).unwrap();
        for (link, file) in [("links/two", "links/real/there"), ("links/dangling", "links/real/new")] {
            project.feastr(&[command, &[link]].concat()).ok();
            assert!(is_link(&project, link) && is_link(&project, "links/one"), "{command:?} {link}");
            assert!(project.read(file).starts_with(start), "{command:?} {link}: {}", project.read(file));
        }
        // Complete files replace old ones beside them, and nothing else is left.
        assert_eq!(fs::read_dir(project.path("links/real")).unwrap().count(), 2, "{command:?}");
    }
    symlink("circle", project.path("circle")).unwrap();
    let refused = project.feastr(&["plan", "--out", "circle"]).failed();
    assert!(refused.stderr.contains("cannot write circle"), "{}", refused.stderr);
}

#[test]
fn pipes_are_written_and_stay() {
    let project = applied();
    for (command, start) in WRITERS {
        let pipe = project.path("pipe");
        let _ = fs::remove_file(&pipe);
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        // Opened for both, the reader needs no writer to begin and no end to stop.
        let mut reader = Command::new("cat").arg(&pipe).stdout(Stdio::piped()).spawn().unwrap();
        let output = project.feastr(&[command, &["pipe"]].concat());
        if !fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo() {
            reader.kill().unwrap();
            panic!("{command:?} replaced the pipe");
        }
        output.ok();
        let read = reader.wait_with_output().unwrap().stdout;
        assert!(String::from_utf8(read).unwrap().starts_with(start), "{command:?}");
    }
}

/// As with `/dev/stdout`, which is such a link.
#[cfg(target_os = "linux")]
#[test]
fn a_link_to_the_standard_output_leads_there() {
    let project = applied();
    symlink("/proc/self/fd/1", project.path("stdout")).unwrap();
    let args = ["--quiet", "materialize", START, END, "--report", "stdout"];
    let report: Value = run(&mut project.command(&args)).ok().json();
    assert_eq!(report["project"], "feastlocal");
    assert!(is_link(&project, "stdout"));
    // Redirected into a file, both are in it, one after the other.
    let file = fs::File::create(project.path("all.txt")).unwrap();
    let mut command = project.command(&["materialize", START, END, "--report", "stdout"]);
    crate::support::run_with_own_stdout(command.stdout(file)).ok();
    let all = project.read("all.txt");
    assert!(all.starts_with("VIEW") && all.ends_with("\n}\n"), "{all}");
}

#[test]
fn a_file_is_named_once_and_is_a_file() {
    let project = applied();
    project.write("folder/x", "");
    symlink("out", project.path("alias")).unwrap();
    let run = |args: &[&str]| project.feastr(&[&["materialize", START, END][..], args].concat()).failed().stderr;
    for second in ["out", "./out", "alias"] {
        let refused = run(&["--report", "out", "--metrics-file", second]);
        assert!(refused.contains("--report and --metrics-file are the same file"), "{refused}");
    }
    for option in ["--report", "--metrics-file"] {
        let refused = run(&[option, "-"]);
        assert!(refused.contains("name a file"), "{refused}");
        let refused = run(&[option, "folder"]);
        assert!(refused.contains("cannot write folder: it is a folder"), "{refused}");
    }
    let refused = project.feastr(&["plan", "--out", "-"]).failed().stderr;
    assert!(refused.contains("name a file"), "{refused}");
    assert!(!project.path("-").exists() && !project.path("out").exists());
    assert!(project.feastr(&["materialize", "history"]).ok().stderr.contains("No run"), "refused before anything ran");
}
