//! Where sources are, and who asks for them: what each source says of it, and what is said when it is wrong.

use super::{JOIN, day, define, upload, write};
use crate::{
    servers::buckets::{KEY, SECRET, Store, shared},
    support::{Project, run},
};

#[test]
fn sources_say_where_they_are_and_as_whom_they_are_read() {
    let project = Project::new(&[]);
    write(&project.path("data/one.parquet"), &day(0..50, "2026-01-02", 7.0), 10);
    let server = shared(Store::SeaweedFs);
    let bucket = server.create_bucket();
    upload(&project.path("data"), &server.open(&bucket));
    let path = format!("{bucket}/one.parquet");
    let endpoint = server.endpoint();

    define(&project, &path, &format!("    s3_endpoint_override: {endpoint}\n"));
    let keys =
        [("AWS_ACCESS_KEY_ID", KEY), ("AWS_SECRET_ACCESS_KEY", SECRET), ("AWS_ENDPOINT_URL", "http://127.0.0.1:9")];
    run(project.command(&["plan"]).envs(keys)).ok();

    define(&project, &path, "    connection_ref: {provider: env, name: TEAM}\n");
    let said = run(project.command(&["plan"]).envs(keys)).failed().stderr;
    assert!(said.contains("no environment variable begins with `TEAM`"), "{said}");
    let team = [
        ("TEAM_AWS_ACCESS_KEY_ID", KEY),
        ("TEAM_AWS_SECRET_ACCESS_KEY", SECRET),
        ("TEAM_AWS_ENDPOINT_URL", endpoint.as_str()),
    ];
    run(project.command(&["apply", "--yes"]).envs(keys).envs(team)).ok();
    project.write("entities.csv", "id,event_timestamp\n7,2026-01-03T12:00:00Z\n");
    let joined = run(project.command(&JOIN).envs(team)).ok().stdout;
    assert!(joined.contains("7,2026-01-03T12:00:00Z,7.07"), "{joined}");
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let project = Project::new(&[]);
    write(&project.path("data/d/one.parquet"), &day(0..50, "2026-01-02", 7.0), 10);
    project.write("data/d/notes.csv", "a,b\n1,2\n");
    project.write("data/d/empty.parquet", "");
    let server = shared(Store::SeaweedFs);
    let bucket = server.create_bucket();
    upload(&project.path("data"), &server.open(&bucket));
    let said = |path: &str, more: &str| {
        define(&project, path, more);
        let said = super::feastr(&project, server, &["plan"]).failed().stderr;
        assert!(said.contains("--> definitions.yaml:5:"), "{said}");
        said.lines().next().unwrap().trim_start_matches("error: ").replace(&bucket, "BUCKET")
    };
    let of = |path: &str| said(&format!("{bucket}/{path}"), "");
    assert_eq!(of("none.parquet"), "there is no file `BUCKET/none.parquet`");
    assert_eq!(of("none/"), "there is no file `BUCKET/none/`");
    assert_eq!(of("d/*.pq"), "no file matches `BUCKET/d/*.pq`");
    assert_eq!(of("d/*.csv"), "what matches `BUCKET/d/*.csv` has no parquet files");
    assert_eq!(of("d/notes.csv"), "BUCKET/d/notes.csv is not a readable parquet file: it does not begin as one");
    assert_eq!(of("d/"), "BUCKET/d/empty.parquet is not a readable parquet file: it is empty");
    assert_eq!(of("d/notes.csv"), "BUCKET/d/notes.csv is not a readable parquet file: it does not begin as one");
    assert_eq!(of("a//b"), "`BUCKET/a//b` is no key that can be asked for");
    assert_eq!(said("s3:///x", ""), "`s3:///x` names no bucket");
    let there = format!("there is no bucket `gone` at {}", server.endpoint());
    assert_eq!(said("s3://gone/x/", ""), format!("cannot list s3://gone/x: {there}"));
    assert_eq!(said("s3://gone/x.parquet", ""), format!("cannot list s3://gone/x.parquet: {there}"));
    let encrypted = server.endpoint().replace("http://", "https://");
    assert_eq!(
        said(&format!("{bucket}/d/"), &format!("    s3_endpoint_override: {encrypted}\n")),
        format!("cannot list BUCKET/d: the store at {encrypted} is asked with encryption and answers without")
    );

    define(&project, &format!("{bucket}/d/one.parquet"), "");
    let mut environment = server.environment();
    environment.push(("AWS_SECRET_ACCESS_KEY", "wrong-secret".to_owned()));
    let said = run(project.command(&["plan"]).envs(environment)).failed().stderr;
    assert!(said.contains("(SignatureDoesNotMatch)") && said.contains("correct AWS_SECRET_ACCESS_KEY"), "{said}");
    assert!(!said.contains("wrong-secret"));
}
