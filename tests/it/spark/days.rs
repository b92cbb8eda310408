//! Tables that lie in folders of days: of the days that are asked about rows are the same, and others are not read.

use std::sync::Arc;

use arrow::array::{Int64Array, TimestampMicrosecondArray};

use super::same::write;
use crate::{
    servers::spark::{TOKEN, sail, spark},
    support::{Project, settings},
};

const DAY: i64 = 86_400_000_000;

/// 2024-03-01, in microseconds.
const BEGIN: i64 = 1_709_251_200_000_000;

/// Rows of one driver in a file, by their hours since 2024-03-01.
fn rows(project: &Project, path: &str, hours: &[i64]) {
    let times = hours.iter().map(|hour| BEGIN + hour * DAY / 24);
    write(
        project,
        path,
        vec![
            ("driver", Arc::new(Int64Array::from_iter_values(hours.iter().map(|_| 1)))),
            ("at", Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))),
            ("hour", Arc::new(Int64Array::from_iter_values(hours.iter().copied()))),
        ],
    );
}

/// A repo with five days of rows, of which one is of another day than its folder says.
fn repo(address: &str, source: &str) -> Project {
    let store = format!("offline_store:\n  type: spark\n  spark_conf: {{spark.remote: '{address}'}}\n");
    let settings = settings("days").replace("offline_store:\n  type: duckdb\n", &store);
    let mut project = Project::new(&[("feature_store.yaml", &settings)]);
    project.environment.push(("SPARK_CONNECT_AUTHENTICATE_TOKEN", TOKEN.to_owned()));
    for day in 0..5 {
        rows(&project, &format!("days/day=2024-03-0{}/a.parquet", day + 1), &[day * 24 + 1, day * 24 + 23]);
    }
    rows(&project, "days/day=2024-01-01/a.parquet", &[50]);
    let folder = project.path("days").display().to_string();
    let definitions = format!(
        "entities: [{{name: driver, join_keys: [driver], value_type: INT64}}]
data_sources: [{{name: rows, type: spark, timestamp_field: at, {}}}]
feature_views: [{{name: rows, entities: [driver], ttl: 1d, schema: [{{name: hour, dtype: Int64}}], source: rows}}]
",
        source.replace("FOLDER", &folder)
    );
    project.write("features.yaml", definitions);
    project.feastr(&["apply", "--yes"]).ok();
    project.write("rows.csv", "driver,event_timestamp\n1,2024-03-03T00:30:00Z\n1,2024-03-03T12:00:00Z\n");
    project
}

/// What is found of the third day: for entity rows, in a range, and online.
fn found(project: &Project) -> [String; 3] {
    let historical = ["get-historical", "--features", "rows:hour", "--format", "jsonl"];
    let range = ["--start", "2024-03-03", "--end", "2024-03-03T12:00:00Z"];
    let joined = project.feastr(&[&historical[..], &["--entities", "rows.csv"]].concat()).ok().stdout;
    let in_range = project.feastr(&[&historical[..], &range].concat()).ok().stdout;
    project.feastr(&["materialize", "2024-03-02T12:00:00Z", "2024-03-03T12:00:00Z"]).ok();
    let online = ["get-online", "--features", "rows:hour", "--entity", "driver=1", "--json"];
    [joined, in_range, project.feastr(&online).ok().stdout]
}

#[test]
fn days_are_a_condition_of_their_own() {
    let path = "path: 'FOLDER', file_format: parquet, date_partition_column: day";
    let text = "query: 'SELECT driver, at, hour, date_format(day, \"yyyyMMdd\") AS day FROM parquet.`FOLDER`', \
                date_partition_column: day, date_partition_column_format: '%Y%m%d'";
    let number = "query: 'SELECT driver, at, hour, CAST(date_format(day, \"yyyyMMdd\") AS INT) AS day FROM parquet.`FOLDER`', \
                  date_partition_column: day, date_partition_column_format: '%Y%m%d'";
    for (server, address) in [("sail", sail().address()), ("spark", spark().address())] {
        let without = found(&repo(&address, "path: 'FOLDER', file_format: parquet"));
        // The row of the third day in a folder of another one is the newest of them.
        assert!(without.iter().all(|rows| rows.contains("50")), "{server}: {without:?}");
        let mut all = Vec::new();
        for source in [path, text, number] {
            let project = repo(&address, source);
            let explained = ["get-historical", "--entities", "rows.csv", "--features", "rows:hour", "--explain"];
            let told = project.feastr(&explained).ok().stdout;
            let bounds = [("2024-03-02", "2024-03-03"), ("20240302", "20240303")];
            let has = |(first, last): &(&str, &str)| {
                [("`day` >= ", first), ("`day` <= ", last)].iter().all(|(condition, day)| {
                    told.split(condition).nth(1).is_some_and(|rest| rest.split(" AND ").next().unwrap().contains(*day))
                })
            };
            assert!(bounds.iter().any(has), "{server}, {source}: {told}");
            let found = found(&project);
            assert!(!found.iter().any(|rows| rows.contains("50")), "{server}, {source}: {found:?}");
            assert!(found[0].contains("47") && found[0].contains("49") && found[2].contains("49"), "{found:?}");
            all.push(found);
        }
        assert!(all.iter().all(|found| *found == all[0]), "{server}: {all:?}");
    }
}

#[test]
fn a_column_of_days_that_is_missing_is_told() {
    let address = sail().address();
    let project = repo(&address, "path: 'FOLDER', file_format: parquet");
    let definitions = project
        .read("features.yaml")
        .replace("file_format: parquet", "file_format: parquet, date_partition_column: dya");
    project.write("features.yaml", definitions);
    let told = project.feastr(&["plan"]).failed();
    assert!(told.stderr.contains("data source `rows` has no column `dya`"), "{}", told.stderr);
}
