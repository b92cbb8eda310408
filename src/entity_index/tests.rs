use std::{collections::BTreeSet, path::Path};

use super::{
    database::EntityRows,
    event::{BucketEvent, Change},
    index::EntityIndex,
    job::{Job, Noted, Standing, Status},
    lookup::Seen,
    objects::{Settled, There},
    outcome::Outcome,
    views::{IndexedEntity, IndexedView},
};
use crate::{
    config::{EntityIndexConfig, RegistryConfig, RegistryDatabase, SchemaMode, SqlRegistryConfig},
    model::{DataSource, DataType, Field, FileSource, Interval, SourceKind, Timestamp},
    problem::{Kind, Problem},
};

fn index(folder: &Path, project: &str) -> EntityIndex {
    let database = RegistryDatabase::Sqlite { path: folder.join("index.db") };
    let registry = RegistryConfig::Sql(SqlRegistryConfig { database, replica: None, schema_mode: SchemaMode::Auto });
    EntityIndex::open(&EntityIndexConfig::default(), &registry, project).unwrap()
}

fn view(name: &str, path: &str) -> IndexedView {
    let file = FileSource { path: path.to_owned(), ..FileSource::default() };
    let source = DataSource { timestamp_field: "ts".into(), ..DataSource::new(name, SourceKind::File(file)) };
    let entity = |name: &str| IndexedEntity { name: name.to_owned(), key: Field::new(name, DataType::Int64) };
    IndexedView { name: name.to_owned(), entities: vec![entity("driver"), entity("car")], source }
}

fn event(key: &str, sequencer: &str) -> BucketEvent {
    BucketEvent {
        bucket: "lake".into(),
        key: key.into(),
        change: Change::Written,
        time: Some(Timestamp::from_micros(1)),
        sequencer: Some(sequencer.into()),
        etag: None,
    }
}

fn note(index: &EntityIndex, views: &[IndexedView], events: &[BucketEvent]) -> Result<Noted, Problem> {
    index.note_events(events, views, (&EntityIndexConfig::default(), Path::new("/repo")), 5)
}

/// Replaces the rows of a job: of each entity those with these ids, at moments 1, 2, ….
fn replace(index: &EntityIndex, job: &Job, version: &str, ids: &[&str]) -> Result<Option<u64>, Problem> {
    let mut given = BTreeSet::new();
    let there = There { version: version.to_owned(), entities: vec!["driver", "car"] };
    let outcomes = index.settle(&[Settled { job, there: Some(there) }], &mut |_, place| {
        let is_first = given.insert(place);
        let events: Vec<i64> = (1..=ids.len()).map(|moment| i64::try_from(moment).unwrap()).collect();
        let file_rows = events.iter().map(|moment| moment - 1).collect();
        let rows = || EntityRows { ids: ids.to_vec().into(), events: events.clone().into(), file_rows, created: None };
        Ok(is_first.then(rows))
    })?;
    match outcomes[..] {
        [Outcome::Indexed(rows)] => Ok(Some(rows)),
        [Outcome::Known] => Ok(None),
        ref others => panic!("{others:?}"),
    }
}

/// Removes the rows of the object that a job is about. Says whether there were any.
fn remove(index: &EntityIndex, job: &Job) -> Result<bool, Problem> {
    let outcomes = index.settle(&[Settled { job, there: None }], &mut |_, _| Ok(None))?;
    Ok(outcomes == [Outcome::Removed])
}

/// Takes one job.
fn claim(index: &EntityIndex, worker: &str) -> Result<Option<Job>, Problem> {
    Ok(index.claim(worker, 1)?.pop())
}

fn seen(index: &EntityIndex, views: &[&str], last: i64, with_moments: bool) -> Vec<(String, Option<i64>)> {
    let interval = Interval { start: Timestamp::from_micros(1), end: Timestamp::from_micros(last) };
    let mut all = Vec::new();
    let mut take = |seen: Seen| {
        let moments = seen.moments.iter().map(|moment| Some(moment.micros())).chain(std::iter::repeat(None));
        let [ids] = <[Vec<String>; 1]>::try_from(seen.ids).unwrap();
        all.extend(ids.into_iter().zip(moments));
        Ok(())
    };
    index.seen(&["driver"], views, (interval, with_moments), &mut take).unwrap();
    all
}

