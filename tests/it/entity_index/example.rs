//! `examples/entity_index`, carried out as it stands.

use std::{path::Path, process::Command};

use crate::{servers::free_port, support::run};

#[test]
fn the_script_of_the_example_shows_what_it_says() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/entity_index/try.sh");
    let versitygw = std::env::var_os("FEASTR_VERSITYGW").expect("scripts/test.sh installs versitygw");
    let mut command = Command::new("bash");
    command.arg(script).env("FEASTR", env!("CARGO_BIN_EXE_feastr")).env("VERSITYGW", versitygw);
    command.env("STORE_PORT", free_port().to_string()).env("INDEX_PORT", free_port().to_string());
    let said = run(&mut command).ok().stdout;
    assert!(said.contains("1800 rows") && said.contains("s3://features/drivers/stats-1.parquet"), "{said}");
    let (_, features) = said.split_once("without knowing who\n").unwrap();
    assert!(features.starts_with("driver_id  event_timestamp"), "{said}");
    assert!(["1001", "1005"].iter().all(|driver| features.lines().any(|line| line.starts_with(driver))), "{said}");
    assert!(said.ends_with("The index is as the files are\n"), "{said}");
}
