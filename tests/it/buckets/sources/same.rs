//! The same files in a bucket and on this machine are the same rows.

use flate2::{Compression, write::GzEncoder};
use std::io::Write as _;

use super::{JOIN, day, define, feastr, upload, write};
use crate::{
    servers::buckets::{Store, shared},
    support::Project,
};

/// Files of all kinds below `data`, in odd folders too.
fn files(project: &Project) {
    for (index, name) in ["2026-01-01", "2026-01-02", "2026-01-03"].into_iter().enumerate() {
        let path = project.path(&format!("data/days/day={name}/part 0+{index}%20ü.parquet"));
        write(&path, &day(0..500, name, index as f64), 100);
    }
    project.write("data/days/_SUCCESS", "");
    project.write("data/days/day=2026-01-01/.part.crc", "x");
    write(&project.path("data/one.parquet"), &day(0..50, "2026-01-02", 7.0), 10);
    let mut csv = "id,ts,p\n".to_owned();
    let mut json = String::new();
    for id in 0..5_000 {
        csv.push_str(&format!("{id},2026-01-02T00:00:00Z,{id}.25\n"));
        json.push_str(&format!("{{\"id\": {id}, \"ts\": \"2026-01-02T00:00:00Z\", \"p\": {id}.75}}\n"));
    }
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(csv.as_bytes()).unwrap();
    project.write("data/csv/a.csv.gz", packed.finish().unwrap());
    project.write("data/json/a.jsonl.zst", zstd::encode_all(json.as_bytes(), 0).unwrap());
    project.write("data/json/notes.txt", "no rows");
    project.write(
        "entities.csv",
        "id,event_timestamp\n7,2026-01-02T12:00:00Z\n499,2026-02-01T00:00:00Z\n9999,2026-02-01T00:00:00Z\n",
    );
}

/// What plan, get-historical, materialize and get-online say of the source at a path.
fn answers(project: &Project, store: Store, (path, more): (&str, &str)) -> Vec<String> {
    define(project, path, more);
    let server = shared(store);
    for file in ["data/registry.db", "data/online_store.db"] {
        let _ = std::fs::remove_file(project.path(file));
    }
    let at = |text: String| text.replace(path, "PATH");
    let plan = feastr(project, server, &["plan", "--verbose"]).ok().stdout;
    feastr(project, server, &["apply", "--yes"]).ok();
    let joined = feastr(project, server, &JOIN).ok().stdout;
    let materialized = feastr(project, server, &["materialize", "2026-01-01", "2026-03-01", "--json"]).ok().json();
    let online = ["get-online", "--features", "v:p", "--entity", "id=7", "--entity", "id=499", "--json"];
    let online = feastr(project, server, &online).ok().stdout;
    let drift = feastr(project, server, &["drift"]).ok().stdout;
    let rows = materialized["views"][0]["written"].to_string();
    let plan = plan.lines().filter(|line| !line.starts_with("  read ") && !line.starts_with("  left out"));
    vec![at(plan.collect::<Vec<_>>().join("\n")), joined, rows, online, drift]
}

#[test]
fn in_all_stores_and_formats() {
    let project = Project::new(&[]);
    files(&project);
    let sources = [
        ("days", ""),
        ("days/day=2026-01-0[12]/*.parquet", ""),
        ("days/**/part*", "    date_partition_column: day\n"),
        ("one.parquet", ""),
        ("csv", "    file_format: csv\n"),
        ("json/*.zst", "    file_format: json\n"),
    ];
    for store in [Store::SeaweedFs, Store::Gcs, Store::Azure] {
        let server = shared(store);
        let bucket = server.create_bucket();
        upload(&project.path("data"), &server.open(&bucket));
        for (path, more) in sources {
            let here = answers(&project, store, (&format!("data/{path}"), more));
            let there = answers(&project, store, (&format!("{bucket}/{path}"), more));
            assert_eq!(there, here, "{store:?} {path}");
            assert!(here[1].contains("7,2026-01-02T12:00:00Z,7."), "{}", here[1]);
        }
    }
}