#[test]
fn events_are_noted_once_for_each_view_that_has_the_object() {
    let folder = tempfile::tempdir().unwrap();
    let index = index(folder.path(), "p");
    let views = [view("a", "s3://lake/in"), view("b", "s3://lake/in/x*"), view("c", "s3://other/in")];
    let events = [event("in/x1", "A"), event("in/y", "B"), event("elsewhere", "C")];
    assert_eq!(note(&index, &views, &events).unwrap(), Noted { new: 3, known: 0, ignored: 1 });
    for _ in 0..2 {
        assert_eq!(note(&index, &views, &events).unwrap(), Noted { new: 0, known: 3, ignored: 1 });
    }
    let jobs = index.jobs(None, 9).unwrap();
    let told: Vec<_> = jobs.iter().rev().map(|job| (job.feature_view.as_str(), job.path.as_str())).collect();
    assert_eq!(told, [("a", "s3://lake/in/x1"), ("b", "s3://lake/in/x1"), ("a", "s3://lake/in/y")]);
    assert_eq!((jobs[0].entity_names.as_str(), jobs[0].status.as_str()), ("driver,car", "waiting"));
}

#[test]
fn with_too_many_waiting_none_is_noted() {
    let folder = tempfile::tempdir().unwrap();
    let index = index(folder.path(), "p");
    let views = [view("a", "s3://lake/in")];
    let events: Vec<_> = ["A", "B", "C", "D", "E"].map(|name| event(&format!("in/{name}"), name)).to_vec();
    note(&index, &views, &events).unwrap();
    let problem = note(&index, &views, &[event("in/F", "F")]).unwrap_err();
    assert_eq!(problem.kind, Kind::Unavailable);
    assert_eq!(index.jobs(None, 9).unwrap().len(), 5);
    let job = claim(&index, "w").unwrap().unwrap();
    remove(&index, &job).unwrap();
    assert_eq!(note(&index, &views, &[event("in/F", "F")]).unwrap().new, 1);
}

#[test]
fn of_jobs_about_one_object_one_is_done_and_stands_for_all_before() {
    let folder = tempfile::tempdir().unwrap();
    let index = index(folder.path(), "p");
    let views = [view("a", "s3://lake/in")];
    note(&index, &views, &[event("in/x", "A"), event("in/x", "B"), event("in/y", "C")]).unwrap();
    let first = claim(&index, "one").unwrap().unwrap();
    let other = claim(&index, "two").unwrap().unwrap();
    assert_eq!((first.path.as_str(), other.path.as_str()), ("s3://lake/in/x", "s3://lake/in/y"));
    assert_eq!(claim(&index, "three").unwrap(), None);
    assert_eq!(replace(&index, &first, "1", &["1", "2"]).unwrap(), Some(4));
    remove(&index, &other).unwrap();
    assert_eq!(claim(&index, "three").unwrap(), None);
    let messages: Vec<_> =
        index.jobs(Some(Status::Done), 9).unwrap().into_iter().filter_map(|job| job.status_msg).collect();
    assert_eq!(messages, ["there is nothing to index", "done by job 1", "4 rows"]);
}

