//! Any join on a cluster finds what one finds who goes through all rows in memory.

use std::time::Duration;

use feastr::config::{OfflineStoreConfig, SparkConfig};
use proptest::{
    prelude::*,
    test_runner::{TestCaseError, TestRunner},
};

use crate::{
    point_in_time::Case,
    servers::spark::{TOKEN, sail, spark},
};

/// Carries out so many of these cases on a server.
fn hold(config: SparkConfig, any: &impl Strategy<Value = Case>, cases: u32) {
    let store = OfflineStoreConfig::Spark(Box::new(config));
    let settings =
        ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 40, ..ProptestConfig::default() };
    let right = |case: Case| -> Result<(), TestCaseError> {
        prop_assert_eq!(case.joined_by(&store), case.expected());
        Ok(())
    };
    TestRunner::new(settings).run(any, right).unwrap();
}

fn of_sail() -> SparkConfig {
    sail().config("", Duration::from_secs(5))
}

fn of_spark() -> SparkConfig {
    spark().config(&format!("token={TOKEN};use_ssl=false"), Duration::from_secs(60))
}

#[test]
fn sail_gives_every_row_the_value_that_was_valid_at_its_time() {
    hold(of_sail(), &Case::any(), 48);
}

/// Rows are carried forward there.
#[test]
fn sail_finds_values_in_long_histories() {
    hold(of_sail(), &Case::long(), 48);
}

/// More than is joined at once.
#[test]
fn many_rows_keep_their_order() {
    let case = Case::of_many(1_050_000);
    let store = OfflineStoreConfig::Spark(Box::new(of_sail()));
    assert_eq!(case.first_wrong(&case.joined_by(&store)), None, "the first row out of place");
}

#[test]
fn spark_gives_every_row_the_value_that_was_valid_at_its_time() {
    hold(of_spark(), &Case::any(), 12);
}

#[test]
fn spark_finds_values_in_long_histories() {
    hold(of_spark(), &Case::long(), 12);
}