#[test]
fn files_that_are_read_are_named() {
    let project = Project::new(&[]);
    files(&project);
    let server = shared(Store::SeaweedFs);
    let bucket = server.create_bucket();
    upload(&project.path("data"), &server.open(&bucket));
    define(&project, &format!("{bucket}/days/"), "");
    let said = feastr(&project, server, &["plan", "--verbose"]).ok().stdout;
    assert!(said.contains("source s: 3 files"), "{said}");
    assert!(said.contains(&format!("  read      {bucket}/days/day=2026-01-01/part 0+0%20ü.parquet\n")), "{said}");
    assert!(said.contains(&format!("  left out  {bucket}/days/_SUCCESS has a name that begins")), "{said}");
}

#[test]
fn more_files_than_a_page_lists() {
    let project = Project::new(&[]);
    let rows = "id,ts,p\n";
    let server = shared(Store::SeaweedFs);
    let bucket = server.create_bucket();
    let opened = server.open(&bucket);
    feastr::clients::runtime::wait(async {
        use futures_util::{StreamExt as _, TryStreamExt as _};
        let put = |index: usize| {
            let (opened, key) = (&opened, format!("many/{index:04}.csv"));
            let text = format!("{rows}{index},2026-01-01T00:00:00Z,1.5\n");
            async move { opened.put(&key, text.into(), feastr::clients::buckets::Expected::Anything).await.map(drop) }
        };
        futures_util::stream::iter(0..2_500).map(put).buffer_unordered(16).try_collect::<()>().await
    })
    .unwrap();
    define(&project, &format!("{bucket}/many"), "    file_format: csv\n");
    feastr(&project, server, &["apply", "--yes"]).ok();
    let run = feastr(&project, server, &["materialize", "2026-01-01", "2026-03-01", "--json"]).ok().json();
    assert_eq!(run["views"][0]["written"], 2_500, "{run}");
}

#[test]
fn entity_rows_come_from_buckets() {
    let project = Project::new(&[]);
    files(&project);
    let server = shared(Store::SeaweedFs);
    let bucket = server.create_bucket();
    let rows = std::fs::read(project.path("entities.csv")).unwrap();
    super::put(&server.open(&bucket), "asked/rows.csv", rows);
    define(&project, "data/days", "");
    feastr(&project, server, &["apply", "--yes"]).ok();
    let here = feastr(&project, server, &JOIN).ok().stdout;
    let mut join = JOIN;
    let url = format!("{bucket}/asked/rows.csv");
    join[2] = &url;
    assert_eq!(feastr(&project, server, &join).ok().stdout, here);
    let none = format!("{bucket}/asked/none.csv");
    join[2] = &none;
    let said = feastr(&project, server, &join).failed().stderr;
    assert!(said.contains(&format!("there is no file `{none}`")), "{said}");
}

#[test]
fn files_of_which_no_column_is_read_have_their_rows_all_the_same() {
    let project = Project::new(&[]);
    let store = shared(Store::SeaweedFs);
    // Keys and times of the second one are in the names of its folders alone.
    for (id, name) in [(1, "a"), (2, "b"), (3, "c")] {
        let (rows, path) =
            (day(id..id + 1, "2026-01-01", 5.0), format!("data/rows/id={id}/ts=2026-01-01/{name}.parquet"));
        let rows = if name == "b" { rows.project(&[2]).unwrap() } else { rows };
        write(&project.path(&path), &rows, 10);
    }
    let entities = [1, 2, 3].map(|id| format!("{id},2026-02-01T00:00:00Z\n")).concat();
    project.write("entities.csv", format!("id,event_timestamp\n{entities}"));
    let bucket = store.create_bucket();
    upload(&project.path("data"), &store.open(&bucket));
    let joined = |path: &str| {
        define(&project, path, "");
        feastr(&project, store, &["apply", "--yes", "-q"]).ok();
        feastr(&project, store, &JOIN).ok().stdout
    };
    let here = joined("data/rows");
    assert!(["1.05", "2.05", "3.05"].iter().all(|value| here.contains(value)), "{here}");
    assert_eq!(joined(&format!("{bucket}/rows")), here);
}
