//! Datasets that the server makes for clients: of rows in the request or in a file, in one folder, told of while they are made.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use feastr::feast::registry_server as asked;
use prost::Message as _;
use tonic::{Code, Status};

use super::client::Client;
use crate::{
    auth::guard,
    servers::{
        grpc::GrpcServer,
        identity_provider::{IdentityProvider, SigningKey},
    },
    support::Project,
};

const OWN: &str = "feastr: {registry_server: {datasets: data/sets}}\n";

/// The example, whose server makes datasets.
fn project() -> Project {
    let project = Project::example();
    project.feastr(&["apply", "-q"]).ok();
    project.write("feature_store.yaml", project.read("feature_store.yaml") + OWN);
    project
}

/// A dataset about three drivers at the end of October.
fn wanted(name: &str, path: &str) -> asked::CreateDataset {
    asked::CreateDataset {
        name: name.into(),
        project: "feastlocal".into(),
        features: vec!["driver_hourly_stats:conv_rate".into(), "driver_hourly_stats:avg_daily_trips".into()],
        entity_source_type: "inline".into(),
        entity_keys: vec!["driver_id".into()],
        entity_values: "1001, 1002\n1003".into(),
        start_date: "2026-10-30T00:00:00".into(),
        end_date: "2026-10-31T00:00:00Z".into(),
        storage_type: "file".into(),
        storage_path: path.into(),
        ..asked::CreateDataset::default()
    }
}

fn begin(client: &Client, wanted: &asked::CreateDataset) -> Result<String, Status> {
    let answer = client.ask("CreateDatasetFromRetrieval", wanted)?;
    Ok(asked::DatasetBegun::decode(answer).unwrap().job_id)
}

fn status(client: &Client, id: &str) -> Result<asked::DatasetJob, Status> {
    let answer = client.ask("GetDatasetJobStatus", &asked::GetDatasetJobStatus { job_id: id.to_owned() })?;
    Ok(asked::DatasetJob::decode(answer).unwrap())
}