#[test]
fn rows_of_an_object_are_replaced_as_a_whole_and_found_by_their_times() {
    let folder = tempfile::tempdir().unwrap();
    let index = index(folder.path(), "p");
    let views = [view("a", "s3://lake/in")];
    let work = |sequencer: &str, ids: Option<&[&str]>| {
        note(&index, &views, &[event("in/x", sequencer)]).unwrap();
        let job = claim(&index, "w").unwrap().unwrap();
        match ids {
            Some(ids) => assert!(replace(&index, &job, sequencer, ids).unwrap().is_some()),
            None => assert!(remove(&index, &job).unwrap()),
        }
    };
    let at = |id: &str, moment: i64| (id.to_owned(), Some(moment));
    work("A", Some(&["7", "8", "7"]));
    assert_eq!(seen(&index, &["a"], 3, true), [at("7", 1), at("8", 2), at("7", 3)]);
    assert_eq!(seen(&index, &["a"], 2, true), [at("7", 1), at("8", 2)]);
    assert_eq!(seen(&index, &["a", "b"], 3, false), [("7".to_owned(), None), ("8".to_owned(), None)]);
    assert_eq!(seen(&index, &["b"], 3, false), []);
    note(&index, &views, &[event("in/x", "late")]).unwrap();
    let job = claim(&index, "w").unwrap().unwrap();
    assert_eq!(replace(&index, &job, "A", &["1"]).unwrap(), None, "it is there in this version");
    assert_eq!(seen(&index, &["a"], 2, true), [at("7", 1), at("8", 2)]);
    work("B", Some(&["9"]));
    assert_eq!(seen(&index, &["a"], 3, true), [at("9", 1)]);
    work("C", None);
    assert_eq!(seen(&index, &["a"], 3, true), []);
    assert!(index.objects().unwrap().is_empty());
}

#[test]
fn those_who_are_in_a_row_together_are_found_together() {
    let folder = tempfile::tempdir().unwrap();
    let index = index(folder.path(), "p");
    note(&index, &[view("a", "s3://lake/in")], &[event("in/x", "A"), event("in/y", "B")]).unwrap();
    for ids in [&["1", "2", "3"][..], &["9"]] {
        let job = claim(&index, "w").unwrap().unwrap();
        replace(&index, &job, "1", ids).unwrap();
    }
    let interval = Interval { start: Timestamp::from_micros(1), end: Timestamp::from_micros(2) };
    let mut all = Vec::new();
    let mut take = |seen: Seen| {
        all.extend(seen.ids[0].iter().cloned().zip(seen.ids[1].iter().cloned()));
        Ok(())
    };
    index.seen(&["driver", "car"], &["a"], (interval, true), &mut take).unwrap();
    index.seen(&["car", "driver"], &["a"], (interval, false), &mut take).unwrap();
    let pairs = |ids: &[&str]| ids.iter().map(|id| ((*id).to_owned(), (*id).to_owned())).collect::<Vec<_>>();
    assert_eq!(all, [pairs(&["1", "9", "2"]), pairs(&["1", "2", "9"])].concat());
}

#[test]
fn objects_are_settled_together_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let index = index(folder.path(), "p");
    let views = [view("a", "s3://lake/in")];
    let events = [event("in/x", "A"), event("in/y", "B"), event("in/x", "C"), event("in/z", "D")];
    note(&index, &views, &events).unwrap();
    let jobs = index.claim("w", 9).unwrap();
    assert_eq!(jobs.iter().map(|job| job.id).collect::<Vec<_>>(), [1, 2, 4], "one of each object");
    assert_eq!(index.claim("other", 9).unwrap(), []);
    let there = |version: &str| Some(There { version: version.to_owned(), entities: vec!["driver"] });
    let settle = |jobs: &[Job], fails: bool| {
        let all: Vec<_> = jobs.iter().map(|job| Settled { job, there: there("1").filter(|_| job.id != 4) }).collect();
        let mut given = BTreeSet::new();
        index.settle(&all, &mut |place, _| {
            if fails && place == 1 {
                return Err(Problem::new(Kind::Invalid, "it is damaged", None));
            }
            let rows = || EntityRows {
                ids: vec![place.to_string()].into(),
                events: vec![1].into(),
                file_rows: vec![0].into(),
                created: None,
            };
            Ok(given.insert(place).then(rows))
        })
    };
    assert_eq!(settle(&jobs, true).unwrap_err().message, "it is damaged");
    assert!(index.objects().unwrap().is_empty());
    let outcomes = settle(&jobs, false).unwrap();
    assert_eq!(outcomes, [Outcome::Indexed(1), Outcome::Indexed(1), Outcome::Nothing]);
    assert_eq!(seen(&index, &["a"], 3, false), [("0".to_owned(), None), ("1".to_owned(), None)]);
    // The later event about the first one is done with it.
    assert_eq!(index.jobs(Some(Status::Done), 9).unwrap().len(), 4);
    note(&index, &views, &[event("in/x", "E"), event("in/y", "F")]).unwrap();
    let again = index.claim("w", 9).unwrap();
    assert_eq!(settle(&again, false).unwrap(), [Outcome::Known, Outcome::Known]);
    assert_eq!(index.standing().unwrap(), Standing::default());
    assert_eq!(index.forget(3_600_000_000).unwrap(), 0);
    std::thread::sleep(std::time::Duration::from_millis(20));
    assert_eq!((index.forget(0).unwrap(), index.jobs(None, 9).unwrap().len()), (6, 0));
}

