//! Logs of feature services in buckets.

use feastr::clients::runtime::wait;
use futures_util::TryStreamExt as _;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::json;

use crate::{
    feature_log::{SERVED, SERVICE, logging},
    serve::server::FeatureServer,
    servers::buckets::{ObjectStore, Store, shared},
    support::Project,
};

/// A repo whose service is logged in a bucket, and the bucket. Where S3 is the environment does not say, but for who we are.
fn logged(server: &ObjectStore) -> (Project, String) {
    let bucket = server.create_bucket();
    let endpoint = server.endpoint();
    let mut project = logging(&format!(
        "{{destination: {{type: file, path: '{bucket}/logs/one', partition_by: [__log_date], s3_endpoint_override: '{endpoint}'}}}}"
    ));
    project.environment = server.environment_at("http://127.0.0.1:1");
    (project, bucket)
}

/// The files of the log: their keys, and how many rows each has.
fn files(server: &ObjectStore, bucket: &str) -> Vec<(String, usize)> {
    let bucket = server.open(bucket);
    let listed: Vec<_> = wait(bucket.list("").try_collect()).unwrap();
    let rows = |key: &str| {
        let bytes = wait(bucket.get(key)).unwrap().unwrap().0;
        let batches = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().build().unwrap();
        batches.map(|batch| batch.unwrap().num_rows()).sum()
    };
    listed.iter().map(|object| (object.key.clone(), rows(&object.key))).collect()
}

#[test]
fn what_is_served_is_in_the_log() {
    let server = shared(Store::SeaweedFs);
    let (project, bucket) = logged(server);
    let said = project.feastr(&[SERVED.as_slice(), &["--log"]].concat()).ok().stderr;
    assert!(said.contains(&format!("Logged 2 rows in {bucket}/logs/one")), "{said}");
    let there = files(server, &bucket);
    assert_eq!(there.len(), 1);
    assert!(there[0].0.starts_with("logs/one/__log_date=20") && there[0].0.ends_with("-0.parquet"), "{there:?}");
    assert_eq!(there[0].1, 2);

    let settings = project.read("feature_store.yaml");
    project
        .write("feature_store.yaml", format!("{settings}\nfeature_server: {{feature_logging: {{enabled: true}}}}\n"));
    let mut features = FeatureServer::start(&project, &[]);
    let request = json!({
        "feature_service": SERVICE,
        "entities": { "driver_id": [1001, 1002, 1003], "val_to_add": [1, 1, 1], "val_to_add_2": [1, 1, 1] },
    });
    features.features(&request).ok();
    features.signal("-TERM");
    assert_eq!(features.wait().code(), Some(0), "{}", features.said());
    let mut rows: Vec<usize> = files(server, &bucket).into_iter().map(|(_, rows)| rows).collect();
    rows.sort_unstable();
    assert_eq!(rows, [2, 3]);
}

#[test]
fn a_log_that_cannot_be_written_is_told() {
    let server = shared(Store::VersityGw);
    let (project, bucket) = logged(server);
    project.edit("services.yaml", &bucket, "s3://not-there");
    project.feastr(&["apply", "-q"]).ok();
    let said = project.feastr(&[SERVED.as_slice(), &["--log"]].concat()).failed().stderr;
    assert!(said.contains("cannot write s3://not-there/logs/one/"), "{said}");
    assert!(said.contains("there is no bucket `not-there`"), "{said}");
}
