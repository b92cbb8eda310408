//! Entity rows by SQL: what is answered, and what is refused.

use insta::assert_snapshot;

use crate::support::Project;

fn asked(project: &Project, sql: &str) -> crate::support::Output {
    let features = "driver_hourly_stats:conv_rate";
    project.feastr(&["get-historical", "--features", features, "--format", "csv", "--entity-sql", sql])
}

#[test]
fn rows_are_those_that_the_question_gives() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    project.write("who.csv", "id;since\n1001;2026-10-30T00:00:00Z\n1002;2026-10-30T01:00:00Z\n");
    let sql = "SELECT id AS driver_id, since::TIMESTAMP + INTERVAL 1 HOUR AS event_timestamp FROM read_csv('who.csv', delim = ';')";
    let rows = asked(&project, sql).ok().stdout;
    let keys: Vec<&str> = rows.lines().map(|line| line.rsplit_once(',').unwrap().0).collect();
    assert_eq!(keys, ["driver_id,event_timestamp", "1001,2026-10-30T01:00:00Z", "1002,2026-10-30T02:00:00Z"]);
    let counted = "SELECT count(*) AS driver_id, now() AS event_timestamp FROM 'data/driver_stats.parquet'";
    assert_eq!(asked(&project, counted).ok().stdout.lines().count(), 2);
}

#[test]
fn it_changes_nothing_and_reads_nothing_else() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    let refused = |sql: &str| asked(&project, sql).failed().stderr;
    for sql in ["DROP TABLE x", "COPY (SELECT 1) TO 'x.csv'", "ATTACH 'x.db'", "SET threads = 1", "INSTALL httpfs"] {
        assert!(refused(sql).contains("it is no question, and only those are asked"), "{sql}: {}", refused(sql));
    }
    assert!(!project.path("x.csv").exists() && !project.path("x.db").exists());
    for place in ["/etc/passwd", "../outside.csv", "https://example.com/x.csv"] {
        let said = refused(&format!("SELECT * FROM read_csv('{place}')"));
        assert!(said.contains(&format!("it reads {place}, which is none of the repo's files")), "{place}: {said}");
    }
    refused("SELECT * FROM 's3://bucket/x.parquet'");
    assert_snapshot!(refused("SELECT 1; SELECT 2"), @r"
    error: cannot carry out the query of entities: it is more than one
    help: write one SELECT over files of the repo, such as: SELECT driver_id, event_timestamp FROM 'rows.parquet'
    ");
    assert!(refused(" ").contains("it is empty"));
    assert!(refused("SELEC 1").contains("syntax error"));
    assert!(refused("SELECT nope FROM 'data/driver_stats.parquet'").contains("nope"));
    let zoned = refused("SELECT now() + INTERVAL 1 HOUR AS event_timestamp");
    assert!(zoned.contains("help: cast times with a zone before you count with them"), "{zoned}");
    assert!(refused("SELECT 1 AS x").contains("has no column with times"));
}