#[test]
fn a_job_that_fails_is_tried_again_until_it_is_dead() {
    let folder = tempfile::tempdir().unwrap();
    let index = index(folder.path(), "p");
    note(&index, &[view("a", "s3://lake/in")], &[event("in/x", "A")]).unwrap();
    let job = claim(&index, "w").unwrap().unwrap();
    let problem = Problem::new(Kind::Invalid, "it is no parquet", "write it again".to_owned());
    assert_eq!(index.fail(&job, &problem, 2).unwrap(), Some(Status::Waiting));
    assert_eq!(index.fail(&job, &problem, 2).unwrap(), None, "it is nobody's");
    assert_eq!(claim(&index, "w").unwrap(), None, "it waits before it is tried again");
    assert_eq!(index.retry(None).unwrap(), 0);
    let job = std::iter::repeat_with(|| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        claim(&index, "w").unwrap()
    });
    let job = job.take(200).flatten().next().unwrap();
    assert_eq!((job.attempts, index.fail(&job, &problem, 2).unwrap()), (2, Some(Status::Dead)));
    let dead = index.jobs(Some(Status::Dead), 9).unwrap();
    assert_eq!(dead[0].status_msg.as_deref(), Some("it is no parquet (write it again)"));
    assert_eq!((index.retry(Some(&[77])).unwrap(), index.retry(Some(&[job.id])).unwrap()), (0, 1));
    assert_eq!(claim(&index, "w").unwrap().unwrap().attempts, 1);
}

#[test]
fn what_a_worker_had_not_ended_is_begun_again_and_cannot_be_ended_twice() {
    let folder = tempfile::tempdir().unwrap();
    let index = index(folder.path(), "p");
    note(&index, &[view("a", "s3://lake/in")], &[event("in/x", "A")]).unwrap();
    let lost = claim(&index, "process/1").unwrap().unwrap();
    assert_eq!(claim(&index, "other/1").unwrap(), None);
    index.beat("process").unwrap();
    index.release("process").unwrap();
    let taken = claim(&index, "other/1").unwrap().unwrap();
    assert_eq!(taken.id, lost.id);
    assert_eq!(replace(&index, &lost, "1", &["1"]).unwrap_err().kind, Kind::Conflict);
    assert_eq!(replace(&index, &taken, "1", &["2"]).unwrap(), Some(2));
    assert_eq!(seen(&index, &["a"], 3, false), [("2".to_owned(), None)]);
}

#[test]
fn reading_creates_nothing_and_others_keep_their_index() {
    let folder = tempfile::tempdir().unwrap();
    let first = index(folder.path(), "p");
    assert!(first.jobs(None, 9).unwrap().is_empty() && first.objects().unwrap().is_empty());
    assert_eq!(first.retry(None).unwrap(), 0);
    assert!(!folder.path().join("index.db").exists());
    let interval = Interval { start: Timestamp::FIRST, end: Timestamp::LAST };
    let problem = first.seen(&["driver"], &["a"], (interval, true), &mut |_| Ok(())).unwrap_err();
    assert_eq!(problem.kind, Kind::NotFound);
    note(&first, &[view("a", "s3://lake/in")], &[event("in/x", "A")]).unwrap();
    let other = index(folder.path(), "q");
    assert_eq!(other.jobs(None, 9).unwrap_err().kind, Kind::Conflict);
    assert_eq!(claim(&other, "w").unwrap_err().kind, Kind::Conflict);
}
