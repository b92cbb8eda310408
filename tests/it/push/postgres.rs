//! Pushes into PostgreSQL: the online store, and tables that are sources.

use serde_json::{Value as Json, json};

use super::{DEFINITIONS, ROWS, applied_with, csv, historical, online, push};
use crate::{
    servers::{Kind, PASSWORD, PASSWORD_IN_URL, Server, USER, shared},
    support::{Output, Project, run, settings},
};

#[test]
fn the_newest_rows_are_stored() {
    let server = shared(Kind::Postgres);
    let database = server.create_database();
    let store = format!(
        "online_store: {{type: postgres, host: 127.0.0.1, port: {}, database: {database}, user: {USER}, password: {PASSWORD}}}\n",
        server.port
    );
    let project = applied_with(DEFINITIONS);
    let sqlite = "online_store:\n  type: sqlite\n  path: data/online_store.db\n";
    project.write("feature_store.yaml", settings("demo").replace(sqlite, &store));
    project.feastr(&["apply"]).ok();
    let told = push(&project, ROWS, &[]).ok().stdout;
    assert!(told.contains("fresh  3     2        1"), "{told}");
    let told = push(&project, &[(1001, "2026-11-20T09:00:00Z", 9), (1003, "2026-11-20T09:00:00Z", 9)], &[]).ok().stdout;
    assert!(told.contains("trips  2     1        1"), "{told}");
    assert_eq!(json!(online(&project, 1001)), json!({ "fresh": 11, "trips": 11 }));
    let many: Vec<(i64, &str, i64)> = (0..5_000).map(|driver| (driver, "2026-11-20T11:00:00Z", driver)).collect();
    push(&project, &many, &[]).ok();
    assert_eq!(online(&project, 4_999)["trips"], json!(4_999));
}

const ID: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

/// The history of drivers in a table, on the server of the offline store or on the one that a variable names.
struct Tables {
    project: Project,
    server: &'static Server,
    database: String,
}

const TABLE: &str = "CREATE SCHEMA shop; CREATE TABLE shop.\"Stats\" (driver_id bigint NOT NULL, event_timestamp timestamptz, created \
                     timestamp, conv_rate real, acc_rate real, avg_daily_trips integer, note text, at_day date, money \
                     numeric(9, 2), amount numeric, id uuid, about json, more jsonb); INSERT INTO shop.\"Stats\" VALUES (1001, \
                     '2026-11-01', '2026-11-01', 0.5, 0.5, 1, 'old', '2026-11-01', 1.5)";

impl Tables {
    fn new(source: &str, of_settings: bool) -> Self {
        let server = shared(Kind::Postgres);
        let database = server.create_database();
        server.execute(&database, TABLE);
        let reference = if of_settings { "" } else { ", connection_ref: {provider: env, name: SOURCES_URL}" };
        let source = format!(
            "{{name: stats, type: postgres, {source}{reference}, timestamp_field: event_timestamp, created_timestamp_column: \
             created}}"
        );
        let (before, after) = DEFINITIONS.split_once("  - {name: stats,").unwrap();
        let (_, after) = after.split_once("created_timestamp_column: created}\n").unwrap();
        let definitions = format!("{before}  - {source}\n{after}");
        let project = Project::new(&[("feature_store.yaml", &settings("demo")), ("definitions.yaml", &definitions)]);
        let tables = Self { project, server, database };
        if of_settings {
            let offline = format!(
                "offline_store: {{type: postgres, host: 127.0.0.1, port: {}, database: {}, db_schema: shop, user: {USER}, password: \
                 {PASSWORD}}}\n",
                tables.server.port, tables.database
            );
            tables.project.edit("feature_store.yaml", "offline_store:\n  type: duckdb\n", &offline);
        }
        tables.feastr(&["apply"]).ok();
        tables
    }

    fn feastr(&self, args: &[&str]) -> Output {
        let url = format!("postgresql://{USER}:{PASSWORD_IN_URL}@127.0.0.1:{}/{}", self.server.port, self.database);
        run(self.project.command(args).env("SOURCES_URL", url))
    }

