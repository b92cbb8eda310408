use super::*;

#[test]
fn parquet_is_told_by_content() {
    let repo = Repo::with(&["d/A.PARQUET", "d/b.pq", "d/c.csv", "d/part-0", "d/z/e.parquet.snappy"]);
    repo.write("d/notes.txt", b"PAR");
    repo.write("d/g", b"a,b\n");
    let found = repo.parquet("d");
    assert_eq!(repo.paths(&found), ["d/A.PARQUET", "d/b.pq", "d/c.csv", "d/part-0", "d/z/e.parquet.snappy"]);
    assert_eq!(repo.left_out(&found), ["d/g is not a parquet file", "d/notes.txt is not a parquet file"]);
    assert_eq!(found.files[0].bytes, 12);
    assert!(!found.beside_delta_log);
}

#[test]
fn broken_parquet_is_not_lost() {
    for (name, bytes, why) in [
        ("d/b.parquet", &b""[..], "it is empty"),
        ("d/deep/b.PQ", b"text", "it does not begin as one"),
        ("d/c", b"PARE", "it is encrypted"),
    ] {
        let repo = Repo::with(&["d/a.parquet"]);
        repo.write(name, bytes);
        let message = format!("REPO/{name} is not a readable parquet file: {why}");
        let again = "write it again, or remove it".to_owned();
        let (said, help) = repo.problem("d", Format::Parquet);
        assert_eq!(said, message);
        assert!(help == again || name == "d/c", "{help}");
        assert_eq!(repo.problem("d/**", Format::Parquet).0, message);
    }
}

#[test]
fn csv_is_told_by_ending_or_content() {
    let repo = Repo::with(&["d/a.parquet", "d/like-parquet"]);
    for name in ["d/B.CSV", "d/c.tsv", "d/d.csv.gz", "d/e.csv.ZST", "d/f.csv.zstd"] {
        repo.write(name, b"");
    }
    repo.write("d/part-0", b"a,b\n");
    repo.write("d/part-1.zst", &zstd::encode_all(&b"a,b\n"[..], 0).unwrap());
    repo.write("d/object", b"\xef\xbb\xbf {}");
    repo.write("d/binary", b"ab\0c");
    repo.write("d/empty", b"");
    repo.write("d/notes.txt", b"a,b\n");
    let found = repo.find("d", Format::Csv).unwrap();
    let data = ["B.CSV", "c.tsv", "d.csv.gz", "e.csv.ZST", "f.csv.zstd", "part-0", "part-1.zst"];
    assert_eq!(repo.paths(&found), data.map(|name| format!("d/{name}")));
    let others = ["a.parquet", "binary", "empty", "like-parquet", "notes.txt", "object"];
    assert_eq!(repo.left_out(&found), others.map(|name| format!("d/{name} is not a CSV file")));
    assert_eq!(repo.paths(&repo.find("d", Format::Json).unwrap()), ["d/object"]);
}

#[test]
fn json_is_told_by_ending_or_content() {
    let repo = Repo::called("repo");
    for name in ["d/a.json", "d/b.JSONL.gz", "d/c.ndjson", "d/d.json.zst"] {
        repo.write(name, b"");
    }
    repo.write("d/e", b"\n\t {\"a\": 1}\n");
    repo.write("d/f", b"[1]");
    let found = repo.find("d", Format::Json).unwrap();
    assert_eq!(repo.paths(&found), ["d/a.json", "d/b.JSONL.gz", "d/c.ndjson", "d/d.json.zst", "d/e"]);
    assert_eq!(repo.left_out(&found), ["d/f is not a JSON file"]);
}

