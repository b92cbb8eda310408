//! People who ask for features without knowing ids.

use super::{Lake, Place};
use crate::servers::{self, Kind};

fn asked(lake: &Lake, args: &[&str]) -> crate::support::Output {
    let ask = ["get-historical", "--features", "stats:score", "--entities-from"];
    lake.project.feastr(&[&ask, args, &["--format", "csv"]].concat())
}

#[test]
fn entities_of_a_range_are_asked_about_without_their_ids() {
    for place in Place::all() {
        let lake = Lake::new(place);
        lake.write_stats("a.csv", &[("1", 1), ("2", 2), ("1", 3)]);
        lake.write_stats("b.csv", &[("1", 1), ("3", 9)]);
        lake.project
            .write("lake/trips/day=1/part-1.csv", "drv,car_id,event_timestamp,length\n7,red,01.01.2026 02:00,1\n");
        lake.project.feastr(&["entity-index", "backfill"]).ok();
        let range = ["--start", "2026-01-01T01:00:00Z", "--end", "2026-01-01T03:00:00Z"];
        let rows = asked(&lake, &[&["index:driver"], &range[..]].concat()).ok().stdout;
        assert_eq!(
            rows.lines().map(|line| line.replace("2026-01-01T", "").replace(":00:00", "")).collect::<Vec<_>>(),
            ["driver_id,event_timestamp,score", "1,01Z,0.1", "2,02Z,0.2", "1,03Z,0.3"]
        );
        let at = [&["index:driver"], &range[..], &["--at", "2026-01-01T12:00:00Z"]].concat();
        let rows = asked(&lake, &at).ok().stdout;
        let rows: Vec<&str> = rows.lines().skip(1).map(|line| line.rsplit(',').next().unwrap()).collect();
        assert_eq!(rows, ["0.3", "0.2"]);
    }
}

#[test]
fn what_the_index_cannot_give_is_said() {
    let lake = Lake::new(Place::Sqlite);
    let said = |args: &[&str]| asked(&lake, args).failed().stderr;
    assert!(said(&["index:driver"]).contains("has nothing of entity `driver`"));
    lake.write_stats("a.csv", &[("1", 1)]);
    lake.project.feastr(&["entity-index", "backfill"]).ok();
    assert!(said(&["index:drivr"]).contains("did you mean `driver`?"));
    assert!(said(&["index:car"]).contains("the features need `driver_id`"));
    let several = ["get-historical", "--features", "trips:length", "--entities-from", "index:driver"];
    let several = lake.project.feastr(&several).failed().stderr;
    assert!(several.contains("need `driver_id`, `car_id`"), "{several}");
}

#[test]
fn a_range_of_time_is_found_by_the_index_of_the_table() {
    let database = servers::shared(Kind::Postgres).create_database();
    let lake = Lake::new(Place::Postgres(database));
    let rows: Vec<(String, u32)> = (0..20_000).map(|number| (number.to_string(), number % 24)).collect();
    let rows: Vec<(&str, u32)> = rows.iter().map(|(id, hour)| (id.as_str(), *hour)).collect();
    lake.write_stats("a.csv", &rows);
    lake.project.feastr(&["entity-index", "backfill"]).ok();
    lake.query("ANALYZE entity_lookup.entity_driver");
    let explained = lake.query(
        "EXPLAIN SELECT DISTINCT id, event_timestamp FROM entity_lookup.entity_driver WHERE feature_view IN ('stats') \
         AND event_timestamp >= '2026-01-01 05:00Z' AND event_timestamp <= '2026-01-01 05:30Z' \
         ORDER BY event_timestamp, id LIMIT 50000",
    );
    let explained: Vec<String> = explained.concat();
    assert!(explained.iter().any(|line| line.contains("entity_lookup_entity_driver_time")), "{explained:#?}");
}
