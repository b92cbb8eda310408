//! Runs into Redis that are killed: values stay whole, what is recorded is there, the next run completes it.

use std::{collections::BTreeMap, sync::Arc};

use arrow::{
    array::{ArrayRef, Float64Array, Int64Array, RecordBatch, TimestampMicrosecondArray},
    datatypes::{DataType, Field, Schema, TimeUnit},
};
use feastr::model::Timestamp;
use parquet::arrow::ArrowWriter;

use crate::{
    killer::Killer,
    materialize_runs::intervals,
    servers::redis::RedisServer,
    support::{Project, settings},
};

const ENTITIES: i64 = 4_000;
const WAVES: i64 = 5;
const HOUR: i64 = 3_600_000_000;
/// 2026-01-01.
const BEGIN: i64 = 1_767_225_600_000_000;
const KILLS: u32 = 50;
const RUN: [&str; 4] = ["materialize-incremental", "2026-01-01T04:30:00", "--chunk", "1h"];

const VIEW: &str = "
entities: [{name: thing, join_keys: [id], value_type: INT64}]
feature_views:
  - name: things
    entities: [thing]
    schema: [{name: wave, dtype: Int64}, {name: half, dtype: Float64}]
    source: {name: rows, type: file, path: data/rows.parquet, timestamp_field: at}
";

/// A row per entity and hour, with the number of the hour in its values.
fn write_source(project: &Project) {
    let rows = || (0..WAVES).flat_map(|wave| (0..ENTITIES).map(move |id| (wave, id)));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(rows().map(|(_, id)| id).collect::<Int64Array>()),
        Arc::new(rows().map(|(wave, _)| BEGIN + wave * HOUR).map(Some).collect::<TimestampMicrosecondArray>()),
        Arc::new(rows().map(|(wave, _)| wave + 1).collect::<Int64Array>()),
        Arc::new(rows().map(|(wave, _)| (wave + 1) as f64 / 2.0).collect::<Float64Array>()),
    ];
    let schema = Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, false),
        Field::new("at", DataType::Timestamp(TimeUnit::Microsecond, None), false),
        Field::new("wave", DataType::Int64, false),
        Field::new("half", DataType::Float64, false),
    ]));
    std::fs::create_dir_all(project.path("data")).unwrap();
    let file = std::fs::File::create(project.path("data/rows.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, Arc::clone(&schema), None).unwrap();
    writer.write(&RecordBatch::try_new(schema, columns).unwrap()).unwrap();
    writer.close().unwrap();
}

/// A repo with a row per entity in each of five hours, and with this online store.
pub fn waves(online_store: &str) -> Project {
    let settings = settings("killed");
    let (before, _) = settings.split_once("online_store:").unwrap();
    let project = Project::new(&[
        ("feature_store.yaml", &format!("{before}{online_store}entity_key_serialization_version: 3\n")),
        ("things.yaml", VIEW),
    ]);
    write_source(&project);
    project
}

/// The hash of every entity.
fn hashes(server: &RedisServer) -> Vec<BTreeMap<Vec<u8>, Vec<u8>>> {
    let mut connection = server.connect();
    let mut keys: Vec<Vec<u8>> = redis::cmd("KEYS").arg("*").query(&mut connection).unwrap();
    keys.sort();
    if keys.is_empty() {
        return Vec::new();
    }
    let mut pipeline = redis::pipe();
    keys.iter().for_each(|key| {
        pipeline.cmd("HGETALL").arg(key);
    });
    pipeline.query(&mut connection).unwrap()
}

#[test]
fn what_is_recorded_is_in_redis_whenever_a_run_is_killed() {
    let server = RedisServer::start("");
    let project = waves(&server.settings(0));
    project.feastr(&["apply"]).ok();
    let applied = std::fs::read(project.path("data/registry.db")).unwrap();
    let mut killer = Killer::new(&project, &RUN);
    let complete = hashes(&server);
    assert_eq!((complete.len() as i64, complete[0].len()), (ENTITIES, 3));
    let mut partly = 0;
    while killer.cut_off < KILLS {
        redis::cmd("FLUSHALL").exec(&mut server.connect()).unwrap();
        std::fs::write(project.path("data/registry.db"), &applied).unwrap();
        killer.kill(&mut project.command(&RUN));
        let there = hashes(&server);
        // An entity has all values of one hour or none.
        assert!(there.iter().all(|hash| hash.len() == 3));
        if let Some((_, end)) = intervals(&project, "things").last() {
            let end = Timestamp::parse(end, Timestamp::from_micros(0)).unwrap();
            let due = (end.micros() - BEGIN) / HOUR + 1;
            assert_eq!(there.len() as i64, ENTITIES, "recorded until {end}");
            assert!(there.iter().all(|hash| wave(hash) >= due), "recorded until {end}");
            partly += u32::from(due < WAVES);
        }
        project.feastr(&["get-online", "--features", "things:wave", "--entity", "id=7"]).ok();
        project.feastr(&RUN).ok();
        assert!(hashes(&server) == complete, "after {} kills", killer.cut_off);
    }
    assert!(partly > 0, "no run was killed between two chunks");
}

/// The number in the value of the feature `wave`, a small `Value.int64_val`, which is two bytes long.
fn wave(hash: &BTreeMap<Vec<u8>, Vec<u8>>) -> i64 {
    let value = hash.values().find(|value| value.len() == 2).unwrap();
    i64::from(value[1])
}