    /// Pushes to both stores.
    fn push(&self) -> Output {
        let more = |line: &str| match line.starts_with("driver_id") {
            true => "note,at_day,money,amount,id,about,more".to_owned(),
            false => format!("new,2026-11-20,2.25,-0.000001,{ID},\"{{\"\"a\"\": 1}}\",\"[1, null]\""),
        };
        let rows: String = csv(ROWS).lines().map(|line| format!("{line},{}\n", more(line))).collect();
        self.project.write("rows.csv", rows);
        self.feastr(&["push", "stats_push", "-i", "rows.csv", "--to", "online_and_offline"])
    }

    fn online(&self) -> Json {
        let args = ["get-online", "--features", "fresh:conv_rate", "--entity", "driver_id=1001", "--json"];
        self.feastr(&args).ok().json()["results"][1]["values"][0].clone()
    }

    fn count(&self) -> i64 {
        self.server.postgres(&self.database).query_one("SELECT count(*) FROM shop.\"Stats\"", &[]).unwrap().get(0)
    }
}

#[test]
fn rows_are_added_to_the_table_of_a_source() {
    for (source, of_settings) in [("table: shop.\"Stats\"", false), ("table: '\"Stats\"'", true)] {
        let tables = Tables::new(source, of_settings);
        let pushed = tables.push().ok();
        let table = source.split_once(": ").unwrap().1.trim_matches('\'');
        assert_eq!(pushed.stderr, format!("Added 3 rows to data source stats: table {table}\n"));
        assert_eq!(tables.count(), 4);
        let row = "SELECT event_timestamp = '2026-11-20T10:00:00Z' AND created = '2026-11-20T12:00:00' AND conv_rate = 0.25 AND \
                   note = 'new' AND at_day = '2026-11-20' AND money = 2.25 AND amount = -0.000001 AND id::text = $1 AND \
                   about ->> 'a' = '1' AND more = '[1, null]' FROM shop.\"Stats\" WHERE avg_daily_trips = 12";
        assert!(tables.server.postgres(&tables.database).query_one(row, &[&ID]).unwrap().get::<_, bool>(0));
        let entity = ["--entity", "driver_id=1001", "--at", "2026-11-20T13:00:00Z", "--format", "jsonl"];
        let args = [&["get-historical", "--features", "fresh:avg_daily_trips"], &entity[..]].concat();
        assert_eq!(tables.feastr(&args).ok().json()["avg_daily_trips"], json!(11));
    }
}

#[test]
fn a_table_takes_all_rows_or_none() {
    let tables = Tables::new("table: shop.\"Stats\"", false);
    tables.server.execute(&tables.database, "ALTER TABLE shop.\"Stats\" ADD CHECK (avg_daily_trips <> 12)");
    let failed = tables.push().failed().stderr;
    assert!(failed.contains("avg_daily_trips"), "{failed}");
    assert_eq!((tables.count(), tables.online()), (1, json!(null)));
}

#[test]
fn what_is_no_table_takes_no_rows() {
    let tables = Tables::new("query: SELECT * FROM shop.\"Stats\"", false);
    let refused = tables.push().failed().stderr;
    assert!(refused.contains("data source `stats` is a query, to which no rows can be added"), "{refused}");
    let tables = Tables::new("table: shop.\"Stats\"", false);
    tables.server.execute(&tables.database, "ALTER TABLE shop.\"Stats\" ALTER note TYPE interval USING NULL");
    let refused = tables.push().failed().stderr;
    assert!(
        refused.contains("column `note` of the table shop.\"Stats\" of data source `stats` is of type interval"),
        "{refused}"
    );
    assert_eq!(tables.online(), json!(null));
}

/// The view over the table is asked like any other.
#[test]
fn training_data_of_files_and_tables_are_alike() {
    let files = applied_with(DEFINITIONS);
    push(&files, ROWS, &["--to", "offline"]).ok();
    let tables = Tables::new("table: shop.\"Stats\"", false);
    tables.push().ok();
    for (time, trips) in [("2026-11-20T09:30:00Z", 10), ("2026-11-20T10:30:00Z", 11)] {
        assert_eq!(historical(&files, "fresh", 1001, time), json!(trips));
        let args =
            ["get-historical", "--features", "fresh:avg_daily_trips", "--entity", "driver_id=1001", "--at", time];
        assert_eq!(
            tables.feastr(&[&args[..], &["--format", "jsonl"]].concat()).ok().json()["avg_daily_trips"],
            json!(trips)
        );
    }
}
