//! Folders in a bucket of this process: what is seen when.

use std::io::Write as _;

use futures_util::TryStreamExt as _;

use super::*;
use crate::{
    clients::{
        buckets::{Expected, INCOMPLETE, SUCCESS},
        runtime::wait,
    },
    problem::Kind,
};

struct Place {
    bucket: Bucket,
    url: BucketUrl,
}

impl Place {
    fn new() -> Self {
        let url = BucketUrl::parse("s3://b/results/one/").unwrap().unwrap();
        Self { bucket: Bucket::in_memory(&url), url }
    }

    fn create(&self, replace: bool) -> Result<Folder, Problem> {
        Folder::create_in(&self.bucket, &self.url, replace)
    }

    fn put(&self, name: &str) {
        let key = format!("results/one/{name}");
        wait(self.bucket.put(&key, "there".into(), Expected::Anything)).unwrap();
    }

    /// The objects in the folder.
    fn names(&self) -> Vec<String> {
        let listed: Vec<_> = wait(self.bucket.list("").try_collect()).unwrap();
        let short = |key: String| key.strip_prefix("results/one/").map(str::to_owned).unwrap_or(key);
        let mut names: Vec<String> = listed.into_iter().map(|object| short(object.key)).collect();
        names.sort();
        names
    }
}

/// Fills a folder with files of two sub-folders.
fn fill(folder: &mut Folder) {
    for (below, number) in [("day=1", 0), ("day=1", 1), ("day=2", 0)] {
        let mut target = folder.file(Path::new(below), number, "csv").unwrap();
        target.write_all(b"n\n1\n").unwrap();
        target.finish().unwrap();
    }
}

fn finish(folder: Folder) -> Result<(), Problem> {
    Box::new(folder).appear().map_err(|error| match error {
        SinkError::Problem(problem) => problem,
        other => panic!("{other}"),
    })
}

#[test]
fn files_appear_together_and_then_the_mark_of_success() {
    let place = Place::new();
    let mut folder = place.create(false).unwrap();
    fill(&mut folder);
    assert_eq!(place.names(), [""; 0]);
    finish(folder).unwrap();
    assert_eq!(place.names(), [SUCCESS, "day=1/data_0.csv", "day=1/data_1.csv", "day=2/data_0.csv"]);

    let mut dropped = place.create(true).unwrap();
    fill(&mut dropped);
    drop(dropped);
    assert_eq!(place.names().len(), 4);
    let taken = place.create(false).map(|_| ()).unwrap_err();
    assert_eq!(
        (taken.kind, taken.message.as_str()),
        (Kind::Conflict, "cannot write s3://b/results/one/: there is a folder with files already")
    );
}

#[test]
fn what_is_replaced_is_whole_until_the_new_files_are_there() {
    let place = Place::new();
    place.put("data_0.csv");
    place.put("day=1/data_0.csv");
    let mut folder = place.create(true).unwrap();
    fill(&mut folder);
    assert_eq!(place.names(), ["data_0.csv", "day=1/data_0.csv"]);
    finish(folder).unwrap();
    let names = place.names();
    assert_eq!((names.len(), names[0].as_str()), (4, SUCCESS), "{names:?}");
    assert!(names[1].starts_with("day=1/data_0-") && !names.contains(&"day=1/data_0.csv".to_owned()), "{names:?}");
}

#[test]
fn of_two_who_fill_a_folder_one_does() {
    let place = Place::new();
    let (mut one, mut other) = (place.create(false).unwrap(), place.create(false).unwrap());
    fill(&mut one);
    fill(&mut other);
    place.put(INCOMPLETE);
    let refused = finish(one).unwrap_err();
    assert!(refused.message.contains("that somebody is filling, or began to and was stopped"), "{refused}");
    assert_eq!(place.names(), [INCOMPLETE]);
    // The mark is gone, and files are there.
    wait(place.bucket.delete(&format!("results/one/{INCOMPLETE}"))).unwrap();
    place.put("theirs.csv");
    let refused = finish(other).unwrap_err();
    assert!(refused.message.contains("there is a folder with files already"), "{refused}");
    assert_eq!(place.names(), ["theirs.csv"]);
}

#[test]
fn what_somebody_left_who_was_stopped_is_replaced() {
    let place = Place::new();
    place.put(INCOMPLETE);
    place.put("day=1/data_0.csv");
    assert!(place.create(false).is_err());
    let mut folder = place.create(true).unwrap();
    fill(&mut folder);
    finish(folder).unwrap();
    let names = place.names();
    assert_eq!((names.len(), names[0].as_str()), (4, SUCCESS), "{names:?}");
}

#[test]
fn added_files_have_names_of_their_own() {
    let place = Place::new();
    place.put("a.csv");
    let (mut folder, added) = Folder::adding_in(&place.bucket, &place.url, ("push-", ".csv"));
    fill(&mut folder);
    assert_eq!((place.names().len(), added.paths().len()), (1, 0));
    finish(folder).unwrap();
    assert_eq!(place.names().len(), 4);
    let paths: Vec<String> = added.paths().iter().map(|path| path.display().to_string()).collect();
    assert!(paths[0].starts_with("s3://b/results/one/day=1/push-") && paths[1].ends_with("-1.csv"), "{paths:?}");
}

#[test]
fn an_object_is_no_folder() {
    let place = Place::new();
    wait(place.bucket.put("results/one", "there".into(), Expected::Nothing)).unwrap();
    let refused = place.create(true).map(|_| ()).unwrap_err();
    assert!(refused.message.ends_with("there is an object of this name, and not a folder"), "{refused}");
}