#[test]
fn hidden_names_are_left_out() {
    let files = ["a.parquet", ".b.parquet", "_c.parquet", "_temporary/0/d.parquet", ".git/e.parquet", "_k=1/f.parquet"];
    let repo = Repo::with(&files.map(|name| format!("d/{name}")).each_ref().map(String::as_str));
    repo.write("d/_x=1", PARQUET);
    let found = repo.parquet("d");
    assert_eq!(repo.paths(&found), ["d/_k=1/f.parquet", "d/a.parquet"]);
    assert_eq!(found.partition_names(), ["_k"]);
    let hidden = [".b.parquet", ".git", "_c.parquet", "_temporary", "_x=1"];
    assert_eq!(repo.left_out(&found), hidden.map(|name| format!("d/{name} has a name that begins with `.` or `_`")));
    assert!(!found.beside_delta_log);
}

#[test]
fn delta_logs_are_noticed() {
    let repo = Repo::with(&["t/_delta_log/1.checkpoint.parquet", "t/day=1/a.parquet", "t/b.parquet", "u/_delta_log"]);
    for path in ["t", "*", "t/*.parquet", "t/*/a.parquet", "t/**/a.parquet", "**/b.parquet"] {
        let found = repo.parquet(path);
        assert!(found.beside_delta_log, "{path}");
        assert!(repo.paths(&found).iter().all(|file| !file.contains("_delta_log")), "{path}");
    }
    assert!(!repo.parquet("t/_delta_log/*.parquet").beside_delta_log);
    assert!(!repo.parquet("t/b.parquet").beside_delta_log);
}

#[test]
fn partitions_are_below_the_source() {
    let repo = Repo::with(&["a=1/d/b=x%20y/c=__HIVE_DEFAULT_PARTITION__/f.parquet", "a=1/d/c=2/e=/b=3/g.parquet"]);
    let found = repo.parquet("a=1/d");
    let (x_y, empty, text) = (Some("x y".to_owned()), Some(String::new()), |text: &str| Some(text.to_owned()));
    assert_eq!(found.files[0].partitions, [("b".to_owned(), x_y), ("c".to_owned(), None)]);
    let second = [("c".to_owned(), text("2")), ("e".to_owned(), empty), ("b".to_owned(), text("3"))];
    assert_eq!(found.files[1].partitions, second);
    assert_eq!(found.partition_names(), ["b", "c", "e"]);
    assert_eq!(found.partitioned_below, Some(repo.path.join("a=1/d")));

    let found = repo.parquet("a=1/d/*/**/g.parquet");
    assert_eq!(found.partition_names(), ["c", "e", "b"]);
    let found = repo.parquet("a=1/d/c=2/*=/**");
    assert_eq!(found.partition_names(), ["e", "b"]);
    assert_eq!(found.partitioned_below, Some(repo.path.join("a=1/d/c=2")));
}

#[test]
fn folders_without_files_of_the_format() {
    let repo = Repo::called("repo");
    fs::create_dir_all(repo.path.join("empty/deep")).unwrap();
    assert_eq!(
        repo.problem("empty", Format::Parquet),
        ("the folder `empty` has no parquet files".into(), String::new())
    );
    for name in ["d/a.csv", "d/_b", "d/x/c.csv", "d/e.txt"] {
        repo.write(name, b"a,b\n");
    }
    let help = "set `file_format: csv`; 4 were left out: `_b` has a name that begins with `.` or `_`, `a.csv` is not a \
                parquet file, `e.txt` is not a parquet file, and 1 more";
    assert_eq!(repo.problem("d", Format::Parquet), ("the folder `d` has no parquet files".into(), help.to_owned()));
    assert_eq!(repo.problem("d*", Format::Json).0, "what matches `d*` has no JSON files");
    repo.write("p/part-0", PARQUET);
    let help = "set `file_format: parquet`; 1 was left out: `part-0` is not a CSV file";
    assert_eq!(repo.problem("p", Format::Csv).1, help);
}

#[test]
fn many_files_are_listed_fast() {
    let repo = Repo::called("repo");
    for day in 0..40 {
        for part in 0..50 {
            repo.write(&format!("d/day={day}/part-{part}.parquet"), PARQUET);
        }
    }
    let start = std::time::Instant::now();
    for path in ["d", "d/*/*.parquet", "d/**/part-*", "d/day=*"] {
        assert_eq!(repo.files(path).len(), 2_000, "{path}");
    }
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}