/// What became of a job.
fn ended(client: &Client, id: &str) -> asked::DatasetJob {
    let began = Instant::now();
    loop {
        let job = status(client, id).unwrap();
        if !job.completed_at.is_empty() {
            return job;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{job:?}");
        sleep(Duration::from_millis(20));
    }
}

fn made(client: &Client, wanted: &asked::CreateDataset) -> asked::DatasetJob {
    let job = ended(client, &begin(client, wanted).unwrap());
    assert_eq!((job.status.as_str(), job.error.as_str()), ("completed", ""), "{job:?}");
    job
}

fn data(client: &Client, name: &str, limit: i32) -> Result<asked::DatasetData, Status> {
    let request = asked::GetDatasetData { name: name.to_owned(), project: "feastlocal".to_owned(), limit };
    Ok(asked::DatasetData::decode(client.ask("GetDatasetData", &request)?).unwrap())
}

fn jobs(client: &Client) -> Vec<asked::DatasetJob> {
    let request = asked::ListDatasetJobs { project: "feastlocal".to_owned(), status_filter: String::new() };
    asked::DatasetJobs::decode(client.ask("ListDatasetJobs", &request).unwrap()).unwrap().jobs
}

#[test]
fn a_dataset_is_made_of_rows_that_a_client_writes_and_read_again() {
    let project = project();
    let server = GrpcServer::registry(&project, &[]);
    let client = Client::of(&server);
    let job = made(&client, &wanted("training", "training.parquet"));
    assert_eq!((job.dataset_name.as_str(), job.project.as_str()), ("training", "feastlocal"));
    let sample = data(&client, "training", 2).unwrap();
    assert_eq!(sample.columns, ["driver_id", "event_timestamp", "conv_rate", "avg_daily_trips"]);
    assert_eq!((sample.rows.len(), sample.total_rows), (2, 2), "{sample:?}");
    let all = data(&client, "training", 0).unwrap();
    let column = |place: usize| all.rows.iter().map(|row| row.values[place].as_str()).collect::<Vec<_>>();
    assert_eq!(column(0), ["1001", "1002", "1003"]);
    assert_eq!(column(1)[1], "\"2026-10-30T12:00:00Z\"");
    assert!(column(2).iter().all(|rate| rate.parse::<f64>().is_ok()), "{all:?}");

    // It is what commands make of the same rows.
    let rows =
        "driver_id,event_timestamp\n1001,2026-10-30T00:00:00Z\n1002,2026-10-30T12:00:00Z\n1003,2026-10-31T00:00:00Z\n";
    project.write("data/sets/feastlocal/rows.csv", rows);
    let features = "driver_hourly_stats:conv_rate,driver_hourly_stats:avg_daily_trips";
    let joined = [
        "get-historical-features",
        "--entities",
        "data/sets/feastlocal/rows.csv",
        "--features",
        features,
        "--output",
        "j.csv",
    ];
    project.feastr(&joined).ok();
    project.feastr(&["saved-datasets", "export", "training", "--output", "e.csv"]).ok();
    assert_eq!(project.read("e.csv"), project.read("j.csv"));
    assert!(project.path("data/sets/feastlocal/training.parquet").exists());
    let log = project.feastr(&["registry", "log", "--json"]).ok().stdout;
    assert!(log.contains("CreateDatasetFromRetrieval") && log.contains("127.0.0.1"), "{log}");

    // Rows of a file are those of the folder; a service is named instead of features.
    let of_file = asked::CreateDataset {
        entity_source_type: "reference".into(),
        entity_source_path: "data/sets/feastlocal/rows.csv".into(),
        feature_service_name: "driver_activity_v1".into(),
        ..wanted("again", "folder/again")
    };
    made(&client, &of_file);
    assert_eq!(data(&client, "again", 10).unwrap().rows.len(), 3);
    let names: Vec<String> = jobs(&client).into_iter().map(|job| job.dataset_name).collect();
    assert_eq!(names, ["again", "training"], "the newest first");
}

#[test]
fn what_cannot_be_made_is_told_at_once_or_by_its_job() {
    let project = project();
    let server = GrpcServer::registry(&project, &[]);
    let client = Client::of(&server);
    let refused = |wanted: &asked::CreateDataset| begin(&client, wanted).unwrap_err();
    let path = |path: &str| wanted("d", path);
    for (wanted, code, words) in [
        (path("../d.parquet"), Code::InvalidArgument, "where datasets of this project are"),
        (path("/tmp/d.parquet"), Code::InvalidArgument, "where datasets of this project are"),
        (path("s3://bucket/d.parquet"), Code::InvalidArgument, "where datasets of this project are"),
        (path(""), Code::InvalidArgument, "where datasets of this project are"),
        (wanted(" ", "d.parquet"), Code::InvalidArgument, "needs a name"),
        (asked::CreateDataset { features: vec![], ..path("d") }, Code::InvalidArgument, "no features"),
        (asked::CreateDataset { features: vec!["nothing:x".into()], ..path("d") }, Code::NotFound, "nothing"),
        (asked::CreateDataset { entity_values: " \n".into(), ..path("d") }, Code::InvalidArgument, "no values"),
        (asked::CreateDataset { end_date: "soon".into(), ..path("d") }, Code::InvalidArgument, "the end of the times"),
        (asked::CreateDataset { storage_type: "snowflake".into(), ..path("d") }, Code::Unimplemented, "snowflake"),
        (asked::CreateDataset { entity_source_type: "reference".into(), ..path("d") }, Code::InvalidArgument, "``"),
        (
            asked::CreateDataset {
                entity_source_type: "reference".into(),
                entity_source_path: "data/driver_stats.parquet".into(),
                ..path("d")
            },
            Code::NotFound,
            "there is no file data/sets/feastlocal/data/driver_stats.parquet",
        ),
    ] {
        let refused = refused(&wanted);
        assert!(refused.code() == code && refused.message().contains(words), "{wanted:?}: {refused:?}");
    }
    let job =
        ended(&client, &begin(&client, &asked::CreateDataset { entity_values: "x".into(), ..path("d") }).unwrap());
    assert!(job.status == "failed" && job.error.contains("driver_id"), "{job:?}");
    assert!(!project.path("data/sets/feastlocal/d").exists(), "nothing is left");
    assert_eq!(status(&client, "no job").unwrap_err().code(), Code::NotFound);
    assert_eq!(data(&client, "d", 10).unwrap_err().code(), Code::NotFound);

    // A dataset gives way if that is wanted, and its own files with it.
    made(&client, &wanted("one", "one.parquet"));
    made(&client, &wanted("two", "two.parquet"));
    assert_eq!(refused(&wanted("one", "other.parquet")).code(), Code::FailedPrecondition);
    let again = |name: &str, path: &str| asked::CreateDataset {
        allow_overwrite: true,
        entity_values: "1004".into(),
        ..wanted(name, path)
    };
    made(&client, &again("one", "one.parquet"));
    assert_eq!(data(&client, "one", 10).unwrap().rows.len(), 1);
    let job = ended(&client, &begin(&client, &again("one", "two.parquet")).unwrap());
    assert!(job.status == "failed" && job.error.contains("two.parquet already"), "{job:?}");
    assert_eq!(data(&client, "two", 10).unwrap().rows.len(), 3);
    assert!(!server.said().contains("panicked"), "{}", server.said());
}

#[test]
fn a_server_without_a_folder_makes_and_reads_none() {
    let project = Project::example();
    project.feastr(&["apply", "-q"]).ok();
    let server = GrpcServer::registry(&project, &[]);
    let client = Client::of(&server);
    for refused in [begin(&client, &wanted("d", "d")).unwrap_err(), data(&client, "d", 1).unwrap_err()] {
        let is_told = refused.message().contains("registry_server: {datasets: FOLDER}");
        assert!(refused.code() == Code::Unimplemented && is_told, "{refused:?}");
    }
}

const PERMISSIONS: &str = "permissions:
  - {name: readers, types: [FeatureView], actions: [READ_OFFLINE], policy: {roles: [reader]}}
  - {name: makers, types: [SavedDataset], name_patterns: [mine.*], actions: [CREATE, DESCRIBE], policy: {roles: [maker]}}
  - {name: lookers, types: [SavedDataset], actions: [READ_OFFLINE], policy: {roles: [looker]}}
";

#[test]
fn datasets_are_for_those_who_may() {
    let key = SigningKey::edwards("mine");
    let provider = IdentityProvider::start(&[&key]);
    let project = Project::example();
    project.write("permissions.yaml", PERMISSIONS);
    project.feastr(&["apply", "-q"]).ok();
    guard(&project, &provider, "");
    project.edit("feature_store.yaml", "feastr: {", "feastr: {registry_server: {datasets: data/sets}, ");
    let server = GrpcServer::registry(&project, &[]);
    let as_user = |roles: &[&str]| Client::of(&server).with_token(&key.sign(&provider.claims("ann", roles)));
    let denied = |refused: Status| assert_eq!(refused.code(), Code::PermissionDenied, "{refused:?}");

    denied(begin(&as_user(&["reader"]), &wanted("mine", "a")).unwrap_err());
    denied(begin(&as_user(&["maker"]), &wanted("mine", "a")).unwrap_err());
    let both = as_user(&["reader", "maker"]);
    denied(begin(&both, &wanted("others", "a")).unwrap_err());
    let job = made(&both, &wanted("mine", "a"));
    // To take the place of another one needs UPDATE, too.
    let again = asked::CreateDataset { allow_overwrite: true, ..wanted("mine", "a") };
    denied(begin(&both, &again).unwrap_err());

    denied(data(&both, "mine", 1).unwrap_err());
    assert_eq!(data(&as_user(&["looker"]), "mine", 1).unwrap().rows.len(), 1);
    denied(status(&as_user(&["looker"]), &job.job_id).unwrap_err());
    assert_eq!((jobs(&as_user(&["looker"])).len(), jobs(&both).len()), (0, 1));
    assert!(server.said().contains("saved dataset mine was made, 3 rows"), "{}", server.said());
}
