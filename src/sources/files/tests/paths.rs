use super::*;

#[test]
fn what_exists_is_no_pattern() {
    for name in ["a[1].parquet", "a*.parquet", "a?.parquet", "{a,b}.parquet"] {
        let repo = Repo::with(&[name, "a1.parquet", "a.parquet", "b.parquet", "ab.parquet"]);
        assert_eq!(repo.files(name), [name]);
        assert_eq!(repo.parquet(name).partitioned_below, None);
    }
    let repo = Repo::with(&["d[1]/x.parquet", "d1/y.parquet", "d*/z.parquet"]);
    assert_eq!(repo.files("d[1]"), ["d[1]/x.parquet"]);
    assert_eq!(repo.files("d*"), ["d*/z.parquet"]);
    assert_eq!(repo.files("d[1]/x.parquet"), ["d[1]/x.parquet"]);
}

#[test]
fn the_repo_is_no_pattern() {
    for name in ["re[po]", "*", "{a,b}", "r?"] {
        let repo = Repo::called(name);
        repo.write("data/x.parquet", PARQUET);
        fs::create_dir_all(repo.path.with_file_name("rep").join("data")).unwrap();
        fs::write(repo.path.with_file_name("rep").join("data/decoy.parquet"), PARQUET).unwrap();
        for path in ["data", "data/*.parquet", "d*/x.parquet", "**/x.parquet", "data/x.parquet"] {
            assert_eq!(repo.files(path), ["data/x.parquet"], "{path} in {name}");
        }
        let absolute = repo.path.join("data/*.parquet");
        assert_eq!(repo.files(absolute.to_str().unwrap()), ["data/x.parquet"]);
        assert!(repo.find("nothing*", Format::Parquet).is_err());
    }
}

#[test]
fn urls_of_files() {
    let repo = Repo::with(&["a b/x.parquet"]);
    let folder = repo.path.display().to_string();
    assert_eq!(repo.files(&format!("file://{folder}/a%20b/x.parquet")), ["a b/x.parquet"]);
    assert_eq!(repo.files(&format!("file://localhost{folder}/a%20b/*.parquet")), ["a b/x.parquet"]);
    assert_eq!(repo.problem("hdfs://b/x", Format::Csv).0, "sources in `hdfs://` are not supported");
}

#[test]
fn a_declared_file_is_read_whatever_it_is_called() {
    let repo = Repo::called("repo");
    for name in ["_x", ".hidden.txt", "empty.parquet", "x.csv"] {
        repo.write(name, b"");
        assert_eq!(repo.files(name), [name]);
    }
    repo.write("d=1/e=2/five", b"12345");
    let found = repo.find("d=1/e=2/five", Format::Json).unwrap();
    assert_eq!((found.format, found.files[0].bytes), (Format::Json, 5));
    assert!(found.files[0].partitions.is_empty());
}

#[test]
fn what_is_not_there() {
    let repo = Repo::with(&["x.parquet", "[y]/x.parquet"]);
    let help = || "relative paths start at the repo, REPO".to_owned();
    let problem = |path: &str| repo.problem(path, Format::Parquet);
    assert_eq!(problem("gone.parquet"), ("there is no file `gone.parquet`".into(), help()));
    assert_eq!(problem("x.parquet/y"), ("there is no file `x.parquet/y`".into(), help()));
    assert_eq!(problem("gone/*.parquet"), ("no file matches `gone/*.parquet`".into(), help()));
    assert_eq!(problem("x.parquet/*"), ("no file matches `x.parquet/*`".into(), help()));
    assert_eq!(problem("[y]/z"), ("no file matches `[y]/z`".into(), help()));
    assert_eq!(problem("/gone/*").1, "");
    assert_eq!(problem("a[/b").0, "`a[/b` is not a pattern: unclosed character class; missing ']'");
    assert!(problem("a{b").0.starts_with("`a{b` is not a pattern: "));
    assert!(problem(&"{a,b}".repeat(12)).0.ends_with("it has more than 1000 alternatives"));
    assert!(repo.find("nul\0*", Format::Parquet).is_err());
    assert!(repo.find(&format!("{}*", "long".repeat(100)), Format::Parquet).is_err());
}
