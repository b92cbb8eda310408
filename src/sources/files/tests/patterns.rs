use proptest::prelude::*;

use super::*;

#[test]
fn wildcards() {
    let repo = Repo::with(&["d/a1.parquet", "d/a2.parquet", "d/b1.parquet", "d/x/a1.parquet", "d/x/y/a1.parquet"]);
    assert_eq!(repo.files("d/a?.parquet"), ["d/a1.parquet", "d/a2.parquet"]);
    assert_eq!(repo.files("d/[!a]*.parquet"), ["d/b1.parquet"]);
    assert_eq!(repo.files("*/a1.parquet"), ["d/a1.parquet"]);
    assert_eq!(repo.files("d/*/a1.parquet"), ["d/x/a1.parquet"]);
    assert_eq!(repo.files("d/**/a1.parquet"), ["d/a1.parquet", "d/x/a1.parquet", "d/x/y/a1.parquet"]);
    assert_eq!(repo.files("d/**/y/**/*"), ["d/x/y/a1.parquet"]);
    assert_eq!(repo.files("{d/x/y,d}/{a,b}1.parquet"), ["d/a1.parquet", "d/b1.parquet", "d/x/y/a1.parquet"]);
    assert_eq!(repo.files("./d//x/../a[12].parquet").len(), 2);
    assert_eq!(repo.files("d/*/../b*"), ["d/x/../b1.parquet"]);
}

#[test]
fn literal_folders_come_before_the_pattern() {
    let repo = Repo::with(&["d[1]/x.parquet", "d1/x.parquet", "d1/[z]/x.parquet", "d1/z/x.parquet"]);
    let found = repo.parquet("d[1]/*.parquet");
    assert_eq!(repo.paths(&found), ["d[1]/x.parquet"]);
    assert_eq!(found.partitioned_below, Some(repo.path.join("d[1]")));
    assert_eq!(repo.files("d1/[z]/*"), ["d1/[z]/x.parquet"]);
    // Behind the first wildcard, brackets are wildcards, too.
    assert_eq!(repo.files("?1/[z]/*"), ["d1/z/x.parquet"]);
    #[cfg(unix)]
    assert_eq!(repo.files(r"?1/\[z\]/*"), ["d1/[z]/x.parquet"]);
}

#[test]
fn folders_are_read_whole() {
    let repo = Repo::with(&["d/m=1/a.parquet", "d/m=2/x/b", "d/m=2/_x/c", "d/n/c.parquet", "d/m=3.parquet"]);
    let found = repo.parquet("d/m=*");
    assert_eq!(repo.paths(&found), ["d/m=1/a.parquet", "d/m=2/x/b", "d/m=3.parquet"]);
    assert_eq!(found.partition_names(), ["m"]);
    assert_eq!(repo.left_out(&found), ["d/m=2/_x has a name that begins with `.` or `_`"]);
    assert_eq!(repo.files("d/m=*/"), ["d/m=1/a.parquet", "d/m=2/x/b"]);
    assert_eq!(repo.files("d/**").len(), 4);
}

#[test]
fn hidden_names_have_to_be_asked_for() {
    let repo = Repo::with(&["d/a", "d/_b", "d/.c", "d/_x/e", "d/.y/e", "d/_k=1/e"]);
    let found = repo.parquet("d/*");
    assert_eq!(repo.paths(&found), ["d/_k=1/e", "d/a"]);
    assert_eq!(found.left_out.len(), 4);
    assert_eq!(repo.files("d/?"), ["d/a"]);
    assert_eq!(repo.files("d/_*"), ["d/_b", "d/_k=1/e", "d/_x/e"]);
    assert_eq!(repo.files("d/.?"), ["d/.c", "d/.y/e"]);
    assert_eq!(repo.files("d/{_,.}?/e"), ["d/.y/e", "d/_x/e"]);
    assert_eq!(repo.files("*/_x/e"), ["d/_x/e"]);
    assert_eq!(repo.files("d/**/e"), ["d/_k=1/e"]);
    assert_eq!(repo.files("**/_x/*"), ["d/_x/e"]);
    let help = "1 was left out: `_b` has a name that begins with `.` or `_`";
    assert_eq!(repo.problem("d/?b", Format::Parquet), ("no file matches `d/?b`".into(), help.into()));
}

#[test]
fn other_formats_are_left_out() {
    let repo = Repo::with(&["d/a.parquet"]);
    repo.write("d/b.csv", b"a,b\n");
    repo.write("d/c.txt", b"a,b\n");
    repo.write("d/d.txt.gz", b"PAR1");
    let csv = |path: &str| repo.paths(&repo.find(path, Format::Csv).unwrap());
    assert_eq!(repo.files("d/*"), ["d/a.parquet", "d/d.txt.gz"]);
    assert_eq!(csv("d/*"), ["d/b.csv"]);
    assert_eq!(csv("d/*.txt"), ["d/c.txt"]);
    assert_eq!(csv("d/*.*"), ["d/b.csv", "d/c.txt"]);
    assert_eq!(csv("{d,d/*.txt}"), ["d/b.csv", "d/c.txt"]);
    assert!(repo.find("{d,d/*.txt}", Format::Csv).unwrap().left_out.iter().all(|each| !each.path.ends_with("c.txt")));
    let (message, help) = repo.problem("d/*.csv", Format::Parquet);
    assert_eq!(message, "what matches `d/*.csv` has no parquet files");
    assert!(help.starts_with("set `file_format: csv`; "), "{help}");
    repo.write("d/broken.parquet", b"");
    assert!(repo.find("d/b*", Format::Parquet).is_err());
    assert_eq!(repo.files("d/a*"), ["d/a.parquet"]);
}

/// Names in which every character may mean something.
fn name() -> impl Strategy<Value = String> {
    r"[\[\]{}*?!,a\-1=%é ]{1,6}".prop_filter("not hidden", |name| !name.starts_with(['.', '_']))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn existing_paths_are_found_as_they_are(repo in name(), folder in name(), file in name(), decoy in name()) {
        prop_assume!(decoy != file);
        let repo = Repo::called(&repo);
        repo.write(&format!("{folder}/{file}"), PARQUET);
        repo.write(&format!("{folder}/{decoy}"), PARQUET);
        let path = format!("{folder}/{file}");
        prop_assert_eq!(repo.files(&path), [path.clone()]);
        prop_assert_eq!(repo.files(&folder).len(), 2);
    }

    #[test]
    fn any_pattern_ends(pattern in r"[\[\]{}*?!,a/.\\_]{1,12}") {
        let repo = Repo::with(&["a/a", "a/_a/a", "a/a.a/a"]);
        // Upwards there are other people's files.
        prop_assume!(!pattern.contains("..") && !pattern.starts_with('/'));
        let _ = repo.find(&pattern, Format::Parquet);
    }
}
