//! Folders with very many keys: listed in pages, once, and without opening what nobody asks about.

use feastr::model::Timestamp;

use super::sources::{day, define, write};
use crate::{
    servers::many_keys::{ManyKeys, PAGE},
    support::Project,
};

const DAYS: usize = 20_000;
const FILES: usize = 5;

/// The day that is asked about.
const ASKED: &str = "2001-06-15";

#[test]
fn a_hundred_thousand_keys_are_listed_once() {
    let project = Project::new(&[]);
    write(&project.path("one.parquet"), &day(0..5, ASKED, 7.0), 10);
    let name = |index: i64| Timestamp::from_micros(index * 86_400_000_000).to_string()[..10].to_owned();
    let keys: Vec<String> = (0..DAYS as i64)
        .flat_map(|index| (0..FILES).map(move |file| (index, file)))
        .map(|(index, file)| format!("d/day={}/{file}.parquet", name(index)))
        .collect();
    let store = ManyKeys::with(keys, project.read_bytes("one.parquet"));
    let run = |args: &[&str]| crate::support::run(project.command(args).envs(store.environment())).ok();
    // With a ttl nobody needs what is older.
    define(&project, "s3://many/d/day=*/*.parquet", "    date_partition_column: day\n");
    project.edit("definitions.yaml", "ttl: 0", "ttl: 1d");
    run(&["apply", "--yes", "--skip-source-validation"]);
    store.asked();
    let join = ["get-historical", "--features", "v:p", "--start", ASKED, "--end", "2001-06-16", "-o", "out.csv"];
    let said = run(&join).stderr;
    assert_eq!(project.read("out.csv").lines().count(), 1 + 5, "rows of {FILES} files are the same five");
    let (pages, others) = store.asked();
    assert!(pages <= 2 * DAYS * FILES / PAGE, "{pages} pages");
    // Of this day, the day before and the day after.
    assert!(others <= 4 * 3 * FILES, "{others} requests for files");
    // Where the system tells.
    if let Some((_, memory)) = said.trim_end().rsplit_once("peak memory ") {
        let mebibytes: f64 = memory.strip_suffix(" MiB").unwrap_or_else(|| panic!("{memory}")).parse().unwrap();
        assert!(mebibytes < 400.0, "{memory}");
    }
}
