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
        // Features that need both keys are asked for those who were in a row together.
        lake.project.write(
            "lake/trips/day=2/part-1.csv",
            "drv,car_id,event_timestamp,length\n7,blue,01.01.2026 02:00,2\n,red,01.01.2026 02:30,3\n8,red,01.01.2026 03:00,4\n\
             9,red,01.01.2026 04:00,5\n",
        );
        lake.project.feastr(&["entity-index", "backfill"]).ok();
        let pairs = ["get-historical", "--features", "trips:length", "--entities-from", "index:driver,car"];
        let rows = lake.project.feastr(&[&pairs[..], &range, &["--format", "csv"]].concat()).ok().stdout;
        assert_eq!(
            rows.lines().map(|line| line.replace("2026-01-01T", "").replace(":00:00", "")).collect::<Vec<_>>(),
            ["driver_id,car_id,event_timestamp,length", "7,blue,02Z,2.0", "7,red,02Z,1.0", "8,red,03Z,4.0"]
        );
        let once = lake.project.feastr(&[&pairs[..], &range, &["--at", "2026-01-02", "--format", "csv"]].concat()).ok();
        assert_eq!(once.stdout.lines().count(), 4, "{}", once.stdout);
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
    assert!(said(&["index:driver,car"]).contains("the features need `driver_id`"));
    let several = ["get-historical", "--features", "trips:length", "--entities-from", "index:driver"];
    let several = lake.project.feastr(&several).failed().stderr;
    assert!(several.contains("need `driver_id`, `car_id`") && several.contains("index:driver,car"), "{several}");
}

#[test]
fn the_questions_that_the_page_shows_are_answered() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/entity-index.md");
    let page = std::fs::read_to_string(page).unwrap();
    let statements = page.split("```sql\n").nth(1).unwrap().split("```").next().unwrap();
    let statements = statements.replace("driver_hourly_stats", "stats");
    let statements = statements.replace("now() - interval '1 day'", "timestamptz '2026-01-01 02:00Z'");
    let lake = Lake::new(Place::Postgres(servers::shared(Kind::Postgres).create_database()));
    lake.write_stats("a.csv", &[("1", 1), ("2", 2), ("1", 3)]);
    lake.project.write("lake/trips/day=1/part-1.csv", "drv,car_id,event_timestamp,length\n7,red,01.01.2026 02:00,1\n");
    lake.project.feastr(&["entity-index", "backfill"]).ok();
    let [jobs, seen, latest, together] = statements
        .trim()
        .split(';')
        .filter(|statement| !statement.trim().is_empty())
        .map(|statement| lake.query(statement))
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    let jobs: Vec<&[String]> = jobs.iter().map(|job| &job[2..6]).collect();
    assert_eq!(jobs, [["done", "3 rows", "driver", "stats"], ["done", "2 rows", "driver,car", "trips"]]);
    let mut seen = seen.concat();
    seen.sort();
    assert_eq!(seen, ["1", "2"]);
    let mut latest = latest;
    latest.sort();
    assert_eq!(latest, [["1", "2026-01-01 03:00:00"], ["2", "2026-01-01 02:00:00"]]);
    assert_eq!(together, [["7", "red"]]);
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
