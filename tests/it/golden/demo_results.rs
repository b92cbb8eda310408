//! The results that Feast's demo project publishes for its sample data: known numbers of a known project, whichever
//! recordings the other tests are put to.

use serde_json::Value;

use crate::support::{Project, settings};

/// Names the demo's `driver_stats.parquet`, which is not part of this repository.
const DATA: &str = "FEASTR_DEMO_DATA";

#[test]
fn published_results_come_out() {
    let Some(data) = demo_data() else {
        eprintln!("the demo's data is not here: set {DATA} to its driver_stats.parquet");
        return;
    };
    let project = Project::new(&[
        ("feature_store.yaml", &settings("feastlocal")),
        ("definitions.yaml", include_str!("../../repos/demo/definitions.yaml")),
        (
            "rows.csv",
            "driver_id,event_timestamp\n1001,2021-04-12 10:59:42\n1002,2021-04-12 08:12:10\n1003,2021-04-12 16:40:26\n",
        ),
    ]);
    project.copy(&data, "data/driver_stats.parquet");
    project.feastr(&["apply"]).ok();
    let features = ["conv_rate", "acc_rate", "avg_daily_trips"].map(|name| format!("driver_hourly_stats:{name}"));
    let mut args = vec!["get-historical", "--entities", "rows.csv", "--format", "jsonl", "--features"];
    args.extend(features.iter().map(String::as_str));
    let output = project.feastr(&args).ok();
    let rows: Vec<Value> = output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let shown: Vec<String> = rows
        .iter()
        .map(|row| {
            let rate = |name: &str| format!("{:.6}", row[name].as_f64().unwrap());
            format!("{} {} {} {}", row["driver_id"], rate("conv_rate"), rate("acc_rate"), row["avg_daily_trips"])
        })
        .collect();
    assert_eq!(shown, ["1001 0.658415 0.098658 772", "1002 0.700783 0.714265 665", "1003 0.588724 0.353072 412"]);

    project.feastr(&["materialize", "1970-01-01T00:00:00", "2024-12-31T00:00:00"]).ok();
    let mut args =
        vec!["get-online", "--json", "--entity", "driver_id=1004", "--entity", "driver_id=1005", "--features"];
    args.extend(features.iter().map(String::as_str));
    let answer = project.feastr(&args).ok().json();
    let values = |index: usize| answer["results"][index]["values"].to_string();
    assert_eq!(values(1), "[0.7408708333969116,0.16526198387145996]");
    assert_eq!(values(2), "[0.19152821600437164,0.8072004914283752]");
    assert_eq!(values(3), "[864,111]");
}

/// The file named by the variable, else one beside this repository.
fn demo_data() -> Option<std::path::PathBuf> {
    let beside =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/feastlocal/driver_stats.parquet");
    std::env::var_os(DATA).map(Into::into).or(Some(beside)).filter(|path| path.exists())
}
