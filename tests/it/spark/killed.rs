//! A server that is killed in the middle: the command says so soon, with exit code 1, and leaves no file behind.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{
    servers::spark::{SparkServer, TOKEN},
    support::{Project, settings},
};

/// How long the command may take to say that the server is away, on a machine that is busy.
const SOON: Duration = Duration::from_secs(90);

/// Where temporary files of the command are.
const TEMPORARY: &str = "temporary";

/// Rows about drivers in one file, with words of a source of so many rows.
fn repo(server: &SparkServer, asked: u32, (source, word): (&str, &str)) -> Project {
    let store = format!("offline_store:\n  type: spark\n  spark_conf: {{spark.remote: '{}'}}\n", server.address());
    let settings = settings("killed").replace("offline_store:\n  type: duckdb\n", &store);
    let mut project = Project::new(&[("feature_store.yaml", &format!("{settings}feastr: {{engine: {{wait: 1s}}}}\n"))]);
    project.environment.push(("SPARK_CONNECT_AUTHENTICATE_TOKEN", TOKEN.to_owned()));
    let temporary = project.path(TEMPORARY);
    std::fs::create_dir(&temporary).unwrap();
    project.environment.push(("TMPDIR", temporary.display().to_string()));
    let query = format!(
        "SELECT id % 1000 AS driver, timestamp_micros(1709251200000000 + id) AS at, {word} AS word FROM {source}"
    );
    let definitions = format!(
        "entities: [{{name: driver, join_keys: [driver], value_type: INT64}}]
data_sources: [{{name: rows, type: spark, timestamp_field: at, query: '{query}'}}]
feature_views: [{{name: rows, entities: [driver], schema: [{{name: word, dtype: String}}], source: rows}}]
"
    );
    project.write("features.yaml", definitions);
    let mut rows = "driver,event_timestamp\n".to_owned();
    (0..asked).for_each(|row| writeln!(rows, "{},2024-04-01T00:00:00Z", row % 1000).unwrap());
    project.write("rows.csv", rows);
    project.feastr(&["apply", "--yes"]).ok();
    project
}

/// All files of the repo and below, with whether something is in them.
fn files(project: &Project) -> BTreeSet<(PathBuf, bool)> {
    let mut folders = vec![project.folder.path().to_owned()];
    let mut files = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        // What the command or the server removes meanwhile is not there.
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(there) if there.is_dir() => folders.push(entry.path()),
                Ok(there) => drop(files.insert((entry.path(), there.len() > 0))),
                Err(_) => {}
            }
        }
    }
    files
}

/// What of a repo's files is new and has something in it, and in whose path a part is.
fn is_new(project: &Project, before: &BTreeSet<(PathBuf, bool)>, part: &str) -> bool {
    files(project).difference(before).any(|(path, is_written)| *is_written && path.display().to_string().contains(part))
}

/// Runs a join into a place and kills the server as soon as `is_time`, which is told what there was before and how long it
/// runs.
fn killed(
    server: &SparkServer,
    (project, output): (&Project, &str),
    is_time: impl Fn(&BTreeSet<(PathBuf, bool)>, Duration) -> bool,
) {
    let before = files(project);
    let args = ["get-historical", "--entities", "rows.csv", "--features", "rows:word", "-o", output];
    let mut command = project.command(&args);
    let mut running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    while !is_time(&before, began.elapsed()) {
        if running.try_wait().unwrap().is_some() {
            let output = running.wait_with_output().unwrap();
            panic!("it ended by itself: {}", String::from_utf8_lossy(&output.stderr));
        }
        sleep(Duration::from_millis(2));
    }
    server.kill();
    let killed = Instant::now();
    let output = running.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("the Spark Connect server at {}", server.address())), "{said}");
    assert!(killed.elapsed() < SOON, "{:?}: {said}", killed.elapsed());
    assert_eq!(files(project), before, "{said}");
}

/// Many rows with much in them, of a small source.
fn wide(server: &SparkServer) -> Project {
    repo(server, 400_000, ("range(1000)", "repeat(CAST(id AS STRING), 150)"))
}

/// Before rows come, while the server counts or joins.
fn in_a_query(server: &SparkServer) {
    let project = repo(server, 10, ("range(0, 20000000000, 1, 8)", "CAST(id AS STRING)"));
    killed(server, (&project, "joined.csv"), |_, running| running > Duration::from_secs(4));
}

/// While rows come, some of which are in temporary files.
fn in_a_stream(server: &SparkServer) {
    let project = wide(server);
    killed(server, (&project, "joined.csv"), |before, _| is_new(&project, before, TEMPORARY));
}

/// While the server writes the result itself.
fn in_a_write(server: &SparkServer) {
    let project = wide(server);
    killed(server, (&project, "joined/"), |before, _| is_new(&project, before, "joined"));
}

#[test]
fn sail_is_killed_in_a_query() {
    in_a_query(&SparkServer::own_sail());
}

#[test]
fn sail_is_killed_in_a_stream() {
    in_a_stream(&SparkServer::own_sail());
}

#[test]
fn sail_is_killed_in_a_write() {
    in_a_write(&SparkServer::own_sail());
}

#[test]
fn spark_is_killed_in_a_write() {
    in_a_write(&SparkServer::own_spark());
}

#[test]
fn spark_is_killed_in_a_query() {
    in_a_query(&SparkServer::own_spark());
}

#[test]
fn spark_is_killed_in_a_stream() {
    in_a_stream(&SparkServer::own_spark());
}

/// The command ends at once, and the server does not go on without it.
#[test]
fn what_is_interrupted_is_called_off_at_the_server() {
    let server = SparkServer::own_sail();
    let project = repo(&server, 10, ("range(0, 20000000000, 1, 8)", "CAST(id AS STRING)"));
    let before = files(&project);
    for args in [
        &["get-historical", "--entities", "rows.csv", "--features", "rows:word", "-o", "joined.csv"][..],
        &["materialize", "2024-03-01", "2024-03-02"],
    ] {
        let mut command = project.command(args);
        let running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        sleep(Duration::from_secs(3));
        let interrupted = Instant::now();
        assert!(Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap().success());
        let output = running.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && said.contains("the query was called off"), "{args:?}: {said}");
        assert!(interrupted.elapsed() < SOON, "{args:?}: {:?}", interrupted.elapsed());
    }
    // A materialization makes the file of its view's lock, which stays.
    let mut after = files(&project);
    after.retain(|(path, _)| !path.display().to_string().contains("registry.db.locks"));
    assert_eq!(after, before);
    // It has nothing else to do.
    let small = ["get-historical", "--entities", "rows.csv", "--features", "rows:word", "--dry-run"];
    project.feastr(&small).ok();
}
