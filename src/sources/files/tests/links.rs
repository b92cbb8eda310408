#![cfg(unix)]

use std::os::unix::{fs::PermissionsExt, net::UnixListener};

use super::*;

#[test]
fn links_are_followed() {
    let repo = Repo::with(&["d/a.parquet", "away/x/b.parquet", "away/c", "away/_x/e.parquet"]);
    repo.link("../away/x", "d/k=1");
    repo.link("../away/c", "d/c.parquet");
    repo.link("../away/_x", "d/_k=2");
    repo.link("../away/_x", "d/_hidden");
    repo.link("d", "source");
    repo.link("gone", "d/gone.parquet");
    repo.link("circle", "d/circle");
    let found = repo.parquet("d");
    assert_eq!(repo.paths(&found), ["d/_k=2/e.parquet", "d/a.parquet", "d/c.parquet", "d/k=1/b.parquet"]);
    assert_eq!(found.partition_names(), ["_k", "k"]);
    let left_out = repo.left_out(&found);
    assert_eq!(left_out[0], "d/_hidden has a name that begins with `.` or `_`");
    assert_eq!(
        left_out[1..],
        ["d/circle", "d/gone.parquet"].map(|name| format!("{name} is a link that leads nowhere"))
    );
    assert_eq!(repo.files("source"), ["_k=2/e", "a", "c", "k=1/b"].map(|name| format!("source/{name}.parquet")));
    assert_eq!(repo.files("d/*/*.parquet"), ["d/_k=2/e.parquet", "d/k=1/b.parquet"]);
    assert_eq!(repo.files("d/**/b.parquet"), ["d/k=1/b.parquet"]);
    let problem = repo.problem("d/gone.parquet", Format::Parquet);
    assert_eq!(problem.1, "it is a link to gone, which is not there");
}

#[test]
fn loops_end() {
    let repo = Repo::with(&["d/a.parquet", "d/x/y/b.parquet"]);
    repo.link("..", "d/x/up");
    repo.link(".", "d/self");
    repo.link("../../x", "d/x/y/back");
    for path in ["d", "d/**", "**/*.parquet", "d*"] {
        let found = repo.parquet(path);
        assert_eq!(repo.paths(&found), ["d/a.parquet", "d/x/y/b.parquet"], "{path}");
    }
    assert!(repo.parquet("d").left_out.is_empty());
    assert_eq!(repo.files("d/**/**/a.parquet"), ["d/a.parquet"]);
}

#[test]
fn files_are_read_once() {
    let repo = Repo::with(&["d/day=1/a.parquet", "d/day=2/a.parquet", "away/x/b.parquet"]);
    repo.link("day=2", "d/current");
    repo.link("day=2/a.parquet", "d/a.parquet");
    repo.link("../away/x", "d/one");
    repo.link("../away", "d/two");
    let files = ["d/day=1/a.parquet", "d/day=2/a.parquet", "d/one/b.parquet"];
    let found = repo.parquet("d");
    assert_eq!(repo.paths(&found), files);
    assert_eq!(
        repo.left_out(&found),
        [
            "d/a.parquet is read already, as d/day=2/a.parquet",
            "d/current is read already, as d/day=2",
            "d/two/x is read already, as d/one",
        ]
    );
    for path in ["d/*", "d/**", "d/**/*.parquet", "{d,d/day=*,d/one}"] {
        assert_eq!(repo.files(path), files, "{path}");
    }
    let found = repo.parquet("d/*/a.parquet");
    assert_eq!(repo.paths(&found), files[..2]);
    assert_eq!(repo.left_out(&found), ["d/current/a.parquet is read already, as d/day=2/a.parquet"]);
    repo.link("../away/x", "d/three");
    assert_eq!(repo.left_out(&repo.parquet("d/*/b.parquet")), ["d/three is read already, as d/one"]);
}

#[test]
fn pipes_and_sockets_do_not_block() {
    let repo = Repo::with(&["d/a.parquet"]);
    let pipe = repo.path.join("d/pipe.parquet");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let _socket = UnixListener::bind(repo.path.join("d/socket")).unwrap();
    repo.link("pipe.parquet", "d/z.parquet");
    let said = |names: &[&str]| names.iter().map(|name| format!("d/{name} is neither a file nor a folder")).collect();
    for (path, names) in
        [("d", &["pipe.parquet", "socket", "z.parquet"][..]), ("d/*.parquet", &["pipe.parquet", "z.parquet"])]
    {
        let found = repo.parquet(path);
        assert_eq!(repo.paths(&found), ["d/a.parquet"]);
        let expected: Vec<String> = said(names);
        assert_eq!(repo.left_out(&found), expected);
    }
    let problem = repo.problem("d/pipe.parquet", Format::Parquet);
    assert_eq!(problem.0, "`d/pipe.parquet` is neither a file nor a folder");
    assert_eq!(Format::of_file(&pipe).unwrap(), Format::Parquet);
}

#[test]
fn what_cannot_be_read_is_named() {
    let repo = Repo::with(&["d/a.parquet", "d/x/b.parquet", "e/c.csv"]);
    let (folder, file) = (repo.path.join("d/x"), repo.path.join("e/c.csv"));
    let allow = |path: &std::path::Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    allow(&folder, 0o000);
    allow(&file, 0o000);
    // Nothing is forbidden to root.
    if fs::read_dir(&folder).is_err() {
        assert!(repo.problem("d", Format::Parquet).0.starts_with("cannot read REPO/d/x: "));
        assert!(repo.problem("d/*/b.parquet", Format::Parquet).0.starts_with("cannot read REPO/d/x"));
        assert!(repo.problem("d/x/b.parquet", Format::Parquet).0.starts_with("cannot read REPO/d/x/b.parquet: "));
        assert!(repo.problem("e", Format::Csv).0.starts_with("cannot read REPO/e/c.csv: "));
    }
    allow(&folder, 0o755);
}
