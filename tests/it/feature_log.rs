//! Logs of what was served: what is in them, and that Python Feast reads them as its own.

use std::path::Path;

use insta::assert_snapshot;
use serde_json::{Value as Json, json};

use crate::{interop::feast, support::Project};

pub const SERVICE: &str = "driver_activity_v1";
pub const SERVED: [&str; 9] = [
    "get-online",
    "--feature-service",
    SERVICE,
    "--entity",
    "driver_id=1001",
    "--entity",
    "driver_id=1099",
    "--request",
    "val_to_add=1,val_to_add_2=10",
];

/// The example, whose first service says this of its log, with values of now.
pub fn logging(config: &str) -> Project {
    let project = Project::example();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/feature_repo");
    for file in ["drivers.yaml", "on_demand.yaml", "services.yaml"] {
        project.copy(&example.join(file), file);
    }
    project.edit(
        "services.yaml",
        "      - transformed_conv_rate\n",
        &format!("      - transformed_conv_rate\n    logging_config: {config}\n"),
    );
    // Whatever the date is.
    let views = project.read("drivers.yaml").replace("ttl: 1d", "ttl: 0");
    project.write("drivers.yaml", views);
    project.feastr(&["apply", "-q"]).ok();
    project.feastr(&["materialize", "2026-10-20", "2026-11-01", "-q", "--views", "driver_hourly_stats"]).ok();
    project
}

pub fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect();
    files.sort();
    files
}

#[test]
fn python_feast_reads_what_was_served() {
    let project = logging("{destination: {type: file, path: data/log}}");
    let served = |more: &[&str]| project.feastr(&[SERVED.as_slice(), &["--log"], more].concat()).ok();
    assert_snapshot!(served(&[]).stderr, @"Logged 2 rows in data/log");
    let answer = served(&["--json", "--full-feature-names"]).json();
    assert_eq!(answer["results"][1]["statuses"], json!(["PRESENT", "NOT_FOUND"]));
    let files = files(&project.path("data/log"));
    assert_eq!(files.len(), 2, "a file for each request");
    let [logged, columns] =
        feast(&project, &[json!({ "logged": { "service": SERVICE } }), json!({ "columns_of": { "path": files[0] } })])
            .try_into()
            .unwrap();
    assert_eq!(columns, logged["columns"], "the columns of a file that Feast writes");
    let names: Vec<&str> = logged["rows"]["names"].as_array().unwrap().iter().filter_map(Json::as_str).collect();
    let column = |name: &str| {
        let position = names.iter().position(|known| *known == name).unwrap();
        let rows = logged["rows"]["rows"].as_array().unwrap();
        let mut values: Vec<String> = rows.iter().map(|row| row[position].to_string()).collect();
        values.sort();
        values
    };
    assert_eq!(column("driver_id"), ["1001", "1001", "1099", "1099"]);
    assert_eq!(column("val_to_add_2"), ["10"; 4]);
    assert_eq!(column("driver_hourly_stats__conv_rate__status"), ["1", "1", "3", "3"]);
    assert_eq!(column("transformed_conv_rate__conv_rate_plus_val1__status"), ["1", "1", "2", "2"]);
    let value = answer["results"][2]["values"][0].to_string();
    assert_eq!(column("transformed_conv_rate__conv_rate_plus_val1"), [value.as_str(), &value, "null", "null"]);
    let event = &column("driver_hourly_stats__conv_rate__timestamp");
    assert_eq!([&event[0], &event[2]], ["\"1970-01-01T00:00:00Z\"", "\"2026-11-01T00:00:00Z\""]);
    let mut requests = column("__request_id");
    requests.dedup();
    assert_eq!(requests.len(), 2, "rows of one request share its id");
}

#[test]
fn a_log_is_parted_and_sampled_as_its_service_says() {
    let project = logging("{sample_rate: 1, destination: {type: file, path: data/log, partition_by: [__log_date]}}");
    let log = [SERVED.as_slice(), &["--log"]].concat();
    project.feastr(&log).ok();
    let files = files(&project.path("data/log"));
    let folder = files[0].parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
    assert!(files.len() == 1 && folder.starts_with("__log_date=2"), "{files:?}");
    let [logged] = feast(&project, &[json!({ "logged": { "service": SERVICE } })]).try_into().unwrap();
    assert_eq!(logged["rows"]["rows"].as_array().unwrap().len(), 2);
    // It is read as any folder of files is.
    let all = project.feastr(&[
        "get-historical",
        "--entity-sql",
        "SELECT driver_id, __log_timestamp AS event_timestamp FROM \
                                'data/log/**/*.parquet' ORDER BY ALL",
        "--features",
        "driver_hourly_stats:acc_rate",
    ]);
    assert_eq!(all.ok().stdout.lines().count(), 3);
    project.edit("services.yaml", "sample_rate: 1,", "sample_rate: 0,");
    project.feastr(&["apply", "-q"]).ok();
    assert_snapshot!(project.feastr(&log).ok().stderr, @"Not logged: the log is a sample, and this request is not in it");
    project.edit("services.yaml", "path: data/log", "path: 'hdfs://host/log'");
    project.feastr(&["apply", "-q"]).ok();
    assert_snapshot!(project.feastr(&log).failed().stderr, @r#"
    error: the log of feature service `driver_activity_v1` goes to hdfs://host/log, which is not supported yet
    help: name a folder of this machine or of a bucket
    "#);
    let other = SERVED.map(|argument| if argument == SERVICE { "driver_activity_v2" } else { argument });
    assert_snapshot!(project.feastr(&[other.as_slice(), &["--log"]].concat()).failed().stderr, @r#"
    error: feature service `driver_activity_v2` has no `logging_config`
    help: say in its definition where the log goes, and apply it
    "#);
    assert!(
        project
            .feastr(&[
                "get-online",
                "--features",
                "driver_hourly_stats:acc_rate",
                "--entity",
                "driver_id=1001",
                "--log"
            ])
            .failed()
            .stderr
            .contains("--feature-service")
    );
}
